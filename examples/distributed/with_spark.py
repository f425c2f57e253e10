# SPDX-License-Identifier: MIT
"""with_spark.py - classifies and embeds millions of pictures with Spark: picture_job.py's parts through mapInPandas.

    python with_spark.py pictures/ --class-file birds.txt -o job               # two executors on this machine
    python with_spark.py pictures/ --class-file birds.txt -o job --scheduler spark://head:7077

A part is a partition of one row, its number; the pictures' rows go from the Python worker straight to the part's file.
A lost executor's parts go to others; after spark.task.maxFailures failures of one part Spark ends the job, and the same
command goes on with what is missing.
"""

import contextlib
import os
import sys

import picture_job
from pyspark.sql import SparkSession


@contextlib.contextmanager
def cluster(options):
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if not options.scheduler:
        os.environ.setdefault("SPARK_LOCAL_HOSTNAME", "localhost")
    local = f"local-cluster[{options.workers},{options.threads},1024]"
    settings = SparkSession.builder.appName("mopd").master(options.scheduler or local)
    settings = settings.config("spark.task.cpus", options.threads).config("spark.ui.enabled", bool(options.scheduler))
    settings = settings.config("spark.ui.showConsoleProgress", sys.stderr.isatty())
    spark = settings.config("spark.scheduler.minRegisteredResourcesRatio", 1).getOrCreate()
    try:
        spark.sparkContext.addPyFile(picture_job.__file__)
        ids = spark.range(0, options.workers, 1, options.workers)
        ids.mapInPandas(lambda frames: frames, "id long").collect()  # waits for executors and their Python
        yield spark
    finally:
        spark.stop()


def work(spark, task, parts):
    def encode(frames):
        for frame in frames:
            frame["part"] = [task(parts[i]) for i in frame["id"]]
            yield frame[["part"]]

    ids = spark.range(0, len(parts), 1, numPartitions=len(parts))
    for row in ids.mapInPandas(encode, "part long").collect():
        yield row.part, None


if __name__ == "__main__":
    sys.exit(picture_job.main(__doc__, cluster, work))
