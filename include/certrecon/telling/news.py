"""What is new in a run, read from the warehouse: each problem is news in the run that has it first, and never again.

Nothing else remembers what was told, so a restart, another machine or a cleared task tells nothing twice.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from certrecon.telling.occasions import Occasion
from certrecon.warehouse import tables
from certrecon.warehouse.runmodel import UNLIMITED, RunRecord
from certrecon.warehouse.runs import is_night, read_run
from certrecon.words import Disposition, RunStatus

_NEW_REJECTIONS = text("""
    SELECT count(DISTINCT (a.employee_number, a.certificate_type))
      FROM reconciliation.ditio_attempt AS a
      JOIN reconciliation.ditio_upsert AS u USING (target, employee_number, certificate_type)
     WHERE a.run_seq = :run_seq AND a.state = 'rejected' AND u.state = 'rejected'
       AND NOT EXISTS (
           SELECT FROM reconciliation.ditio_attempt AS b
            WHERE b.target = a.target AND b.employee_number = a.employee_number
              AND b.certificate_type = a.certificate_type AND b.attempt_id < a.attempt_id
              AND b.run_seq < a.run_seq AND b.state = 'rejected' AND b.payload_sha256 = a.payload_sha256
              AND NOT EXISTS (
                  SELECT FROM reconciliation.ditio_attempt AS c
                   WHERE c.target = a.target AND c.employee_number = a.employee_number
                     AND c.certificate_type = a.certificate_type AND c.state = 'acknowledged'
                     AND c.attempt_id > b.attempt_id AND c.attempt_id < a.attempt_id))""")
_NEW_WITHDRAWALS = text("""
    SELECT count(*)
      FROM reconciliation.withdrawn_upsert AS w
     WHERE w.target = :target AND w.first_run_seq = :run_seq
       AND NOT EXISTS (
           SELECT FROM reconciliation.withdrawn_upsert AS b
            WHERE b.target = w.target AND b.employee_number = w.employee_number
              AND b.certificate_type = w.certificate_type AND b.ended_run_seq = :run_seq)""")
_FAILURE_BEFORE = text("""
    SELECT failure
      FROM reconciliation.run
     WHERE target = :target AND mode = :mode AND run_seq < :run_seq AND status <> 'running'
       AND (scope = CAST('{"tenant_ids": []}' AS jsonb)) = :unlimited
       AND coalesce(failure, '') NOT LIKE 'abandoned: %'
     ORDER BY run_seq DESC
     LIMIT 1""")
_IN_PARENTHESES = re.compile(r" ?\((?:.*\)|[^)]*$)", re.DOTALL)
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class RunNews:
    """What is to tell of a finalised run: counts, never names of persons.

    Attributes:
        run_seq: The run.
        run_day: Its day.
        mode: `publish` or `dry_run`.
        status: How it ended.
        failure: Why it failed, without words of a vendor; None where it did not.
        failure_is_new: Whether the run of the same kind before it did not fail for the same reason.
        new_rejections: Rows that Ditio refused and had not refused before.
        new_withdrawals: Deliveries that lost their support in this run.
        withdrawn: All deliveries without support.
        sent: Rows that Ditio acknowledged.
        dispositions: Claims by disposition.
    """

    run_seq: int
    run_day: dt.date
    mode: str
    status: str
    failure: str | None
    failure_is_new: bool
    new_rejections: int
    new_withdrawals: int
    withdrawn: int
    sent: int
    dispositions: Mapping[str, int]

    @property
    def rejected(self) -> int:
        """Claims whose row Ditio refuses, new ones and others."""
        return self.dispositions.get(Disposition.REJECTED, 0)

    @property
    def occasions(self) -> tuple[Occasion, ...]:
        """Why somebody is told of the run; none where nothing is new."""
        found = {
            Occasion.RUN_FAILED: self.failure is not None and self.failure_is_new,
            Occasion.NEW_REJECTIONS: self.new_rejections > 0,
            Occasion.NEW_WITHDRAWALS: self.new_withdrawals > 0,
        }
        return tuple(occasion for occasion, is_so in found.items() if is_so)


def read_news(conn: Connection, run_seq: int) -> RunNews | None:
    """Return what is new in a run; None where it is not in the warehouse or not finalised.

    A rejection is new where Ditio has not refused the same payload of the same key before; acknowledging the
    key in between makes it new again. A withdrawal is new where its key was not withdrawn before, for whatever reason.
    """
    run = read_run(conn, run_seq)
    if run is None or run.status == RunStatus.RUNNING:
        return None
    keys = {"run_seq": run_seq, "target": run.target}
    return RunNews(
        run_seq=run_seq,
        run_day=run.run_day,
        mode=run.mode,
        status=run.status,
        failure=None if run.failure is None else without_vendor_words(run.failure),
        failure_is_new=run.failure is not None and not _failed_so_before(conn, run),
        new_rejections=conn.execute(_NEW_REJECTIONS, keys).scalar_one(),
        new_withdrawals=conn.execute(_NEW_WITHDRAWALS, keys).scalar_one(),
        withdrawn=run.withdrawn or 0,
        sent=run.sent or 0,
        dispositions=run.dispositions or {},
    )


def is_newest_night(conn: Connection, run: RunRecord) -> bool:
    """Return whether a run is the last finalised publishing run of all projects of its target."""
    later = select(tables.run.c.run_seq).where(is_night(), tables.run.c.target == run.target)
    later = later.where(tables.run.c.run_seq >= run.run_seq, tables.run.c.status != RunStatus.RUNNING)
    return conn.execute(later.order_by(tables.run.c.run_seq.desc()).limit(2)).scalars().all() == [run.run_seq]


def without_vendor_words(sentence: str) -> str:
    """Return a failure's sentence without what stands in parentheses, where vendors' own words are.

    Everything from the first parenthesis to the last goes: the words themselves may hold parentheses.
    """
    return _IN_PARENTHESES.sub("", sentence).strip()


def kind_of(failure: str) -> str:
    """Return what two failures for one reason have in common: not their numbers, and not a vendor's words."""
    return _NUMBERS.sub("#", without_vendor_words(failure))


def _failed_so_before(conn: Connection, run: RunRecord) -> bool:
    values = {"target": run.target, "mode": run.mode, "run_seq": run.run_seq, "unlimited": run.scope == UNLIMITED}
    before = conn.execute(_FAILURE_BEFORE, values).scalar_one_or_none()
    return before is not None and run.failure is not None and kind_of(before) == kind_of(run.failure)
