"""The pages in Airflow's web UI: an application of their own, behind Airflow's sign-in and rights."""
