# SPDX-License-Identifier: MIT
"""Dask: a worker process is lost for good; a driver is lost and the job is begun again."""
from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from conftest import GOOD, PATIENCE, kill_group, until
from distributed import Client


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers as they would run on three machines: nobody starts a lost worker again."""
    file, started = tmp_path / "scheduler.json", []

    def start(program, *words):
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", "--scheduler-file", file, "--no-dashboard"]
        words = list(map(str, [*command, *words]))
        with open(tmp_path / "cluster.log", "a") as log:
            started.append(subprocess.Popen(words, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True))

    start("scheduler", "--host", "127.0.0.1", "--port", 0)
    for _ in range(2):
        start("worker", "--nthreads", 1, "--no-nanny", "--host", "127.0.0.1")
    until(file.exists, "the scheduler")
    with Client(scheduler_file=str(file)) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        yield client
    for process in started:
        kill_group(process)


def test_lost_worker_is_survived(cluster, job, gate):
    job.start("with_dask.py", "--scheduler", cluster.scheduler.address)
    job.wait_for_parts(3)
    workers = {pid: worker for worker, pid in cluster.run(os.getpid).items()}
    victim = gate.reader()
    assert cluster.processing()[workers[victim]], "the worker was lost without work"
    with gate.opened():
        os.kill(victim, signal.SIGKILL)
    report = job.finish()
    assert list(cluster.scheduler_info()["workers"]) == [w for pid, w in workers.items() if pid != victim]
    assert (report["pictures"], report["bad"], report["new"], report["failed"]) == (GOOD + 3, 3, GOOD + 3, 0)
    job.check()


def test_lost_driver_is_survived(job, gate):
    job.start("with_dask.py", "--workers", 2)
    job.wait_for_parts(3)
    gate.reader()
    job.stop()
    before, n_rows = job.parts(), job.n_rows()
    with gate.opened():
        pass

    job.start("with_dask.py", "--workers", 2)
    report = job.finish()
    assert report["pictures"] == GOOD + 3
    assert report["new"] == GOOD + 3 - n_rows
    assert 0 < report["new"] < GOOD + 3
    assert before.items() <= job.parts().items()
    job.check()
