"""Processes that start at once: a server that has loaded everything forks one for each task."""

from __future__ import annotations

import multiprocessing

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.kill.task", "tests.kill.vendor"])
