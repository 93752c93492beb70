"""What Ditio holds although nothing supports it any more: noticed, reported while it lasts, and ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from certrecon_sandbox.fourhse import relations
from tests.contract import warehouse as sql
from tests.contract.sandbox_nights import Nights
from tests.oracle.world import Row


@dataclass(frozen=True)
class Loss:
    """How a delivered claim loses its support, and how it gets it back.

    Attributes:
        reason: Why its ledger entry is withdrawn.
        lose: Takes the support away; what it returns goes to `mend`.
        mend: Gives it back.
    """

    id: str
    reason: str
    lose: Callable[[Nights, Row], Any]
    mend: Callable[[Nights, Row, Any], object]


def _delete(nights: Nights, row: Row) -> Any:
    certificate_id = row["certificate_id"]
    kept = dict(nights.world.certificates.rows[certificate_id]), _links(nights, row)
    relations.delete_certificate(nights.world, certificate_id)
    return kept


def _undelete(nights: Nights, _row: Row, kept: Any) -> None:
    certificate, links = kept
    nights.world.certificates.add(certificate)
    _relink(nights, _row, links)


def _links(nights: Nights, row: Row) -> list[Row]:
    return [dict(link) for link in nights.world.links.where("certificate_id", row["certificate_id"])]


def _unlink(nights: Nights, row: Row) -> list[Row]:
    links = _links(nights, row)
    for link in links:
        nights.world.links.remove(link["certificate_action_id"])
    return links


def _relink(nights: Nights, _row: Row, links: list[Row]) -> None:
    for link in links:
        nights.world.links.add(link)


def _set(table: str, key: str, **values: Any) -> Callable[[Nights, Row], Row]:
    def change(nights: Nights, row: Row) -> Row:
        rows = getattr(nights.world, table)
        identity = _links(nights, row)[0]["certificate_action_id"] if table == "links" else row[key]
        before = {name: rows.rows[identity].get(name) for name in values}
        rows.change(identity, values)
        return {"table": table, "identity": identity, "values": before}

    return change


def _put_back(nights: Nights, _row: Row, kept: Row) -> None:
    getattr(nights.world, kept["table"]).change(kept["identity"], kept["values"])


def _move_to_another(nights: Nights, row: Row) -> Row:
    others = [
        person["person_id"]
        for person in nights.world.persons.where("project_id", row["tenant_id"])
        if person["person_id"] != row["resource_id"]
    ]
    return _set("certificates", "certificate_id", resource_id=others[0])(nights, row)


LOSSES = (
    Loss("deleted", "deleted", _delete, _undelete),
    Loss("unlinked", "unlinked", _unlink, _relink),
    Loss("moved-to-other-person", "moved_to_other_person", _move_to_another, _put_back),
    Loss("number-changed", "number_changed", _set("persons", "resource_id", code="99999"), _put_back),
    Loss("number-gone", "blocked:EMPLOYEE_NUMBER_MISSING", _set("persons", "resource_id", code=None), _put_back),
    Loss("retyped", "retyped", _set("links", "", action_code="FREMMED", action_name="x"), _put_back),
    Loss(
        "blocked",
        "blocked:ISSUED_MISSING",
        _set("certificates", "certificate_id", date_release=None),
        _put_back,
    ),
    Loss(
        "not-published",
        "blocked:ACTION_TYPE_NOT_PUBLISHED",
        _set("certificates", "certificate_id", action_type="CHECK"),
        _put_back,
    ),
)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.id)
def test_lost_and_found_again(nights: Nights, loss: Loss) -> None:
    """Withdrawn with its reason in the first night, untouched in the second, ended in the third; never sent."""
    (row,) = nights.delivered_alone()
    key = (row["employee_number"], row["certificate_type"])
    entry = sql.ledger(nights.engine)[key]
    kept = loss.lose(nights, row)
    first = nights.night()
    assert first.errors == {}
    assert (*key, loss.reason) in sql.withdrawn(nights.engine)
    assert sql.run_row(nights.engine, first.run_seq)["withdrawn"] == len(sql.withdrawn(nights.engine))
    assert sql.ledger(nights.engine)[key] == entry, "Ditio holds it still"
    assert key not in nights.sent
    summary = first.file(first.reported and first.reported.summary)
    assert "withdrawn" in summary.lower()

    before = sql.fingerprint(nights.engine)
    nights.night()
    assert sql.fingerprint(nights.engine) == before

    loss.mend(nights, row, kept)
    third = nights.night()
    assert key not in {one[:2] for one in sql.withdrawn(nights.engine)}
    assert key not in nights.sent, "Ditio never lost it"
    query = "SELECT * FROM reconciliation.withdrawn_upsert WHERE employee_number = :number AND certificate_type = :type"
    (history,) = sql.rows(nights.engine, query, number=key[0], type=key[1])
    assert (history["first_run_seq"], history["ended_run_seq"]) == (first.run_seq, third.run_seq)
    assert history["certificate_id"] == row["certificate_id"]
    (back,) = nights.claims(certificate_id=row["certificate_id"])
    assert (back["disposition"], back["findings"]) == ("delivered", [])


def test_another_reason_is_another_row(nights: Nights) -> None:
    """Unlinked first, deleted then: the first row ends where the second begins."""
    (row,) = nights.delivered_alone()
    key = (row["employee_number"], row["certificate_type"])
    _unlink(nights, row)
    first = nights.night()
    relations.delete_certificate(nights.world, row["certificate_id"])
    second = nights.night()
    query = "SELECT reason, first_run_seq, ended_run_seq FROM reconciliation.withdrawn_upsert ORDER BY first_run_seq"
    assert [tuple(one.values()) for one in sql.rows(nights.engine, query)] == [
        ("unlinked", first.run_seq, second.run_seq),
        ("deleted", second.run_seq, None),
    ]
    assert sql.withdrawn(nights.engine) == [(*key, "deleted")]


def test_moved_to_a_tenant_that_is_read(nights: Nights) -> None:
    """The certificate is found in its new tenant; there its person is unknown, so it is blocked."""
    (row,) = nights.delivered_alone()
    other = next(claim["tenant_id"] for claim in nights.claims() if claim["tenant_id"] != row["tenant_id"])
    nights.world.certificates.change(row["certificate_id"], {"tenant_id": other})
    for link in nights.world.links.where("certificate_id", row["certificate_id"]):
        nights.world.links.change(link["certificate_action_id"], {"tenant_id": other})
    night = nights.night()
    assert night.errors == {}
    (moved,) = nights.claims(certificate_id=row["certificate_id"])
    assert (moved["tenant_id"], moved["disposition"], moved["findings"]) == (other, "blocked", ["PERSON_UNKNOWN"])
    key = (row["employee_number"], row["certificate_type"])
    assert sql.withdrawn(nights.engine) == [(*key, "blocked:PERSON_UNKNOWN")]


def test_moved_out_of_sight(nights: Nights) -> None:
    """The view finds the certificate in a tenant that the run does not read: that is no deletion."""
    (row,) = nights.delivered_alone()
    nights.world.certificates.change(row["certificate_id"], {"tenant_id": "somewhere-else"})
    _unlink(nights, row)
    assert nights.night().errors == {}
    assert nights.claims(certificate_id=row["certificate_id"]) == []
    key = (row["employee_number"], row["certificate_type"])
    assert sql.withdrawn(nights.engine) == [(*key, "moved_to_other_tenant")]


def test_superseded_by_a_renewal(nights: Nights) -> None:
    """A renewed certificate is sent in the old one's place; the entry is supported, nothing is withdrawn."""
    (row,) = nights.delivered_alone()
    old = nights.world.certificates.rows[row["certificate_id"]]
    link = _links(nights, row)[0]
    expiry = f"{row['valid_until'].year + 1}{str(row['valid_until'])[4:]}".replace("02-29", "02-28")
    nights.world.certificates.add(old | {"certificate_id": "renewed", "date_expire": expiry})
    nights.world.links.add(
        link | {"certificate_action_id": "link-of-renewed", "certificate_id": "renewed", "date_expire": None}
    )
    night = nights.night()
    assert night.errors == {}
    assert nights.sent == [(row["employee_number"], row["certificate_type"])]
    assert sql.withdrawn(nights.engine) == []
    dispositions = {
        one["certificate_id"]: one["disposition"] for one in nights.claims(employee_number=row["employee_number"])
    }
    assert dispositions["renewed"] == "delivered"
    assert dispositions[row["certificate_id"]] == "superseded"
    entry = sql.ledger(nights.engine)[row["employee_number"], row["certificate_type"]]
    assert entry["acknowledged_certificate_id"] == "renewed"


def test_a_limited_run_ends_nothing_outside(nights: Nights) -> None:
    """What another tenant has withdrawn stays withdrawn when one tenant alone is read."""
    (row,) = nights.delivered_alone()
    _unlink(nights, row)
    nights.night()
    before = sql.rows(nights.engine, "SELECT * FROM reconciliation.withdrawn_upsert")
    other = next(claim["tenant_id"] for claim in nights.claims() if claim["tenant_id"] != row["tenant_id"])
    night = nights.night(tenant_ids=[other])
    assert night.errors == {}
    assert sql.rows(nights.engine, "SELECT * FROM reconciliation.withdrawn_upsert") == before
    assert len(before) == 1
