"""Reads and checks the settings file and its crosswalk."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import yaml
from pydantic import ValidationError

from certrecon.errors import SettingsError
from certrecon.settings.crosswalk import Crosswalk, parse_crosswalk
from certrecon.settings.model import Settings
from certrecon.text import visible

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ENVIRONMENT_VARIABLE = "CERTRECON_SETTINGS"
SHOWN_VALUE = 120
SHOWN_PROBLEMS = 10
"""Mistakes that one message names; more than that are counted."""
_SHOWN_REASON = 400
_CROSSWALK = ("employee_match", "crosswalk")
_UNFIT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that can be seen nowhere or stored nowhere, so that a setting with one says what nobody meant."""
_PYYAML_FAILS_WITH = (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What PyYAML raises; all but the first are its own slips on values that do not fit their tag."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings as a run uses them.

    Attributes:
        settings: The checked settings, defaults filled in.
        crosswalk: The crosswalk that the settings name; empty without one.
        text: The canonical JSON of both: equal texts mean equal settings.
        sha256: The digest of `text`.
    """

    settings: Settings
    crosswalk: Crosswalk
    text: str
    sha256: str


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key written twice, text that cannot be seen, and numbers that are read as others."""

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and _UNFIT.search(value):
            message = f"the text on line {node.start_mark.line + 1} holds an invisible character"
            raise SettingsError(message)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        doubled = {str(key) for key in keys if keys.count(key) > 1}
        if doubled:
            line = node.start_mark.line + 1
            message = (
                f"key '{visible(min(doubled), SHOWN_VALUE)}' is there twice in the block that starts on line {line}"
            )
            raise SettingsError(message)
        return super().construct_mapping(node, deep)


def _refuse_bytes(_loader: yaml.SafeLoader, node: yaml.Node) -> NoReturn:
    """Refuse bytes: they would become text without having been looked at."""
    message = f"there are bytes on line {node.start_mark.line + 1}, where only text can stand"
    raise SettingsError(message)


def _refuse_as_written(node: yaml.ScalarNode, read: str) -> NoReturn:
    """Refuse a number that is another one than its reader sees: YAML 1.1 takes 0042 for 34, and 12:30 for 750."""
    message = (
        f"{visible(node.value, SHOWN_VALUE)} on line {node.start_mark.line + 1} would be read as "
        f"{visible(read, SHOWN_VALUE)}: write it in quotes, or as a plain number without leading zeros"
    )
    raise SettingsError(message)


def _whole_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    value = loader.construct_yaml_int(node)
    if str(value) != node.value:
        _refuse_as_written(node, str(value))
    return value


def _fraction(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    value = loader.construct_yaml_float(node)
    if ":" in node.value or "_" in node.value:
        _refuse_as_written(node, str(value))
    return value


_StrictLoader.add_constructor("tag:yaml.org,2002:binary", _refuse_bytes)
_StrictLoader.add_constructor("tag:yaml.org,2002:int", _whole_number)
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _fraction)


def default_path() -> Path:
    """Return the settings file: `CERTRECON_SETTINGS`, else the project's own."""
    configured = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(configured) if configured else Path(__file__).parents[2] / "config" / "reconciliation.yaml"


def _shown(value: Any) -> str:
    """Return the beginning of a value, however large it is and whatever it holds, itself included."""
    text = ""
    try:
        for piece in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
            text += piece
            if len(text) > SHOWN_VALUE:
                break
    except (ValueError, TypeError, RecursionError):
        text += " ..."
    return visible(text, SHOWN_VALUE)


def _kind(value: Any) -> str:
    """Return what a value is, without what it says: it may be a list of persons in the wrong place."""
    kinds = {dict: "a mapping", list: "a list", str: "a text"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), "a single value")


def _told(problem: ErrorDetails) -> str:
    """Return the value at fault, but of a crosswalk that is no file name only what it is."""
    return _kind(problem["input"]) if problem["loc"] == _CROSSWALK else _shown(problem["input"])


def _explained(error: ValidationError, source: str) -> SettingsError:
    problems = error.errors(include_url=False, include_context=False)
    lines = []
    for problem in problems[:SHOWN_PROBLEMS]:
        key = visible(".".join(str(part) for part in problem["loc"]), SHOWN_VALUE) or "the file"
        if problem["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key (value {_shown(problem['input'])})")
        else:
            reason = visible(problem["msg"].removeprefix("Value error, "), _SHOWN_REASON)
            lines.append(f"{key}: {_told(problem)} is refused: {reason}")
    if len(problems) > SHOWN_PROBLEMS:
        lines.append(f"and {len(problems) - SHOWN_PROBLEMS:,} more")
    return SettingsError(f"{source}: " + "; ".join(lines))


def _document(text: str, source: str) -> dict[str, Any]:
    try:
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except _PYYAML_FAILS_WITH as error:
        message = f"{source} is not valid YAML: {visible(str(error), _SHOWN_REASON)}"
        raise SettingsError(message) from None
    except RecursionError:
        message = f"{source} is nested too deep"
        raise SettingsError(message) from None
    except SettingsError as error:
        message = f"{source}: {error}"
        raise SettingsError(message) from None
    if not isinstance(document, dict | None):
        message = f"{source} must be a mapping of settings, found {_kind(document)}"
        raise SettingsError(message)
    return document or {}


def _loaded(settings: Settings, crosswalk: Crosswalk) -> LoadedSettings:
    parts = {"settings": settings.model_dump(mode="json"), "crosswalk": crosswalk.numbers}
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return LoadedSettings(settings, crosswalk, text, hashlib.sha256(text.encode()).hexdigest())


def parse_settings(text: str, *, source: str = "settings", folder: Path | None = None) -> LoadedSettings:
    """Check a settings document.

    Args:
        text: The YAML text.
        source: How messages call the file.
        folder: Where a relative crosswalk path starts.

    Raises:
        SettingsError: The text is not YAML, or a key or value is wrong; the message names both.
    """
    try:
        settings = Settings.model_validate(_document(text, source))
    except ValidationError as error:
        # Without a cause: pydantic's own words repeat whole values.
        raise _explained(error, source) from None
    named = settings.employee_match.crosswalk
    if named is None:
        return _loaded(settings, Crosswalk({}))
    path = (folder or Path()) / named
    return _loaded(settings, parse_crosswalk(_read(path, "employee_match.crosswalk"), source=str(path)))


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "it is no file"
    except UnicodeDecodeError:
        reason = "not UTF-8 text"
    except ValueError:
        reason = "that is no path"
    message = f"{what}: cannot read {visible(str(path), _SHOWN_REASON)}: {reason}"
    raise SettingsError(message)


def load_settings(path: Path | None = None) -> LoadedSettings:
    """Read and check the settings file.

    Args:
        path: The file; without one `CERTRECON_SETTINGS`, else `include/config/reconciliation.yaml`.

    Raises:
        SettingsError: The file cannot be read, or a key or value is wrong.
    """
    file = path or default_path()
    return parse_settings(_read(file, ENVIRONMENT_VARIABLE), source=str(file), folder=file.parent)


def restore_settings(text: str) -> LoadedSettings:
    """Rebuild what `LoadedSettings.text` of an earlier run says.

    Raises:
        SettingsError: This version of the project no longer accepts those settings.
    """
    source = "settings of the evidence"
    message = f"{source} are not in the form in which a run keeps them"
    try:
        parts = json.loads(text)
        numbers = dict(parts["crosswalk"])
        if all(isinstance(text, str) for pair in numbers.items() for text in pair):
            return _loaded(Settings.model_validate(parts["settings"]), Crosswalk(numbers))
    except ValidationError as error:
        raise _explained(error, source) from None
    except (ValueError, TypeError, LookupError, RecursionError):
        raise SettingsError(message) from None
    raise SettingsError(message)
