#!/bin/sh
# Installs Debian's PostgreSQL server so that the store's tests run on it too. They start their own
# throw-away server; none is left running. Where it cannot be installed, the tests skip and this says so.
set -eu

found() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }

loudly() {
    echo "##############################################################################"
    echo "## PostgreSQL IS NOT TESTED: $1"
    echo "## The store's tests run on SQLite only."
    echo "##############################################################################"
}

if found; then
    echo "postgresql: $(ls -d /usr/lib/postgresql/*/bin | tail -n 1)"
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    loudly "there is no apt-get here"
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        loudly "installing it needs root"
        exit 0
    fi
    as_root="sudo -n"
fi
# The package would otherwise start a server of its own.
$as_root mkdir -p /etc/postgresql-common || true
echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null || true
export DEBIAN_FRONTEND=noninteractive
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends postgresql; } || true
if found; then
    echo "postgresql: $(ls -d /usr/lib/postgresql/*/bin | tail -n 1)"
else
    loudly "the package could not be installed"
fi
