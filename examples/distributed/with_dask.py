# SPDX-License-Identifier: MIT
"""with_dask.py - classifies and embeds millions of pictures with Dask: picture_job.py's parts as tasks.

    python with_dask.py pictures/ --class-file birds.txt -o job                # two workers on this machine
    python with_dask.py pictures/ --class-file birds.txt -o job --scheduler tcp://head:8786

The scheduler holds a few tasks a worker at a time, whatever the number of pictures.  A lost worker's tasks go to the
others.  A part that kills its worker again and again (distributed.scheduler.allowed-failures) is reported and left out.
"""

import contextlib
import itertools
import sys

import picture_job
from distributed import Client, LocalCluster, as_completed

AHEAD = 4  # tasks given out for each thread of the cluster


@contextlib.contextmanager
def cluster(options):
    with contextlib.ExitStack() as stack:
        address = options.scheduler
        if not address:
            local = LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=None)
            address = stack.enter_context(local)
        client = stack.enter_context(Client(address))
        client.upload_file(picture_job.__file__)  # to workers that come later, too
        client.wait_for_workers(1 if options.scheduler else options.workers)
        yield client


def work(client, task, parts):
    waiting = iter(parts)
    given = {}

    def give(n):
        for part in itertools.islice(waiting, n):
            future = client.submit(task, part, pure=False, retries=2)
            given[future.key] = part
            yield future

    ending = as_completed(give(AHEAD * sum(client.nthreads().values())))
    for future in ending:
        error = future.exception()
        yield given.pop(future.key), error and f"{type(error).__name__}: {error}"
        ending.update(give(1))


if __name__ == "__main__":
    sys.exit(picture_job.main(__doc__, cluster, work))
