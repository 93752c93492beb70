"""The conditions of all findings without Great Expectations, so that its own share can be told."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa

from certrecon.findings import CATALOGUE
from certrecon.settings import Settings
from certrecon.validation import rules
from certrecon.validation.bitmaps import encode_bitmap
from certrecon.validation.run import COLUMNS, limits_of
from certrecon.words import Subject


def rules_alone(subject: Subject, facts: pa.Table, settings: Settings, as_of: dt.date) -> int:
    """Evaluate a subject's rules on the same frame, bitmaps included, and return how many rows have any finding."""
    frame = pd.DataFrame({name: facts.column(name).to_numpy() for name in COLUMNS[subject]})
    limits, total = limits_of(settings, as_of), 0
    for code, finding in CATALOGUE.items():
        if finding.subject is subject:
            found = getattr(rules, f"_{code.lower()}")(frame, limits).to_numpy(np.bool_)
            encode_bitmap(found)
            total += int(found.sum())
    return total
