"""Set-up, `make run`, `make up` and the environment of the tests; nothing else imports it."""
