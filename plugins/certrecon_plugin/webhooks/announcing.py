"""Tells Airflow that hints wait: an event of the asset that starts the DAG which looks where they point."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certrecon.errors import CertreconError
from certrecon.warehouse.hints import count_waiting

if TYPE_CHECKING:
    from certrecon_plugin.pages.warehouse import Warehouse

log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How often Airflow is told.

    Attributes:
        pause: Seconds between two events at least; hints that come in between are told of at its end.
        again: Seconds until the next try where Airflow could not be told.
    """

    pause: float = 5
    again: float = 30


class Announcer:
    """A thread that tells Airflow of waiting hints, not for each of them, but always after the last.

    It looks into the warehouse by itself, so a hint that is stored is told of even if the process that took it has
    ended: the next one looks when it starts.
    """

    def __init__(
        self, warehouse: Warehouse, announce: Callable[[int], bool] | None = None, pace: Pace | None = None
    ) -> None:
        """Take the warehouse; start nothing yet.

        Args:
            warehouse: Where the hints are.
            announce: Takes the number of waiting hints and returns whether that starts a DAG; null = Airflow's.
            pace: How often.
        """
        self._warehouse = warehouse
        self._announce = announce or announce_hints
        self._pace = pace or Pace()
        self._wanted, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._said: str | None = None

    def start(self) -> None:
        """Start, and tell of what waits already."""
        self._stopping.clear()
        self._wanted.set()
        self._thread = threading.Thread(target=self._run, name="certrecon-hints", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there are new hints."""
        self._wanted.set()

    def stop(self) -> None:
        """End; what was not told of is told of at the next start."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            self._thread = None

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            if self._stopping.is_set():
                return
            self._wanted.clear()
            told = self._told()
            if not told:
                self._wanted.set()
            self._stopping.wait(self._pace.pause if told else self._pace.again)

    def _told(self) -> bool:
        """Return whether Airflow knows of every hint that is stored; why it does not is said once."""
        try:
            with self._warehouse.reading() as conn:
                waiting = count_waiting(conn)
            told = waiting == 0 or self._announce(waiting)
            why = None if told else "no DAG that is on is scheduled on them"
        except CertreconError as error:
            told, why = False, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the hints are stored and it is tried again
            told, why = False, type(error).__name__
        if why is not None and why != self._said:
            log.warning("Airflow was not told of hints that wait; they are kept, and it is tried again: %s", why)
        self._said = why
        return told


def announce_hints(waiting: int) -> bool:
    """Register an event of the asset of waiting hints, and return whether a DAG that is on is scheduled on it.

    Without such a DAG nothing is registered, since Airflow starts a DAG only for events that come while it is on.
    """
    from airflow.assets.manager import asset_manager
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from certrecon_plugin.telling.assets import HINTS

    with create_session() as session:
        query = select(AssetModel).where(AssetModel.name == HINTS.name, AssetModel.uri == HINTS.uri)
        asset = session.scalar(query)
        listening = asset.scheduled_dags if asset else []
        if asset is None or not any(not one.dag.is_paused and not one.dag.is_stale for one in listening):
            return False
        event = asset_manager.register_asset_change(asset=asset, extra={"hints": waiting}, session=session)
        return event is not None
