"""Turns what holds inside a container into what holds for a process of this machine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from certrecon_quickstart.memory import LOOPBACK
from tests.wide.image import HOME, Image


@dataclass(frozen=True, slots=True)
class Here:
    """What stands for what.

    Attributes:
        places: A folder or file of this machine for each path inside a container.
        names: The host names that become the loopback address.
        ports: A port of this machine for each port of a container.
    """

    places: Mapping[str, Path]
    names: tuple[str, ...]
    ports: Mapping[int, int]


def native(text: str, here: Here) -> str:
    """Return a command, a value or a file's text with every path, host name and port as it is here."""
    for inside, outside in here.places.items():
        text = re.sub(rf"(?<![\w/.]){re.escape(inside)}(?![\w-])", str(outside), text)
    names = "|".join(map(re.escape, here.names))
    text = re.sub(rf"(?<![\w.-])(?:{names})(?=:\d)", LOOPBACK, text)
    text = re.sub(r"\b(\d{4})\b", lambda found: str(here.ports.get(int(found[1]), found[1])), text)
    return text.replace("0.0.0.0", LOOPBACK)  # noqa: S104 - it is taken away


def mount(image: Image, inside: str, outside: Path) -> None:
    """Let the project's folder in the image lead to what is mounted there; other places are found by their name."""
    outside.mkdir(parents=True, exist_ok=True)
    place = image.root / inside.lstrip("/")
    if inside.startswith(f"{HOME}/") and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(outside)
