"""What a hostile vendor, file or user may try; helpers' assertions are shown like tests'."""

import pytest

pytest.register_assert_rewrite("tests.hostile.clients", "tests.hostile.outputs")
