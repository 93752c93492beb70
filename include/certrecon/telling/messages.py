"""The words of each message: what happened, how much of it, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from certrecon.telling.message import Message
from certrecon.telling.news import RunNews, without_vendor_words
from certrecon.telling.occasions import Occasion
from certrecon.telling.silence import Silence

_SHOWN_OF_TARGET = 12


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def of_run(news: RunNews, link: str | None) -> Message | None:
    """Return the one message about a finalised run; None where nothing is new."""
    if not news.occasions:
        return None
    told = [(_failure(news), news.failure_is_new), (_rejections(news), news.new_rejections)]
    told.append((_withdrawals(news), news.new_withdrawals))
    paragraphs = tuple(words for words, is_new in told if is_new)
    counts = {
        "new_rejections": news.new_rejections,
        "new_withdrawals": news.new_withdrawals,
        "withdrawn": news.withdrawn,
        "sent": news.sent,
        **news.dispositions,
    }
    return Message(news.occasions, _subject(news), (*paragraphs, _totals(news)), link, counts, news.run_seq)


def _subject(news: RunNews) -> str:
    parts = {
        Occasion.RUN_FAILED: "failed",
        Occasion.NEW_REJECTIONS: _number(news.new_rejections, "new rejection", "new rejections"),
        Occasion.NEW_WITHDRAWALS: _number(news.new_withdrawals, "new withdrawal", "new withdrawals"),
    }
    return f"Certificate reconciliation, run {news.run_seq}: {', '.join(parts[one] for one in news.occasions)}"


def _failure(news: RunNews) -> str:
    return (
        f"Run {news.run_seq} of {news.run_day} failed: {news.failure} Nothing is lost: what Ditio has not "
        "acknowledged goes out with the next run. The runbook says what to do."
    )


def _rejections(news: RunNews) -> str:
    count = _number(news.new_rejections, "row that it had not refused before", "rows that it had not refused before")
    return (
        f"Ditio refused {count} ({news.rejected:,} refused in all). Read its messages on the worklist and correct "
        "what they name; the rows go out again with the next run."
    )


def _withdrawals(news: RunNews) -> str:
    count = _number(news.new_withdrawals, "delivery has", "deliveries have")
    pronoun = "it" if news.new_withdrawals == 1 else "them"
    return (
        f"{count} lost the certificate behind {pronoun} ({news.withdrawn:,} in all). Ditio still shows the worker as "
        "qualified. The page 'To be removed in Ditio' has the reasons: put it right in 4HSE, or remove it in Ditio."
    )


def _totals(news: RunNews) -> str:
    counted = ", ".join(f"{name} {count:,}" for name, count in sorted(news.dispositions.items()))
    said = f"Status {news.status}, mode {news.mode}, {news.sent:,} rows sent."
    return f"{said} Claims: {counted}." if counted else said


def of_start_that_failed(failure: str, link: str | None) -> Message:
    """Return the message about a run that failed before it was in the warehouse."""
    return Message(
        (Occasion.RUN_FAILED,),
        "Certificate reconciliation: a run could not start",
        (f"A run could not start: {without_vendor_words(failure)} Nothing was read and nothing was sent.",),
        link,
    )


def of_run_without_end(run_seq: int | None, link: str | None) -> Message:
    """Return the message about a run that Airflow ended and that could not record its own end."""
    name = "a run" if run_seq is None else f"run {run_seq}"
    words = (
        f"The last task of {name} did not come to its end, so nothing of its outcome is on the record yet. What Ditio "
        "acknowledged is; the rest goes out with the next run, which takes over. Look at the task's log."
    )
    subject = f"Certificate reconciliation: {name} was broken off"
    return Message((Occasion.RUN_FAILED,), subject, (words,), link, run_seq=run_seq)


def of_waiting(run_seq: int, rows: int, guards: Sequence[str], hours: float, link: str | None) -> Message:
    """Return the message about a plan that waits for an approval."""
    why = f"because of: {', '.join(guards)}" if guards else "because the run was started with approval 'always'"
    waits = f"Run {run_seq} waits for an approval before it sends {_number(rows, 'row', 'rows')} to Ditio, {why}."
    answer = (
        "Answer in Airflow under Browse, Required Actions. "
        f"Without an answer within {hours:g} hours nothing is sent, and the next run plans anew."
    )
    subject = f"Certificate reconciliation, run {run_seq}: waits for an approval"
    return Message((Occasion.APPROVAL_WAITING,), subject, (waits, answer), link, {"rows": rows}, run_seq)


def of_links_waiting(certificates: int, hours: float, link: str | None) -> Message:
    """Return the message about certificates that wait for an approval before they are linked in 4HSE."""
    count = _number(certificates, "certificate", "certificates")
    words = (
        f"A run of link_certificates waits for an approval before it links {count} to an action in 4HSE. Answer in "
        f"Airflow under Browse, Required Actions. Without an answer within {hours:g} hours nothing is linked."
    )
    subject = f"Linking certificates: {count} {'waits' if certificates == 1 else 'wait'} for an approval"
    return Message((Occasion.APPROVAL_WAITING,), subject, (words,), link, {"certificates": certificates})


def of_linking_that_failed(run_id: str, link: str | None) -> Message:
    """Return the message about a failed run of `link_certificates`."""
    words = (
        f"The run {run_id} of link_certificates failed. Every link that it created in 4HSE is on the record. Its first "
        "failed task says what was not linked and what to do."
    )
    return Message((Occasion.RUN_FAILED,), "Linking certificates: a run failed", (words,), link)


def of_deadline(run_id: str, hours: float, link: str | None) -> Message:
    """Return the message about a run that has not ended in time."""
    late = f"has not ended within {hours:g} hours"
    words = (
        f"The run {run_id} {late}. If its task 'approve' is awaiting input, somebody has to answer under Browse, "
        "Required Actions. Otherwise look which task still runs, and at its log."
    )
    return Message((Occasion.DEADLINE_MISSED,), f"Certificate reconciliation: a run {late}", (words,), link)


def of_silence(silence: Silence, link: str | None) -> Message:
    """Return the message about a target for which nothing has succeeded for too long."""
    advice = (
        "Certificates that changed since then are not in Ditio. Look whether certificate_reconciliation is paused, "
        "waits for an approval, is refused it or gets no answer, or fails, and whether Airflow's scheduler works."
    )
    subject = f"Certificate reconciliation: nothing has succeeded for {silence.hours:.0f} hours"
    return Message((Occasion.NO_SUCCESS,), subject, (_silence(silence), advice), link)


def _silence(silence: Silence) -> str:
    target = silence.target[:_SHOWN_OF_TARGET]
    day = silence.since.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    if silence.success_run_seq is None:
        return f"Target {target}: no publishing run has ever succeeded and sent its plan; the first one began {day}."
    return (
        f"Target {target}: the last publishing run that succeeded and sent its plan was run {silence.success_run_seq}, "
        f"which ended {day}; the last one was run {silence.last_run_seq}."
    )


def of_audit(task: str, link: str | None) -> Message:
    """Return the message about a verification that does not hold, or a purge that stopped.

    What does not hold is in the task's log only: it may name keys.
    """
    words = (
        f"The task '{task}' of audit_verification failed; its log says what does not hold. Change nothing in the "
        "warehouse or the evidence store, pause the DAGs, and go on with the section Verification of the runbook."
    )
    subject = f"Certificate reconciliation: the audit's task '{task}' failed"
    return Message((Occasion.VERIFICATION_FAILED,), subject, (words,), link)


def of_life(silence: Silence | None) -> Message:
    """Return the sign of life that a monitor outside Airflow waits for every hour.

    Args:
        silence: How long ago the last success was, which is not too long; None where no publishing run was ever opened.
    """
    if silence is None:
        said, words = "nothing has run yet", "The watch works. No publishing run of all projects has been opened yet."
    elif silence.success_run_seq is None:
        said, words = "nothing has succeeded yet", f"The watch works. {_silence(silence)}"
    else:
        said, words = "all is well", "The watch works, and no success is overdue."
    return Message((Occasion.ALIVE,), f"Certificate reconciliation: {said}", (words,))


def of_trial(link: str | None) -> Message:
    """Return the message by which somebody tries out the notifiers."""
    words = "This is a test: messages of the certificate reconciliation reach you. Nothing happened."
    return Message((Occasion.TEST,), "Certificate reconciliation: a test message", (words,), link)
