"""Lists that cannot be read straight on (4HSE's indexes; Ditio's employees for `endless_list`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from certrecon_sandbox.faults.exchange import Answer, Exchange, json_answer
from certrecon_sandbox.faults.fault import Fault, choice

_INDEXES = ("4hse.*.index",)
_PREFIX = "x-pagination-"
_ALL = ("total-count", "page-count", "current-page", "per-page")


@dataclass(frozen=True)
class Clamp(Fault):
    """The server gives at most `size` rows a page, whatever is asked for."""

    kind: ClassVar[str] = "clamp"
    only: ClassVar[tuple[str, ...]] = _INDEXES
    size: int = 2

    async def play(self, exchange: Exchange) -> None:
        """Ask for less."""
        asked = await exchange.request_value()
        wanted = asked.get("per-page")
        exchange.set_request(asked | {"per-page": min(wanted, self.size) if isinstance(wanted, int) else self.size})
        await exchange.go_on()


@dataclass(frozen=True)
class PageHeaders(Fault):
    """Pagination headers that are gone, or wrong.

    `missing`: none; `no_total`: no Total-Count; `garbage`: words and minus signs instead of numbers;
    `total_more`, `total_less`: Total-Count is one too many or too few; `pages_less`: Page-Count is one too few;
    `pages_more`: a hundred too many; `current`: Current-Page is always 1; `per_page`: Per-Page is doubled.
    """

    kind: ClassVar[str] = "page_headers"
    only: ClassVar[tuple[str, ...]] = _INDEXES
    how: str = choice(
        "missing", "no_total", "garbage", "total_more", "total_less", "pages_less", "pages_more", "current", "per_page"
    )

    async def play(self, exchange: Exchange) -> None:
        """Let the vendor answer and change its headers."""
        answer = await exchange.answer()
        if answer.status < 300:
            self._change(answer)
        await exchange.reply(answer)

    def _change(self, answer: Answer) -> None:
        if self.how == "missing":
            for name in _ALL:
                answer.set_header(_PREFIX + name, None)
        elif self.how == "garbage":
            for name, text in zip(_ALL, ("many", "-3", "1.5", ""), strict=True):
                answer.set_header(_PREFIX + name, text)
        else:
            name, change = _WRONG[self.how]
            value = answer.header(_PREFIX + name)
            answer.set_header(_PREFIX + name, None if change is None or value is None else str(change(int(value))))


_WRONG = {
    "no_total": ("total-count", None),
    "total_more": ("total-count", lambda total: total + 1),
    "total_less": ("total-count", lambda total: max(total - 1, 0)),
    "pages_less": ("page-count", lambda pages: max(pages - 1, 1)),
    "pages_more": ("page-count", lambda pages: pages + 100),
    "current": ("current-page", lambda _page: 1),
    "per_page": ("per-page", lambda size: size * 2),
}


@dataclass(frozen=True)
class SamePage(Fault):
    """The first page comes for ever: whatever page is asked for, it is that one, and `pages` are promised."""

    kind: ClassVar[str] = "same_page"
    only: ClassVar[tuple[str, ...]] = _INDEXES
    pages: int = 100_000

    async def play(self, exchange: Exchange) -> None:
        """Answer page 1 in the name of the one asked for."""
        asked = await exchange.request_value()
        exchange.set_request(asked | {"page": 1})
        answer = await exchange.answer()
        if answer.status < 300:
            size = int(answer.header(_PREFIX + "per-page") or 1)
            answer.set_header(_PREFIX + "current-page", str(asked.get("page", 1)))
            answer.set_header(_PREFIX + "page-count", str(self.pages))
            answer.set_header(_PREFIX + "total-count", str(self.pages * size))
        await exchange.reply(answer)


@dataclass(frozen=True)
class EndlessList(Fault):
    """Ditio's list as an envelope that always says it goes on: with the same token, or a new one each time."""

    kind: ClassVar[str] = "endless_list"
    only: ClassVar[tuple[str, ...]] = ("ditio.employees.list", "ditio.users.list")
    following: str = choice("same", "new")

    async def play(self, exchange: Exchange) -> None:
        """Wrap the rows in an envelope that goes on."""
        answer = await exchange.answer()
        if answer.status < 300:
            place = "again" if self.following == "same" else f"again-{exchange.hit}"
            answer = json_answer(200, {"data": answer.value, "continuationToken": place})
        await exchange.reply(answer)
