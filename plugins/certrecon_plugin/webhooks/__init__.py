"""The receiver of 4HSE's webhooks: an application of Airflow's API server, without Airflow's sign-in."""
