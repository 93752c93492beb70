"""Rows that come and go while they are read."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from certrecon_sandbox.faults.exchange import Exchange
from certrecon_sandbox.faults.fault import Fault, choice
from certrecon_sandbox.table import Row, Selection, Table
from certrecon_sandbox.world import World

_TABLES = {
    "4hse.project.index": "projects",
    "4hse.certificate.index": "certificates",
    "4hse.certificate-action.index": "links",
    "4hse.person.index": "persons",
}
_NAMESPACE = uuid.UUID("6f1f1d3e-7b0c-4c58-9f3a-0d7a5f2b9a10")


@dataclass(frozen=True)
class RowsMove(Fault):
    """Before the request is answered a row of its list goes, comes at the end, or one goes and one comes.

    `row` is the place of the row that goes, from 0; what comes is a copy of it under another id. The total
    stays the same with `balanced`, and with `reordered`, where the row itself goes to the end.
    """

    kind: ClassVar[str] = "rows_move"
    only: ClassVar[tuple[str, ...]] = tuple(_TABLES)
    how: str = choice("balanced", "delete", "insert", "reordered")
    row: int = 0

    async def play(self, exchange: Exchange) -> None:
        """Move, then go on."""
        asked = await exchange.request_value()
        filters = asked.get("filter")
        self.move(exchange.sandbox.world, exchange.endpoint, filters if isinstance(filters, dict) else {})
        await exchange.go_on()

    def move(self, world: World, endpoint: str, filters: Mapping[str, Any]) -> None:
        """Change the world as this fault does while a list with these filters is read."""
        table = world.tables()[_TABLES[endpoint]]
        equal = tuple(sorted((name, str(value)) for name, value in filters.items()))
        keys = table.select(Selection(equal=equal))
        if self.row < len(keys):
            self._move(table, dict(table.rows[keys[self.row]]))

    def _move(self, table: Table, row: Row) -> None:
        identity = row[table.key]
        if self.how != "insert":
            table.remove(identity)
        if self.how == "reordered":
            table.add(row)
        elif self.how != "delete":
            table.add(row | {table.key: str(uuid.uuid5(_NAMESPACE, f"{identity}:{table.revision}"))})
