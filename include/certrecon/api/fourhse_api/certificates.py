"""4HSE's Certificate: what is answered, searched for, created and changed (vendor document)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from certrecon.api.fourhse_api.words import ActionType, ResourceType, ValidityUnit
from certrecon.api.requirements import UNCHANGED, Breach, Search, Stated, Unchanged, may, must
from certrecon.api.value_kinds import Day, JsonObject, OneOf, Text, Uuid, Whole
from certrecon.api.vendor_rows import VendorRow

_FLAG = Whole(0, 1)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CertificateRow(VendorRow):
    """A certificate as 4HSE answers it; any field may be missing, an answer to a change has few.

    Attributes:
        data: Medical results where `action_type` is HEALTH; never in a log, in a frame only on request.
        note: Free text; the same.
    """

    what: ClassVar[str] = "4HSE certificate"
    key: ClassVar[str] = "certificate_id"
    private: ClassVar[frozenset[str]] = frozenset({"data", "note"})

    certificate_id: str | None = None
    date_release: str | None = None
    date_expire: str | None = None
    name: str | None = None
    note: str | None = None
    action_type: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    resource_name: str | None = None
    data: dict[str, Any] | None = None
    warning: int | None = None
    tenant_id: str | None = None
    subtenant_id: str | None = None
    subtenant_type: str | None = None
    validity_unit: str | None = None
    validity: int | None = None
    project_name: str | None = None


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CertificateFilter(Search):
    """Which certificates to list: every field that is given must be equal (names: contain the text)."""

    what: ClassVar[str] = "A search for 4HSE certificates"

    certificate_id: str | None = field(default=None, metadata=may(Uuid()))
    date_release: date | str | None = field(default=None, metadata=may(Day()))
    date_expire: date | str | None = field(default=None, metadata=may(Day()))
    name: str | None = field(default=None, metadata=may(Text(255)))
    note: str | None = field(default=None, metadata=may(Text()))
    action_type: ActionType | str | None = field(default=None, metadata=may(OneOf(ActionType)))
    resource_id: str | None = field(default=None, metadata=may(Uuid()))
    resource_type: ResourceType | str | None = field(default=None, metadata=may(OneOf(ResourceType)))
    resource_name: str | None = field(default=None, metadata=may(Text(255)))
    data: Mapping[str, Any] | None = field(default=None, metadata=may(JsonObject(empty=False)))
    warning: int | None = field(default=None, metadata=may(_FLAG))
    tenant_id: str | None = field(default=None, metadata=may(Uuid()))
    subtenant_id: str | None = field(default=None, metadata=may(Uuid()))
    subtenant_type: str | None = field(default=None, metadata=may(Text(50)))
    validity_unit: ValidityUnit | str | None = field(default=None, metadata=may(OneOf(ValidityUnit)))
    validity: int | None = field(default=None, metadata=may(Whole()))
    project_name: str | None = field(default=None, metadata=may(Text()))


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class NewCertificate(Stated):
    """A certificate to be created; alone it has no effect on compliance, a CertificateAction gives it one.

    Attributes:
        date_expire: None = the certificate does not expire.
        certificate_id: None = the client chooses one before it asks, so that it can be looked for afterwards.
    """

    what: ClassVar[str] = "A new 4HSE certificate"
    shown: ClassVar[tuple[str, ...]] = ("certificate_id", "tenant_id")

    date_release: date | str = field(metadata=must(Day()))
    name: str = field(metadata=must(Text(255)))
    action_type: ActionType | str = field(metadata=must(OneOf(ActionType)))
    resource_id: str = field(metadata=must(Uuid()))
    tenant_id: str = field(metadata=must(Uuid()))
    date_expire: date | str | None = field(default=None, metadata=may(Day()))
    note: str | None = field(default=None, metadata=may(Text(blank=True)))
    data: Mapping[str, Any] | None = field(default=None, metadata=may(JsonObject()))
    warning: int | None = field(default=None, metadata=may(_FLAG))
    validity_unit: ValidityUnit | str | None = field(default=None, metadata=may(OneOf(ValidityUnit)))
    validity: int | None = field(default=None, metadata=may(Whole()))
    certificate_id: str | None = field(default=None, metadata=may(Uuid()))

    def _between(self) -> list[Breach]:
        if (self.validity is None) == (self.validity_unit is None):
            return []
        missing = "validity" if self.validity is None else "validity_unit"
        return [Breach(missing, "is missing, validity and validity_unit are used together")]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CertificateChange(Stated):
    """What to change of a certificate: a field that is not given stays, None empties one that may be empty.

    An emptied `date_expire` says that the certificate never expires.

    Attributes:
        certificate_id: May be given, as documented, and must then be that of the row to change.
    """

    what: ClassVar[str] = "A change of a 4HSE certificate"
    shown: ClassVar[tuple[str, ...]] = ("certificate_id",)

    certificate_id: str | Unchanged = field(default=UNCHANGED, metadata=must(Uuid()))
    date_release: date | str | Unchanged = field(default=UNCHANGED, metadata=must(Day()))
    date_expire: date | str | Unchanged | None = field(default=UNCHANGED, metadata=may(Day()))
    name: str | Unchanged = field(default=UNCHANGED, metadata=must(Text(255)))
    note: str | Unchanged | None = field(default=UNCHANGED, metadata=may(Text(blank=True)))
    action_type: ActionType | str | Unchanged = field(default=UNCHANGED, metadata=must(OneOf(ActionType)))
    resource_id: str | Unchanged = field(default=UNCHANGED, metadata=must(Uuid()))
    data: Mapping[str, Any] | Unchanged | None = field(default=UNCHANGED, metadata=may(JsonObject()))
    warning: int | Unchanged | None = field(default=UNCHANGED, metadata=may(_FLAG))
    tenant_id: str | Unchanged = field(default=UNCHANGED, metadata=must(Uuid()))
    validity_unit: ValidityUnit | str | Unchanged | None = field(default=UNCHANGED, metadata=may(OneOf(ValidityUnit)))
    validity: int | Unchanged | None = field(default=UNCHANGED, metadata=may(Whole()))

    def _between(self) -> list[Breach]:
        return self._require_some()
