"""The fault matrix: every fault, every endpoint of the pipeline, and what must come of it, written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Expected(StrEnum):
    """What a night with the fault must come to.

    `OK`: it succeeded with exactly the state of a calm night. `FAILS`: it failed and its message names what
    happened. `REJECTS`: it succeeded, but for rows that Ditio refused, whose message is kept. `BLOCKS`: it
    succeeded; whom Ditio's list did not show once and clearly is blocked and reported.
    """

    OK = "ok"
    FAILS = "fails"
    REJECTS = "rejects"
    BLOCKS = "blocks"


COLUMNS = (
    "4hse.token",
    "4hse.project.index",
    "4hse.certificate.index",
    "4hse.certificate-action.index",
    "4hse.person.index",
    "4hse.certificate.view",
    "ditio.token",
    "ditio.employees.list",
    "ditio.users.list",
    "ditio.certificates",
)
"""The endpoints, in the order of a row's cells."""
NAMED = {
    "4hse.token": ("/protocol/openid-connect/token", "the token request"),
    "4hse.project.index": ("/v2/project/index", "4HSE's list of projects", "tenant_missing"),
    "4hse.certificate.index": ("/v2/certificate/index", "4HSE's certificates of tenant"),
    "4hse.certificate-action.index": ("/v2/certificate-action/index", "4HSE's links of tenant"),
    "4hse.person.index": ("/v2/person/index", "4HSE's persons of tenant"),
    "4hse.certificate.view": ("/v2/certificate/view/",),
    "ditio.token": ("/identity/connect/token", "the token request"),
    "ditio.employees.list": ("/api/v5/integration/employees", "Ditio's employee list"),
    "ditio.users.list": ("/api/v4/integration/users", "Ditio's employee list"),
    "ditio.certificates": ("rows undelivered", "rows got no answer from Ditio"),
}
"""What a failure at an endpoint must say: one of these."""
_SIGNS = {"ok": Expected.OK, "!": Expected.FAILS, "r": Expected.REJECTS, "b": Expected.BLOCKS, "-": None}
PLANNED_EMPLOYEE = "<planned>"
"""Stands for the number of an employee for whom the night has something to send."""


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        name: Its name in the matrix.
        kind: The kind of the sandbox's catalogue.
        cells: What must come of it at each of `COLUMNS`: `ok`, `!` fails, `r` rejects, `b` blocks, `-` not applicable.
        words: What the message of a failure must say.
        times: How often it happens; None is always.
        after: How many requests it spares first.
        values: The kind's parameters.
        special: Parameters of one endpoint.
        at_least: Seconds that the night must wait.
        read_timeout: Seconds that the client waits for a byte.
        sequential: Whether pages are read one after the other.
    """

    name: str
    kind: str
    cells: str
    words: tuple[str, ...] = ()
    times: int | None = None
    after: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    special: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at_least: float = 0.0
    read_timeout: float = 5.0
    sequential: bool = False

    def parameters(self, endpoint: str) -> dict[str, Any]:
        """Return the kind's parameters at an endpoint."""
        return {**self.values, **self.special.get(endpoint, {})}

    def words_at(self, endpoint: str) -> tuple[str, ...]:
        """Return what a failure at an endpoint must say."""
        return self.said.get(endpoint, self.words)


@dataclass(frozen=True)
class Cell:
    """One fault at one endpoint, and what must come of it."""

    row: Row
    endpoint: str
    expected: Expected

    @property
    def id(self) -> str:
        """The name of the test."""
        return f"{self.row.name.replace(' ', '_').replace(',', '')}-{self.endpoint}"


_CUT_OFF = ("broke the connection off",)
_POST = "ditio.certificates"
_UNUSED = {
    "4hse.token": {"fields": "scope|session_state|refresh_token|expires_in"},
    "4hse.project.index": {"fields": "name|description|country"},
    "4hse.certificate.index": {"fields": "note|data|resource_name|subtenant_id|project_name"},
    "4hse.certificate-action.index": {"fields": "certificate_name|office_name|is_date_inherited|date_release"},
    "4hse.person.index": {"fields": "birth_place|tax_code|street|country|entity_id|note"},
    "4hse.certificate.view": {"fields": "name|note|data|date_expire"},
    "ditio.token": {"fields": "scope|expires_in"},
    "ditio.employees.list": {"fields": "email|phone|workTitle"},
    "ditio.users.list": {"fields": "email|mobileWork|workTitle|department"},
}
_IDS = {
    "4hse.project.index": {"fields": "project_id"},
    "4hse.certificate.index": {"fields": "certificate_id"},
    "4hse.certificate-action.index": {"fields": "certificate_action_id"},
    "4hse.person.index": {"fields": "person_id"},
    "ditio.employees.list": {"fields": "employeeNumber"},
    "ditio.users.list": {"fields": "employeeNumber"},
}
_TEMPLATE = {"4hse.project.index": {"row": 3}}
_SHAPES = ("simple", "v5", "older", "aspnet", "text")
_SAID = "The certificate is not accepted."


# fmt: off
def _wire() -> Iterator[Row]:
    #                                                 token prj cer lnk per view token emp usr post
    yield Row("slow answers", "latency",              "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", values={"seconds": 0.02})
    yield Row("no answer in time, once", "latency",   "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1, values={"seconds": 0.8, "where": "answer"}, read_timeout=0.3)
    yield Row("no answer in time, ever", "latency",   "!    !   !   !   !   !    !     !   !   !", ("gave no answer in time",), values={"seconds": 0.8}, read_timeout=0.3)
    yield Row("reset, once", "reset",                 "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1)
    yield Row("reset, ever", "reset",                 "!    !   !   !   !   !    !     !   !   !", _CUT_OFF)
    yield Row("reset in the body, once", "cut_body",  "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1)
    yield Row("reset in the body, ever", "cut_body",  "!    !   !   !   !   !    !     !   !   !", _CUT_OFF)
    yield Row("closed in the body, once", "cut_body", "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1, values={"how": "close"})
    yield Row("closed in the body, ever", "cut_body", "!    !   !   !   !   !    !     !   !   !", _CUT_OFF, values={"how": "close"})
    yield Row("answer lost, once", "lost_answer",     "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1)
    yield Row("answer lost, ever", "lost_answer",     "!    !   !   !   !   !    !     !   !   !", _CUT_OFF)
    yield Row("body without end", "endless_body",     "!    -   !   -   -   !    !     -   -   -", ("sent more than",))


def _refusals() -> Iterator[Row]:
    #                                                     token prj cer lnk per view token emp usr post
    yield Row("500, twice", "status",                     "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=2, values={"status": 500})
    yield Row("503, ever", "status",                      "!    !   !   !   !   !    !     !   !   !", ("503",), values={"status": 503})
    yield Row("503, from the second on", "status",        "!    -   -   -   -   -    !     -   -   -", ("503",), after=1, values={"status": 503})
    yield Row("429, Retry-After seconds", "rate_limited", "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1, at_least=1.0, values={"style": "seconds"})
    yield Row("429, Retry-After date", "rate_limited",    "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1, at_least=0.9, values={"style": "date"})
    yield Row("429, X-Rate-Limit-Reset", "rate_limited",  "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1, at_least=1.0, values={"style": "reset"})
    yield Row("429, ever", "rate_limited",                "!    !   !   !   !   !    !     !   !   !", ("429",), values={"style": "nothing"})
    yield Row("page of a proxy 200, once", "html",        "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1, values={"status": 200})
    yield Row("page of a proxy 200, ever", "html",        "!    !   !   !   !   !    !     !   !   !", ("answered 200 with",), values={"status": 200})
    yield Row("page of a proxy 502, once", "html",        "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1)
    yield Row("page of a proxy 502, ever", "html",        "!    !   !   !   !   !    !     !   !   !", ("502",))
    yield Row("token ends, once", "token_ends",           "-    ok  ok  ok  ok  ok   -     ok  ok  ok", times=1)
    yield Row("token ends, ever", "token_ends",           "-    !   !   !   !   !    -     !   !   !", ("401",))
    yield Row("401, from the second on", "status",        "!    -   -   -   -   -    !     -   -   -", ("401", "credentials"), after=1, values={"status": 401})
    yield Row("403 that echoes secrets", "status",        "!    !   !   !   !   !    !     !   !   !", ("403", "You sent"), values={"status": 403, "echo": "credentials"})
    yield Row("404, ever", "status",                      "!    !   !   !   !   -    !     !   !   !", ("404",), values={"status": 404})
    yield Row("422, once", "status",                      "!    !   !   !   !   !    !     !   !   ok", ("422",), times=1, values={"status": 422})
    yield Row("redirect to another host", "redirect",     "!    !   !   !   !   !    !     !   !   !", ("redirect",), said={_POST: ("302",)})


def _ditio_errors() -> Iterator[Row]:
    for shape in _SHAPES:
        #                                                         token prj cer lnk per view token emp usr post
        yield Row(f"400 {shape}, once", "ditio_error",            "-    -   -   -   -   -    !     !   !   ok", ("400",), times=1, values={"shape": shape})
        yield Row(f"400 {shape} for one employee", "ditio_error", "-    -   -   -   -   -    -     -   -   r", (_SAID,), values={"shape": shape, "employee": PLANNED_EMPLOYEE})
    yield Row("400, ever", "ditio_error",                         "-    -   -   -   -   -    !     !   !   r", ("400", _SAID), said={_POST: (_SAID,)})
    yield Row("400 after rows were saved", "partly_saved",        "-    -   -   -   -   -    -     -   -   ok", times=1)


def _altered() -> Iterator[Row]:
    #                                                          token prj cer lnk per view token emp usr post
    yield Row("JSON cut short, once", "truncated",             "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1)
    yield Row("JSON cut short, ever", "truncated",             "!    !   !   !   !   !    !     !   !   ok", ("no JSON",))
    yield Row("200 without a body, once", "empty_success",     "ok   ok  ok  ok  ok  ok   ok    ok  ok  ok", times=1)
    yield Row("200 without a body, ever", "empty_success",     "!    !   !   !   !   !    !     !   !   ok", ("answered 200 with",))
    yield Row("204, ever", "empty_success",                    "!    !   !   !   !   !    !     !   !   ok", ("answered 204 with",), values={"status": 204})
    yield Row("row twice, once", "duplicate_row",              "-    ok  ok  ok  ok  -    -     ok  ok  -", times=1)
    yield Row("row twice, ever", "duplicate_row",              "-    ok  ok  ok  ok  -    -     b   b   -")
    yield Row("row instead of another, once", "duplicate_row", "-    ok  ok  ok  ok  -    -     ok  ok  -", times=1, values={"how": "instead"})
    yield Row("row instead of another, ever", "duplicate_row", "-    !   !   !   !   -    -     b   b   -", ("different ones were read",), values={"how": "instead"})
    yield Row("row missing, once", "missing_row",              "-    ok  ok  ok  ok  -    -     ok  ok  -", times=1)
    yield Row("row missing, ever", "missing_row",              "-    !   !   !   !   -    -     b   b   -", ("different ones were read",))
    yield Row("row missing and not counted", "missing_row",    "-    ok  ok  ok  ok  -    -     -   -   -", times=1, values={"total": "lowered"})
    yield Row("undocumented fields", "extra_fields",           "ok   ok  ok  ok  ok  ok   ok    ok  ok  -")
    yield Row("nulls in unused fields", "nulls",               "ok   ok  ok  ok  ok  ok   ok    ok  ok  -", special=_UNUSED)
    yield Row("id is null, once", "nulls",                     "-    ok  ok  ok  ok  -    -     ok  ok  -", times=1, values={"rows": "first"}, special=_IDS)
    yield Row("access_token is null", "nulls",                 "!    -   -   -   -   -    !     -   -   -", ("access_token",), values={"fields": "access_token"})


def _pages() -> Iterator[Row]:
    headers, totals = "page_headers", ("the server counts", "different ones were read")
    #                                                     token prj cer lnk per view token emp usr post
    yield Row("pages smaller than asked", "clamp",        "-    ok  ok  ok  ok  -    -     -   -   -")
    yield Row("pages smaller from the second", "clamp",   "-    ok  ok  ok  ok  -    -     -   -   -", after=1)
    yield Row("one page smaller", "clamp",                "-    ok  ok  ok  ok  -    -     -   -   -", after=1, times=1, values={"size": 1})
    yield Row("no page headers, once", headers,           "-    ok  ok  ok  ok  -    -     -   -   -", times=1)
    yield Row("no page headers, ever", headers,           "-    !   !   !   !   -    -     -   -   -", ("X-Pagination-Total-Count",))
    yield Row("no Total-Count, ever", headers,            "-    !   !   !   !   -    -     -   -   -", ("X-Pagination-Total-Count",), values={"how": "no_total"})
    yield Row("page headers are garbage", headers,        "-    !   !   !   !   -    -     -   -   -", ("X-Pagination-Total-Count",), values={"how": "garbage"})
    yield Row("Total-Count one more, once", headers,      "-    ok  ok  ok  ok  -    -     -   -   -", times=1, values={"how": "total_more"})
    yield Row("Total-Count one more, ever", headers,      "-    !   !   !   !   -    -     -   -   -", totals, values={"how": "total_more"})
    yield Row("Total-Count one less, ever", headers,      "-    !   !   !   !   -    -     -   -   -", totals, values={"how": "total_less"})
    yield Row("Page-Count one less", headers,             "-    ok  ok  ok  ok  -    -     -   -   -", values={"how": "pages_less"})
    yield Row("Page-Count a hundred more", headers,       "-    ok  ok  ok  ok  -    -     -   -   -", values={"how": "pages_more"})
    yield Row("Current-Page always 1", headers,           "-    !   !   !   !   -    -     -   -   -", totals, values={"how": "current"})
    yield Row("Per-Page doubled", headers,                "-    ok  ok  ok  ok  -    -     -   -   -", values={"how": "per_page"})
    yield Row("same page for ever", "same_page",          "-    !   !   !   !   -    -     -   -   -", totals)
    yield Row("list goes on, same token", "endless_list", "-    -   -   -   -   -    -     !   !   -", ("does not end",))
    yield Row("list goes on, new tokens", "endless_list", "-    -   -   -   -   -    -     !   !   -", ("does not end",), values={"following": "new"})


def _moves() -> Iterator[Row]:
    for how in ("delete", "insert", "balanced", "reordered"):
        #                                                      token prj cer lnk per view token emp usr post
        yield Row(f"rows move: {how}", "rows_move",            "-    ok  ok  ok  ok  -    -     -   -   -", times=1, after=1, values={"how": how}, special=_TEMPLATE, sequential=True)
    for how in ("balanced", "reordered"):
        yield Row(f"rows move on page 2: {how}", "rows_move",  "-    -   ok  ok  ok  -    -     -   -   -", times=1, after=2, values={"how": how, "row": 9}, sequential=True)
# fmt: on


ROWS = (*_wire(), *_refusals(), *_ditio_errors(), *_altered(), *_pages(), *_moves())


def _cells() -> Iterator[Cell]:
    for row in ROWS:
        for endpoint, sign in zip(COLUMNS, row.cells.split(), strict=True):
            expected = _SIGNS[sign]
            if expected is not None:
                yield Cell(row, endpoint, expected)


CELLS = tuple(_cells())
