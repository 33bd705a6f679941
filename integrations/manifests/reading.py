"""The cells of one row by field, with what is noted about them while `rows` reads them."""

from __future__ import annotations

from integrations.manifests.problems import Problem
from integrations.manifests.table import Cell, ManifestTable, RawRow, Unusable, as_text


class RowReading:
    """One row under the columns of its table; `problems` reject it, `warnings` and `remarks` go with the person."""

    def __init__(self, raw: RawRow, table: ManifestTable) -> None:
        self._table = table
        self._cells = table.fields_of(raw)
        self.epoch = table.epoch
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.remarks: list[str] = []

    def cell(self, name: str) -> Cell:
        return self._cells.get(name)

    def text(self, name: str) -> str | None:
        """The cell as text; none for an empty or unusable one."""
        return as_text(self.cell(name))

    def reject(self, name: str, reason: str) -> None:
        cell = self.cell(name)
        formula = isinstance(cell, Unusable)
        header = self._table.header_of(name) or name
        self.problems.append(Problem(header, name, "formula" if formula else reason, as_text(cell)))

    def warn(self, name: str, reason: str) -> None:
        """Notes an optional cell that was not understood, and keeps its text."""
        header = self._table.header_of(name) or name
        self.warnings.append(f"{reason}: {header}")
        if text := self.text(name):
            self.remark(f"{header}: {text}")

    def remark(self, text: str | None) -> None:
        if text and text not in self.remarks:
            self.remarks.append(text)
