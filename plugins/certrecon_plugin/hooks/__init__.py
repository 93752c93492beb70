"""The vendors' APIs as Airflow hooks."""
