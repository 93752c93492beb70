"""Removes evidence past its retention: on the record first, then the files; the manifests stay."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from certrecon.audit.chain import chained, read_runs
from certrecon.audit.sealed import PURGE_NOTE, UNSEALED, parts_of
from certrecon.audit.stores import OpenRoot, Stores
from certrecon.errors import EvidenceError
from certrecon.evidence import Part, RunEvidence
from certrecon.evidence.manifest import MANIFEST
from certrecon.evidence.witness import WITNESS
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.purges import purged_runs, record_purge
from certrecon.warehouse.runmodel import RunRecord

log = logging.getLogger(__name__)

KEPT = frozenset({MANIFEST, PURGE_NOTE, WITNESS})


@dataclass(frozen=True, slots=True)
class Purged:
    """A part of a run's evidence that was removed.

    Attributes:
        run_seq: The run.
        part: `inputs` or `outcome`.
        files: How many files went.
    """

    run_seq: int
    part: str
    files: int


def purge_expired(engine: Engine, open_root: OpenRoot, today: dt.date, retention_days: int) -> list[Purged]:
    """Remove the evidence of runs that ended more than `retention_days` before `today`.

    Call it only after a verification that held. What a run read before it failed goes too, although it was
    never sealed. What a broken-off call left over is finished, with no second entry on the record.

    Raises:
        EvidenceError: A file cannot be removed; what was done until then is on the record.
    """
    stores = Stores(open_root)
    with transaction(engine) as conn:
        runs, on_record = chained(read_runs(conn)), purged_runs(conn)
    recorded = {(run_seq, one.sha256) for run_seq, found in on_record.items() for one in found}
    reason = f"Kept for {retention_days} days as evidence.retention_days says."
    done = []
    for run, part, sha256 in _expired(runs, today, retention_days):
        evidence = stores.evidence_of(run)
        files = _files(evidence, part) if evidence is not None else []
        if evidence is None or not files:
            continue
        _note(evidence, part, run, sha256, today, reason)
        if (run.run_seq, sha256) not in recorded:
            with transaction(engine) as conn:
                record_purge(conn, run.run_seq, sha256, reason)
        _remove(files)
        done.append(Purged(run.run_seq, str(part), len(files)))
        log.info("Removed %s files of run %s's %s", len(files), run.run_seq, part)
    return done


def _expired(runs: list[RunRecord], today: dt.date, retention_days: int) -> Iterator[tuple[RunRecord, Part, str]]:
    kept = dt.timedelta(days=retention_days)
    for run in runs:
        if run.finished_at is None or run.finished_at.astimezone(dt.UTC).date() + kept >= today:
            continue
        for part, sha256 in parts_of(run):
            yield run, part, sha256 or UNSEALED.format(part=part)


def _files(evidence: RunEvidence, part: Part) -> list[Any]:
    """Return every file of a part but those that say what it was, also files that no manifest names.

    Copies of the outcome that lie beside the parts, such as the report, go with it.
    """
    folders = [evidence.path(str(part)), *([evidence.path(WITNESS).parent] if part is Part.OUTCOME else [])]
    paths = [path for folder in folders if folder.exists() for path in folder.iterdir()]
    return sorted((path for path in paths if path.name not in KEPT and path.is_file()), key=str)


def _note(evidence: RunEvidence, part: Part, run: RunRecord, sha256: str, today: dt.date, reason: str) -> None:
    """Say in the store too that its files go: verification wants both to say so."""
    if not evidence.path(f"{part}/{PURGE_NOTE}").exists():
        note = {"run_seq": run.run_seq, "sha256": sha256, "day": today.isoformat(), "reason": reason}
        evidence.write_at(f"{part}/{PURGE_NOTE}", json.dumps(note, indent=1, sort_keys=True).encode())


def _remove(files: list[Any]) -> None:
    for path in files:
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            message = f"Cannot remove evidence file {path}: {error.strerror or error}. The next purge goes on."
            raise EvidenceError(message) from error
