"""Stage publish: a plan to Ditio with every answer on the record, against a bare sender and the document's example."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.choices import Choices
from benchmarks.databases import Databases, postgres
from benchmarks.measuring import Variant, side_by_side
from benchmarks.names import Publish
from benchmarks.ours.night import PreparedNight
from benchmarks.prepared_nights import Kind, prepared_nights
from benchmarks.results import Measurement
from benchmarks.vendor_data import vendor_answers
from benchmarks.vendor_server import vendor_server

CONCURRENCY = 2
"""The settings' own default."""
MOST_ROWS = {0: 200_000, 50: 20_000}
"""Rows that are sent at most, by latency: what comes after them takes as long again."""
DATABASE = "scratch"


def variants(nights: Path, databases: Databases, url: str, rows: int, rounds: int) -> list[Variant]:
    """Return who sends."""
    night = PreparedNight.read(nights, Kind.FIRST)
    evidence = Path(night.handle.evidence_root) / str(night.handle.run_seq)
    plan, scratch = str(evidence / night.planned.plan.address), nights / "scratch"
    ours = (str(nights), str(scratch), databases.url(DATABASE), url, str(rows))

    def fresh() -> None:
        shutil.rmtree(scratch, ignore_errors=True)
        databases.create(DATABASE, f"{Kind.FIRST}_planned")

    found = [
        Variant(Publish.TASK, "benchmarks.ours.publish", (*ours, "task"), rounds, prepare=fresh),
        Variant(Publish.SEND, "benchmarks.ours.publish", (*ours, "send"), rounds, prepare=fresh),
        Variant(Publish.BARE, "benchmarks.peers.bare_sender", (url, plan, str(rows), str(CONCURRENCY)), rounds),
        Variant(Publish.DOCUMENT, "benchmarks.peers.requests_loop", (url, plan, str(rows)), rounds),
    ]

    def all_sent(told: object) -> None:
        assert isinstance(told, dict)
        if told["rows"] != min(rows, night.planned.plan.rows):
            message = f"{told['rows']} rows of {rows} were sent"
            raise AssertionError(message)

    return [replace(one, ours=True, check=all_sent, watched=databases.pid) for one in found]


def measure(size: int, choices: Choices, data: Path, parts: Mapping[int, str] = Publish.PARTS) -> list[Measurement]:
    """Measure one size at every latency."""
    nights, found = prepared_nights(size, choices.tenants, data), []
    answers = vendor_answers(size, choices.tenants, data)
    rows = PreparedNight.read(nights, Kind.FIRST).planned.plan.rows
    with postgres(nights) as databases:
        for latency, part in parts.items():
            with vendor_server(answers, latency) as server:
                sent = min(rows, MOST_ROWS[latency])
                chosen = variants(nights, databases, server.url, sent, choices.rounds)
                found += side_by_side(f"{part}, {sent:,} rows", size, chosen)
        databases.drop(DATABASE)
    shutil.rmtree(nights / "scratch", ignore_errors=True)
    return found
