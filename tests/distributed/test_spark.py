# SPDX-License-Identifier: MIT
"""Spark: an executor is lost with its work."""
from __future__ import annotations

import os
import signal
from pathlib import Path

from conftest import GOOD, processes

BACKEND = b"org.apache.spark.executor.CoarseGrainedExecutorBackend"


def test_lost_executor_is_survived(job, gate, monkeypatch):
    # Short-lived JVMs: the quick compiler and the small collector start in half the time.
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    process = job.start("with_spark.py", "--workers", 2)
    job.wait_for_parts(3)
    victim = executor_of(gate.reader())
    assert victim in executors(process.pid)
    with gate.opened():
        os.kill(victim, signal.SIGKILL)
    report = job.finish()
    assert "Lost executor" in job.errors()
    assert (report["pictures"], report["bad"], report["new"], report["failed"]) == (GOOD + 3, 3, GOOD + 3, 0)
    job.check()


def is_executor(pid):
    return BACKEND in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def executor_of(pid):
    """The JVM that a Python worker works for."""
    while not is_executor(pid):
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid


def executors(session):
    """The JVMs of the executors in a session."""
    found = []
    for pid in processes():
        try:
            if os.getsid(pid) == session and is_executor(pid):
                found.append(pid)
        except OSError:  # it ended meanwhile
            pass
    assert len(found) == 2
    return found
