#!/bin/sh
# Looks the pinned libraries up in the public database of vulnerabilities, with pip-audit. That tool says "no known
# vulnerabilities" also where it reached nothing: so a version that is known to be vulnerable is looked up first, and
# only where that is found does the answer for ours mean something.
set -eu
cd "$(dirname "$0")/../.."
place=$PWD/.cache/vulnerabilities
KNOWN="jinja2==3.1.5" # GHSA-cpwx-vrp4-4pq7

without() {
    echo "##############################################################################"
    echo "## THE LIBRARIES ARE NOT SCANNED FOR VULNERABILITIES: $1"
    echo "## Run .ci/parts/vulnerabilities.sh where the database can be reached, before a release."
    echo "##############################################################################"
    exit 77
}

if [ ! -x "$place/bin/pip-audit" ]; then
    python3 -m venv "$place" || without "no virtual environment could be made"
    "$place/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        -r .ci/vulnerabilities.lock || without "pip-audit could not be installed"
fi
audit() { timeout 120 "$place/bin/pip-audit" --strict --disable-pip --no-deps --progress-spinner off "$@"; }

echo "$KNOWN" >"$place/known.txt"
if audit --requirement "$place/known.txt" >"$place/control.log" 2>&1 || ! grep -q "$(echo "$KNOWN" | cut -d= -f1)" "$place/control.log" ||
    ! grep -Eq "GHSA|PYSEC|CVE" "$place/control.log"; then
    without "a version known to be vulnerable ($KNOWN) was not recognised: the database is not reached"
fi
echo "vulnerabilities: the database is reached; looking the locks up"
cat requirements/runtime.lock requirements/otel.lock | grep == | sed 's/ \\$//' | sort -u >"$place/pins.txt"
audit --requirement "$place/pins.txt"
