"""The `index` operation that all entities share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from certrecon_sandbox.bodies import as_flag
from certrecon_sandbox.fourhse.entities import Entity
from certrecon_sandbox.fourhse.errors import FieldErrors, InvalidError, invalid
from certrecon_sandbox.table import Selection, Table, as_text

JSON_TYPE = "application/json; charset=UTF-8"


@dataclass(frozen=True)
class Listing:
    """One `index` request, checked."""

    selection: Selection
    page: int
    per_page: int


def parse_listing(entity: Entity, asked: dict[str, Any], max_page_size: int) -> Listing:
    """Check an `index` request.

    Raises:
        InvalidError: A filter or sort field is not documented, or a value is not allowed.
    """
    equal, contains = _filters(entity, asked.get("filter"))
    selection = Selection(
        equal=equal,
        contains=contains,
        sort=_sort(entity, asked.get("sort")),
        history=as_flag(asked.get("history")) if entity.history else True,
    )
    return Listing(
        selection,
        page=max(_integer(asked.get("page"), 1), 1),
        per_page=min(max(_integer(asked.get("per-page"), 100), 1), max(max_page_size, 1)),
    )


def listing_response(table: Table, listing: Listing) -> Response:
    """Answer one page; a page past the end is the last page again, as in Yii."""
    keys = table.select(listing.selection)
    size = listing.per_page
    pages = -(-len(keys) // size)
    page = max(min(listing.page, pages), 1)
    body = table.encode(keys[(page - 1) * size : page * size])
    headers = {
        "X-Pagination-Total-Count": str(len(keys)),
        "X-Pagination-Page-Count": str(pages),
        "X-Pagination-Current-Page": str(page),
        "X-Pagination-Per-Page": str(size),
    }
    return Response(body, headers=headers, media_type=JSON_TYPE)


Pairs = tuple[tuple[str, str], ...]


def _filters(entity: Entity, asked: Any) -> tuple[Pairs, Pairs]:
    if asked in (None, "", [], {}):
        return (), ()
    if not isinstance(asked, dict):
        raise invalid("filter", "Filter must be an object.")
    equal: list[tuple[str, str]] = []
    contains: list[tuple[str, str]] = []
    errors: FieldErrors = []
    for name, value in sorted(asked.items()):
        text = as_text(value)
        if text is None or text == "":
            continue
        message = _filter_error(entity, name, value, text)
        if message:
            errors.append({"field": f"filter.{name}", "message": message})
        (contains if name in entity.partial else equal).append((name, text))
    if errors:
        raise InvalidError(errors)
    return tuple(equal), tuple(contains)


def _filter_error(entity: Entity, name: str, value: Any, text: str) -> str | None:
    if name not in entity.filters:
        return f'Unknown filter attribute "{name}"'
    if name != "data" and isinstance(value, (list, dict)):
        return f"{name} must be a single value."
    allowed = entity.allowed.get(name)
    if allowed and text not in {str(choice) for choice in allowed}:
        return f"{name} is invalid."
    return None


def _sort(entity: Entity, asked: Any) -> str | None:
    if asked in (None, ""):
        return None
    if not isinstance(asked, str) or asked.removeprefix("-") not in entity.sorts:
        raise invalid("sort", "Sort is invalid.")
    return asked


def _integer(value: Any, default: int) -> int:
    """Read a number as PHP casts it: what is none counts as zero."""
    if value in (None, ""):
        return default
    try:
        return int(str(value).strip())
    except ValueError:
        return 0
