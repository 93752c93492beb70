"""Which fields of each index are kept, which are documented and dropped (design, *Extraction*).

What is in neither list is undocumented: dropped as well, and named in the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class EntityFields:
    """One 4HSE index as a dataset.

    Attributes:
        dataset: The dataset's name.
        entity: The entity's name in the address.
        id_column: The column that identifies a row.
        tenant_column: The column that names the tenant.
        columns: Column of the dataset -> field of the vendor, in the order of the columns.
        dropped: Documented fields that are never decoded.
        history: Whether historicised rows are asked for.
    """

    dataset: str
    entity: str
    id_column: str
    tenant_column: str
    columns: Mapping[str, str]
    dropped: frozenset[str]
    history: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The dataset's Arrow schema: every column is text."""
        return pa.schema([(column, pa.string()) for column in self.columns])


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


CERTIFICATES = EntityFields(
    dataset="certificates",
    entity="certificate",
    id_column="certificate_id",
    tenant_column="tenant_id",
    columns=_same(
        "certificate_id",
        "tenant_id",
        "name",
        "action_type",
        "date_release",
        "date_expire",
        "resource_id",
        "resource_type",
        "warning",
        "validity",
        "validity_unit",
    ),
    dropped=frozenset({"note", "data", "resource_name", "subtenant_id", "subtenant_type", "project_name"}),
)

LINKS = EntityFields(
    dataset="links",
    entity="certificate-action",
    id_column="certificate_action_id",
    tenant_column="tenant_id",
    columns=_same(
        "certificate_action_id",
        "certificate_id",
        "tenant_id",
        "action_id",
        "action_name",
        "action_code",
        "action_type",
        "date_expire",
    ),
    dropped=frozenset(
        {"is_date_inherited", "resource_id", "certificate_name", "date_release", "office_name"},
    ),
)

_PERSON_FIELDS = frozenset(
    {
        "person_id", "code", "first_name", "last_name", "birth_date", "birth_place", "tax_code", "sex",
        "street", "locality", "postal_code", "region", "country", "note", "contract_type", "is_employee",
        "is_prevention_people", "entity_id", "related_user", "project_id", "project_name", "owned_active",
        "parent_active",
    }
)  # fmt: skip


def person_fields(number_field: str) -> EntityFields:
    """Return the persons' dataset; `number` is the field that the settings' `person_field` names."""
    columns = {
        **_same("person_id", "project_id"),
        "number": number_field,
        **_same("first_name", "last_name", "birth_date", "owned_active", "parent_active"),
    }
    return EntityFields(
        dataset="persons",
        entity="person",
        id_column="person_id",
        tenant_column="project_id",
        columns=columns,
        dropped=_PERSON_FIELDS - set(columns.values()),
        history=True,
    )


LOOKUPS = pa.schema(
    [(name, pa.string()) for name in ("certificate_id", "tenant_id", "outcome", "found_tenant_id", "why")]
)
"""Certificates looked up by `view/{id}`: outcome `deleted` or `moved`, why `absent` or `dangling`."""

EMPLOYEES = pa.schema(
    [
        (name, pa.string())
        for name in (
            "employee_id",
            "employee_number",
            "first_name",
            "last_name",
            "birth_date",
            "company_id",
            "disabled",
            "end_date",
            "ended_open",
        )
    ]
)
"""Ditio's employees; `disabled` and `ended_open` are interpreted, everything else is as received."""
