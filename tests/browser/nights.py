"""What happened before anybody opens a page: two nights and a dry run on a sandbox, with something to see.

The first night delivers. Before the second the sandbox changes: deliveries lose their certificates, an
employee moves to where Ditio refuses them, and a day's ordinary changes come on top.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import requests

from tests.e2e.quickstart import Checkout

CERTIFICATES = 300
SEED = 5
SCRIPT = "<script>alert('seen')</script>"
LOST = 3


@dataclass(frozen=True, slots=True)
class SandboxControl:
    """The control API of a running sandbox."""

    url: str

    def rows(self, table: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/control/world/{table}", timeout=30)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def call(self, path: str, body: dict[str, Any]) -> None:
        requests.post(f"{self.url}/control/{path}", json=body, timeout=30).raise_for_status()

    def change(self, table: str, identity: str, **values: Any) -> dict[str, Any]:
        return {"do": "change", "table": table, "id": identity, "values": values}

    def mutate(self, operations: list[dict[str, Any]]) -> None:
        self.call("mutate", {"operations": operations})


def spend_the_nights(checkout: Checkout, sandbox: SandboxControl) -> None:
    """Make what the pages show; the person with most certificates is named like a script before it starts."""
    name_somebody_like_a_script(sandbox)
    must_end_well(checkout, {})
    change_what_was_delivered(sandbox)
    must_end_well(checkout, {"resend": True})
    must_end_well(checkout, {"mode": "dry_run"})


def name_somebody_like_a_script(sandbox: SandboxControl) -> None:
    employees = {row["employeeNumber"]: row for row in sandbox.rows("employees")}
    held = Counter(row["resource_id"] for row in sandbox.rows("certificates"))
    persons = [row for row in sandbox.rows("persons") if row.get("code") in employees]
    person = max(persons, key=lambda row: (held[row["person_id"]], row["person_id"]))
    operations = [sandbox.change("persons", person["person_id"], last_name=SCRIPT)]
    operations += [
        sandbox.change("certificates", row["certificate_id"], resource_name=f"{SCRIPT} {person['first_name']}")
        for row in sandbox.rows("certificates")
        if row["resource_id"] == person["person_id"]
    ]
    operations += [
        sandbox.change("employees", row["companyProfileId"], lastName=SCRIPT)
        for row in employees.values()
        if row["employeeNumber"] == person["code"]
    ]
    sandbox.mutate(operations)


def change_what_was_delivered(sandbox: SandboxControl) -> None:
    """Delete certificates of people who keep others, refuse somebody, and change a tenth of the rest."""
    persons = {row["person_id"]: row for row in sandbox.rows("persons")}
    delivered = sorted({row["employeeNumber"] for row in sandbox.rows("upserts")})
    losers = {
        identity
        for identity, row in persons.items()
        if row.get("code") in delivered[:LOST] and SCRIPT not in row["last_name"]
    }
    doomed = [row["certificate_id"] for row in sandbox.rows("certificates") if row["resource_id"] in losers]
    links = [row["certificate_action_id"] for row in sandbox.rows("links") if row["certificate_id"] in doomed]
    sandbox.mutate(
        [{"do": "delete", "table": "links", "id": identity} for identity in links]
        + [{"do": "delete", "table": "certificates", "id": identity} for identity in doomed]
    )
    sandbox.call("scenario/employee_moved_to_project_company", {"employee_number": delivered[-1]})
    sandbox.call("change", {"share": 0.1, "seed": SEED})


def must_end_well(checkout: Checkout, conf: dict[str, object]) -> None:
    ended = checkout.run(conf)
    assert ended.code == 0, ended.printed
