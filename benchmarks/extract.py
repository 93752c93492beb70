"""Stage extract: 4HSE's indexes down to digested Parquet, against a bare client, bare parsing, and dlt."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.bench_env import peer_python
from benchmarks.choices import Choices
from benchmarks.measuring import Variant, side_by_side
from benchmarks.names import Extract
from benchmarks.results import Measurement
from benchmarks.vendor_data import vendor_answers
from benchmarks.vendor_server import Serving, vendor_server

CONCURRENCY = 4
"""The settings' own default."""
MANY_TENANTS = 10
PLACES = Path("base") / "places.json"
SLOW_LATENCY_SIZE = 100_000
"""At 50 ms a million certificates take 4.5 minutes a run whatever the code does: one round above this size."""


def _emptied(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def _same_rows(expected: dict[str, int]) -> Callable[[Mapping[str, Any]], None]:
    """Return a check that all variants read as many rows."""

    def check(told: Mapping[str, Any]) -> None:
        rows = expected.setdefault("rows", told["rows"])
        if told["rows"] != rows:
            message = f"read {told['rows']:,} rows instead of {rows:,}"
            raise RuntimeError(message)

    return check


def variants(server: Serving, places: Path, folder: Path, latency: int, choices: Choices) -> list[Variant]:
    """Return who downloads; dlt only without latency, since it waits for every page alone."""
    url, spread = server.url, str(CONCURRENCY)
    rounds = choices.rounds
    check = _same_rows({})

    def files(name: str) -> tuple[str, Callable[[], None]]:
        return str(folder / name), _emptied(folder / name)

    ours, empty_ours = files("ours")
    plain, empty_plain = files("msgspec")
    dlt, empty_dlt = files("dlt")
    found = [
        Variant(Extract.OURS, "benchmarks.ours.extract", (url, str(places), ours, spread), rounds, prepare=empty_ours,
                check=check, ours=True),
        Variant(Extract.BARE, "benchmarks.peers.bare_download", (url, str(places), spread), rounds, ours=True),
        Variant(Extract.MSGSPEC, "benchmarks.peers.msgspec_parquet", (url, str(places), plain, spread), rounds,
                prepare=empty_plain, check=check, ours=True),
    ]  # fmt: skip
    if not latency:
        python = peer_python(wanted=choices.peers)
        found.append(
            Variant(Extract.DLT, "benchmarks.peers.dlt_rest", (url, str(places), dlt), choices.slow_rounds, python,
                    prepare=empty_dlt, check=check)
        )  # fmt: skip
    return found


def measure(size: int, choices: Choices, data: Path, parts: Mapping[int, str] = Extract.PARTS) -> list[Measurement]:
    """Measure one size at every latency, and ours once more with the certificates spread over ten projects."""
    answers, found = vendor_answers(size, choices.tenants, data), []
    for latency, part in parts.items():
        slow = latency and size > SLOW_LATENCY_SIZE
        chosen = replace(choices, rounds=choices.slow_rounds) if slow else choices
        with _serving(answers, latency, data) as (server, folder):
            found += side_by_side(part, size, variants(server, answers / PLACES, folder, latency, chosen))
    spread = vendor_answers(size, MANY_TENANTS, data)
    with _serving(spread, 0, data) as (server, folder):
        found += side_by_side(Extract.TENANTS, size, variants(server, spread / PLACES, folder, 0, choices)[:1])
    return found


@contextmanager
def _serving(answers: Path, latency: int, data: Path) -> Iterator[tuple[Serving, Path]]:
    """Yield a server and an empty folder."""
    with tempfile.TemporaryDirectory(prefix="extract-", dir=data) as folder, vendor_server(answers, latency) as server:
        yield server, Path(folder)
