"""The ledgers of budgets: what approved grants commit, what they give back, and what was bought out of it.

`states.casework` (approvals, livelihood, purchases) and `states.undoing` write them, in the transaction of the grants'
moves. The budgets are locked, their version is compared and set, and the database itself refuses one that is overspent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Integer, String
from sqlmodel import Session

from models.errors import WrongUse
from models.types import BigId
from states.bulk import SetStatement, as_date, insert_into, time_text
from states.moves import Reason


class GrantMoney(NamedTuple):
    """What a grant may cost, what was bought for it, the budget that it was last approved on, and its project."""

    id: int
    code: str
    amount_xof: int
    spent_xof: int
    budget_id: int | None
    project_id: int | None

    @property
    def left_xof(self) -> int:
        """What may still be bought."""
        return self.amount_xof - self.spent_xof


@dataclass(slots=True)
class Account:
    """A budget as it is locked; `claimed` is what the batch at hand means to commit."""

    id: int
    code: str
    amount_xof: int
    committed_xof: int
    version: int
    starts_on: date
    ends_on: date
    claimed_xof: int = 0
    lines: list[tuple[int, str, int, int | None]] = field(default_factory=list)

    @property
    def available_xof(self) -> int:
        """What nobody has committed or claimed."""
        return self.amount_xof - self.committed_xof - self.claimed_xof


_GRANTS = SetStatement(
    "SELECT id, code, amount_xof, spent_xof, budget_id, project_id FROM livelihood_grant "
    "WHERE code IN (SELECT r.code FROM {rows})",
    code=String(),
)
_NAMED = SetStatement(
    "SELECT id FROM budget WHERE code IN (SELECT r.code FROM {rows}) ORDER BY id",
    code=String(),
)
_PAYING = SetStatement(
    "SELECT DISTINCT l.budget_id FROM {rows} JOIN budget_line AS l ON l.grant_id = r.id",
    id=BigId,
)
_LOCK = SetStatement(
    "SELECT id, code, amount_xof, committed_xof, version, starts_on, ends_on FROM budget "
    "WHERE id IN (SELECT r.id FROM {rows}) ORDER BY id {lock}",
    id=BigId,
)
_NET = SetStatement(
    "SELECT l.budget_id, l.grant_id, "
    "SUM(CASE l.kind WHEN 'commitment' THEN l.amount_xof WHEN 'release' THEN -l.amount_xof ELSE 0 END) "
    "FROM {rows} JOIN budget_line AS l ON l.grant_id = r.id GROUP BY l.budget_id, l.grant_id",
    id=BigId,
)
_UPDATE = SetStatement(
    "UPDATE budget SET committed_xof = r.committed_xof, version = r.version FROM {rows} "
    "WHERE budget.id = r.id AND budget.version = r.before RETURNING budget.id",
    id=BigId,
    committed_xof=BigInteger(),
    before=Integer(),
    version=Integer(),
)
_INSERT = insert_into("budget_line", "budget_id", "seq", "grant_id", "kind", "amount_xof", "at", "by_id")


def read_grants(session: Session, codes: Iterable[str]) -> dict[str, GrantMoney]:
    """The money of these grants, by code, as far as there are any; no budget is locked."""
    rows = _GRANTS.execute(session, [(code,) for code in sorted(set(codes))])
    return {row[1]: GrantMoney(*row) for row in rows}


class Ledger:
    """The budgets of some grants, locked until the commit. Commitments are set to what they should be, never added up
    blindly: whatever became of a grant before, it holds no more than it needs."""

    def __init__(self, session: Session, grants: Iterable[str], budgets: Collection[str] = ()) -> None:
        self._session = session
        self.grants = read_grants(session, grants)
        ids = [(grant.id,) for grant in self.grants.values()]
        # Nobody adds lines to a grant whose case somebody else has locked, so these are all.
        paying = {id_ for (id_,) in _NAMED.execute(session, [(code,) for code in sorted(set(budgets))])}
        paying |= {id_ for (id_,) in _PAYING.execute(session, ids)}
        self._accounts = {row[0]: _account(row) for row in _LOCK.execute(session, [(id_,) for id_ in paying])}
        self.by_code = {account.code: account for account in self._accounts.values()}
        for code in budgets:
            if code not in self.by_code:
                raise WrongUse(
                    f"There is no budget {code}.",
                    f"Le budget {code} n'existe pas.",
                    remedy="See `segin budget list`.",
                    remedy_fr="Voyez `segin budget list`.",
                )
        # A statement of its own: after having waited for the locks, it sees what the one before has done.
        self._net = {(budget, grant): int(net) for budget, grant, net in _NET.execute(session, ids)}

    def claim(self, grant: GrantMoney, budget: str, today: date) -> Reason | None:
        """Keep what the approval of the grant needs of the budget, or say why it cannot be had."""
        account = self.by_code[budget]
        if not account.starts_on <= today <= account.ends_on:
            return Reason(
                "budget_not_open",
                f"Le budget {budget} vaut du {account.starts_on} au {account.ends_on}.",
                f"The budget {budget} is for {account.starts_on} to {account.ends_on}.",
                "budget.period",
            )
        needed = self._needed(grant, account)
        if needed > account.available_xof:
            return Reason(
                "budget_spent",
                f"Le budget {budget} n'a plus que {account.available_xof} F CFA ; il en faut {needed}.",
                f"The budget {budget} has only XOF {account.available_xof} left; {needed} are needed.",
                "budget.available_xof",
            )
        account.claimed_xof += needed
        return None

    def give_back(self, grant: GrantMoney, budget: str) -> None:
        """The approval came to nothing."""
        account = self.by_code[budget]
        account.claimed_xof -= self._needed(grant, account)

    def commit(self, grant: GrantMoney, budget: str, by: int | None) -> None:
        """The grant is approved on this budget: it commits its amount there, and nothing elsewhere."""
        account = self.by_code[budget]
        account.claimed_xof -= self._needed(grant, account)
        self._set(grant, account.id, grant.amount_xof, by)

    def release(self, grant: GrantMoney, by: int | None) -> None:
        """The grant needs no more than what was bought for it."""
        self._set(grant, grant.budget_id, grant.spent_xof, by)

    def spend(self, code: str, amount_xof: int, by: int | None) -> None:
        """Something was bought for the grant, out of what is committed; a grant that no budget pays has no line."""
        grant = self.grants[code]
        self.grants[code] = grant._replace(spent_xof=grant.spent_xof + amount_xof)
        account = self._accounts.get(grant.budget_id or 0)
        if account is not None:
            account.lines.append((grant.id, "expense", amount_xof, by))

    def write(self, now: datetime) -> None:
        """Write the lines and set the budgets, in two statements."""
        changed = [account for account in self._accounts.values() if account.lines]
        if not changed:
            return
        rows = [
            (account.id, account.version + number, grant_id, kind, amount, time_text(now), by)
            for account in changed
            for number, (grant_id, kind, amount, by) in enumerate(account.lines, start=1)
        ]
        budgets = [(each.id, each.committed_xof, each.version, each.version + len(each.lines)) for each in changed]
        set_ = _UPDATE.execute(self._session, budgets).all()
        if len(set_) != len(changed):
            raise RuntimeError("a locked budget changed")
        _INSERT.execute(self._session, rows)
        for account in changed:
            account.version += len(account.lines)
            account.lines = []

    def _needed(self, grant: GrantMoney, account: Account) -> int:
        return grant.amount_xof - self._net.get((account.id, grant.id), 0)

    def _set(self, grant: GrantMoney, budget_id: int | None, target: int, by: int | None) -> None:
        for account in self._accounts.values():
            net = self._net.get((account.id, grant.id), 0)
            change = (target if account.id == budget_id else 0) - net
            if change == 0:
                continue
            kind = "commitment" if change > 0 else "release"
            account.lines.append((grant.id, kind, abs(change), by))
            account.committed_xof += change
            self._net[account.id, grant.id] = net + change


def _account(row: Any) -> Account:
    id_, code, amount, committed, version, starts_on, ends_on = row
    return Account(id_, code, amount, committed, version, as_date(starts_on), as_date(ends_on))
