"""Where things lie in a checkout: everything that the quick start writes is under `var/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DAG_ID = "certificate_reconciliation"


@dataclass(frozen=True, slots=True)
class Project:
    """The folders of one checkout.

    Attributes:
        root: The checkout.
        var: What the quick start writes; deleting it forgets everything.
        dags: Airflow's DAG folder.
    """

    root: Path
    var: Path
    dags: Path

    @classmethod
    def of_checkout(cls) -> Project:
        """Return the project this file belongs to."""
        root = Path(__file__).resolve().parents[2]
        return cls(root=root, var=root / "var", dags=root / "dags")

    @property
    def airflow_home(self) -> Path:
        """Airflow's settings, metadata and task logs."""
        return self.var / "airflow"

    @property
    def postgres_data(self) -> Path:
        """The data folder of the embedded PostgreSQL."""
        return self.var / "postgres"

    @property
    def logs(self) -> Path:
        """What the processes of the quick start print."""
        return self.var / "logs"

    @property
    def secrets(self) -> Path:
        """Keys and passwords made for this checkout, readable by its owner only."""
        return self.var / "secrets"

    @property
    def state(self) -> Path:
        """What must be the same next time: ports, and which sandbox worlds there are."""
        return self.var / "quickstart.json"

    @property
    def dag_file(self) -> Path:
        """The file of the main DAG."""
        return self.dags / f"{DAG_ID}.py"

    def shown(self, place: Path | str) -> str:
        """Return a place the way somebody standing in the checkout types it; an address stays as it is."""
        return str(place).removeprefix(f"{self.root}/")
