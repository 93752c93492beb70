"""4HSE's CertificateAction: the link that ties a certificate to an action (reference, 2.4).

Ids of actions are opaque texts: the documents call them UUIDs, 4HSE's own older samples show others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from certrecon.api.fourhse_api.words import ActionType
from certrecon.api.requirements import UNCHANGED, Breach, Search, Stated, Unchanged, may, must
from certrecon.api.value_kinds import Day, OneOf, Text, Uuid, Whole
from certrecon.api.vendor_rows import VendorRow


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CertificateActionRow(VendorRow):
    """A link as 4HSE answers it.

    Attributes:
        date_expire: The expiry of this link; the certificate's where it has none of its own.
        is_date_inherited: 1 = `date_expire` is the certificate's.
    """

    what: ClassVar[str] = "4HSE certificate-action"
    key: ClassVar[str] = "certificate_action_id"

    certificate_action_id: str | None = None
    certificate_id: str | None = None
    action_id: str | None = None
    date_expire: str | None = None
    is_date_inherited: int | None = None
    tenant_id: str | None = None
    action_name: str | None = None
    action_code: str | None = None
    action_type: str | None = None
    resource_id: str | None = None
    certificate_name: str | None = None
    date_release: str | None = None
    office_name: str | None = None


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CertificateActionFilter(Search):
    """Which links to list: every field that is given must be equal (names: contain the text)."""

    what: ClassVar[str] = "A search for 4HSE certificate-actions"

    certificate_action_id: str | None = field(default=None, metadata=may(Uuid()))
    certificate_id: str | None = field(default=None, metadata=may(Uuid()))
    action_id: str | None = field(default=None, metadata=may(Text()))
    date_expire: date | str | None = field(default=None, metadata=may(Day()))
    is_date_inherited: int | None = field(default=None, metadata=may(Whole(0, 1)))
    tenant_id: str | None = field(default=None, metadata=may(Text()))
    action_name: str | None = field(default=None, metadata=may(Text()))
    action_code: str | None = field(default=None, metadata=may(Text()))
    action_type: ActionType | str | None = field(default=None, metadata=may(OneOf(ActionType)))
    resource_id: str | None = field(default=None, metadata=may(Uuid()))
    certificate_name: str | None = field(default=None, metadata=may(Text()))
    date_release: date | str | None = field(default=None, metadata=may(Day()))
    office_name: str | None = field(default=None, metadata=may(Text()))


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class NewCertificateAction(Stated):
    """A link to be created: from then on the certificate counts for the action.

    Attributes:
        date_expire: None = the certificate's own.
        certificate_action_id: None = the client chooses one before it asks.
    """

    what: ClassVar[str] = "A new 4HSE certificate-action"
    shown: ClassVar[tuple[str, ...]] = ("certificate_action_id", "certificate_id", "action_id", "tenant_id")

    certificate_id: str = field(metadata=must(Uuid()))
    action_id: str = field(metadata=must(Text()))
    tenant_id: str = field(metadata=must(Text()))
    date_expire: date | str | None = field(default=None, metadata=may(Day()))
    certificate_action_id: str | None = field(default=None, metadata=may(Uuid()))


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CertificateActionChange(Stated):
    """What to change of a link: a field that is not given stays; without a date it takes the certificate's.

    Attributes:
        certificate_action_id: May be given, and must then be that of the link to change.
    """

    what: ClassVar[str] = "A change of a 4HSE certificate-action"
    shown: ClassVar[tuple[str, ...]] = ("certificate_action_id",)

    certificate_action_id: str | Unchanged = field(default=UNCHANGED, metadata=must(Uuid()))
    certificate_id: str | Unchanged = field(default=UNCHANGED, metadata=must(Uuid()))
    action_id: str | Unchanged = field(default=UNCHANGED, metadata=must(Text()))
    tenant_id: str | Unchanged = field(default=UNCHANGED, metadata=must(Text()))
    date_expire: date | str | Unchanged | None = field(default=UNCHANGED, metadata=may(Day()))

    def _between(self) -> list[Breach]:
        return self._require_some()
