"""The runs: all of them with their trend, one with everything known of it, and the tab on a DAG run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from certrecon.browse.runs import RunLine, get_run, list_runs, run_summary, runs_of, trend
from certrecon.errors import ParameterError
from certrecon.warehouse.runmodel import BY_HINTS
from certrecon_plugin.pages.access import DAG_ID
from certrecon_plugin.pages.evidence import Offers, offered, removal_of
from certrecon_plugin.pages.parameters import MOST_CURSOR, run_number, text
from certrecon_plugin.pages.targets import choose_target
from certrecon_plugin.pages.templating import page
from certrecon_plugin.pages.warehouse import warehouse_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from certrecon.warehouse.runs import RunRecord

router = APIRouter()

EVENTS_DAG_ID = "certificate_events"
OWN_DAGS = frozenset({DAG_ID, EVENTS_DAG_ID})
"""The DAGs whose runs open rows of the table `run`."""

MOST_RUN_ID = 500


@router.get("/")
def runs(request: Request) -> Response:
    """Show the runs, the newest first."""
    values = request.query_params
    after = text(values, "after", MOST_CURSOR)
    with warehouse_of(request).reading() as conn:
        targets = choose_target(conn, values)
        found = list_runs(conn, targets.chosen, after)
        points = trend(conn, targets.chosen) if targets.chosen and after is None else ()
    kept = {"target": text(values, "target"), "after": after}
    return page(request, "runs.html.j2", title="Runs", targets=targets, found=found, trend=points, kept=kept)


@router.get("/runs/{run_seq}")
def run(request: Request, run_seq: str) -> Response:
    """Show what one run was and came to.

    Raises:
        HTTPException: 404, there is no such run.
    """
    with warehouse_of(request).reading() as conn:
        record, removal = _with_removal(conn, number_in_path(run_seq))
        measures = run_summary(conn, record.run_seq)
    title, by_hints, files = f"Run {record.run_seq}", record.scope == BY_HINTS, offered(record, removal)
    return page(request, "run.html.j2", title=title, run=record, by_hints=by_hints, measures=measures, files=files)


@router.get("/dag-run")
def dag_run(request: Request) -> Response:
    """Show the reconciliation runs that an Airflow run opened."""
    values = request.query_params
    dag_id, run_id = text(values, "dag_id", MOST_RUN_ID), text(values, "run_id", MOST_RUN_ID)
    found: tuple[RunLine, ...] = ()
    offers: dict[int, Offers] = {}
    if dag_id in OWN_DAGS and run_id:
        with warehouse_of(request).reading() as conn:
            found = runs_of(conn, run_id)
            looked = [_with_removal(conn, line.run_seq) for line in found]
        offers = {record.run_seq: offered(record, removal) for record, removal in looked}
    own, events = dag_id in OWN_DAGS, dag_id == EVENTS_DAG_ID
    return page(request, "dag_run.html.j2", title="Reconciliation", found=found, offers=offers, own=own, events=events)


def _with_removal(conn: Connection, run_seq: int) -> tuple[RunRecord, str | None]:
    return wanted_run(get_run(conn, run_seq)), removal_of(conn, run_seq)


def number_in_path(value: str) -> int:
    """Return the number of a run that an address names.

    Raises:
        HTTPException: 404, it is no number.
    """
    try:
        number = run_number(value)
    except ParameterError:
        number = None
    if number is None:
        raise HTTPException(404, "There is no such run.")
    return number


def wanted_run(record: RunRecord | None) -> RunRecord:
    """Return a run that was looked up.

    Raises:
        HTTPException: 404, there is none.
    """
    if record is None:
        raise HTTPException(404, "There is no such run.")
    return record
