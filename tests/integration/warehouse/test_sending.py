"""One process at a time sends to a target; the lock ends with whoever holds it."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from certrecon.errors import StillSendingError
from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.sending import only_sender


def test_a_second_sender_to_a_target_is_refused(warehouse: Engine, warehouse_url: str) -> None:
    other = connect_engine(warehouse_url)
    with only_sender(warehouse, "this"):
        with pytest.raises(StillSendingError, match="still sends"), only_sender(other, "this", wait=0):
            pass
        with only_sender(other, "another", wait=0):
            pass
    with only_sender(other, "this", wait=0):
        pass
    other.dispose()


def test_a_failure_ends_the_lock_too(warehouse: Engine) -> None:
    with pytest.raises(ZeroDivisionError), only_sender(warehouse, "this"):
        raise ZeroDivisionError
    with only_sender(warehouse, "this", wait=0):
        pass
