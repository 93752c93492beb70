"""How the sandbox behaves; every field may be changed while it runs (`POST /control/options`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

CHOICES: dict[str, tuple[str, ...]] = {
    "fourhse_preview_shape": ("list", "by_kind"),
    "ditio_employees_shape": ("array", "envelope"),
    "ditio_casing": ("camel", "pascal"),
    "ditio_error_shape": ("simple", "v5", "older", "aspnet", "text"),
    "ditio_success_body": ("empty", "echo"),
}


class OptionError(ValueError):
    """An option is unknown or has a value it cannot have."""


@dataclass
class SandboxOptions:
    """What the vendors leave open, and what makes trying things easier.

    Attributes:
        max_page_size: 4HSE clamps `per-page` to this (its documents name no maximum).
        latency_ms: Every vendor answer waits this long.
        fourhse_expires_in: Seconds a 4HSE access token lives (300 in the vendor's own client).
        fourhse_refresh_expires_in: Seconds a 4HSE refresh token lives.
        fourhse_preview_status: Status of a delete without `force` (no document names it).
        fourhse_preview_shape: Its children in one list, or `{"CertificateAction": [...], "EntityAttachment": []}`.
        ditio_expires_in: Seconds a Ditio access token lives.
        ditio_employees_shape: A bare array, or `{"data": [...], "continuationToken": ...}`.
        ditio_employees_page_size: Rows of one envelope.
        ditio_casing: Field names of employees and users.
        ditio_error_shape: Which of Ditio's error bodies is sent.
        ditio_success_body: Nothing, or the saved rows, after an upsert.
        ditio_max_rows: Rows one upsert may carry (413 above; none is documented).
    """

    max_page_size: int = 100
    latency_ms: float = 0.0
    fourhse_expires_in: int = 300
    fourhse_refresh_expires_in: int = 1800
    fourhse_preview_status: int = 200
    fourhse_preview_shape: str = "list"
    ditio_expires_in: int = 1800
    ditio_employees_shape: str = "array"
    ditio_employees_page_size: int = 1000
    ditio_casing: str = "camel"
    ditio_error_shape: str = "simple"
    ditio_success_body: str = "empty"
    ditio_max_rows: int = 1000

    def change(self, values: dict[str, Any]) -> None:
        """Set several options at once; none when one of them is wrong."""
        clean = {name: _checked(name, value) for name, value in values.items()}
        for name, value in clean.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Return all options by name."""
        return asdict(self)


def _checked(name: str, value: Any) -> Any:
    known = {field.name for field in fields(SandboxOptions)}
    if name not in known:
        raise OptionError(f"unknown option {name!r}")
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise OptionError(f"{name} must be one of {', '.join(CHOICES[name])}, not {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise OptionError(f"{name} must be a number that is not negative, not {value!r}")
    if name == "latency_ms":
        return float(value)
    if value != int(value):
        raise OptionError(f"{name} must be a whole number, not {value!r}")
    return int(value)
