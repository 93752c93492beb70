"""Telling people of a run: what the operators and callbacks call. Nothing here ever fails the caller."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, ParamSpec

from certrecon_plugin.resources import warehouse
from certrecon_plugin.telling.links import dag_run_link, question_link, report_link
from certrecon_plugin.telling.memory import remember, told
from certrecon_plugin.telling.notifiers import read_settings, send

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.stages.approval import Waiting
    from certrecon.stages.plan import Planned
    from certrecon.stages.workplace import Workplace
    from certrecon.telling.message import Message
    from certrecon.telling.news import RunNews

log = logging.getLogger(__name__)
Given = ParamSpec("Given")

AUDITOR = "certrecon_auditor"
STARTS: Final = "told_of_start"


def never_failing(step: Callable[Given, None]) -> Callable[Given, None]:
    """Let a step of telling end with a warning instead of an exception: it must not change how a run ends."""

    @functools.wraps(step)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
        try:
            step(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not the run's failure
            log.warning("Nobody was told (%s): %s: %s", step.__name__, type(error).__name__, error)

    return run


def tell(message: Message | None, context: Mapping[str, Any]) -> tuple[str, ...]:
    """Send a message to whoever wants it, and return the names of the notifiers that failed.

    Raises:
        SettingsError: The setting of the notifiers is wrong.
    """
    return () if message is None else send(message, read_settings(), context)


def reaches(message: Message, context: Mapping[str, Any]) -> bool:
    """Send a message to whoever wants it, and return whether anybody got it.

    Raises:
        SettingsError: The setting of the notifiers is wrong.
    """
    settings = read_settings()
    failed = send(message, settings, context)
    return len(failed) < sum(one.wants(message) for one in settings)


def news_of(run_seq: int) -> RunNews | None:
    """Return what is new in a finalised run, read as the auditor."""
    from certrecon.telling.news import read_news
    from certrecon.warehouse.engine import transaction

    with warehouse(AUDITOR) as engine, transaction(engine) as conn:
        return read_news(conn, run_seq)


@never_failing
def tell_of_run(context: Context, run_seq: int) -> None:
    """Tell what is new in a finalised run."""
    from certrecon.telling.messages import of_run

    if not read_settings():
        return
    news = news_of(run_seq)
    if news is not None:
        tell(of_run(news, report_link(run_seq)), context)


@never_failing
def count_finalised(run_seq: int) -> None:
    """Give a finalised run's figures to Airflow's metrics."""
    from certrecon.telling.news import is_newest_night
    from certrecon.warehouse.engine import transaction
    from certrecon.warehouse.runs import read_run
    from certrecon_plugin.telling.metrics import count_run

    with warehouse(AUDITOR) as engine, transaction(engine) as conn:
        run = read_run(conn, run_seq)
        newest = run is not None and is_newest_night(conn, run)
    if run is not None:
        count_run(run, shows_state=newest)


@never_failing
def tell_of_start(context: Context, failure: str) -> None:
    """Tell of a run that failed before the warehouse knew it, once until a run of its DAG does start.

    The task has the asset that remembers among its inlets.
    """
    from certrecon.telling.messages import of_start_that_failed
    from certrecon.telling.news import kind_of

    dag_run, problem = context["dag_run"], kind_of(failure)
    known = _known_starts(context)
    if problem in known:
        log.info("Somebody was told of this before: %s", problem)
        return
    message = of_start_that_failed(failure, dag_run_link(dag_run.dag_id, dag_run.run_id))
    if reaches(message, context):
        remember(context, _starts_of(context), known | {problem})


@never_failing
def forget_starts(context: Context) -> None:
    """Forget of which runs people were told that they could not start: this one of their DAG could."""
    if told(context, _starts_of(context)):
        remember(context, _starts_of(context), frozenset())


def _known_starts(context: Context) -> frozenset[str]:
    """Return the failed starts that people know of; where that cannot be read none: rather twice than never."""
    try:
        return told(context, _starts_of(context))
    except Exception as error:  # noqa: BLE001 - whatever it is, people are to be told
        log.warning("What people were told before cannot be read: %s: %s", type(error).__name__, error)
        return frozenset()


def _starts_of(context: Context) -> str:
    # Each DAG by itself: one may start while another does not.
    return f"{STARTS}:{context['dag_run'].dag_id}"


@never_failing
def tell_of_question(context: Context, place: Workplace, planned: Planned, waiting: Waiting) -> None:
    """Tell that a plan waits for an approval."""
    from certrecon.stages.approval import stopping_guards
    from certrecon.telling.messages import of_waiting

    ti = context["ti"]
    guards = [str(guard.guard) for guard in stopping_guards(place, planned)]
    hours = waiting.timeout.total_seconds() / 3600
    link = question_link(ti.dag_id, ti.run_id, ti.task_id)
    tell(of_waiting(place.run.run_seq, planned.plan.rows, guards, hours, link), context)


@never_failing
def tell_of_links(context: Context, certificates: int, waiting: Waiting) -> None:
    """Tell that certificates wait for an approval before they are linked."""
    from certrecon.telling.messages import of_links_waiting

    ti = context["ti"]
    hours = waiting.timeout.total_seconds() / 3600
    tell(of_links_waiting(certificates, hours, question_link(ti.dag_id, ti.run_id, ti.task_id)), context)
