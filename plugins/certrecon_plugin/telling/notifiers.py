"""The notifiers that somebody configured, and sending a message through each of them.

`CERTRECON_NOTIFIERS`, or the Airflow variable `certrecon_notifiers`, is a JSON list:

    [{"class": "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
      "kwargs": {"to": "hse@example.com", "from_email": "airflow@example.com"},
      "when": ["run_failed", "approval_waiting"]}]

Texts in `kwargs` are templates of the notifier, where `certrecon` has `subject`, `text`, `html`, `link`, `occasions`,
`counts` and `run_seq`. Parameters by the usual names that are left out get the matching one by themselves.
"""

from __future__ import annotations

import inspect
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from certrecon.errors import SettingsError
from certrecon.telling.message import Message
from certrecon.telling.occasions import ON_REQUEST, Occasion
from certrecon_plugin.masking import mask_quietly
from certrecon_plugin.telling.tokens import tokens_of

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier

log = logging.getLogger(__name__)

ENVIRONMENT: Final = "CERTRECON_NOTIFIERS"
VARIABLE: Final = "certrecon_notifiers"
_KEYS: Final = frozenset({"class", "kwargs", "when"})
_USUAL: Final = {"subject": "subject", "html_content": "html", "text": "text", "message": "text", "body": "text"}
_LONGEST_ERROR = 200


@dataclass(frozen=True, slots=True)
class NotifierSetting:
    """One entry of the setting.

    Attributes:
        name: What the entry is called in logs and errors: its place, and the class without its module.
        path: The class.
        kwargs: What it is made with.
        when: What it is told of.
    """

    name: str
    path: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    when: frozenset[Occasion] = frozenset(Occasion) - ON_REQUEST

    def wants(self, message: Message) -> bool:
        """Return whether the message has an occasion that this notifier is told of."""
        return not self.when.isdisjoint(message.occasions)


def read_settings() -> tuple[NotifierSetting, ...]:
    """Return the configured notifiers; none where nothing is configured.

    Raises:
        SettingsError: The setting is no JSON list of the documented form; the message names the entry and the key.
    """
    from airflow.sdk import Variable

    given = os.environ.get(ENVIRONMENT)
    if given is not None:
        return parse_settings(given, ENVIRONMENT)
    return parse_settings(str(Variable.get(VARIABLE, default="")), f"The variable {VARIABLE}")


def parse_settings(given: str, source: str) -> tuple[NotifierSetting, ...]:
    """Return the notifiers of a JSON text.

    Raises:
        SettingsError: As `read_settings`.
    """
    if not given.strip():
        return ()
    try:
        entries = json.loads(given)
    except ValueError:
        entries = None
    if not isinstance(entries, list):
        raise SettingsError(f"{source} is no JSON list. See the runbook, section Alerts.")
    return tuple(_entry(entry, number, source) for number, entry in enumerate(entries, 1))


def _entry(entry: Any, number: int, source: str) -> NotifierSetting:
    where = f"{source}, entry {number}"
    if not isinstance(entry, dict):
        raise SettingsError(f"{where} is no JSON object.")
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise SettingsError(f"{where} has an unknown key '{unknown[0]}'; it may have {', '.join(sorted(_KEYS))}.")
    path, kwargs = entry.get("class"), entry.get("kwargs", {})
    if not isinstance(path, str) or "." not in path:
        raise SettingsError(f"{where}: 'class' must be a notifier's class with its module, not {path!r}.")
    if not isinstance(kwargs, dict):
        raise SettingsError(f"{where}: 'kwargs' must be a JSON object.")
    name = f"{number} ({path.rpartition('.')[2]})"
    return NotifierSetting(name, path, kwargs, _when(entry, where))


def _when(entry: Mapping[str, Any], where: str) -> frozenset[Occasion]:
    if "when" not in entry:
        return frozenset(Occasion) - ON_REQUEST
    known = {str(one): one for one in Occasion}
    words = entry["when"]
    if not isinstance(words, list) or not all(isinstance(word, str) and word in known for word in words):
        raise SettingsError(f"{where}: 'when' must be a list of {', '.join(known)}.")
    return frozenset(known[word] for word in words)


def make_notifier(setting: NotifierSetting) -> BaseNotifier:
    """Return the notifier of an entry, having asked Airflow to mask what in its arguments may be a token.

    Raises:
        SettingsError: There is no such class, it is no notifier, or it does not take these `kwargs`.
    """
    from airflow.sdk import BaseNotifier
    from airflow.sdk.log import mask_secret

    mask_quietly()
    for token in tokens_of(setting.kwargs):  # what a notifier raises or logs often has the whole address in it
        mask_secret(token)
    module, _, name = setting.path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"Notifier {setting.name}: there is no class {setting.path} here.") from error
    if not (inspect.isclass(found) and issubclass(found, BaseNotifier)):
        raise SettingsError(f"Notifier {setting.name}: {setting.path} is no notifier of Airflow.")
    try:
        return found(**{**_usual(found), **setting.kwargs})
    except TypeError as error:
        raise SettingsError(f"Notifier {setting.name} does not take its kwargs: {error}.") from error


def _usual(found: type[BaseNotifier]) -> dict[str, str]:
    """Return templates for parameters that mean what a message has, where the class renders them."""
    taken = set(inspect.signature(found).parameters) & set(found.template_fields)
    return {name: f"{{{{ certrecon.{value} }}}}" for name, value in _USUAL.items() if name in taken}


def send(message: Message, settings: Sequence[NotifierSetting], context: Mapping[str, Any]) -> tuple[str, ...]:
    """Send a message through every notifier that wants it, and return the names of those that failed.

    No failure gets out: a broken mail server must not fail a run.
    """
    return tuple(one.name for one in settings if one.wants(message) and not _sent(message, one, context))


def _sent(message: Message, setting: NotifierSetting, context: Mapping[str, Any]) -> bool:
    try:
        # The values reach the template by name and are never part of it: a vendor's words cannot become a template.
        make_notifier(setting)({**context, "certrecon": message.to_template()})
    except Exception as error:  # noqa: BLE001 - whatever a notifier raises, the run goes on
        said = _without_tokens(f"{type(error).__name__}: {error}", setting)[:_LONGEST_ERROR]
        log.warning("The notifier %s failed, so nobody got '%s' from it: %s", setting.name, message.line, said)
        return False
    log.info("The notifier %s was told: %s", setting.name, message.line)
    return True


def _without_tokens(said: str, setting: NotifierSetting) -> str:
    """Return what an error says without tokens, also where Airflow masks nothing, and before a cut makes one unlike."""
    for token in sorted(tokens_of(setting.kwargs), key=len, reverse=True):
        said = said.replace(token, "***")
    return said
