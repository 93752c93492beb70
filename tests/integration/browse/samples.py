"""A small warehouse with a past: three nights of two hundred claims, of which each night changed some."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, text

from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import CLAIM, write_claims
from certrecon.warehouse.runs import NewRun, RunResult, finalise_run, open_run
from certrecon.words import Mode, RunStatus

TARGET = "target-a"
OUTCOMES = [
    ("delivered", []),
    ("delivered", ["EXPIRES_SOON"]),
    ("delivered", ["NAME_CHANGED"]),
    ("superseded", ["EXPIRED"]),
    ("blocked", ["EXPIRES_SOON", "NAME_MISMATCH"]),
    ("blocked", ["TYPE_UNMAPPED"]),
    ("held", ["ACTION_LINK_MISSING"]),
    ("rejected", []),
    ("not_applicable", ["RESOURCE_NOT_PERSON"]),
]
NAMES = ["Åse Øyen", "Jørgen Hansen", "100% Sure", "under_score", "O'Brien", 'Say "Hei"', "Łukasz Nowak"]


def run(engine: Engine, day: int, target: str = TARGET, mode: Mode = Mode.PUBLISH) -> int:
    """Open a run."""
    date = dt.date(2026, 3, day)
    new = NewRun(f"night-{target}-{day}", target, mode, "scheduled", None, date, date, "5e77", "0.1.0")
    return open_run(engine, new).run_seq


def finalise(engine: Engine, run_seq: int, rows: list[dict[str, Any]]) -> None:
    """Finalise a run with its totals."""
    names = [row["disposition"] for row in rows]
    dispositions = {name: names.count(name) for name in sorted(set(names))}
    with transaction(engine) as conn:
        finalise_run(conn, run_seq, RunResult(RunStatus.SUCCEEDED, claims=len(rows), dispositions=dispositions))


def claim(draw: random.Random, number: int) -> dict[str, Any]:
    """A claim made of few different values, so that every filter meets some."""
    disposition, findings = draw.choice(OUTCOMES)
    person = draw.randrange(len(NAMES) * 3)
    return {
        "certificate_id": f"c{number // 2:03}",
        "certificate_type": None if number % 2 else draw.choice(["Byggekort", "Kran"]),
        "tenant_id": draw.choice(["t1", "t2"]),
        "certificate_name": "Card",
        "action_type": "TRAINING",
        "resource_type": "PERSON",
        "resource_id": f"p{person}",
        "person_name": NAMES[person % len(NAMES)],
        "employee_number": None if person % 5 == 0 else f"{person:04}",
        "issued_on": dt.date(2025, 1, 1),
        "valid_until": dt.date(2027, 1, 1),
        "linked": disposition != "held",
        "disposition": disposition,
        "findings": sorted(findings),
        "detail": None,
    }


def write(engine: Engine, run_seq: int, rows: list[dict[str, Any]], target: str = TARGET) -> None:
    """Write the claims of a run."""
    with transaction(engine) as conn:
        write_claims(conn, run_seq, target, pa.Table.from_pylist(rows, CLAIM), None)


def three_nights(engine: Engine) -> list[int]:
    """Fill the warehouse and return the numbers of the runs."""
    draw = random.Random(4)
    rows = [claim(draw, number) for number in range(200)]
    runs = []
    for day in (1, 2, 3):
        runs.append(run(engine, day))
        write(engine, runs[-1], rows)
        finalise(engine, runs[-1], rows)
        rows = [claim(draw, number) if draw.random() < 0.3 else row for number, row in enumerate(rows)][:-3]
    other = run(engine, 4, "target-b")
    write(engine, other, rows, "target-b")
    finalise(engine, other, rows)
    return runs


def all_rows(engine: Engine, as_of: int | None) -> list[Any]:
    """Every claim of the target by the warehouse's own view or function."""
    source = "reconciliation.claim_current" if as_of is None else f"reconciliation.claim_as_of({as_of})"
    with transaction(engine) as conn:
        query = f"SELECT * FROM {source} WHERE target = '{TARGET}' ORDER BY certificate_id, claim_id"
        return list(conn.execute(text(query)))
