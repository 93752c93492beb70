"""The golden report with something in every section, whatever the golden inputs give."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, fields, replace

import pyarrow as pa

from certrecon.report import build_report
from certrecon.report.model import (
    CHANGES,
    ApprovalNote,
    ChainHead,
    Change,
    ChangeRow,
    Changes,
    ClaimRow,
    Control,
    DanglingRow,
    DoubtfulRow,
    Excerpt,
    Flow,
    FlowEdge,
    FlowNode,
    Outlook,
    PreviousRun,
    Refusal,
    SettingChange,
    SettingsChanges,
    TrendRun,
    UnmappedRow,
    UnmatchedRow,
    WithdrawnRow,
    WorkGroup,
    WorkList,
)
from certrecon.words import Disposition
from tests.unit.report.golden import DAY, PUBLISHED

FOREIGN = "<script>alert('$x^2$')</script>"
"""What anybody may be called in 4HSE."""

_MOMENT = dt.datetime(2026, 11, 23, 4, 5, 6, tzinfo=dt.UTC)
_AGE = {"since_run": 40, "age_runs": 3, "age_days": 5}


def _excerpt(row: object, total: int = 1) -> Excerpt:
    return Excerpt(total, (row,))


def _table(*rows: object) -> pa.Table:
    names = [field.name for field in fields(rows[0])]
    return pa.Table.from_pylist([asdict(row) for row in rows]).select(names)


CLAIM = ClaimRow(
    "c1",
    FOREIGN,
    FOREIGN,
    FOREIGN,
    FOREIGN,
    FOREIGN,
    "2025-02-31",
    "2026-01-02",
    "no",
    "blocked",
    "X",
    FOREIGN,
    f"`code` {FOREIGN}",
    "4hse",
    FOREIGN,
    **_AGE,
)
DANGLING = DanglingRow(FOREIGN, FOREIGN, FOREIGN, FOREIGN, FOREIGN, FOREIGN, FOREIGN, **_AGE)
UNMAPPED = UnmappedRow(
    FOREIGN,
    FOREIGN,
    FOREIGN,
    FOREIGN,
    12_345,
    FOREIGN,
    f'- certificate_type: "{FOREIGN}"\n  action_code: [A1]',
    41,
    2,
    1,
)
UNMATCHED = UnmatchedRow(
    FOREIGN, FOREIGN, FOREIGN, FOREIGN, "EMPLOYEE_UNKNOWN", FOREIGN, FOREIGN, "hr", 3, FOREIGN, 42, 1, 0
)
WITHDRAWN = WithdrawnRow(FOREIGN, FOREIGN, FOREIGN, FOREIGN, FOREIGN, FOREIGN, "ditio", **_AGE)
CHANGED = ChangeRow(
    "newly_blocked, other",
    "c1",
    FOREIGN,
    FOREIGN,
    FOREIGN,
    FOREIGN,
    "delivered",
    "blocked",
    f"valid_until: 2026-01-01 -> 2027-01-01; person_name: {FOREIGN} -> x",
)

WORK = (
    WorkGroup(
        "4hse",
        "4HSE staff",
        (
            WorkList("blocked", "blocked claims", _excerpt(CLAIM, 1_051)),
            WorkList("held", "claims held", _excerpt(CLAIM)),
            WorkList("unlinked", "unlinked certificates", _excerpt(CLAIM)),
            WorkList("dangling", "dangling links", _excerpt(DANGLING, 2)),
        ),
    ),
    WorkGroup("hr", "HR", (WorkList("unmatched_persons", "unmatched persons", _excerpt(UNMATCHED)),)),
    WorkGroup(
        "ditio",
        "Ditio",
        (
            WorkList("rejected", "rejected claims", _excerpt(CLAIM)),
            WorkList("withdrawn", "withdrawn deliveries", _excerpt(WITHDRAWN)),
        ),
    ),
    WorkGroup("settings", "Settings", (WorkList("unmapped_types", "unmapped types", _excerpt(UNMAPPED, 60)),)),
    WorkGroup("operator", "Operator", (WorkList("undelivered", "undelivered claims", _excerpt(CLAIM)),)),
)

FLOW = Flow(
    (
        FlowNode("counted", "certificates that 4HSE counts", 13, 0, "vendor"),
        FlowNode("read", "certificates read", 11, 1, "read"),
        FlowNode("dropped", f"dropped {FOREIGN}", 2, 1, "dropped"),
        FlowNode("claims", "claims", 12, 2, "claims"),
        FlowNode("delivered", "delivered", 4, 3, "disposition", "delivered"),
        FlowNode("blocked", "blocked", 8, 3, "disposition", "blocked"),
        FlowNode("sent", "rows sent", 3, 4, "sent"),
        FlowNode("ledger", "Ditio has", 5, 5, "ledger"),
    ),
    (
        FlowEdge("counted", "read", 11),
        FlowEdge("counted", "dropped", 2),
        FlowEdge("read", "claims", 11),
        FlowEdge("claims", "delivered", 4),
        FlowEdge("claims", "blocked", 8),
        FlowEdge("delivered", "sent", 3),
        FlowEdge("sent", "ledger", 3),
        FlowEdge("delivered", "ledger", 1),
        FlowEdge("ledger", "blocked", 1),
    ),
)

_WEEKS = tuple(dt.date(2026, 11, 23) + dt.timedelta(weeks=week) for week in range(13))


def _run(number: int) -> TrendRun:
    counts = dict.fromkeys(Disposition, 0) | {Disposition.DELIVERED: 1_000 + number, Disposition.BLOCKED: number}
    status = None if number == 42 else "succeeded"
    day = DAY - dt.timedelta(days=42 - number)
    return TrendRun(number, day, "publish", status, number == 20, 1_000 + 2 * number, counts)


_BASE = build_report(PUBLISHED)

FULL = replace(
    _BASE,
    head=replace(
        _BASE.head,
        started_at=_MOMENT,
        accepted=("first_publish",),
        resend=True,
        approvals=(
            ApprovalNote(_MOMENT, _MOMENT, FOREIGN, "approved", FOREIGN, ("drop", "withdrawn"), "ef" * 32),
            ApprovalNote(_MOMENT, None, None, None, None, ("drop",), None),
        ),
        chain_before=ChainHead(57, 41, "12" * 32),
    ),
    controls=(*_BASE.controls, Control("Extra", "all", 3, {"one": 1, FOREIGN: 1})),
    refusals=Excerpt(2, (Refusal(2, FOREIGN),)),
    previous=PreviousRun(41, dt.date(2026, 11, 20), "succeeded"),
    missed_days=2,
    settings_changes=SettingsChanges(
        (SettingChange("guards.max_drop", "0.1", "0.2"), SettingChange(FOREIGN, None, f'"{FOREIGN}"')),
        {"added": 1, "removed": 0, "changed": 2},
    ),
    flow=FLOW,
    work=WORK,
    withdrawn=_table(WITHDRAWN),
    withdrawn_excerpt=_excerpt(WITHDRAWN),
    dangling=2,
    dangling_links=_table(DANGLING),
    dangling_excerpt=_excerpt(DANGLING, 2),
    unmapped=_table(UNMAPPED),
    unmapped_excerpt=_excerpt(UNMAPPED, 60),
    unmatched=_table(UNMATCHED),
    unmatched_excerpt=_excerpt(UNMATCHED),
    changes=Changes(
        True,
        dict.fromkeys(Change, 0) | {Change.NEWLY_BLOCKED: 1, Change.OTHER: 1},
        _table(CHANGED).cast(CHANGES),
        {Change.NEWLY_BLOCKED: _excerpt(CHANGED), Change.OTHER: _excerpt(CHANGED)},
    ),
    outlook=Outlook(_WEEKS, {FOREIGN: tuple(range(13)), "Byggekort": (2,) * 13}),
    trend=tuple(map(_run, range(13, 43))),
    doubtful=_excerpt(DoubtfulRow(FOREIGN, FOREIGN, FOREIGN, 41), 1_234),
)
"""Every section has something to say, and everything foreign in it is `FOREIGN`."""
