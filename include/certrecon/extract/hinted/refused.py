"""When an id that only a hint names is left out, because 4HSE does not speak of it.

Ids of hints come from strangers. One that 4HSE refuses must not keep the others from being followed; the next full
night looks at everything, whatever hints said.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from certrecon.api.value_kinds import Uuid
from certrecon.errors import (
    CertreconError,
    CredentialsError,
    RequestRefusedError,
    ResponseFormatError,
    VendorUnavailableError,
)

_OF_4HSE: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
)  # fmt: skip
"""Refusals that say something of the connection to 4HSE, and nothing of what was asked for."""
_UUID: Final = Uuid()


def is_refusal(error: CertreconError, row_id: str) -> bool:
    """Return whether an error speaks of the id that was asked for, so that a hint's id can be left out.

    That is any 4xx but 401, 408 and 429; an answer that is another row or cannot be read; and a 5xx for an id that is
    no UUID, since 4HSE documents ids as UUIDs and may fail on anything else. Broken connections are none.

    Args:
        error: What reading it raised.
        row_id: The id.
    """
    if isinstance(error, ResponseFormatError):
        return True
    if not isinstance(error, CredentialsError | RequestRefusedError | VendorUnavailableError) or error.status is None:
        return False
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return not _UUID.accepts(row_id)
    return error.status >= HTTPStatus.BAD_REQUEST and error.status not in _OF_4HSE
