"""What follows from a write: derived fields of certificates and links, cascades."""

from __future__ import annotations

import uuid

from certrecon_sandbox.fourhse.errors import YiiError, invalid
from certrecon_sandbox.table import Row
from certrecon_sandbox.world import World


def create_certificate(world: World, values: Row) -> Row:
    """Add a certificate; resource, project and the like are derived."""
    identity = values.get("certificate_id") or str(uuid.uuid4())
    _refuse_taken(world.certificates.get(identity), "certificate_id", identity)
    row: Row = {"warning": 0, "date_expire": None, "note": None, "data": None}
    row |= {"validity_unit": None, "validity": None, "subtenant_id": None, "subtenant_type": None}
    row |= {name: value for name, value in values.items() if value is not None}
    row |= {"certificate_id": identity, "permission": "write"}
    row |= _derived(world, row)
    return world.certificates.add(row)


def update_certificate(world: World, identity: str, values: Row) -> Row:
    """Change a certificate and what its links take from it."""
    values = {name: value for name, value in values.items() if name != "certificate_id"}
    merged = world.certificates.rows[identity] | values
    row = world.certificates.change(identity, values | _derived(world, merged))
    for link in world.links.where("certificate_id", identity):
        world.links.change(link["certificate_action_id"], _from_certificate(row, link))
    return row


def delete_certificate(world: World, identity: str) -> None:
    """Take a certificate away, and its links with it."""
    for link in world.links.where("certificate_id", identity):
        world.links.remove(link["certificate_action_id"])
    world.certificates.remove(identity)


def create_link(world: World, values: Row) -> Row:
    """Tie a certificate to an action."""
    identity = values.get("certificate_action_id") or str(uuid.uuid4())
    _refuse_taken(world.links.get(identity), "certificate_action_id", identity)
    certificate, action = _parts(world, values)
    row = link_row(identity, certificate, action, values.get("date_expire"))
    world.links.add(row)
    office = {"subtenant_id": action["subtenant_id"], "subtenant_type": "OFFICE"}
    world.certificates.change(certificate["certificate_id"], office)
    return row


def update_link(world: World, identity: str, values: Row) -> Row:
    """Change a link."""
    before = world.links.rows[identity]
    own = before["date_expire"] if not before["is_date_inherited"] else None
    certificate, action = _parts(world, before | values)
    row = link_row(identity, certificate, action, values.get("date_expire", own))
    return world.links.change(identity, row)


def link_row(identity: str, certificate: Row, action: Row, own_expiry: str | None) -> Row:
    """Return a link as `index` shows it; without a date of its own it takes the certificate's."""
    inherited = own_expiry is None
    return {
        "certificate_action_id": identity,
        "certificate_id": certificate["certificate_id"],
        "action_id": action["action_id"],
        "date_expire": certificate.get("date_expire") if inherited else own_expiry,
        "is_date_inherited": int(inherited),
        "tenant_id": certificate["tenant_id"],
        "action_name": action["name"],
        "action_code": action["code"],
        "action_type": action["action_type"],
        "resource_id": certificate["resource_id"],
        "certificate_name": certificate["name"],
        "date_release": certificate.get("date_release"),
        "office_id": action["subtenant_id"],
        "office_name": action["office_name"],
        "permission": "write",
    }


def require_writable(world: World, tenant_id: str) -> None:
    """Refuse a tenant that does not exist (422) or is not operational (403)."""
    project = world.projects.get(tenant_id)
    if project is None:
        raise invalid("tenant_id", "Tenant ID is invalid.")
    if project["status"] != "active":
        raise YiiError(403, "You are not allowed to perform this action.")


def _parts(world: World, values: Row) -> tuple[Row, Row]:
    certificate = world.certificates.get(values["certificate_id"])
    if certificate is None or certificate["tenant_id"] != values["tenant_id"]:
        raise invalid("certificate_id", "Certificate ID is invalid.")
    action = world.actions.get(values["action_id"])
    if action is None or action["tenant_id"] != values["tenant_id"]:
        raise invalid("action_id", "Action ID is invalid.")
    return certificate, action


def _derived(world: World, row: Row) -> Row:
    project = world.projects.get(row["tenant_id"]) or {}
    person = world.persons.get(row["resource_id"])
    resource: tuple[str | None, str | None]
    if person is not None:
        resource = ("PERSON", f"{person['last_name']} {person['first_name']}")
    else:
        resource = world.resources.get(row["resource_id"], (None, None))
    return {
        "resource_type": resource[0],
        "resource_name": resource[1],
        "project_name": project.get("name"),
    }


def _from_certificate(certificate: Row, link: Row) -> Row:
    taken = {
        "certificate_name": certificate["name"],
        "date_release": certificate.get("date_release"),
        "resource_id": certificate["resource_id"],
    }
    if link["is_date_inherited"]:
        taken["date_expire"] = certificate.get("date_expire")
    return taken


def _refuse_taken(row: Row | None, field: str, value: str) -> None:
    if row is not None:
        raise invalid(field, f'{field} "{value}" has already been taken.')
