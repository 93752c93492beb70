"""What an answer means and what is raised when it cannot be mended: one table for both vendors."""

from __future__ import annotations

import re
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import urlsplit

from certrecon.api.redaction import Redactor
from certrecon.api.vendor_errors import parse_error
from certrecon.api.wire import Answer, Fault, FaultKind, Request
from certrecon.errors import (
    CertreconError,
    ConnectionSettingsError,
    CredentialsError,
    RateLimitedError,
    RequestRefusedError,
    ResponseFormatError,
    VendorUnavailableError,
)


class Reaction(StrEnum):
    """What to do about an answer, or about none."""

    ACCEPT = "accept"
    WAIT = "wait"
    RETRY = "retry"
    RENEW = "renew"
    FAIL = "fail"


def reaction_to(status: int | None) -> Reaction:
    """Return what a status asks for (design, *Extraction*); None is no answer at all."""
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reaction.RETRY
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Reaction.ACCEPT
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Reaction.WAIT
    if status == HTTPStatus.UNAUTHORIZED:
        return Reaction.RENEW
    return Reaction.FAIL


_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")
_LASTING = {FaultKind.CERTIFICATE, FaultKind.TOO_LARGE}


def reaction_to_result(result: Answer | Fault) -> Reaction:
    """Return what an answer or a fault asks for: only faults that may pass are tried again."""
    if isinstance(result, Answer):
        return reaction_to(result.status)
    return Reaction.FAIL if result.kind in _LASTING else Reaction.RETRY


def _reason(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _host(request: Request) -> str:
    return urlsplit(request.url).netloc


def fault_error(vendor: str, request: Request, fault: Fault, tries: int) -> CertreconError:
    """Return the exception for a request that got no usable answer."""
    what = f"{vendor} at {_host(request)} {fault.text} ({request.label}, tried {tries} times)"
    if fault.kind is FaultKind.CERTIFICATE:
        return ConnectionSettingsError(f"{what}. Check the address of the {vendor} connection")
    if fault.kind in {FaultKind.TOO_LARGE, FaultKind.MALFORMED}:
        return ResponseFormatError(f"{what}. Check that the address of the {vendor} connection is the API's")
    return VendorUnavailableError(f"{what}. Run again when it is reachable")


def _redirect_error(vendor: str, request: Request, answer: Answer, redactor: Redactor) -> CertreconError:
    try:
        parts = urlsplit(redactor.mask(answer.headers.get("Location", "")))
        target = f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path of the same host"
        if parts.hostname and not _HOST.fullmatch(parts.hostname):
            target = "an unreadable address"
    except ValueError:
        target = "an unreadable address"
    shown = redactor.show(target, 120)
    message = (
        f"{vendor} answered {request.label} with a redirect ({answer.status}) to {shown}. "
        "It is not followed: the credentials must not go there. Put the final address into the connection"
    )
    return RequestRefusedError(message, answer.status)


def answer_error(vendor: str, request: Request, answer: Answer, tries: int, redactor: Redactor) -> CertreconError:
    """Return the exception for an answer that is no success, with the vendor's words made fit to show."""
    status = answer.status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return _redirect_error(vendor, request, answer, redactor)
    said = str(parse_error(answer.body, redactor, values=False))
    what = f"{vendor} answered {request.label} with {_reason(status)}" + (f" ({said})" if said else "")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(f"{what}, {tries} times. Lower requests_per_second in the settings, or run later")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return VendorUnavailableError(f"{what}, {tries} times. Run again when it works", status)
    if status == HTTPStatus.UNAUTHORIZED:
        return CredentialsError(f"{what}. Check the credentials of the {vendor} connection", status)
    if status == HTTPStatus.FORBIDDEN:
        return CredentialsError(f"{what}. Check what the user or client of the {vendor} connection may do", status)
    return RequestRefusedError(what, status)
