"""What people do in 4HSE to a certificate that is to be linked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from certrecon_sandbox.fourhse.relations import link_row
from tests.contract.linking import UNKNOWN, Scene

Change = Callable[[Scene, str], None]


def remove(scene: Scene, one: str) -> None:
    scene.world.certificates.remove(one)


def to_other_project(scene: Scene, one: str) -> None:
    other = next(row for row in scene.world.projects if row["project_id"] != scene.action["tenant_id"])
    scene.world.certificates.change(one, {"tenant_id": other["project_id"]})


def same_action(scene: Scene, one: str) -> None:
    link_by_hand(scene, one, scene.action)


def other_action(scene: Scene, one: str) -> None:
    others = scene.world.actions.where("tenant_id", scene.action["tenant_id"])
    link_by_hand(scene, one, next(row for row in others if row["action_id"] != scene.action["action_id"]))


def other_type(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"action_type": "MAINTENANCE"})


def health(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"action_type": "HEALTH"})


def no_type(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"action_type": None})


def expires_early(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"date_expire": "2027-05-31"})


def expires_badly(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"date_expire": "31.05.2027"})


def link_by_hand(scene: Scene, one: str, action: dict[str, Any]) -> None:
    certificate = scene.world.certificates.get(one)
    assert certificate is not None
    scene.world.links.add(link_row(f"by-hand-{one}", certificate, action, None))


def another_person(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"resource_id": UNKNOWN, "resource_name": "Somebody Else"})


def another_day(scene: Scene, one: str) -> None:
    scene.world.certificates.change(one, {"date_expire": "2040-01-01"})
