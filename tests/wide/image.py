"""The image without Docker: a folder with what the Dockerfile copies and a virtual environment with what it installs."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from certrecon_quickstart.bootstrap import pip_settings, uv_environment
from tests.wide.compose import ROOT

DOCKERFILE = ROOT / "Dockerfile"
HOME = "/opt/certrecon"
_COPY = re.compile(r"^COPY (?:--\S+ )*(?P<source>\S+) (?P<target>\S+)$", re.MULTILINE)
_INSTALL = re.compile(r"\bpip (?P<words>(?:un)?install [^&\n]+|check)")
# What pip in the image is told and uv does not know, or does by itself.
_LEFT_OUT = {"--no-cache-dir", "--yes"}


@dataclass(frozen=True, slots=True)
class Image:
    """What is in the image.

    Attributes:
        root: The folder that stands for `/`.
    """

    root: Path

    @property
    def home(self) -> Path:
        """The project's folder."""
        return self.root / HOME.lstrip("/")

    @property
    def programs(self) -> Path:
        """The folder of the programs that it installs."""
        return self.root / "venv" / "bin"


def build_image(root: Path) -> Image:
    """Do what the Dockerfile does: copy what it copies, and run what it runs of pip."""
    image = Image(root)
    image.home.mkdir(parents=True)
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    for copied in _COPY.finditer(text):
        _copy(copied["source"].removesuffix("/"), image.home / copied["target"])
    _uv(image, "venv", "--quiet", "--python", sys.executable, str(image.root / "venv"))
    for command in _INSTALL.finditer(text):
        words = [word for word in command["words"].split() if word not in _LEFT_OUT]
        _uv(image, "pip", words[0], "--quiet", "--python", str(image.programs / "python"), *words[1:])
    return image


def ignored(path: str) -> bool:
    """Tell whether `.dockerignore` keeps a path of the checkout from the builder; the last rule that fits decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        rule = line.strip()
        if rule and not rule.startswith("#") and _fits(path, rule.removeprefix("!")):
            out = not rule.startswith("!")
    return out


def _fits(path: str, rule: str) -> bool:
    parts = path.split("/")
    beginnings = ["/".join(parts[: number + 1]) for number in range(len(parts))]
    if rule.startswith("**/"):
        return any(fnmatch.fnmatchcase(part, rule.removeprefix("**/")) for part in parts)
    return any(fnmatch.fnmatchcase(beginning, rule) for beginning in beginnings)


def _copy(source: str, target: Path) -> None:
    place = ROOT / source
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    for file in files:
        if not ignored(file.relative_to(ROOT).as_posix()):
            inside = target / file.relative_to(place) if place.is_dir() else target / place.name
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, inside)


def _uv(image: Image, *words: str) -> None:
    # As in set-up, uv looks where this machine's pip looks; the checkout's own environment has no pip.
    pip = [str(Path(sys.base_prefix) / "bin" / "python3"), "-m", "pip"]
    environment = uv_environment(os.environ, pip_settings(pip), ROOT)
    uv = str(Path(sys.executable).with_name("uv"))
    done = subprocess.run([uv, *words], cwd=image.home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"uv {' '.join(words)}: {done.stderr[-2000:]}"
