#!/bin/bash
# Makes a Debian base image and builds from it: the service (deploy/Dockerfile) and stand-ins for the PostgreSQL and
# nginx images of deploy/compose.yaml. tests/deploy/test_stack.py then starts the whole stack. Everything lies in
# .cache/images; no service of the machine is touched. Needs root, apt-get, and a kernel that runs containers.
set -euo pipefail
cd "$(dirname "$0")/../.."

place=$PWD/.cache/images
started=$(date +%s)
tell() { printf 'images: %s (%s s)\n' "$*" "$(($(date +%s) - started))"; }
without() {
    echo "##############################################################################"
    echo "## THE IMAGES ARE NOT BUILT AND NOT STARTED: $1"
    echo "##############################################################################"
    exit 77
}

[ "$(id -u)" = 0 ] || without "building them here needs root"
command -v apt-get >/dev/null || without "there is no apt-get here"
missing=()
for need in buildah:buildah podman:podman mmdebstrap:mmdebstrap runc:runc iptables:iptables; do
    PATH=$PATH:/usr/sbin command -v "${need%%:*}" >/dev/null || missing+=("${need##*:}")
done
[ -e /usr/lib/podman/netavark ] || missing+=(netavark aardvark-dns)
if [ ${#missing[@]} -gt 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; } ||
        without "these packages could not be installed: ${missing[*]}"
    tell "installed ${missing[*]}"
fi

mkdir -p "$place"
cat >"$place/containers.conf" <<'CONF'
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=16384:16384", "nproc=4096:4096"]
[network]
network_backend = "netavark"
CONF
cat >"$place/storage.conf" <<CONF
[storage]
driver = "vfs"
graphroot = "$place/storage"
runroot = "$place/run"
CONF
export CONTAINERS_CONF=$place/containers.conf CONTAINERS_STORAGE_CONF=$place/storage.conf

if ! buildah inspect --type image localhost/debian:bookworm >/dev/null 2>&1; then
    mmdebstrap --quiet --variant=minbase --mode=root --include=ca-certificates \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$place/base.tar" >"$place/base.log" 2>&1 ||
        without "mmdebstrap could not make a Debian base; see .cache/images/base.log"
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$place/base.tar" / >/dev/null
    buildah commit --quiet "$container" localhost/debian:bookworm >/dev/null
    buildah rm "$container" >/dev/null
    rm "$place/base.tar"
    tell "made a Debian base"
fi

# This machine's way to its packages: how apt is set up, and for pip the certificates and the configuration.
apt=(--volume /etc/apt/apt.conf.d:/etc/apt/apt.conf.d:ro)
pip=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
[ -e /etc/pip.conf ] && pip+=(--volume /etc/pip.conf:/etc/pip.conf:ro)

build() { # build NAME DOCKERFILE CONTEXT [VOLUMES]
    local name=$1 file=$2 context=$3
    shift 3
    buildah bud --quiet --isolation chroot --format docker --build-arg BASE=localhost/debian:bookworm \
        "${apt[@]}" "$@" --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
        --tag "localhost/$name:ci" --file "$file" "$context" >"$place/$name.log" 2>&1 || {
        tail -n 30 "$place/$name.log"
        echo "images: $file could not be built"
        exit 1
    }
    tell "built $name"
}

build relapse-cds deploy/Dockerfile . "${pip[@]}"
for stand_in in postgresql nginx; do
    buildah inspect --type image "localhost/$stand_in:ci" >/dev/null 2>&1 ||
        build "$stand_in" ".ci/images/$stand_in.Dockerfile" .ci/images
done
buildah rmi --prune >/dev/null 2>&1 || true

buildah push --quiet localhost/relapse-cds:ci "oci-archive:$place/relapse-cds.tar" >/dev/null
size=$(stat -c %s "$place/relapse-cds.tar")
tell "the image is $((size / 1000000)) MB compressed"
[ "$size" -le 120000000 ] || { echo "images: more than 120 MB"; exit 1; }

# What is in the image, for the bill of materials; deploy/release/sbom.py reads it.
buildah run --isolation chroot "$(buildah from --name bill localhost/relapse-cds:ci)" -- \
    dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' >"$place/packages" 2>/dev/null || true
buildah rm bill >/dev/null 2>&1 || true
if [ -x .venv/bin/python ] && [ -s "$place/packages" ]; then
    .venv/bin/python deploy/release/sbom.py "$place/relapse-cds-image.cdx.json" "$place/packages"
    tell "bill of materials with $(wc -l <"$place/packages") Debian packages"
fi

if [ ! -x "$place/tools/bin/podman-compose" ]; then
    python3 -m venv "$place/tools"
    "$place/tools/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        -r .ci/images/compose.lock
fi
tell "ready"
