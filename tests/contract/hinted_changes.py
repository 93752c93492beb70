"""What may change in 4HSE by day: each chooses its certificate in a sandbox, and returns what changes the world."""

from __future__ import annotations

from collections.abc import Callable

from certrecon_sandbox.fourhse import relations
from certrecon_sandbox.world import World
from tests.contract import warehouse as sql
from tests.contract.hinting import certificate
from tests.contract.sandbox_nights import Nights

Change = Callable[[Nights], Callable[[World], object]]
NEW = "new-certificate"


def renewed(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: relations.update_certificate(world, chosen, {"date_expire": "2033-05-06"})


def deleted(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: relations.delete_certificate(world, chosen)


def deleted_with_its_link_left(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: world.certificates.remove(chosen)


def link_removed(nights: Nights) -> Callable[[World], object]:
    link = nights.world.links.where("certificate_id", certificate(nights)["certificate_id"])[0]
    return lambda world: world.links.remove(link["certificate_action_id"])


def link_moved_to_another_certificate(nights: Nights) -> Callable[[World], object]:
    one, other = (certificate(nights, number)["certificate_id"] for number in (0, 1))
    link = nights.world.links.where("certificate_id", one)[0]
    return lambda world: world.links.change(link["certificate_action_id"], {"certificate_id": other})


def link_of_nothing(nights: Nights) -> Callable[[World], object]:
    link = nights.world.links.where("certificate_id", certificate(nights)["certificate_id"])[0]
    return lambda world: world.links.change(link["certificate_action_id"], {"certificate_id": "gone"})


def expiry_of_the_link(nights: Nights) -> Callable[[World], object]:
    link = nights.world.links.where("certificate_id", certificate(nights)["certificate_id"])[0]
    return lambda world: world.links.change(link["certificate_action_id"], {"date_expire": "2026-03-20"})


def another_person(nights: Nights) -> Callable[[World], object]:
    one, other = certificate(nights), certificate(nights, 1)
    return lambda world: world.certificates.change(one["certificate_id"], {"resource_id": other["resource_id"]})


def another_tenant(nights: Nights) -> Callable[[World], object]:
    one = certificate(nights)
    other = next(row for row in nights.world.projects if row["project_id"] != one["tenant_id"])["project_id"]
    return lambda world: world.certificates.change(one["certificate_id"], {"tenant_id": other})


def a_tenant_that_is_not_ours(nights: Nights) -> Callable[[World], object]:
    one = certificate(nights)
    return lambda world: world.certificates.change(one["certificate_id"], {"tenant_id": "somebody-else"})


def person_renamed(nights: Nights) -> Callable[[World], object]:
    person = certificate(nights)["resource_id"]
    return lambda world: world.persons.change(person, {"last_name": "Annerledes", "birth_date": None})


def person_gone(nights: Nights) -> Callable[[World], object]:
    person = certificate(nights)["resource_id"]
    return lambda world: world.persons.remove(person)


def person_left(nights: Nights) -> Callable[[World], object]:
    person = certificate(nights)["resource_id"]
    return lambda world: world.persons.change(person, {"owned_active": False})


def number_of_somebody_else(nights: Nights) -> Callable[[World], object]:
    one, other = certificate(nights), certificate(nights, 1)
    return lambda world: world.persons.change(one["resource_id"], {"code": other["employee_number"]})


def number_taken_away(nights: Nights) -> Callable[[World], object]:
    person = certificate(nights)["resource_id"]
    return lambda world: world.persons.change(person, {"code": None})


def made_health(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: world.certificates.change(chosen, {"action_type": "HEALTH"})


def the_winner_deleted(nights: Nights) -> Callable[[World], object]:
    beaten = nights.claims(disposition="superseded")[0]
    key = {name: beaten[name] for name in ("employee_number", "certificate_type")}
    winner = nights.claims(disposition="delivered", **key)[0]["certificate_id"]
    return lambda world: relations.delete_certificate(world, winner)


def shared_number_resolved(nights: Nights) -> Callable[[World], object]:
    shared = next(row for row in nights.claims() if "EMPLOYEE_NUMBER_SHARED" in row["findings"])
    return lambda world: world.persons.change(shared["resource_id"], {"code": None})


def linked_again(nights: Nights) -> Callable[[World], object]:
    held = nights.claims(disposition="held")[0]
    action = next(row for row in nights.world.actions if row["tenant_id"] == held["tenant_id"])

    def link(world: World) -> None:
        row = world.certificates.rows[held["certificate_id"]]
        world.links.add(relations.link_row("new-link", row, action, None))

    return link


def new_one(nights: Nights, like: str) -> Callable[[World], object]:
    """Return what creates a certificate like another one, which lasts longer."""
    row = nights.world.certificates.rows[like] | {"certificate_id": NEW, "date_expire": "2034-01-01"}
    action = nights.world.actions.get(nights.world.links.where("certificate_id", like)[0]["action_id"])
    assert action is not None

    def create(world: World) -> None:
        world.links.add(relations.link_row("new-link", relations.create_certificate(world, row), action, None))

    return create


def created(nights: Nights) -> Callable[[World], object]:
    return new_one(nights, certificate(nights)["certificate_id"])


def created_under_a_withdrawn_key(nights: Nights) -> Callable[[World], object]:
    """The night before has found the certificate that Ditio holds under that key deleted."""
    gone = certificate(nights)["certificate_id"]
    create = new_one(nights, gone)
    relations.delete_certificate(nights.world, gone)
    assert nights.night().status == "succeeded"
    assert len(sql.withdrawn(nights.engine)) == 1
    return create


def equipment(nights: Nights) -> Callable[[World], object]:
    chosen = certificate(nights)["certificate_id"]
    return lambda world: world.certificates.change(chosen, {"resource_type": "EQUIPMENT"})


CHANGES = [
    renewed, deleted, deleted_with_its_link_left, link_removed, link_moved_to_another_certificate, link_of_nothing,
    expiry_of_the_link, another_person, another_tenant, a_tenant_that_is_not_ours, person_renamed, person_gone,
    person_left, number_of_somebody_else, number_taken_away, made_health, the_winner_deleted, shared_number_resolved,
    linked_again, created, created_under_a_withdrawn_key, equipment,
]  # fmt: skip
