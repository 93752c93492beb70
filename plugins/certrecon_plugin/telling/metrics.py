"""Figures for Airflow's own metrics (statsd, OpenTelemetry or Datadog, as `[metrics]` of Airflow says).

Counters and times are of every run, with its mode as a tag. Gauges show a state, so only the last publishing run of all
projects sets them: a dry run or a run of one project must not look like a drop, nor an older run like today.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certrecon.words import Disposition

if TYPE_CHECKING:
    from certrecon.warehouse.runmodel import RunRecord

PREFIX: Final = "certrecon"
_TOTALS: Final = ("certificates", "links", "persons", "employees", "claims", "withdrawn")


@dataclass(frozen=True, slots=True)
class Figure:
    """A gauge: its name after the prefix, and its value."""

    name: str
    value: float


def gauges_of(run: RunRecord) -> tuple[Figure, ...]:
    """Return the state that a run leaves, without totals that it did not reach."""
    totals = {name: getattr(run, name) for name in _TOTALS}
    if run.dispositions is not None:
        totals |= {f"dispositions.{name}": run.dispositions.get(name, 0) for name in Disposition}
    return tuple(Figure(name, value) for name, value in totals.items() if value is not None)


def count_run(run: RunRecord, *, shows_state: bool) -> None:
    """Give a finalised run's figures to Airflow's metrics.

    Args:
        run: The run.
        shows_state: Whether it says how things are now (`certrecon.telling.news.is_newest_night`), and sets the gauges.
    """
    from airflow.sdk.observability import stats

    tags = {"mode": run.mode, "status": run.status}
    stats.incr(f"{PREFIX}.runs", tags=tags)
    stats.incr(f"{PREFIX}.run.{run.status}", tags={"mode": run.mode})
    if run.sent:
        stats.incr(f"{PREFIX}.sent", count=run.sent, tags={"mode": run.mode})
    if run.finished_at is not None:
        stats.timing(f"{PREFIX}.run.duration", run.finished_at - run.started_at, tags=tags)
    for figure in gauges_of(run) if shows_state else ():
        stats.gauge(f"{PREFIX}.{figure.name}", figure.value)


def gauge_silence(hours: float) -> None:
    """Give the hours since the last success to Airflow's metrics; a monitor outside can alert on it again and again."""
    from airflow.sdk.observability import stats

    stats.gauge(f"{PREFIX}.hours_since_success", round(hours, 2))
