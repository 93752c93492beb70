"""Numbers that somebody sets in the environment: read as DAG files are parsed, so a mistake says what it is."""

from __future__ import annotations

import math
import os

from certrecon.errors import SettingsError

_SHOWN = 60


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole number of the environment; the default where the variable is missing or empty.

    Raises:
        SettingsError: It is no whole number from `least` to `most`; the message names variable and value.
    """
    given = os.environ.get(name, "").strip()
    try:
        number = int(given) if given else default
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise _refused(name, f"a whole number from {least} to {most}", given)
    return number


def positive_number(name: str, default: float, *, most: float, unit: str) -> float:
    """Return a number above 0 of the environment; the default where the variable is missing or empty.

    Raises:
        SettingsError: It is no number above 0 and at most `most`; the message names variable and value.
    """
    given = os.environ.get(name, "").strip()
    try:
        number = float(given) if given else default
    except ValueError:
        number = math.nan
    if not 0 < number <= most:
        raise _refused(name, f"a number of {unit} above 0, at most {most:.0f}", given)
    return number


def _refused(name: str, allowed: str, given: str) -> SettingsError:
    from certrecon.text import visible  # heavy, and needed for nothing else here

    return SettingsError(f"{name} must be {allowed}, not '{visible(given, _SHOWN)}'.")
