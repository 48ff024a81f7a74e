#!/bin/sh
# Installs Debian's Chromium so that the pages are tested in a real browser. Exit code 77: not here, and the
# browser tests skip.
set -eu

loudly() {
    echo "##############################################################################"
    echo "## THE PAGES ARE NOT TESTED IN A BROWSER: $1"
    echo "##############################################################################"
    exit 77
}

found() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; }

if ! found; then
    command -v apt-get >/dev/null 2>&1 || loudly "there is no chromium and no apt-get here"
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || loudly "installing chromium needs root"
        as_root="sudo -n"
    fi
    export DEBIAN_FRONTEND=noninteractive
    { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null || true
    found || loudly "the package could not be installed"
fi
echo "chromium: $(chromium --version 2>/dev/null || chromium-browser --version)"
