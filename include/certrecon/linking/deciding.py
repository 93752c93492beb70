"""A person's answer to the question whether certificates are to be linked, on the record."""

from __future__ import annotations

import datetime as dt
import logging

from sqlalchemy import Engine

from certrecon.errors import LinksRefusedError
from certrecon.linking.looking import Looked
from certrecon.linking.parameters import LinkingRun
from certrecon.linking.plan import LinkPlan
from certrecon.linking.question import make_question
from certrecon.settings import Settings
from certrecon.stages.approval import Answer, Waiting, decided, judge_answer
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.linkings import Linking, RecordedLinking, add_linking, read_linkings
from certrecon.words import Answered

log = logging.getLogger(__name__)


def _answers_about(engine: Engine, run: LinkingRun, plan: LinkPlan) -> list[RecordedLinking]:
    with transaction(engine) as conn:
        found = read_linkings(conn, run.run_id)
    return [one for one in found if one.plan_sha256 == plan.sha256]


def decision_about(engine: Engine, run: LinkingRun, plan: LinkPlan) -> Answered | None:
    """Return what was decided in a run about this very plan, None while nothing was."""
    found = _answers_about(engine, run, plan)
    return decided(((one.plan_sha256, one.decision) for one in found), plan.sha256)


def approval_about(engine: Engine, run: LinkingRun, plan: LinkPlan) -> int | None:
    """Return the number of the question about this very plan that was approved, None where nobody approved it."""
    if run.parameters.dry_run or decision_about(engine, run, plan) is not Answered.APPROVED:
        return None
    approved = [one for one in _answers_about(engine, run, plan) if one.decision == Answered.APPROVED]
    return approved[-1].linking_id


def needs_answer(engine: Engine, run: LinkingRun, plan: LinkPlan) -> bool:
    """Return whether somebody has to be asked: there is something to link, and nobody has answered."""
    return bool(plan.candidates) and not run.parameters.dry_run and decision_about(engine, run, plan) is None


def question_about(looked: Looked, plan: LinkPlan, run: LinkingRun, settings: Settings) -> Waiting:
    """Return what is asked, of whom, and for how long an answer is waited for.

    Raises:
        LinksRefusedError: What 4HSE shows now is not the plan.
    """
    if looked.plan.sha256 != plan.sha256:
        message = "What is to be linked was changed in 4HSE or in the settings since this run looked. Start a new run."
        raise LinksRefusedError(message)
    approval = settings.approval
    starter = run.triggered_by if approval.four_eyes else None
    timeout = dt.timedelta(hours=settings.linking.timeout_hours)
    return Waiting(make_question(looked, settings, starter), approval.approvers, timeout)


def record_answer(engine: Engine, run: LinkingRun, plan: LinkPlan, answer: Answer, settings: Settings) -> Answered:
    """Put an answer on the record and return what it comes to.

    `NOT_COUNTED` is the answer of a person who may not give it: the question stays open.
    """
    hours = settings.linking.timeout_hours
    decision, reason = judge_answer(answer, settings.approval, run.triggered_by, hours)
    linking = Linking(
        run_id=run.run_id,
        action_id=plan.action_id,
        plan=plan.asked,
        plan_sha256=plan.sha256,
        asked_at=answer.asked_at,
        decided_at=answer.answered_at if answer.user_id is not None else None,
        decided_by=answer.user_name or answer.user_id,
        decision=str(decision),
        reason=reason,
        triggered_by=run.triggered_by,
    )
    with transaction(engine) as conn:
        add_linking(conn, linking)
    log.info("Linking %s certificates to action %s: %s", len(plan.candidates), plan.action_id, decision)
    return decision
