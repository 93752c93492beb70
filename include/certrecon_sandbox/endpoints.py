"""One short name an endpoint: the unit of counting, and of faults."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

USED = (
    "4hse.token",
    "4hse.project.index",
    "4hse.certificate.index",
    "4hse.certificate-action.index",
    "4hse.person.index",
    "4hse.certificate.view",
    "ditio.token",
    "ditio.employees.list",
    "ditio.users.list",
    "ditio.certificates",
)
"""The endpoints that a reconciliation calls."""
_NAME = re.compile(r"(4hse|ditio)(\.[a-z-]+)+$")
_FOURHSE = re.compile(r"/4hse/v2/([a-z-]+)/([a-z]+)(?:/[^/]+)?/?$")
_LEGACY = re.compile(r"/4hse/([a-z]+)/(index|view|create|update|delete)/?$")
_DITIO = "/ditio/core/api/"
_WRITES = frozenset({"create", "update", "delete"})


def endpoint_name(path: str) -> str:
    """Return the name of the endpoint at `path`, for example `4hse.certificate.index`."""
    if path.startswith("/4hse/auth/"):
        return "4hse.token"
    if path.startswith("/4hse/"):
        return _fourhse_name(path)
    if path.startswith("/ditio/identity/"):
        return "ditio.token"
    if path.startswith(_DITIO):
        return _ditio_name(path.removeprefix(_DITIO).rstrip("/").split("/"))
    return "other"


def is_endpoint_pattern(pattern: str) -> bool:
    """Tell whether a text is the name of an endpoint, or a pattern with `*` that some endpoint could have."""
    return bool(_NAME.match(pattern)) or any(fnmatchcase(name, pattern) for name in USED)


def is_write(endpoint: str, method: str) -> bool:
    """Tell whether a request of this endpoint changes the vendor's data."""
    if endpoint == "ditio.certificates":
        return method == "POST"
    return endpoint.startswith("4hse.") and endpoint.rsplit(".", 1)[-1] in _WRITES


def _fourhse_name(path: str) -> str:
    match = _FOURHSE.match(path)
    if match:
        return f"4hse.{match[1]}.{match[2]}"
    match = _LEGACY.match(path)
    return f"4hse.legacy.{match[1]}.{match[2]}" if match else "4hse.other"


def _ditio_name(parts: list[str]) -> str:
    match parts:
        case [_, "integration", "certificates"]:
            return "ditio.certificates"
        case [_, "integration", "employees" | "users" as entity]:
            return f"ditio.{entity}.list"
        case [_, "integration", "employees", "search"]:
            return "ditio.employees.search"
        case [_, "integration", "employees", _]:
            return "ditio.employees.one"
        case [_, "integration", "users", "by-employee-number" | "by-profile-id" as key, _]:
            return f"ditio.users.{key}"
        case _:
            return "ditio.other"
