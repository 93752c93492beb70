"""Great Expectations over the claims: the rules, their evaluation, and what it returned."""

from __future__ import annotations

import logging

# Great Expectations tells, while it is imported, of every function that it does not decorate: hundreds of lines in the
# log of a task, which take longer to write than all of the validation. This has to come before the import.
logging.getLogger("great_expectations").setLevel(logging.WARNING)
