"""Which Ditio company a page speaks of: the one that was asked for, else the one of the newest run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import HTTPException

from certrecon.browse.targets import TargetLine, list_targets
from certrecon_plugin.pages.parameters import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Targets:
    """The Ditio companies that runs ever spoke of.

    Attributes:
        lines: All of them, newest run first.
        chosen: The one that the page speaks of; null while there was no run at all.
    """

    lines: tuple[TargetLine, ...]
    chosen: str | None


def choose_target(conn: Connection, values: Mapping[str, str]) -> Targets:
    """Return the targets and the one that is asked for by the field `target`.

    Raises:
        HTTPException: 404, no run ever had that target.
    """
    lines = list_targets(conn)
    wanted = text(values, "target")
    if wanted is None:
        return Targets(lines, lines[0].target if lines else None)
    if wanted not in {line.target for line in lines}:
        raise HTTPException(404, "No run was ever made for that Ditio company.")
    return Targets(lines, wanted)
