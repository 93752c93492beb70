"""Small edits of the base world; each returns a function that changes a world in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.base import CERTIFICATE, EMPLOYEE, LINK, PERSON, Edit, entry

if TYPE_CHECKING:
    from tests.oracle.world import Row, World


def cert(cid: str = "c1", **fields: Any) -> Edit:
    """Change fields of a certificate."""
    return lambda world: _find(world.certificates, "certificate_id", cid).update(fields)


def link(lid: str = "l1", **fields: Any) -> Edit:
    """Change fields of a link."""
    return lambda world: _find(world.links, "certificate_action_id", lid).update(fields)


def person(pid: str = "p1", **fields: Any) -> Edit:
    """Change fields of a person."""
    return lambda world: _find(world.persons, "person_id", pid).update(fields)


def employee(**fields: Any) -> Edit:
    """Change fields of the base employee."""
    return lambda world: world.employees[0].update(fields)


def lacks(dataset: str, *names: str) -> Edit:
    """Take fields out of the base row of a dataset."""

    def edit(world: World) -> None:
        rows = world.employees if dataset == "employees" else getattr(world, dataset)["t1"]
        for name in names:
            del rows[0][name]

    return edit


def add_cert(cid: str, tenant: str = "t1", **fields: Any) -> Edit:
    """Add a certificate like the base one."""
    row = {**CERTIFICATE, "certificate_id": cid, "tenant_id": tenant, **fields}
    return lambda world: world.certificates.setdefault(tenant, []).append(dict(row))


def add_link(lid: str, cid: str = "c1", tenant: str = "t1", **fields: Any) -> Edit:
    """Add a link like the base one."""
    row = {**LINK, "certificate_action_id": lid, "certificate_id": cid, "tenant_id": tenant, **fields}
    return lambda world: world.links.setdefault(tenant, []).append(dict(row))


def add_person(pid: str, tenant: str = "t1", **fields: Any) -> Edit:
    """Add a person like the base one."""
    row = {**PERSON, "person_id": pid, "project_id": tenant, **fields}
    return lambda world: world.persons.setdefault(tenant, []).append(dict(row))


def add_employee(**fields: Any) -> Edit:
    """Add an employee like the base one."""
    row = {**EMPLOYEE, "employeeId": "e2", **fields}
    return lambda world: world.employees.append(dict(row))


def add_linked(cid: str, tenant: str = "t1", **fields: Any) -> Edit:
    """Add a certificate like the base one together with its link `l-<id>`."""

    def edit(world: World) -> None:
        add_cert(cid, tenant, **fields)(world)
        add_link(f"l-{cid}", cid, tenant)(world)

    return edit


def raw(dataset: str, row: Row, tenant: str = "t1") -> Edit:
    """Add a row as it is to what was read for a tenant."""
    return lambda world: getattr(world, dataset).setdefault(tenant, []).append(dict(row))


def empty(*datasets: str) -> Edit:
    """Take all rows out of datasets of the base tenant."""

    def edit(world: World) -> None:
        for dataset in datasets:
            if dataset == "employees":
                world.employees.clear()
            else:
                getattr(world, dataset)["t1"].clear()

    return edit


def setting(**values: Any) -> Edit:
    """Change settings."""
    return lambda world: world.settings.update(values)


def rules(*values: Row) -> Edit:
    """Replace the type rules."""
    return setting(certificate_types=list(values))


def first_rule(rule: Row) -> Edit:
    """Put a type rule before the others."""
    return lambda world: world.settings["certificate_types"].insert(0, rule)


def ledger(*entries: Row) -> Edit:
    """Add ledger entries; none given = the base claim's delivery."""
    return lambda world: world.ledger.extend(dict(row) for row in entries or (entry(),))


def run(**values: Any) -> Edit:
    """Change the run's parameters and what it knows: any other field of the world."""

    def edit(world: World) -> None:
        for name, value in values.items():
            setattr(world, name, value)

    return edit


def _find(tenants: dict[str, list[Row]], key: str, value: str) -> Row:
    return next(row for rows in tenants.values() for row in rows if row[key] == value)
