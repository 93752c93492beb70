"""A DAG with the main DAG's name and its way of telling its result, and no work."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from pathlib import Path

from airflow.sdk import BaseHook, Param, dag, get_current_context, task

from certrecon.errors import SettingsError

log = logging.getLogger("certrecon.stages.stand_in")
MODES = ["publish", "dry_run"]
SCENARIOS = ["fine", "settings", "reported", "hang", "killed"]


@dag(
    schedule=None,
    params={"mode": Param("publish", enum=MODES), "scenario": Param("fine", enum=SCENARIOS)},
)
def certificate_reconciliation() -> None:
    @task
    def open_run() -> int:
        params = get_current_context()["params"]
        log.info("opened a %s run", params["mode"])
        if params["scenario"] == "settings":
            message = "key 'unlinked' is 'perhaps': it must be hold or send"
            raise SettingsError(message)
        if params["scenario"] == "hang":
            Path(os.environ["CERTRECON_RESULT_FILE"]).with_suffix(".hanging").touch()
            time.sleep(600)
        if params["scenario"] == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        return 1

    @task
    def connections(_: int) -> dict[str, str]:
        names = ("fourhse_default", "ditio_default", "warehouse_default")
        found = {name: BaseHook.get_connection(name) for name in names}
        return {name: f"{each.conn_type} {each.host} {each.port} {each.schema}" for name, each in found.items()}

    @task(trigger_rule="all_done")
    def finalise(found: dict[str, str] | None) -> None:
        summary = Path(os.environ["CERTRECON_RESULT_FILE"]).with_suffix(".txt")
        summary.write_text("claims      42\n" + json.dumps(found), encoding="utf-8")
        reported = get_current_context()["params"]["scenario"] == "reported"
        result = {
            "status": "failed" if reported else "succeeded",
            "failure": "guard drop tripped: accept it with accept=[drop]" if reported else None,
            "run_seq": 1,
            "summary_path": str(summary),
            "report_path": "the report.html",
            "csv_path": "the list.csv",
        }
        Path(os.environ["CERTRECON_RESULT_FILE"]).write_text(json.dumps(result), encoding="utf-8")
        if reported or not found:
            raise RuntimeError(result["failure"])

    finalise(connections(open_run()))


certificate_reconciliation()
