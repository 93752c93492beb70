"""A was acknowledged, B was sent and never answered, the source says A again: nobody knows what Ditio has."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace

import pytest

from certrecon_sandbox.fourhse.relations import update_certificate
from certrecon_sandbox.generate.calendar import plus_years
from certrecon_sandbox.world import World
from tests.contract import warehouse as sql
from tests.kill.ground import SETTLED, Ground
from tests.kill.kills import Victim
from tests.kill.runs import Starting, TaskProcess
from tests.kill.vendor import CERTIFICATES, Point

Key = tuple[str, str]
ONE_BY_ONE = {"concurrency": 1, "batch_size": 1}


@pytest.mark.parametrize("victim", [Victim.TASK, Victim.SANDBOX])
def test_a_is_sent_again(ground: Ground, victim: Victim) -> None:
    """Once Ditio has processed B the task dies, or the connection is cut; the ledger must not believe in A."""
    ground.put_back(SETTLED)
    assert ground.run().go()
    key, world = renewable(ground)
    before = ground.vendor.ditio()[key]["validUntilDateTime"]
    renew(world, ground.vendor.ditio()[key]["certificateNumber"], years=1)
    ground.serve(world)
    lose_the_answer(ground, victim, key)
    assert ground.vendor.ditio()[key]["validUntilDateTime"] > before, "Ditio has B"
    with ground.engine() as engine:
        believed = sql.ledger(engine)[key]["acknowledged_payload_sha256"]
    renew(world, ground.vendor.ditio()[key]["certificateNumber"], years=-1)
    ground.serve(world)
    sent = len(ground.vendor.requests())
    assert ground.run(nights_later=2).go()
    assert key in keys_sent(ground, sent)
    assert ground.vendor.ditio()[key]["validUntilDateTime"] == before, "Ditio has A again"
    with ground.engine() as engine:
        entry = sql.ledger(engine)[key]
    assert (entry["state"], entry["in_doubt"]) == ("acknowledged", False)
    assert entry["acknowledged_payload_sha256"] == entry["payload_sha256"] == believed
    sent = len(ground.vendor.requests())
    assert ground.run(nights_later=3).go()
    assert key not in keys_sent(ground, sent), "and then it is left alone"


def renewable(ground: Ground) -> tuple[Key, World]:
    """Return a delivered row whose certificate alone decides it, and the world to change it in."""
    world: World = pickle.loads(ground.vendor.world.read_bytes())  # noqa: S301 - written by the test itself
    with ground.engine() as engine:
        claims = [row for row in sql.claims(engine) if row["disposition"] == "delivered" and not row["findings"]]
    for row in claims:
        links = world.links.where("certificate_id", row["certificate_id"])
        certificate = world.certificates.rows[row["certificate_id"]]
        if len(links) == 1 and certificate.get("date_expire") == links[0].get("date_expire") == str(row["valid_until"]):
            return (row["employee_number"], row["certificate_type"]), world
    raise AssertionError("the world has no such certificate")


def renew(world: World, certificate: str, years: int) -> None:
    """Move the expiry of a certificate and of its link by some years."""
    day = plus_years(world.certificates.rows[certificate]["date_expire"], years)
    update_certificate(world, certificate, {"date_expire": day})
    for link in world.links.where("certificate_id", certificate):
        world.links.change(link["certificate_action_id"], {"date_expire": day})


def lose_the_answer(ground: Ground, victim: Victim, key: Key) -> None:
    """Run a night that sends B; kill after Ditio has processed it, and leave the run where it is."""
    before = ground.vendor.ditio()[key]
    run = ground.run(nights_later=1)
    run.given = replace(run.given, settings=run.given.settings | {"ditio": run.given.settings["ditio"] | ONE_BY_ONE})

    def watched(step: str, start: Starting) -> TaskProcess:
        if step != "publish":
            return start()
        with ground.vendor.holding(CERTIFICATES, Point.PROCESSED):
            process = start()
            wait_until_held(ground, process)
            while ground.vendor.ditio()[key] == before:
                ground.vendor.hold_next(CERTIFICATES, Point.PROCESSED)
                wait_until_held(ground, process)
            if victim is Victim.SANDBOX:
                ground.sandbox.kill()
            else:
                process.kill()
        process.code()
        ground.sandbox.start()
        return process

    run.watch, run.retries = watched, 0
    assert not run.go()


def wait_until_held(ground: Ground, process: TaskProcess) -> None:
    while not ground.vendor.held.exists():
        assert process.is_working(), "B was never sent"
        time.sleep(0.002)


def keys_sent(ground: Ground, since: int) -> set[Key]:
    """Return the keys of every row that was sent after so many requests."""
    posts = ground.vendor.requests()[since:]
    return {(row["employeeNumber"], row["certificateType"]) for post in posts for row in post["rows"]}
