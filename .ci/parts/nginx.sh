#!/bin/sh
# Installs Debian's nginx so that the shipped configuration is started by a test. No server is left running.
set -eu

if command -v nginx >/dev/null 2>&1; then
    nginx -v
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "nginx: there is no apt-get here; deploy/nginx.conf IS NOT TESTED"
    exit 77
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "nginx: installing it needs root; deploy/nginx.conf IS NOT TESTED"
        exit 77
    fi
    as_root="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
# The package would start a server of its own.
policy=/usr/sbin/policy-rc.d
ours=""
if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod +x "$policy"
fi
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends nginx-light; } || true
if [ -n "$ours" ]; then $as_root rm -f "$policy"; fi
if ! command -v nginx >/dev/null 2>&1; then
    echo "nginx: the package could not be installed; deploy/nginx.conf IS NOT TESTED"
    exit 77
fi
