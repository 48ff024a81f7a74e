#!/bin/sh
# Puts Spark into a virtual environment of its own, so that the cohort is tested on it as well (extra "spark").
# It goes to $TEST_SERVERS/spark; the product's own libraries come from the lock.
set -eu

folder=${TEST_SERVERS:-.cache/servers}/spark
version='pyspark>=4.3,<4.4'

loudly() {
    echo "##############################################################################"
    echo "## THE COHORT IS NOT TESTED ON SPARK: $1"
    echo "## The local engine and the hook calls are compared all the same."
    echo "##############################################################################"
    exit 77
}

command -v java >/dev/null 2>&1 || loudly "there is no java here (Java 17 or newer is needed)"
[ "$(java -version 2>&1 | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')" -ge 17 ] || loudly "Java is older than 17"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
wanted="$version $(cksum <requirements/runtime.lock) $(cksum <pyproject.toml)"
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "spark: installing about 500 MB (once) ..."
    pip="$folder/venv/bin/python -m pip install --quiet --disable-pip-version-check"
    python3 -m venv "$folder/venv" || loudly "no virtual environment can be made"
    $pip --require-hashes --no-deps -r requirements/runtime.lock || loudly "pip could not install the lock"
    $pip "$version" 'pandas>=2.2,<3' 'pyarrow>=21' || loudly "pip could not install Spark"
    echo "$wanted" >"$folder/installed"
fi
"$folder/venv/bin/python" -c 'import pyspark; print("spark: ready,", pyspark.__version__)'
