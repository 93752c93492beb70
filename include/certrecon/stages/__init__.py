"""The run, one module a task of the DAG; each takes plain objects and knows nothing of Airflow."""
