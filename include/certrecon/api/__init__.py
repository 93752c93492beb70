"""The two vendors' HTTP APIs, without Airflow: nothing secret and nothing medical leaves this package."""
