"""The pages as people use them: a real Airflow in a real browser."""
