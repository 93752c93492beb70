"""The examples of the vendors' documents, copied letter by letter; each names its section."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_FILES = {
    name: json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))["examples"]
    for name in ("4hse_certificate", "ditio_certificates")
}


def example(document: str, name: str) -> Any:
    """Return one example, to be changed freely."""
    return copy.deepcopy(_FILES[document][name]["value"])
