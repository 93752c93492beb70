"""The task that creates links, as a process of its own that can be killed: what it needs comes as JSON on its input."""

from __future__ import annotations

import json
import sys

from certrecon.api.endpoint import FourHseEndpoint, PasswordGrant
from certrecon.api.fourhse import FourHseClient
from certrecon.api.loop import run
from certrecon.linking.creating import Creating, One
from certrecon.linking.plan import LinkPlan
from certrecon.linking.seeing import Sight
from certrecon.warehouse.engine import connect_engine
from certrecon.warehouse.sending import only_linker


def main() -> None:
    """Create the links of the plan."""
    given = json.load(sys.stdin)
    engine = connect_engine(given["warehouse"])
    endpoint = FourHseEndpoint(given["fourhse"], PasswordGrant(**given["grant"]))
    plan = LinkPlan.from_json(given["plan"])

    async def create() -> list[One]:
        async with FourHseClient(endpoint) as client:
            sight = Sight(client, publish_health=False)
            return await Creating(sight, engine, given["run_id"], plan, given["linking_id"]).create_all()

    with only_linker(engine):
        run(create())


if __name__ == "__main__":
    main()
