"""What the head of a report says: its scope, what differs in the settings, the days and the events in between."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from certrecon.report.model import ReportInputs, RunHead, SettingChange, SettingsChanges, Told
from certrecon.report.safe import one_line

_ABSENT = object()


def _shown(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    return one_line(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(", ", ": ")))


def _differing(before: Any, after: Any, path: str) -> Iterator[SettingChange]:
    """Yield what differs, key by key; lists are compared as a whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            inner = f"{path}.{key}" if path else str(key)
            yield from _differing(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif before != after:
        yield SettingChange(one_line(path), _shown(before), _shown(after))


def _crosswalk(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, int]:
    both = set(before) & set(after)
    return {
        "added": len(set(after) - both),
        "removed": len(set(before) - both),
        "changed": sum(before[person] != after[person] for person in both),
    }


def settings_changes(before: str | None, after: str | None) -> SettingsChanges | None:
    """Return what differs between the settings of two runs.

    Args:
        before: The earlier run's settings and crosswalk, as `LoadedSettings.text` has them.
        after: The later run's.

    Returns:
        Each setting that differs, and counts of the crosswalk's differences; None where one of the two is not known.
    """
    if not before or not after:
        return None
    then, now = json.loads(before), json.loads(after)
    rows = tuple(_differing(then.get("settings", {}), now.get("settings", {}), ""))
    return SettingsChanges(rows, _crosswalk(then.get("crosswalk") or {}, now.get("crosswalk") or {}))


def missed_days(inputs: ReportInputs) -> int:
    """Return how many calendar days lie between the previous run's day and this one's without a run.

    The previous run is one that loaded claims; a run that failed before it did so is a run all the same.
    """
    if inputs.previous is None:
        return 0
    before, own = inputs.previous.run_day, inputs.head.run_day
    days: list[dt.date] = [] if inputs.runs is None else inputs.runs.column("run_day").unique().to_pylist()
    return max(0, (own - before).days - 1 - sum(before < day < own for day in days))


def scope_words(head: RunHead) -> str:
    """Return what the run speaks of."""
    if head.certificates is None:
        return ", ".join(head.tenants) or "all tenants of the settings"
    certificates, hints = len(head.certificates), head.hints
    return f"{_counted(certificates, 'certificate')} to which {_counted(hints, 'hint')} led"


def left_out_words(head: RunHead) -> str:
    """Return what a run by hints left out; empty where it looked at everything that hints name."""
    if not head.left_out:
        return ""
    return f"{_counted(head.left_out, 'id')} that hints name and 4HSE refused; the next full night looks at everything"


def told_words(told: Told) -> str:
    """Return how many changes events had told of, or why that is not known."""
    hints, changed = _counted(told.hints, "hint"), _counted(told.changed, "certificate")
    came = f"{hints} came in since run {told.since_run_seq}."
    if told.settings_differ:
        why = "settings or crosswalk have changed, and claims change with them"
        return f"{came} Changes in 4HSE that no event told of are not counted: {why}."
    found = f"{told.told:,} of them a hint had pointed at, {told.untold:,} no event had told of"
    return f"{came} This run still found {changed} changed in 4HSE: {found}."


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
