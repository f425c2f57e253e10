# SPDX-License-Identifier: MIT
"""Spark: an executor is lost."""
from __future__ import annotations

import os
import signal
from pathlib import Path

from conftest import GOOD

BACKEND = b"org.apache.spark.executor.CoarseGrainedExecutorBackend"


def test_lost_executor_is_survived(job, monkeypatch):
    # Short-lived JVMs: the quick compiler and the small collector start in half the time.
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    process = job.start("with_spark.py", "--workers", 2)
    job.wait_for_parts(3)
    os.kill(executors(process.pid)[0], signal.SIGKILL)
    report = job.finish()
    assert "Lost executor" in job.errors()
    assert (report["pictures"], report["bad"], report["new"], report["failed"]) == (GOOD + 3, 3, GOOD + 3, 0)
    job.check()


def executors(session):
    """The JVMs of the executors in a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if os.getsid(int(folder.name)) == session and BACKEND in words:
                found.append(int(folder.name))
        except OSError:  # it ended meanwhile
            pass
    assert len(found) == 2
    return found
