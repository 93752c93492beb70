"""The vendor's own answer, changed on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from certrecon_sandbox.faults.exchange import Answer, Exchange
from certrecon_sandbox.faults.fault import Fault, choice

TOTAL = "x-pagination-total-count"
_EXTRA = {
    "undocumentedText": "a field that no document names",
    "undocumentedNumber": 12345678901234567890,
    "undocumentedNothing": None,
    "undocumented object": {"deep": [{"deeper": [1, 2.5, None, True]}]},
    "undocumented-ünïcode": ["æøå"],
}


class _Altering(Fault):
    """A fault that changes a success of the vendor."""

    def alter(self, answer: Answer) -> None:
        """Change the answer in place."""
        raise NotImplementedError

    async def play(self, exchange: Exchange) -> None:
        """Let the vendor answer, change that, and send it."""
        answer = await exchange.answer()
        if answer.status < 300:
            self.alter(answer)
        await exchange.reply(answer)


def change_rows(answer: Answer, change: Callable[[list[Any]], list[Any]]) -> None:
    """Change the rows of a list, of an envelope's `data`, or a single object taken as one row."""
    value = answer.value
    if isinstance(value, list):
        answer.set_value(change(value))
    elif isinstance(value, dict) and isinstance(value.get("data"), list):
        answer.set_value(value | {"data": change(value["data"])})
    elif isinstance(value, dict):
        answer.set_value(change([value])[0])


@dataclass(frozen=True)
class Truncated(_Altering):
    """JSON that ends after `share` of its bytes, with the Content-Length of what is sent."""

    kind: ClassVar[str] = "truncated"
    share: float = 0.5

    def alter(self, answer: Answer) -> None:
        """Cut the body."""
        answer.body = answer.body[: int(len(answer.body) * min(self.share, 1.0))]


@dataclass(frozen=True)
class DroppedField(Fault):
    """The vendor takes the request as if `field` were not in it, and so chooses for itself what that would say."""

    kind: ClassVar[str] = "dropped_field"
    only: ClassVar[tuple[str, ...]] = ("4hse.*.create", "4hse.*.update")
    field: str = "certificate_action_id"

    async def play(self, exchange: Exchange) -> None:
        """Take the field away, then go on."""
        body = await exchange.request_value()
        if isinstance(body, dict):
            exchange.set_request({name: value for name, value in body.items() if name != self.field})
        await exchange.go_on()


@dataclass(frozen=True)
class EmptySuccess(_Altering):
    """A success with `status` and an empty body; the vendor has processed the request."""

    kind: ClassVar[str] = "empty_success"
    status: int = 200

    def alter(self, answer: Answer) -> None:
        """Take the body away."""
        answer.status, answer.body = self.status, b""


@dataclass(frozen=True)
class DuplicateRow(_Altering):
    """Row number `row` of the answer, from 0, comes again at the end: in addition, or `how: instead` of the next one.

    An answer with fewer rows stays as it is.
    """

    kind: ClassVar[str] = "duplicate_row"
    how: str = choice("added", "instead")
    row: int = 0

    def alter(self, answer: Answer) -> None:
        """Repeat a row."""
        change_rows(answer, self._repeated)

    def _repeated(self, rows: list[Any]) -> list[Any]:
        if self.row + 1 >= len(rows):
            return rows
        kept = rows if self.how == "added" else rows[: self.row + 1] + rows[self.row + 2 :]
        return [*kept, rows[self.row]]


@dataclass(frozen=True)
class MissingRow(_Altering):
    """Row number `row` of the answer, from 0, is left out; with `total: lowered` the counting header agrees with that.

    An answer with fewer rows stays as it is.
    """

    kind: ClassVar[str] = "missing_row"
    total: str = choice("kept", "lowered")
    row: int = 0

    def alter(self, answer: Answer) -> None:
        """Leave a row out."""
        change_rows(answer, lambda rows: rows[: self.row] + rows[self.row + 1 :])
        total = answer.header(TOTAL)
        if self.total == "lowered" and total is not None:
            answer.set_header(TOTAL, str(max(int(total) - 1, 0)))


@dataclass(frozen=True)
class ExtraFields(_Altering):
    """Every row carries fields that no document names: text, a huge number, null, nested values."""

    kind: ClassVar[str] = "extra_fields"

    def alter(self, answer: Answer) -> None:
        """Add the fields."""
        change_rows(answer, lambda rows: [row | _EXTRA if isinstance(row, dict) else row for row in rows])


@dataclass(frozen=True)
class Nulls(_Altering):
    """`fields` (separated by `|`) are null in every row that has them, or in the first one (`rows: first`)."""

    kind: ClassVar[str] = "nulls"
    fields: str = "note|data"
    rows: str = choice("all", "first")

    def alter(self, answer: Answer) -> None:
        """Set the fields to null."""
        names = self.fields.split("|")

        def change(rows: list[Any]) -> list[Any]:
            for row in rows if self.rows == "all" else rows[:1]:
                if isinstance(row, dict):
                    row.update({name: None for name in names if name in row})
            return rows

        change_rows(answer, change)
