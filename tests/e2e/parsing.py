"""What a DAG file does while it is parsed: what it touches or asks for, what it imports, and how long that takes.

`python -m tests.e2e.parsing ANSWERS FILE...` imports the Task SDK, as every DAG file does first, and then runs each file
in a forked process of its own, as Airflow's DAG processor does. Each process writes one line of JSON to the file ANSWERS.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIBRARIES = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib"))
HEAVY = ("aiohttp", "great_expectations", "numpy", "pandas", "pyarrow", "psycopg", "rapidfuzz")
LISTING = frozenset({"os.listdir", "os.scandir"})
NEVER = frozenset(
    {
        "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "sqlite3.connect",
        "subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn", "os.system", "os.mkdir", "os.remove", "os.rename",
    }
)  # fmt: skip
"""What Python's audit events call what no DAG file does while it is parsed."""
_WRITES = os.O_WRONLY | os.O_RDWR
_TIMEOUT = 120


@dataclass(frozen=True)
class Parsed:
    """What came of parsing one file.

    Attributes:
        touched: What it did outside its own process, as `event: what`; `airflow` is a question to Airflow.
        heavy: Which of `HEAVY` it imported.
        seconds: Processor time, which a busy machine hardly lengthens.
        sdk_seconds: The same for importing the Task SDK before.
        error: Why it could not be run to its end.
    """

    touched: tuple[str, ...]
    heavy: tuple[str, ...]
    seconds: float
    sdk_seconds: float
    error: str | None

    @property
    def share(self) -> float:
        """How long the file took beside importing the Task SDK."""
        return self.seconds / self.sdk_seconds


def parse(files: Iterable[Path], **variables: str) -> dict[str, Parsed]:
    """Parse files in fresh processes with variables of the environment; what came of each, by its name without suffix."""
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers"
        words = [sys.executable, "-m", "tests.e2e.parsing", str(answers), *map(str, files)]
        environment = {**os.environ, **variables}
        subprocess.run(words, cwd=ROOT, env=environment, check=True, timeout=_TIMEOUT, stdout=subprocess.DEVNULL)
        lines = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    return {Path(name).stem: Parsed(tuple(one.pop("touched")), tuple(one.pop("heavy")), **one) for name, one in lines}


class Watch:
    """Keeps what a file touches, from Python's audit events."""

    def __init__(self, file: str) -> None:
        self._file = os.path.realpath(file)
        self.touched: list[str] = []
        self.ended = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.ended or event not in NEVER | LISTING | {"open"} or _importing():
            return
        if event == "open" and self._is_allowed(*args):
            return
        self.touched.append(f"{event}: {args[0] if args else ''}")

    def _is_allowed(self, path: Any, _mode: str | None, flags: int) -> bool:
        """Return whether opening a file is reading code: of a library, of the project, or of the DAG itself."""
        if isinstance(path, int):
            return True  # it was open already
        place = os.path.realpath(os.fsdecode(path))
        ours = place.startswith(f"{ROOT}{os.sep}") and place.endswith(".py")
        return not flags & _WRITES and (ours or place == self._file or place.startswith(LIBRARIES))

    def send(self, message: Any, **_: Any) -> None:
        """Stand where the DAG processor answers a file's questions for variables and connections.

        Raises:
            RuntimeError: Always; there is nobody to ask.
        """
        self.touched.append(f"airflow: {type(message).__name__}")
        raise RuntimeError("a DAG file asked Airflow for something")


def _importing() -> bool:
    """Return whether the import system itself does what the hook is told of: it reads, and writes its caches."""
    return sys._getframe(2).f_code.co_filename.startswith("<frozen importlib")


def run_watched(file: str, sdk_seconds: float) -> Parsed:
    """Run a file, watched, in this process."""
    from airflow.sdk.execution_time import task_runner

    watch, error = Watch(file), None
    task_runner.SUPERVISOR_COMMS = watch  # type: ignore[assignment]
    before = set(sys.modules)
    sys.addaudithook(watch)
    began = time.process_time()
    try:
        runpy.run_path(file)
    except Exception as raised:  # noqa: BLE001 - whatever it is, the test is to show it
        error = f"{type(raised).__name__}: {raised}"
    seconds = time.process_time() - began
    watch.ended = True
    heavy = sorted((set(sys.modules) - before) & set(HEAVY))
    return Parsed(tuple(watch.touched), tuple(heavy), seconds, sdk_seconds, error)


def main(answers: str, *files: str) -> None:
    """Parse each file in a forked process and write what came of it."""
    began = time.process_time()
    from airflow.sdk import DAG, BaseOperator

    with DAG("any", schedule=None):  # the SDK and what it builds on load their parts when they are asked for
        BaseOperator(task_id="any")
    sdk_seconds = time.process_time() - began
    with Path(answers).open("a", encoding="utf-8") as out:
        for file in files:
            child = os.fork()
            if child == 0:
                out.write(json.dumps([file, asdict(run_watched(file, sdk_seconds))]) + "\n")
                out.flush()
                os._exit(0)
            os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
