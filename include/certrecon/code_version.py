"""Which code a run was made by."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from certrecon import __version__

SOURCE_ENDINGS = frozenset({".py", ".sql", ".html", ".j2"})


@cache
def code_version() -> str:
    """Return the package's version and a digest of its source files, such as `0.1.0+1f3a5c7e9b2d`."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in package.rglob("*") if path.suffix in SOURCE_ENDINGS):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"
