"""The hourly task that notices that nothing succeeds any more, and that the notifiers would not work."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import BaseOperator

from certrecon_plugin.environment import positive_number
from certrecon_plugin.resources import warehouse
from certrecon_plugin.telling.assets import REPORT
from certrecon_plugin.telling.closing import closing
from certrecon_plugin.telling.links import runs_link
from certrecon_plugin.telling.memory import remember, told
from certrecon_plugin.telling.metrics import gauge_silence
from certrecon_plugin.telling.notifiers import NotifierSetting, make_notifier, read_settings, send
from certrecon_plugin.telling.tell import AUDITOR

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.errors import NotToldError
    from certrecon.telling.message import Message
    from certrecon.telling.silence import Silence

log = logging.getLogger(__name__)

SILENCE_HOURS: Final = "CERTRECON_SILENCE_HOURS"
NO_SUCCESS: Final = "told_of_no_success"


class WatchOperator(BaseOperator):
    """Tells once that nothing has succeeded for too long; fails where nobody could be told."""

    def __init__(self, **kwargs: Any) -> None:
        """Read the asset that remembers what was told."""
        super().__init__(inlets=[REPORT], **kwargs)

    def execute(self, context: Context) -> dict[str, int]:
        """Return `overdue`, 1 where nothing has succeeded for too long, else 0; in a test how many notifiers got it.

        Raises:
            SettingsError: The setting of the notifiers is wrong.
            NotToldError: Nobody got the message; the next try sends it again.
        """
        with closing(self.task_id) as end:
            result = end.result = self._look(context)
        return result

    def _look(self, context: Context) -> dict[str, int]:
        from certrecon.telling.messages import of_life

        settings, values = checked_settings(), dict(context)
        if context["params"].get("test"):
            return _try_out(settings, values)
        hours, silence = allowed_hours(), _read()
        if silence is not None:
            gauge_silence(silence.hours)
            log.info("Target %s: %.1f of %g hours without success", silence.target, silence.hours, hours)
        overdue = silence if silence is not None and silence.hours > hours else None
        _tell_new(overdue, settings, values)
        if overdue is None:
            send(of_life(silence), settings, values)
        return {"overdue": int(overdue is not None)}


def allowed_hours() -> float:
    """Return after how many hours without success somebody is told.

    Raises:
        SettingsError: The environment variable is no number above 0, or longer than a year.
    """
    from certrecon.telling.silence import HOURS

    return positive_number(SILENCE_HOURS, HOURS, most=8_760, unit="hours")


def checked_settings() -> tuple[NotifierSetting, ...]:
    """Return the configured notifiers, each of which can be made.

    Raises:
        SettingsError: One of them is wrong; the message names it.
    """
    settings = read_settings()
    for one in settings:
        make_notifier(one)
    if not settings:
        log.warning("No notifier is configured, so nobody is told of anything. See the runbook, section Alerts.")
    return settings


def _read() -> Silence | None:
    from certrecon.telling.silence import read_silence
    from certrecon.warehouse.engine import transaction

    with warehouse(AUDITOR) as engine, transaction(engine) as conn:
        return read_silence(conn, dt.datetime.now(dt.UTC))


def _tell_new(overdue: Silence | None, settings: Sequence[NotifierSetting], context: Mapping[str, Any]) -> None:
    """Tell of what nobody was told of, and remember what lasts: a problem that ended is new when it comes again."""
    from certrecon.telling.messages import of_silence

    problems = frozenset() if overdue is None else frozenset({overdue.problem})
    known = told(context, NO_SUCCESS)
    message = None if overdue is None or overdue.problem in known else of_silence(overdue, runs_link())
    failed = send(message, settings, context) if message else ()
    reached = message is not None and len(failed) < sum(one.wants(message) for one in settings)
    kept = problems if reached else problems & known
    if kept != known:
        remember(context, NO_SUCCESS, kept)
    if message is not None and failed and not reached:
        raise _not_told(message, failed)


def _try_out(settings: Sequence[NotifierSetting], context: Mapping[str, Any]) -> dict[str, int]:
    from certrecon.telling.messages import of_trial

    message = of_trial(runs_link())
    failed = send(message, settings, context)
    if failed:
        raise _not_told(message, failed)
    return {"notifiers": len(settings)}


def _not_told(message: Message, failed: Sequence[str]) -> NotToldError:
    from certrecon.errors import NotToldError

    return NotToldError(f"'{message.line}' did not get through: notifier {', '.join(failed)} failed; the log says why.")
