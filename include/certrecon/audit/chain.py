"""The chain of finalised runs: no place is missing, and every row still gives its digest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from sqlalchemy import Connection, select

from certrecon.audit.breach import Breach, added, changed, missing, run_words
from certrecon.warehouse import tables
from certrecon.warehouse.chain import GENESIS, chain_digest
from certrecon.warehouse.runmodel import RunRecord
from certrecon.words import RunStatus


def read_runs(conn: Connection) -> list[RunRecord]:
    """Return every run of the warehouse by its number."""
    rows = conn.execute(select(tables.run).order_by(tables.run.c.run_seq)).mappings()
    return [RunRecord(**{each.name: row[each.name] for each in fields(RunRecord)}) for row in rows]


def chained(runs: Iterable[RunRecord]) -> list[RunRecord]:
    """Return the runs that are in the chain, in its order."""
    return sorted((run for run in runs if run.chain_no is not None), key=lambda run: run.chain_no or 0)


def before_the_chain(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the finalised runs from before the warehouse had a chain."""
    return [run for run in _unchained(runs) if not _later_than_the_first(run, chained(runs))]


def check_chain(runs: Sequence[RunRecord]) -> list[Breach]:
    """Recompute the chain.

    Args:
        runs: Every run of the warehouse.

    Returns:
        Rows that do not give their digest, places that are missing, and finalised runs without a place.
    """
    links = chained(runs)
    breaches = [found for place in range(len(links)) for found in _check_place(links, place)]
    return breaches + [_without_place(run) for run in _unchained(runs) if _later_than_the_first(run, links)]


def own_digest(run: RunRecord) -> str:
    """Return the digest that a run's row gives now, on the previous digest that it names."""
    return chain_digest(run.previous_sha256 or GENESIS, run)


def _check_place(links: Sequence[RunRecord], place: int) -> list[Breach]:
    run = links[place]
    before = links[place - 1] if place else None
    breaches = _gap((before.chain_no or 0) if before else 0, run)
    if own_digest(run) != run.chain_sha256:
        words = f"The row of {_words(run)} was changed: it no longer gives its digest."
        return [*breaches, changed(f"run {run.run_seq}", words)]
    if not breaches and run.previous_sha256 != (before.chain_sha256 if before else GENESIS):
        breaches.append(_broken(before, run))
    return breaches


def _gap(last: int, run: RunRecord) -> list[Breach]:
    gone = range(last + 1, run.chain_no or 0)
    if len(gone) == 1:
        return [missing(f"chain number {gone[0]}", f"The run with chain number {gone[0]} is missing: it was deleted.")]
    if gone:
        words = f"The runs with chain numbers {gone[0]} to {gone[-1]} are missing: they were deleted."
        return [missing(f"chain number {gone[0]}", words)]
    return []


def _broken(before: RunRecord | None, run: RunRecord) -> Breach:
    if before is None:
        words = f"{_words(run).capitalize()} is the first of the chain and names one before it: its row was changed."
        return changed(f"run {run.run_seq}", words)
    words = (
        f"The chain is broken between {_words(before)} and {_words(run)}: the later one was put on another digest. "
        f"Most likely the row of run {before.run_seq} was changed and its digest made anew."
    )
    return changed(f"run {before.run_seq}", words)


def _unchained(runs: Iterable[RunRecord]) -> list[RunRecord]:
    return [run for run in runs if run.chain_no is None and run.status != RunStatus.RUNNING]


def _later_than_the_first(run: RunRecord, links: Sequence[RunRecord]) -> bool:
    if not links or run.finished_at is None or links[0].finished_at is None:
        return False
    return run.finished_at > links[0].finished_at or run.chain_sha256 is not None


def _without_place(run: RunRecord) -> Breach:
    words = f"Run {run.run_seq} is finalised without a place in the chain: its row was added, or its place removed."
    return added(f"run {run.run_seq}", words)


def _words(run: RunRecord) -> str:
    return run_words(run.run_seq, run.chain_no)
