"""Tells Airflow that hints wait: an event of the asset that starts the DAG which looks where they point."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certrecon.errors import CertreconError
from certrecon.warehouse.hints import Waiting, count_waiting

if TYPE_CHECKING:
    from certrecon_plugin.pages.warehouse import Warehouse

log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How often Airflow is told.

    Attributes:
        pause: Seconds between two events at least; hints that come in between are told of at its end.
        again: Seconds until it looks again by itself: Airflow could not be told, or a task left hints.
        repeat: Seconds until hints that still wait are told of once more; the run that looked may have failed.
        later: Seconds until they are told of after that, while no new one comes: they may have to wait for a night.
    """

    pause: float = 5
    again: float = 30
    repeat: float = 600
    later: float = 3600


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
        self._newest: int | None = None
        self._at = -math.inf
        self._repeats = 0
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
            self._wanted.wait(self._pace.again)
            if self._stopping.is_set():
                return
            self._wanted.clear()
            self._tell()
            self._stopping.wait(self._pace.pause)

    def _tell(self) -> None:
        """Tell Airflow of hints that it does not know of; why that did not work is said once."""
        try:
            with self._warehouse.reading() as conn:
                waiting = count_waiting(conn)
            told = self._is_old(waiting) or self._announced(waiting)
            why = None if told else "no DAG that is on is scheduled on them"
        except CertreconError as error:
            told, why = False, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the hints are stored and it is tried again
            told, why = False, type(error).__name__
        if why is not None and why != self._said:
            log.warning("Airflow was not told of hints that wait; they are kept, and it is tried again: %s", why)
        self._said = why

    def _is_old(self, waiting: Waiting) -> bool:
        """Return whether there is nothing to tell: nothing waits, or Airflow was told of it not long ago."""
        pause = self._pace.later if self._repeats else self._pace.repeat
        recently = time.monotonic() < self._at + pause
        return not waiting.hints or (waiting.newest == self._newest and recently)

    def _announced(self, waiting: Waiting) -> bool:
        told = self._announce(waiting.hints)
        if told:
            self._repeats = self._repeats + 1 if waiting.newest == self._newest else 0
            self._newest, self._at = waiting.newest, time.monotonic()
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
