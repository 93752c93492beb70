"""Stage profiles: where the time goes in what misses a goal, sampled a hundred times a second.

A sample is where the main thread was, working or waiting. The sampler costs some time itself: read the shares.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.bench_env import peer_python
from benchmarks.choices import Choices
from benchmarks.databases import postgres
from benchmarks.extract import PLACES
from benchmarks.extract import variants as extract_variants
from benchmarks.load import Loading
from benchmarks.measuring import ROOT, Variant
from benchmarks.names import Extract, Load, Profiles
from benchmarks.nights import night_environment
from benchmarks.prepared_nights import Kind, prepared_nights
from benchmarks.results import Measurement
from benchmarks.stacks import places
from benchmarks.vendor_data import vendor_answers
from benchmarks.vendor_server import vendor_server

RATE = 100
"""Samples a second."""
TIMED, DAG_RUN = "timed", "run_dag"
"""The functions in which the time counts: what the measuring programs time, and a DAG's run."""
LEAST_SHARE = 0.03
"""Places with less are told together."""
NIGHT_SIZE = 10_000
"""The night that a goal holds against a DAG of idle tasks."""
NOT_INSTALLED = "not sampled: the sampler is not installed (PEERS=0, or the bench environment could not be made)"


def sampled(
    sampler: str,
    variant: Variant,
    begin: str,
    environment: Mapping[str, str] | None = None,
    *,
    by_task: bool = False,
) -> Counter[str]:
    """Run a variant and count where its main thread was, below the function `begin`.

    Raises:
        RuntimeError: It failed, or could not be sampled.
    """
    assert variant.python is not None
    variant.prepare()
    with tempfile.NamedTemporaryFile("r", suffix=".stacks", encoding="utf-8") as stacks:
        options = ("--format", "raw", "--idle", "--subprocesses", "--rate", str(RATE), "--output", stacks.name)
        command = [sampler, "record", *options, "--", variant.python, "-m", variant.module, *variant.arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        found = places(stacks, begin, by_task=by_task)
    if done.returncode or not found:
        message = f"{variant.name}: {(done.stderr or done.stdout).strip()[-2000:]}"
        raise RuntimeError(message)
    return found


def told(part: str, size: int, found: Counter[str]) -> list[Measurement]:
    """Return the places with the largest shares, the largest first, and what is left."""
    total = found.total()
    large = [(place, count) for place, count in found.most_common() if count >= LEAST_SHARE * total]
    rest = total - sum(count for _, count in large)
    rows = [*large, (Profiles.REST, rest)] if rest else large
    return [
        Measurement(part, size, place, [round(count / RATE, 2)], facts={"share": count / total})
        for place, count in rows
    ]


@contextmanager
def _chosen(size: int, choices: Choices, data: Path) -> Iterator[dict[str, Variant]]:
    """Yield the programs whose goals are hardest, each with its servers up."""
    nights, answers = prepared_nights(size, choices.tenants, data), vendor_answers(size, choices.tenants, data)
    with ExitStack() as open_until_done:
        server = open_until_done.enter_context(vendor_server(answers))
        folder = open_until_done.enter_context(tempfile.TemporaryDirectory(prefix="extract-", dir=data))
        loading = Loading(nights, open_until_done.enter_context(postgres(nights)), choices)
        open_until_done.callback(shutil.rmtree, nights / "scratch", ignore_errors=True)
        extracting = extract_variants(server, answers / PLACES, Path(folder), 0, choices)
        loads = {f"load, {Load.PARTS[kind]}": loading.variants(kind) for kind in Kind}
        yield {
            Profiles.EXTRACT: _named(extracting, Extract.OURS),
            **{part: _named(found, Load.TASK) for part, found in loads.items()},
        }


def _named(variants: list[Variant], name: str) -> Variant:
    return next(one for one in variants if one.name == name)


def _small_night(sampler: str, data: Path) -> list[Measurement]:
    with tempfile.TemporaryDirectory(prefix="nights-", dir=data, ignore_cleanup_errors=True) as folder:
        variant = Variant(Profiles.NIGHT, "benchmarks.night", (folder, "first"), 1)
        found = sampled(sampler, variant, DAG_RUN, night_environment(NIGHT_SIZE, Path(folder)), by_task=True)
    return told(Profiles.NIGHT, NIGHT_SIZE, found)


def measure(size: int, choices: Choices, data: Path) -> list[Measurement]:
    """Sample what misses its goal, at one size; the small night has a size of its own."""
    data.mkdir(parents=True, exist_ok=True)
    python = peer_python(wanted=choices.peers)
    if python is None:
        return [Measurement(Profiles.EXTRACT, size, Profiles.REST, left_out=NOT_INSTALLED)]
    sampler, measured = str(Path(python).with_name("py-spy")), list[Measurement]()
    with _chosen(size, choices, data) as variants:
        for part, variant in variants.items():
            measured += told(part, size, sampled(sampler, variant, TIMED))
            print(f"  {size:,} {part}: sampled", flush=True)
    return [*measured, *_small_night(sampler, data)]
