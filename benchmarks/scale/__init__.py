"""How the pipeline grows: a model fitted to the measurements of `make bench`, and a simulation that checks it."""
