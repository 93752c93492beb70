"""What parts and variants are called, in tables, goals and kept results alike."""

from __future__ import annotations

from typing import Final


class Extract:
    """Stage extract."""

    PARTS: Final = {0: "0 ms", 50: "50 ms"}
    TENANTS: Final = "0 ms, ten projects"
    OURS: Final = "ours"
    BARE: Final = "bare aiohttp, bytes dropped"
    MSGSPEC: Final = "msgspec straight to Parquet"
    DLT: Final = "dlt rest_api"


class Compute:
    """Stage compute."""

    FIRST: Final = "first night"
    NIGHTLY: Final = "unchanged night"
    OURS: Final = "ours, Great Expectations included"
    DUCKDB: Final = "DuckDB SQL, no validation library"
    DATACOMPY: Final = {kind: f"datacompy ({kind}), comparing only" for kind in ("pandas", "polars")}


class Load:
    """Stage load; `PARTS` by the night that loads."""

    PARTS: Final = {"first": "all rows new", "unchanged": "unchanged", "changed": "1 % changed"}
    TASK: Final = "ours, the whole task"
    CLAIMS: Final = "ours, write_claims alone"
    PLAIN: Final = "COPY of ready CSV, no index"
    INDEXED: Final = "COPY of ready CSV, same indexes"
    PANDAS: Final = "pandas to_sql"
    DLT: Final = "dlt from Arrow"
    DLT_MERGE: Final = "dlt merge"


class Publish:
    """Stage publish; a part also says how many rows are sent."""

    PARTS: Final = {0: "0 ms", 50: "50 ms"}
    TASK: Final = "ours, the whole task"
    SEND: Final = "ours, sending and recording"
    BARE: Final = "bare aiohttp sender"
    DOCUMENT: Final = "the document's requests.post"


class Nights:
    """Stage nights; `KINDS` in the order in which they run."""

    PART: Final = "make run"
    FIRST: Final = "first night"
    IDLE: Final = "a DAG of idle tasks"
    UNCHANGED: Final = "unchanged night"
    CHANGED: Final = "1 % changed"
    KINDS: Final = {"first": FIRST, "idle": IDLE, "unchanged": UNCHANGED, "changed": CHANGED}


class Scheduled:
    """Stage scheduled."""

    PART: Final = "under a scheduler, LocalExecutor"
    FIRST: Final = "first night"
    IDLE: Final = "a DAG of idle tasks"
    KINDS: Final = {"first": FIRST, "idle": IDLE}


class Profiles:
    """Stage profiles; the loads are called as in stage load."""

    EXTRACT: Final = "extract, 0 ms"
    NIGHT: Final = "first night"
    REST: Final = "everything with less"


class Startup:
    """Stage startup."""

    PARSE: Final = "importing airflow.sdk, then"
    ALL_FILES: Final = "all DAG files"
    COLD: Final = "make run on a set-up checkout"
    SET_UP: Final = "1,000 certificates"
    SIZE: Final = 1_000


class Report:
    """Stages report and pages."""

    PART: Final = "report"
    ALL_PARTS: Final = "all parts"
    PAGES: Final = "pages"
