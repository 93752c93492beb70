"""A crowd at a server that answers as a test wants, and the pipeline that sends to it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from sqlalchemy import Engine

from tests.contract import warehouse as sql
from tests.contract.pipeline import Night, Pipeline
from tests.contract.world_server import Fault, WorldServer
from tests.oracle.base import AS_OF
from tests.oracle.world import Row

KEY = ("100", "Byggekort")
DITIO_SAYS = {"code": "Whatever", "message": "This is what Ditio says."}


@dataclasses.dataclass
class Sending:
    """A crowd, the server that shows it, and the pipeline between server and warehouse."""

    server: WorldServer
    pipeline: Pipeline

    @property
    def engine(self) -> Engine:
        """The warehouse."""
        return self.pipeline.engine

    def night(self, *faults: Fault, **conf: Any) -> Night:
        """Run a night in which Ditio's next answers are these."""
        self.server.posts.clear()
        self.server.faults = list(faults)
        return self.pipeline.run(AS_OF, **conf)

    @property
    def statuses(self) -> list[int | None]:
        """What Ditio answered in the night, one a request."""
        return [post.status for post in self.server.posts]

    @property
    def sizes(self) -> list[int]:
        """How many rows each request of the night had."""
        return [len(post.rows) for post in self.server.posts]

    def entry(self, key: tuple[str, str] = KEY) -> Row:
        """Return a ledger entry."""
        return sql.ledger(self.engine)[key]

    def dispositions(self) -> Counter[str]:
        """Count the open claims by disposition."""
        return Counter(row["disposition"] for row in sql.claims(self.engine))
