"""The tasks of the DAGs: each opens what a stage of `certrecon.stages` needs and calls it."""
