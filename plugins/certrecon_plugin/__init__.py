"""All of the project that needs Airflow: hooks, operators, pages."""
