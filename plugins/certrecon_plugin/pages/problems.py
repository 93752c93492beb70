"""Problems as pages in plain words: not allowed, not found, not understood, not available."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException

from certrecon.errors import (
    CertreconError,
    ConnectionSettingsError,
    EvidenceError,
    ParameterError,
    WarehouseUnavailableError,
)
from certrecon_plugin.pages.templating import airflow_path, page

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """A page that says why there is nothing else to show.

    Attributes:
        title: What is the matter, in a few words.
        words: What to do about it, in one or two sentences.
    """

    title: str
    words: str


PROBLEMS: Final = {
    400: Problem("That was not understood", "Check the address or the form, and try again."),
    401: Problem("Please sign in", "Sign in to Airflow, then open this page again."),
    403: Problem("Not allowed", "Your Airflow user may not do this. Ask whoever looks after Airflow."),
    404: Problem("Not found", "There is no such page. The list of runs is a good place to go on."),
    405: Problem("Not possible", "This page cannot be used like that."),
    410: Problem("No longer kept", "What this page showed was removed when its time of keeping ended."),
    413: Problem("Too much at once", "The form holds more than can be taken. Shorten the note."),
    503: Problem("The warehouse does not answer", "Try again in a minute. If it stays so, tell whoever runs Airflow."),
}
_STATUS: Final[tuple[tuple[type[CertreconError], int], ...]] = (
    (ParameterError, 400),
    (EvidenceError, 404),
    (WarehouseUnavailableError, 503),
    (ConnectionSettingsError, 503),
)
_SAID: Final = (ParameterError, EvidenceError)
_EVIDENCE: Final = Problem(
    "The evidence cannot be shown",
    "A file is missing, or is not what was sealed. The command make verify names what does not hold.",
)


def problem_page(request: Request, status: int, words: str | None = None, problem: Problem | None = None) -> Response:
    """Return a page that says what is the matter; callers who are not let in get nothing but that."""
    shown = problem or PROBLEMS.get(status) or Problem("Something went wrong", "The server's log says what.")
    return page(
        request,
        "problem.html.j2",
        status=status,
        title=shown.title,
        words=words or shown.words,
        bare=status in {401, 403},
        sign_in=_sign_in(request) if status == HTTPStatus.UNAUTHORIZED and request.method == "GET" else None,
    )


def _sign_in(request: Request) -> str:
    """Return where Airflow asks who it is and comes back from: a link in a mail is often opened signed out."""
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return f"{airflow_path(request)}/api/v2/auth/login?{urlencode({'next': here})}"


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    said = error.detail if error.status_code in {400, 403, 404, 410} and error.detail.endswith(".") else None
    answer = problem_page(request, error.status_code, said)
    answer.headers.update(error.headers or {})
    return answer


def _own(request: Request, error: Exception) -> Response:
    if not isinstance(error, CertreconError):
        raise error
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if isinstance(error, ParameterError):
        return problem_page(request, status, str(error))
    log.warning("A page could not be made: %s: %s", type(error).__name__, error)
    return problem_page(request, status, problem=_EVIDENCE if isinstance(error, EvidenceError) else None)


def handle_problems(app: FastAPI) -> None:
    """Have every expected error answered with a page."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(CertreconError, _own)
