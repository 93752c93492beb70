"""Reads and checks the settings file and its crosswalk."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from certrecon.errors import SettingsError
from certrecon.settings.crosswalk import Crosswalk, parse_crosswalk
from certrecon.settings.model import Settings

ENVIRONMENT_VARIABLE = "CERTRECON_SETTINGS"
SHOWN_VALUE = 120


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
    """YAML that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        doubled = {str(key) for key in keys if keys.count(key) > 1}
        if doubled:
            line = node.start_mark.line + 1
            message = f"key '{min(doubled)}' is there twice in the block that starts on line {line}"
            raise SettingsError(message)
        return super().construct_mapping(node, deep)


def default_path() -> Path:
    """Return the settings file: `CERTRECON_SETTINGS`, else the project's own."""
    configured = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(configured) if configured else Path(__file__).parents[2] / "config" / "reconciliation.yaml"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_VALUE else text[:SHOWN_VALUE] + "..."


def _explained(error: ValidationError, source: str) -> SettingsError:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"]) or "the file"
        if problem["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key (value {_shown(problem['input'])})")
        else:
            reason = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{key}: {_shown(problem['input'])} {'is refused: ' + reason}")
    return SettingsError(f"{source}: " + "; ".join(lines))


def _document(text: str, source: str) -> dict[str, Any]:
    try:
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        message = f"{source} is not valid YAML: {' '.join(str(error).split())}"
        raise SettingsError(message) from error
    except SettingsError as error:
        message = f"{source}: {error}"
        raise SettingsError(message) from error
    if not isinstance(document, dict | None):
        message = f"{source} must be a mapping of settings, found {_shown(document)}"
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
        raise _explained(error, source) from error
    named = settings.employee_match.crosswalk
    if named is None:
        return _loaded(settings, Crosswalk({}))
    path = (folder or Path()) / named
    return _loaded(settings, parse_crosswalk(_read(path, "employee_match.crosswalk"), source=str(path)))


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        message = f"{what}: cannot read {path}: {reason}"
        raise SettingsError(message) from error


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
    parts = json.loads(text)
    try:
        return _loaded(Settings.model_validate(parts["settings"]), Crosswalk(parts["crosswalk"]))
    except ValidationError as error:
        raise _explained(error, "settings of the evidence") from error
