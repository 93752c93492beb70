"""Prepared vendor answers below `var/bench/data`, made once a size, reused while the generator is the same."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.measuring import ROOT, Variant, run_once
from benchmarks.results import FOLDER

DATA = FOLDER / "data"
GENERATOR = (ROOT / "include" / "certrecon_sandbox", Path(__file__).with_name("vendor_pages.py"))


def digest_of(places: Iterable[Path]) -> str:
    """Return a digest of the source files at and below these places."""
    found = hashlib.sha256()
    for place in places:
        files = sorted(place.rglob("*.py")) + sorted(place.rglob("*.sql")) if place.is_dir() else [place]
        for file in files:
            found.update(file.read_bytes())
    return found.hexdigest()


def is_current(folder: Path, stamp: str) -> bool:
    """Tell whether a folder holds what a stamp stands for."""
    file = folder / "stamp"
    return file.exists() and file.read_text(encoding="utf-8") == stamp


def keep_stamp(folder: Path, stamp: str) -> None:
    """Say what a folder holds, once it is whole."""
    (folder / "stamp").write_text(stamp, encoding="utf-8")


def vendor_answers(certificates: int, tenants: int, data: Path = DATA) -> Path:
    """Return the folder with both sets of answers of a size."""
    folder = data / f"{certificates}-{tenants}" / "vendors"
    stamp = digest_of(GENERATOR)
    if not is_current(folder, stamp):
        print(f"  preparing the vendors' answers for {certificates:,} certificates ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        arguments = (str(folder), str(certificates), str(tenants))
        run_once(Variant("vendors' answers", "benchmarks.vendor_pages", arguments, 1, sys.executable, ours=True))
        keep_stamp(folder, stamp)
    return folder
