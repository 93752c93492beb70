"""Style, script and icon of the pages, behind the same door as everything else."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

router = APIRouter()

KINDS: Final = {
    "pages.css": "text/css; charset=utf-8",
    "theme.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "icon_dark.svg": "image/svg+xml",
}
"""Every file that is given out, with its media type."""


@lru_cache(maxsize=len(KINDS))
def _content(name: str) -> bytes:
    return files("certrecon_plugin.pages").joinpath("static", name).read_bytes()


@router.get("/static/{name}")
def asset(name: str) -> Response:
    """Return a file of the pages.

    Raises:
        HTTPException: 404, there is no such file.
    """
    if name not in KINDS:
        raise HTTPException(404)
    return Response(_content(name), media_type=KINDS[name])
