"""Connections that the server closed while the client stood still: noticed before the next request, not by it."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from certrecon.api.blocking import Blocking
from certrecon.api.delays import RetryPolicy
from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.blocking import WritableLists
from certrecon.api.fourhse_api.certificates import (
    CertificateChange,
    CertificateFilter,
    CertificateRow,
    NewCertificate,
)
from tests.unit.api import idle_tls
from tests.unit.api.scripted import Reply, Vendor, fourhse_endpoint, vendor_in_a_thread

KEEP_ALIVE, PAUSE = 0.2, 0.8
ID = "e3a1f5d2-8c4b-4e7a-9f6d-2b1c3d4e5f6a"
NEW = {"date_release": "2024-01-15", "name": "Fire", "action_type": "TRAINING", "resource_id": ID, "tenant_id": ID}
PATH = "/4hse/v2/certificate"
ONCE = RetryPolicy(attempts=1, rate_limited_attempts=1, base=0.001, cap=0.001, total=5.0)

Certificates = WritableLists[CertificateRow, CertificateFilter, NewCertificate, CertificateChange]


@pytest.fixture
def scripted() -> Iterator[Vendor]:
    """A vendor that closes idle connections soon, as Apache and uvicorn do after 5 seconds."""
    with vendor_in_a_thread(keep_alive=KEEP_ALIVE) as running:
        running.script(f"{PATH}/create", Reply(201, {"certificate_id": ID}))
        pages = (
            Reply(body=[{"certificate_id": name}], headers=headers_of(number))
            for number, name in enumerate(("c-1", "c-2"), 1)
        )
        running.script(f"{PATH}/index", *pages)
        yield running


@pytest.fixture
def session(scripted: Vendor) -> Iterator[Blocking[FourHseClient]]:
    """One open session of a client that tries everything once."""
    with Blocking(lambda: FourHseClient(fourhse_endpoint(scripted.url), retry=ONCE)) as opened:
        yield opened


@pytest.fixture
def certificates(session: Blocking[FourHseClient]) -> Certificates:
    return WritableLists(session, lambda fourhse: fourhse.certificates)


def headers_of(page: int) -> dict[str, str]:
    numbers = {"Current-Page": page, "Page-Count": 2, "Per-Page": 1, "Total-Count": 2}
    return {f"X-Pagination-{name}": str(number) for name, number in numbers.items()}


def test_a_create_after_a_pause_is_sent_and_done_once(scripted: Vendor, certificates: Certificates) -> None:
    assert certificates.create(NEW).certificate_id == ID
    time.sleep(PAUSE)
    assert certificates.create(NEW).certificate_id == ID
    assert len(scripted.asked(f"{PATH}/create")) == 2


def test_pages_after_a_pause_are_read_at_the_first_try(scripted: Vendor, certificates: Certificates) -> None:
    seen = []
    for page in certificates.pages(per_page=1):
        seen += [row.certificate_id for row in page.rows]
        time.sleep(PAUSE)
    assert seen == ["c-1", "c-2"]
    assert len(scripted.asked(f"{PATH}/index")) == 2


def written(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost, which signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    paths = folder / "certificate.pem", folder / "key.pem"
    for path, content in zip(paths, (certificate, secret), strict=True):
        path.write_bytes(content)
    return paths


def test_a_server_that_left_without_tls_own_end_is_noticed_too(tmp_path: Path) -> None:
    certificate, key = written(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", idle_tls.__name__, str(certificate), str(key)],
        env=os.environ | {"SSL_CERT_FILE": str(certificate)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == json.dumps([ID, ID]), done.stderr[-2000:]
