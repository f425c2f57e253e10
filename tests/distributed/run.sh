#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh BUILD - the programs of examples/distributed on clusters of two workers of this machine, in the Python tests'
# environment (bindings/python/test.sh comes first), with the built-in model.  Installs a Java runtime where there is
# none, and Dask, PyArrow and PySpark from PyPI (about 500 MB at the first time, most of it Spark).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)

command -v java >/dev/null || "$root/scripts/setup.sh" default-jre-headless
python=$build/python-venv/bin/python
echo "distributed: installing Dask and Spark in $build/python-venv"
"$python" -m pip install --quiet --no-compile --disable-pip-version-check -r "$root/examples/distributed/requirements.txt"
export MOPD_MODEL="$build/builtin.safetensors"
"$python" -m pytest -q -p no:cacheprovider "$here"
