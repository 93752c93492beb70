"""The runbook speaks of every setting there is, and of none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from certrecon.settings.model import Settings

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"


def _keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from _keys(section, f"{before}{name}.")
        else:
            yield before + name


def test_every_setting_is_in_the_runbook() -> None:
    section = RUNBOOK.read_text(encoding="utf-8").split("\n## Settings\n")[1].split("\n## ")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    assert named == set(_keys(Settings))
