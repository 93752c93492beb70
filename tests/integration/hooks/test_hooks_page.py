"""Every block of code on the page about the hooks runs against the sandbox, in its order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from certrecon_sandbox.server import SandboxServer

PAGE = Path(__file__).resolve().parents[3] / "docs/hooks.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_pages_code_runs(vendors: SandboxServer) -> None:
    certificates = len(vendors.world.certificates)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 4
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), names)  # noqa: S102 - the page is ours
    assert names["links"] is not None
    assert names["sent"] == len(vendors.world.upserts) == 1
    assert len(names["frame"]) == names["table"].num_rows > 0
    assert len(vendors.world.certificates) == certificates, "what was created was deleted again"
