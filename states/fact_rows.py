"""How one group of facts is read: a statement that gives the rows of many cases, and what the rows of one case mean.

`states.gather` runs them; its siblings `states.gather_*` declare them by theme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from models.types import BigId
from states.bulk import SetStatement

Reader = Callable[[Iterator[Any]], dict[str, Any]]
"""From the rows of one case, its id first, to fields of `Facts`."""


def of_cases(columns: str, table: str, rest: str = "ORDER BY case_id, id") -> SetStatement:
    """Rows of a table by case, the newest last; `rest` may lock them, as in `SetStatement`."""
    sql = "SELECT case_id, {} FROM {} WHERE case_id IN (SELECT r.id FROM {{rows}}) {}"
    return SetStatement(sql.format(columns, table, rest), id=BigId)
