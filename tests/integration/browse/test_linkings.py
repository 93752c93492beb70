"""What the page that links certificates says of each one that is ticked."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Engine

from certrecon.browse.linkings import CertificateLine, certificates_of
from certrecon.warehouse.engine import transaction
from tests.integration.warehouse.samples import TARGET, claims, opened_seq, write

KARI = {"certificate_id": "c1", "person_name": "Kari Nordmann", "certificate_name": "Crane", "linked": False}


def test_a_certificate_is_said_as_the_last_run_left_it_and_once(warehouse: Engine) -> None:
    write(warehouse, opened_seq(warehouse), claims(KARI, {"certificate_id": "c2"}))
    renamed = KARI | {"certificate_name": "Tower crane", "valid_until": dt.date(2030, 1, 1)}
    types = ({"certificate_type": "A"}, {"certificate_type": "B"})
    write(warehouse, opened_seq(warehouse), claims(*(renamed | one for one in types), {"certificate_id": "c2"}))
    with transaction(warehouse) as conn:
        found = certificates_of(conn, TARGET, ["c1", "unknown"])
        assert certificates_of(conn, "another target", ["c1"]) == certificates_of(conn, None, ["c1"]) == {}
    assert list(found) == ["c1"]
    line = found["c1"]
    assert isinstance(line, CertificateLine)
    assert (line.person_name, line.certificate_name, line.valid_until) == (
        "Kari Nordmann", "Tower crane", dt.date(2030, 1, 1)
    )  # fmt: skip
    assert "Kari" not in repr(line)
