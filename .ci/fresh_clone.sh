#!/usr/bin/env bash
# A stranger's first hour, without their browser: clones this commit into a folder with blanks, with an unwritable
# home and no cache, and runs `make demo` and a quick `make test` with the oldest pip that Debian ships and with the
# one of the lock. The package index fails half-way first; the second run has to repair it.
#
#   .ci/fresh_clone.sh            both pips
#   .ci/fresh_clone.sh 23.2.1     another pip
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
python=${PYTHON:-python3}
locked=$(sed -n 's/^pip==\([0-9.]*\).*/\1/p' requirements/dev.lock)
[ $# -gt 0 ] || set -- 23.0.1 "$locked"

work=$(mktemp -d "${TMPDIR:-/tmp}/fresh clone.XXXXXX")
index=
trap '[ -z "$index" ] || kill "$index"; rm -rf "$work"' EXIT
unset MAKEFLAGS MAKELEVEL VIRTUAL_ENV
# /proc takes no file, not even from root.
export HOME=/proc PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

step() { printf '\n--- %s (%s s)\n' "$*" "$SECONDS"; }

# The index that pip asks from now on; with a number, one that fails after so many files.
ask_index() {
    [ -z "$index" ] || kill "$index"
    rm -f "$work/address"
    "$python" "$here/tests/house/package_index.py" "$wheels" ${1:+--fail-after "$1"} >"$work/address" &
    index=$!
    until [ -s "$work/address" ]; do sleep 0.1; done
    PIP_INDEX_URL=$(cat "$work/address")
    export PIP_INDEX_URL
}

wheels=$work/wheels
step "every pinned package downloaded once"
"$python" -m venv "$work/any"
"$work/any/bin/python" -m pip download --quiet --require-hashes --no-deps --dest "$wheels" \
    --requirement requirements/runtime.lock --requirement requirements/dev.lock
for pip in "$@"; do
    "$work/any/bin/python" -m pip download --quiet --no-deps --dest "$wheels" "pip==$pip"
done

for pip in "$@"; do
    clone="$work/with pip $pip"
    step "pip $pip: a clone"
    git clone --quiet "$here" "$clone"
    cd "$clone"
    make --silent PYTHON="$python" .venv/.made
    .venv/bin/python -m pip install --quiet --no-index --find-links "$wheels" "pip==$pip"
    .venv/bin/python -m pip --version

    step "pip $pip: make demo, the index fails half-way"
    ask_index 20
    if make demo ONCE=1 PORT=0; then
        echo "!!! make demo passed although the index failed"
        exit 1
    fi

    ask_index
    step "pip $pip: make demo again"
    make demo ONCE=1 PORT=0 | tail -n 25
    step "pip $pip: make venv, the tools on top"
    make venv
    step "pip $pip: the tests that know the set-up"
    .venv/bin/python -m pytest -q -p no:cacheprovider tests/house/test_locks.py tests/house/test_tooling.py
    cd "$here"
    rm -rf "$clone"
done
step "fresh clones work with pip $*"
