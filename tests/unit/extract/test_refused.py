"""Which failures speak of an id that a hint names, and which speak of 4HSE."""

from __future__ import annotations

import pytest

from certrecon.api.fourhse import FourHseClient
from certrecon.api.loop import run
from certrecon.errors import (
    CertreconError,
    CredentialsError,
    IncompleteReadError,
    RateLimitedError,
    RequestRefusedError,
    ResponseFormatError,
    VendorUnavailableError,
)
from certrecon.extract.hinted.refused import is_refusal
from tests.unit.api.scripted import QUICK, Reply, fourhse_endpoint, vendor

UUID = "f6a7b8c9-d0e1-2f3a-4b5c-6d7e8f9a0b1c"
CASES: list[tuple[str, CertreconError, str, bool]] = [
    ("400", RequestRefusedError("", 400), UUID, True),
    ("403, of a project that the user may not see", CredentialsError("", 403), UUID, True),
    ("404 of an index", RequestRefusedError("", 404), UUID, True),
    ("422", RequestRefusedError("", 422), UUID, True),
    ("another row, or nothing that can be read", ResponseFormatError(""), UUID, True),
    ("500 of an id that is no UUID", VendorUnavailableError("", 500), "x", True),
    ("500 of a UUID", VendorUnavailableError("", 500), UUID, False),
    ("503 of a UUID in capitals", VendorUnavailableError("", 503), UUID.upper(), False),
    ("a broken connection, whatever the id", VendorUnavailableError(""), "x", False),
    ("a redirect", RequestRefusedError("", 302), "x", False),
    ("401", CredentialsError("", 401), "x", False),
    ("no token", CredentialsError(""), "x", False),
    ("408", RequestRefusedError("", 408), "x", False),
    ("429", RateLimitedError(""), "x", False),
    ("an index that does not agree with itself", IncompleteReadError(""), "x", False),
]


@pytest.mark.parametrize(("error", "row_id", "left_out"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_only_what_speaks_of_the_id_leaves_it_out(error: CertreconError, row_id: str, *, left_out: bool) -> None:
    assert is_refusal(error, row_id) is left_out


@pytest.mark.parametrize(
    "reply",
    [Reply(403), Reply(404, b""), Reply(422), Reply(200, {"expires_in": 5}), Reply(200, b"<html>"), Reply(500)],
    ids=["403", "404", "422", "no token in it", "html", "500"],
)
def test_what_the_token_endpoint_says_speaks_of_no_id(reply: Reply) -> None:
    """A token is renewed in the middle of a run; a gateway before the token endpoint must not settle hints."""

    async def main() -> None:
        async with vendor() as scripted, FourHseClient(fourhse_endpoint(scripted.url), retry=QUICK) as client:
            scripted.script("/token", reply)
            await client.view_body("certificate", "x")

    with pytest.raises(CertreconError) as raised:
        run(main())
    assert not is_refusal(raised.value, UUID)
    assert not is_refusal(raised.value, "x")
