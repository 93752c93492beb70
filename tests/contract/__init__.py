"""The pipeline without Airflow, held against the contract over real HTTP and a real PostgreSQL."""
