"""What is asked of every case of a batch, and the move that asks it of one.

`states.batches.run` and `states.batches.outcomes` use it; the command line writes orders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from models.batches import Batch, BatchStatus
from models.errors import WrongUse
from models.staff import Staff
from states.chain import storable
from states.moves import Actor, Move


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of every case of a batch, and by whom."""

    trigger: str
    actor: Actor
    reason: str | None = None
    note: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


def check_order(order: Order) -> None:
    """Raises WrongUse for an order that cannot be kept as it is."""
    if not (storable(f"{order.trigger}{order.reason}{order.note}") and storable(order.data)):
        raise WrongUse(
            "The order holds a text or a number that cannot be kept as it is.",
            "La demande contient un texte ou un nombre qui ne peut pas être conservé tel quel.",
            remedy="Write whole numbers, and texts without control characters.",
            remedy_fr="Écrivez des nombres entiers, et des textes sans caractères de contrôle.",
        )


def order_of(session: Session, batch: Batch) -> Order:
    """The order that a batch was made for. Raises WrongUse when it was declined, or its author works here no
    more."""
    if batch.status == BatchStatus.DECLINED:
        raise WrongUse(
            "This batch was declined.",
            "Ce lot a été refusé.",
            remedy="Order it anew: `segin case batch --help`.",
            remedy_fr="Commandez-le à nouveau : `segin case batch --help`.",
        )
    office_id = None
    if batch.staff_id is not None:
        author = session.get_one(Staff, batch.staff_id, populate_existing=True)
        office_id = author.office_id
        if not author.active:
            raise WrongUse(
                f"{author.login}, who ordered this batch, does not work here any more.",
                f"{author.login}, qui a commandé ce lot, ne travaille plus ici.",
                remedy="Order the rest anew in the name of somebody who does.",
                remedy_fr="Commandez le reste à nouveau au nom d'une personne en poste.",
            )
    actor = Actor(batch.role, batch.staff_id, office_id)
    return Order(batch.trigger, actor, batch.reason, batch.note, batch.data)


def move_of(order: Order, uid: str, case_id: int, expected_version: int | None) -> Move:
    """The move that the order asks of one case; its command id is the same whenever it is made."""
    return Move(
        case_id=case_id,
        trigger=order.trigger,
        actor=order.actor,
        command_id=f"batch:{uid}:{case_id}",
        correlation_id=f"batch-{uid}",
        expected_version=expected_version,
        reason=order.reason,
        note=order.note,
        data=order.data,
    )
