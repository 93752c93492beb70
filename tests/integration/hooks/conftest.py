"""Airflow far from anybody's own: its home is a folder of the test session."""

from __future__ import annotations

import os
import tempfile

# Airflow reads these when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-of-tests-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
