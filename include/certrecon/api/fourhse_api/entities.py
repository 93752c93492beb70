"""Which entities there are, and what the documents say of listing and writing each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from certrecon.api.fourhse_api.certificates import (
    CertificateChange,
    CertificateFilter,
    CertificateRow,
    NewCertificate,
)
from certrecon.api.fourhse_api.links import (
    CertificateActionChange,
    CertificateActionFilter,
    CertificateActionRow,
    NewCertificateAction,
)
from certrecon.api.fourhse_api.people import (
    ActionFilter,
    ActionRow,
    PersonFilter,
    PersonRow,
    ProjectFilter,
    ProjectRow,
)
from certrecon.api.requirements import Breach, Kind, Stated, refuse
from certrecon.api.value_kinds import Text, Uuid, Whole, describe
from certrecon.api.vendor_rows import VendorRow

Row = TypeVar("Row", bound=VendorRow)
Filter = TypeVar("Filter", bound=Stated)
New = TypeVar("New", bound=Stated)
Change = TypeVar("Change", bound=Stated)
_AT_LEAST_ONE = Whole(1)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row, Filter]):
    """An entity that can be listed and looked at.

    Attributes:
        path: Its name in the address.
        row: What is answered.
        filter: What can be searched for.
        sorts: Fields that it can be sorted by.
        history: Whether historicised rows can be asked for.
        id_kind: What its ids look like.
    """

    path: str
    row: type[Row]
    filter: type[Filter]
    sorts: tuple[str, ...]
    history: bool
    id_kind: Kind

    def check_listing(self, page: int, per_page: int, sort: str | None, *, history: bool) -> None:
        """Raise `RequirementError` unless a listing keeps to the documents."""
        breaches = [
            Breach(name, f"found {describe(value)}, needs {_AT_LEAST_ONE.needed}")
            for name, value in (("page", page), ("per-page", per_page))
            if not _AT_LEAST_ONE.accepts(value)
        ]
        if sort is not None and (not isinstance(sort, str) or sort.removeprefix("-") not in self.sorts):
            needed = f"one of {', '.join(self.sorts)}, with '-' in front for descending" if self.sorts else "none"
            breaches.append(Breach("sort", f"is no documented field, needs {needed}"))
        if history and not self.history:
            breaches.append(Breach("history", "is not documented for this list"))
        if breaches:
            raise refuse(self.filter.what, breaches)


@dataclass(frozen=True, slots=True)
class Written(Listed[Row, Filter], Generic[Row, Filter, New, Change]):
    """An entity that can be created, changed and deleted too."""

    new: type[New]
    change: type[Change]


CERTIFICATES = Written(
    path="certificate",
    row=CertificateRow,
    filter=CertificateFilter,
    sorts=("date_release", "date_expire", "name", "action_type"),
    history=False,
    id_kind=Uuid(),
    new=NewCertificate,
    change=CertificateChange,
)
CERTIFICATE_ACTIONS = Written(
    path="certificate-action",
    row=CertificateActionRow,
    filter=CertificateActionFilter,
    sorts=("date_expire", "action_name", "certificate_name"),
    history=True,
    id_kind=Uuid(),
    new=NewCertificateAction,
    change=CertificateActionChange,
)
PERSONS = Listed(
    path="person",
    row=PersonRow,
    filter=PersonFilter,
    sorts=("first_name", "last_name", "code", "tax_code", "birth_date"),
    history=True,
    id_kind=Text(),
)
PROJECTS = Listed(path="project", row=ProjectRow, filter=ProjectFilter, sorts=(), history=True, id_kind=Text())
ACTIONS = Listed(
    path="action",
    row=ActionRow,
    filter=ActionFilter,
    sorts=("code", "name", "action_type", "office_name"),
    history=True,
    id_kind=Text(),
)

AnyListed = Listed[Any, Any]
