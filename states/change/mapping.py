"""Which name of the old version is which one in the new: `--map planning=care_plan`, `--map referral.accepted=agreed`.

The command line reads them; `states.change.passage` goes by them, for every case alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from models.errors import WrongUse
from states.facts import PlanFact
from states.pathway import Pathway


@dataclass(frozen=True, slots=True)
class Names:
    """`states` maps states, `records` statuses of records (by kind and status); what is not there keeps its name."""

    states: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def state(self, key: str) -> str:
        """What the new version calls this state."""
        return self.states.get(key, key)

    def status(self, kind: str, status: str) -> str:
        """What the new version calls this status of a record."""
        return self.records.get((kind, status), status)

    def needs(self, needs: Iterable[str]) -> list[str]:
        """What the new version calls the states that a plan asks for, each once."""
        return list(dict.fromkeys(map(self.state, needs)))

    def plan(self, plan: PlanFact | None) -> PlanFact | None:
        """What is known of a plan, which asks for states, in the words of the new version."""
        return None if plan is None else plan._replace(needs=frozenset(self.needs(plan.needs)))

    def as_pairs(self) -> dict[str, str]:
        """As they were written: old name to new name."""
        return {**self.states, **{f"{kind}.{status}": new for (kind, status), new in self.records.items()}}


NO_NAMES: Final = Names()


def names_of(pairs: Mapping[str, str]) -> Names:
    """The names that `Names.as_pairs` gave."""
    states = {old: new for old, new in pairs.items() if "." not in old}
    records = {(old.partition(".")[0], old.partition(".")[2]): new for old, new in pairs.items() if "." in old}
    return Names(states, records)


def read_names(written: Iterable[str], old: Pathway, new: Pathway) -> Names:
    """The names that somebody wrote as `OLD=NEW`. Raises WrongUse for what is not written so, what names nothing that
    is there, and what names something of the old version twice."""
    pairs: dict[str, str] = {}
    for each in written:
        before, equals, after = each.partition("=")
        if not (before and equals and after) or before in pairs:
            raise WrongUse(
                f"'{each}' is no mapping, or maps something a second time.",
                f"« {each} » n'est pas une correspondance, ou en répète une.",
                remedy="Write OLD=NEW, as in planning=care_plan or referral.accepted=agreed, once for each name.",
                remedy_fr="Écrivez ANCIEN=NOUVEAU (planning=care_plan, referral.accepted=agreed), une fois par nom.",
            )
        kind = before.partition(".")[0] if "." in before else None
        _known(before.rpartition(".")[2], kind, old)
        _known(after, kind, new)
        pairs[before] = after
    return names_of(pairs)


def _known(name: str, kind: str | None, pathway: Pathway) -> None:
    if kind is None:
        known = list(pathway.states)
    else:
        known = list(pathway.records[kind].states) if kind in pathway.records else []
    if name not in known:
        where = f"{pathway.name}@{pathway.version}"
        what = f"{kind}.{name}" if kind else name
        raise WrongUse(
            f"{where} knows no '{what}'.",
            f"{where} ne connaît pas « {what} ».",
            remedy=f"It knows: {', '.join(known) or 'nothing of this kind'}.",
            remedy_fr=f"Il connaît : {', '.join(known) or 'rien de ce genre'}.",
        )
