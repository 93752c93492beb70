"""Ditio's certificates: what is sent, with the documented requirements (vendor document)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from certrecon.api.requirements import Breach, Stated, may, must, refuse
from certrecon.api.value_kinds import Moment, Text, moment_of


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class DitioCertificate(Stated):
    """A certificate of an employee; Ditio keeps one for each employee number and exact type.

    Attributes:
        employee_number: Must be that of a user in the company, exactly as Ditio has it.
        certificate_type: The exact text; another spelling is another certificate, which nobody can delete.
        issued: A moment, or a day (its start in UTC); before `valid_until`.
        valid_until: The same.
    """

    what: ClassVar[str] = "A certificate for Ditio"

    employee_number: str = field(metadata=must(Text(), "employeeNumber"))
    certificate_type: str = field(metadata=must(Text(), "certificateType"))
    issued: datetime | date | str = field(metadata=must(Moment(), "issuedDateTime"))
    valid_until: datetime | date | str = field(metadata=must(Moment(), "validUntilDateTime"))
    certificate_number: str | None = field(default=None, metadata=may(Text(blank=True), "certificateNumber"))
    notes: str | None = field(default=None, metadata=may(Text(blank=True), "notes"))

    def _between(self) -> list[Breach]:
        issued, until = moment_of(self.issued), moment_of(self.valid_until)
        if issued is not None and until is not None and issued < until:
            return []
        return [Breach("issuedDateTime", "is not before validUntilDateTime, as it must be")]

    @property
    def identity(self) -> tuple[str, str]:
        """What Ditio matches on."""
        return self.employee_number, self.certificate_type


def stated(certificates: Iterable[DitioCertificate | Mapping[str, Any]]) -> list[DitioCertificate]:
    """Return checked certificates; mappings have Ditio's names.

    Raises:
        RequirementError: One breaks a requirement (the message has its place, from 1), or two have the
            same employee number and type: which of them would stay is not documented.
    """
    checked: list[DitioCertificate] = []
    places: dict[tuple[str, str], int] = {}
    for place, one in enumerate(certificates, 1):
        certificate = _at(place, one)
        first = places.setdefault(certificate.identity, place)
        if first != place:
            told = f"rows {first} and {place} have the same one, and the same certificateType"
            raise refuse("A list of certificates for Ditio", [Breach("employeeNumber", told)])
        checked.append(certificate)
    return checked


def _at(place: int, one: DitioCertificate | Mapping[str, Any]) -> DitioCertificate:
    if isinstance(one, DitioCertificate):
        return one
    if isinstance(one, Mapping):
        return DitioCertificate.from_mapping(one, what=f"Row {place} of the certificates for Ditio")
    raise refuse(f"Row {place} of the certificates for Ditio", [Breach("(row)", "is no certificate")])


def batches(certificates: Sequence[DitioCertificate], size: int) -> list[list[dict[str, Any]]]:
    """Return the bodies of the requests, each with at most `size` certificates."""
    rows = [certificate.as_json() for certificate in certificates]
    return [rows[start : start + size] for start in range(0, len(rows), size)]
