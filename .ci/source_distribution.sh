#!/usr/bin/env bash
# The source distribution, unpacked by somebody who has nothing else, sets itself up and tests itself.
set -euo pipefail
cd "$(dirname "$0")/.."
make package
work=$(mktemp -d "${TMPDIR:-/tmp}/source distribution.XXXXXX")
trap 'rm -rf "$work"' EXIT
tar -xzf dist/relapse_cds-*.tar.gz -C "$work" --strip-components 1
unset MAKEFLAGS MAKELEVEL VIRTUAL_ENV
cd "$work"
make test-quick
