"""`python -m certrecon_sandbox`: serve a generated world, or change one that is being served."""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from http.client import HTTPConnection
from pathlib import Path

from certrecon_sandbox.app import create_app
from certrecon_sandbox.credentials import sandbox_urls
from certrecon_sandbox.faults.catalogue import KINDS
from certrecon_sandbox.faults.fault import FaultError, describe
from certrecon_sandbox.faults.switchboard import Switched
from certrecon_sandbox.faults.wanted import parse_fault
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.options import CHOICES, SandboxOptions
from certrecon_sandbox.server import build_server, listen
from certrecon_sandbox.world import WorldSpec


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["faults"]:
        return _list_faults()
    if given[:1] == ["change"]:
        return _change(_change_parser().parse_args(given[1:]))
    return _serve(_serve_parser().parse_args(given[1:] if given[:1] == ["serve"] else given))


def _serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("certrecon_sandbox", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 (default) lets the system choose")
    add("--host", default="127.0.0.1", help="where to listen; the control API stays on loopback")
    add("--certificates", type=_count, default=1000, help="how many certificates (default 1000)")
    add("--seed", type=int, default=1, help="chooses everything random (default 1)")
    add("--tenants", type=_count, default=3, help="active projects (default 3)")
    add("--today", type=dt.date.fromisoformat, default=WorldSpec().today, help="YYYY-MM-DD")
    add("--ready-file", type=Path, help="gets port and addresses as JSON once it listens")
    add("--access-log", action="store_true", help="log every request")
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="ENDPOINT=KIND:name=value,...",
        help="what goes wrong from the start, as 4hse.certificate.index=status:status=502,times=3; again for more; "
        "`python -m certrecon_sandbox faults` lists the kinds",
    )
    for option in fields(SandboxOptions):
        name = "--" + option.name.replace("_", "-")
        kind = type(option.default)
        add(name, type=kind, default=option.default, choices=CHOICES.get(option.name))
    return parser


def _change_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("certrecon_sandbox change")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--share", type=float, default=0.01, help="of the certificates")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def _serve(given: argparse.Namespace) -> int:
    spec = WorldSpec(given.certificates, given.seed, given.today, given.tenants)
    names = [option.name for option in fields(SandboxOptions)]
    options = SandboxOptions()
    options.change({name: getattr(given, name) for name in names})
    app = create_app(lambda: generate_world(spec), options)
    for fault in given.fault:
        app.state.sandbox.faults.add(fault)
    gc.collect()
    gc.freeze()  # the world stays; walking it again and again would stall answers
    sock = listen(given.port, given.host)
    port = int(sock.getsockname()[1])

    def ready() -> None:
        facts = {"port": port, "pid": os.getpid(), **sandbox_urls(port, given.host)}
        facts |= {"certificates": spec.certificates, "seed": spec.seed}
        facts |= {"today": spec.today.isoformat(), "tenants": spec.tenants}
        if given.ready_file:
            _write_whole(given.ready_file, json.dumps(facts, indent=1))
        _say(f"sandbox: {facts['base_url']} ({spec.certificates} certificates)")

    try:
        build_server(app, ready, access_log=given.access_log).run(sockets=[sock])
    except KeyboardInterrupt:
        return 130
    return 0


def _change(given: argparse.Namespace) -> int:
    body = json.dumps({"share": given.share, "seed": given.seed})
    connection = HTTPConnection("127.0.0.1", given.port, timeout=600)
    try:
        connection.request("POST", "/control/change", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        _say(answer.read().decode())
    except OSError as error:
        sys.stderr.write(f"no sandbox on port {given.port}: {error}\n")
        return 1
    return 0 if answer.status == 200 else 1


def _list_faults() -> int:
    for kind in KINDS.values():
        described = describe(kind)
        _say(f"{described['kind']}: {described['does']}")
        for name, one in described["parameters"].items():
            _say(f"    {name}={one['default']}  {' | '.join(one.get('choices', [one['type']]))}")
    return 0


def _fault(text: str) -> Switched:
    try:
        return parse_fault(text)
    except FaultError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that whoever waits for it never sees half of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


if __name__ == "__main__":
    sys.exit(main())
