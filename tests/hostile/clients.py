"""Every request that the pipeline makes of a vendor, by name, against a server of the test's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from certrecon.api.delays import RetryPolicy
from certrecon.api.ditio import Attempt, DitioClient
from certrecon.api.endpoint import DitioEndpoint
from certrecon.api.fourhse import FourHseClient
from certrecon.errors import CertreconError
from certrecon.words import EmployeeSource
from tests.unit.api.scripted import DITIO_SECRET, ditio_endpoint, fourhse_endpoint

IMPATIENT = RetryPolicy(attempts=2, rate_limited_attempts=2, base=0.001, cap=0.002, total=1.0)
"""Two tries and one second in all."""
Call = Callable[[str], Awaitable[Any]]


def _fourhse(use: Callable[[FourHseClient], Awaitable[Any]]) -> Call:
    async def call(url: str) -> Any:
        async with FourHseClient(fourhse_endpoint(url), retry=IMPATIENT) as client:
            return await use(client)

    return call


def _ditio(use: Callable[[DitioClient], Awaitable[Any]]) -> Call:
    async def call(url: str) -> Any:
        async with DitioClient(ditio_endpoint(url), retry=IMPATIENT) as client:
            return await use(client)

    return call


READS: dict[str, Call] = {
    "index": _fourhse(lambda client: client.index("certificate", {"tenant_id": "t1"})),
    "view": _fourhse(lambda client: client.view("certificate", "c1")),
    "projects": _fourhse(lambda client: client.projects()),
    "employees": _ditio(lambda client: client.employees(EmployeeSource.EMPLOYEES_V5)),
    "users": _ditio(lambda client: client.employees(EmployeeSource.USERS_V4)),
}
POST = _ditio(lambda client: client.post_certificates(b"[]"))


async def token_from(token_url: str, api_url: str) -> Any:
    """Read the employees with a token endpoint of its own."""
    endpoint = DitioEndpoint(f"{api_url}/ditio", f"{token_url}/token", "ditio-client", DITIO_SECRET)
    async with DitioClient(endpoint, retry=IMPATIENT) as client:
        return await client.employees(EmployeeSource.EMPLOYEES_V5)


async def outcome_of(call: Awaitable[Any]) -> CertreconError | Attempt:
    """Return the error that a call ends in, or the attempt that a POST returns; nothing else may come."""
    try:
        found = await call
    except CertreconError as error:
        return error
    assert isinstance(found, Attempt), f"there was no error but {type(found)}"
    return found


def said(outcome: CertreconError | Attempt) -> str:
    """Return the words for the operator."""
    return str(outcome) if isinstance(outcome, CertreconError) else outcome.message or ""


def assert_fit_to_show(text: str, longest: int = 1_000) -> None:
    """Hold a message against what every message promises: short, one line, nothing that a terminal obeys."""
    assert text
    assert len(text) <= longest, f"{len(text):,} characters"
    assert text.isprintable(), ascii(text[:300])
