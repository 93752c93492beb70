"""Where a run comes from: who started it, what ran before it, and the chain's head at that moment."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """The last finished publishing run of the target that loaded claims.

    Attributes:
        run_seq: Its number.
        run_day: Its day.
        status: How it ended.
        settings_text: Its settings and crosswalk as canonical JSON; None where the warehouse does not have them.
    """

    run_seq: int
    run_day: dt.date
    status: str
    settings_text: str | None


@dataclass(frozen=True, slots=True)
class HeadBefore:
    """The chain's head before a run.

    Attributes:
        chain_no: Its place.
        run_seq: Its run.
        chain_sha256: Its digest.
    """

    chain_no: int
    run_seq: int
    chain_sha256: str


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """What the report says of a run's beginning, sealed with its inputs.

    Attributes:
        run_id: Airflow's run id.
        trigger: What started it, in Airflow's word.
        triggered_by: Who started it, where known.
        started_at: When it was opened.
        code_version: The version of the code that opened it.
        earlier: The run that it is compared with.
        head: The chain's head before it.
        listening: Whether anybody may tell of changes as they happen.
    """

    run_id: str
    trigger: str
    triggered_by: str | None
    started_at: dt.datetime
    code_version: str
    earlier: EarlierRun | None
    head: HeadBefore | None
    listening: bool = False

    def to_text(self) -> str:
        """Return canonical JSON."""
        values = asdict(self) | {"started_at": self.started_at.isoformat()}
        return json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)

    @classmethod
    def from_text(cls, text: str) -> RunOrigin:
        """Rebuild what `to_text` gave."""
        values = json.loads(text)
        return cls(
            **{
                **values,
                "started_at": dt.datetime.fromisoformat(values["started_at"]),
                "earlier": values["earlier"] and _earlier(values["earlier"]),
                "head": values["head"] and HeadBefore(**values["head"]),
            }
        )


def _earlier(values: Mapping[str, Any]) -> EarlierRun:
    return EarlierRun(**{**values, "run_day": dt.date.fromisoformat(values["run_day"])})
