"""Task: ask a person before publishing, and put the answer on the record (design, *Publishing*: Approval)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from certrecon.errors import IntegrityError
from certrecon.publishing.guards import TrippedGuard
from certrecon.publishing.question import EARLIER, Asking, Question, make_question
from certrecon.settings.model import ApprovalSettings
from certrecon.stages.parameters import ApprovalMode
from certrecon.stages.plan import Planned, read_plan, read_tripped
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.approvals import Approval, add_approval, read_approvals
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.runs import read_run
from certrecon.words import Answered

log = logging.getLogger(__name__)

MOST_HOURS_BY_HINTS: Final = 2.0
"""How long a run that follows hints waits for an answer at most: later hints wait with it, and a night asks anew."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from Airflow's page.

    Attributes:
        approves: Whether it was *Approve*.
        asked_at: When the question was put.
        answered_at: When the answer came, or the time ran out.
        user_id: The person's id at Airflow's auth manager; None when nobody answered.
        user_name: The person's name there.
        reason: What the person wrote.
    """

    approves: bool
    asked_at: dt.datetime
    answered_at: dt.datetime
    user_id: str | None
    user_name: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question to be put.

    Attributes:
        question: What is asked.
        approvers: Ids of the persons who may answer; none = everybody whom Airflow lets.
        timeout: How long an answer is waited for.
    """

    question: Question
    approvers: tuple[str, ...]
    timeout: dt.timedelta


def stopping_guards(place: Workplace, planned: Planned) -> tuple[TrippedGuard, ...]:
    """Return the tripped guards that nobody accepted."""
    return tuple(guard for guard in read_tripped(place, planned) if not guard.accepted)


def needs_consent(place: Workplace, planned: Planned) -> bool:
    """Return whether somebody must agree before the plan is sent: there is something to send, and reason to ask."""
    if not place.run.publishes or not planned.plan.rows:
        return False
    return place.run.parameters.approval is ApprovalMode.ALWAYS or bool(stopping_guards(place, planned))


def consent_of(place: Workplace, planned: Planned) -> Answered | None:
    """Return what was decided about this very plan, None while nothing was."""
    with transaction(place.engine) as conn:
        found = read_approvals(conn, place.run.run_seq)
    return decided(((one.plan_sha256, one.decision) for one in found), planned.plan.sha256)


def decided(answers: Iterable[tuple[str, str | None]], plan_sha256: str) -> Answered | None:
    """Return the last decision about a plan; answers of persons who may not decide do not count.

    Args:
        answers: Digest of the plan and decision of each request of the run, the oldest first.
        plan_sha256: The plan's digest.
    """
    known = [word for plan, word in answers if plan == plan_sha256]
    counted = [Answered(word) for word in known if word is not None and word != Answered.NOT_COUNTED]
    return counted[-1] if counted else None


def withholds(answered: Answered | None) -> bool:
    """Return whether an answer keeps the plan from being sent without failing the run."""
    return answered in {Answered.REFUSED, Answered.EXPIRED}


def prepare_question(place: Workplace, planned: Planned) -> Waiting | None:
    """Return what has to be asked, None where nobody has to agree or somebody has answered already."""
    if not needs_consent(place, planned) or consent_of(place, planned) is not None:
        return None
    settings = place.settings().settings.approval
    hours = _hours(place, settings)
    asking = Asking(
        run_seq=place.run.run_seq,
        run_day=place.run.run_day.isoformat(),
        plan=read_plan(place, planned),
        plan_sha256=planned.plan.sha256,
        earlier=RunInputs(place.evidence).table("ledger", EARLIER),
        guards=stopping_guards(place, planned),
        withdrawn=planned.withdrawn.rows,
        hours=hours,
        starter=_starter(place) if settings.four_eyes else None,
    )
    return Waiting(make_question(asking), settings.approvers, dt.timedelta(hours=hours))


def _hours(place: Workplace, settings: ApprovalSettings) -> float:
    """Return how long an answer is waited for."""
    return min(settings.timeout_hours, MOST_HOURS_BY_HINTS) if place.run.by_hints else settings.timeout_hours


def _starter(place: Workplace) -> str | None:
    with transaction(place.engine) as conn:
        row = read_run(conn, place.run.run_seq)
    if row is None:
        message = f"Run {place.run.run_seq} is not in the warehouse: clear the whole run."
        raise IntegrityError(message)
    return row.triggered_by


def record_answer(place: Workplace, planned: Planned, answer: Answer) -> Answered:
    """Put an answer on the record and return what it comes to.

    `NOT_COUNTED` is the answer of a person who may not give it: the question stays open.

    Raises:
        RunTakenOverError: The run is no longer the running one of its target.
    """
    starter = _starter(place)
    settings = place.settings().settings.approval
    decision, reason = judge_answer(answer, settings, starter, _hours(place, settings))
    approval = Approval(
        run_seq=place.run.run_seq,
        guards=[str(guard.guard) for guard in stopping_guards(place, planned)],
        plan_sha256=planned.plan.sha256,
        asked_at=answer.asked_at,
        decided_at=answer.answered_at if answer.user_id is not None else None,
        decided_by=answer.user_name or answer.user_id,
        decision=str(decision),
        reason=reason,
        triggered_by=starter,
    )
    with transaction(place.engine) as conn:
        add_approval(conn, approval)
    log.info("The plan of %s rows: %s", planned.plan.rows, decision)
    return decision


def judge_answer(
    answer: Answer, settings: ApprovalSettings, starter: str | None, hours: float
) -> tuple[Answered, str | None]:
    """Return what an answer comes to, and why in words.

    Args:
        answer: What came back from Airflow's page.
        settings: Who may answer.
        starter: Who started the run.
        hours: How long an answer was waited for.
    """
    objection = _objection(answer, settings, starter)
    return _decision(answer, objection), _reason(answer, objection, hours)


def _decision(answer: Answer, objection: str | None) -> Answered:
    if answer.user_id is None:
        return Answered.EXPIRED
    if objection is not None:
        return Answered.NOT_COUNTED
    return Answered.APPROVED if answer.approves else Answered.REFUSED


def _objection(answer: Answer, settings: ApprovalSettings, starter: str | None) -> str | None:
    """Return why an answer does not count, None where it does; airflow.md: who answered is `responded_by_user`."""
    who = {answer.user_id, answer.user_name} - {None}
    if who and settings.approvers and not who & set(settings.approvers):
        return "It does not count: the settings' approvers do not have this person."
    if answer.approves and settings.four_eyes and starter is not None and starter in who:
        return "It does not count: whoever started the run cannot approve it (approval.four_eyes)."
    return None


def _reason(answer: Answer, objection: str | None, hours: float) -> str | None:
    if answer.user_id is None:
        return f"Nobody answered within {hours:g} hours."
    given = (answer.reason or "").strip()
    return " ".join(part for part in (objection, given) if part) or None
