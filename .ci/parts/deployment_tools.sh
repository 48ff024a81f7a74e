#!/bin/sh
# Puts what checks deploy/ into .cache/tools: helm (built from its Go module), promtool (out of Debian's prometheus
# package, which is not installed), and Kubernetes' own JSON schemas (out of a Python package). A tool that cannot be
# had is named, and its tests skip.
set -eu
cd "$(dirname "$0")/../.."
tools=$PWD/.cache/tools
mkdir -p "$tools/bin"

HELM=v3.22.0
SCHEMAS="kubernetes-validate==1.37.0 --hash=sha256:85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9"
VERSIONS="v1.29.0 v1.37.0" # the oldest that the chart admits, and the newest there is

without() {
    echo "##############################################################################"
    echo "## NOT CHECKED: $1"
    echo "##############################################################################"
}

if [ -x "$tools/bin/helm" ]; then :
elif command -v go >/dev/null 2>&1 && GOBIN="$tools/bin" go install "helm.sh/helm/v3/cmd/helm@$HELM" 2>"$tools/helm.log"; then :
else without "the Helm chart: helm could not be built from its Go module (is go installed?)"; fi

if [ ! -d "$tools/kubernetes" ]; then
    wheels=$(mktemp -d)
    echo "$SCHEMAS" >"$wheels/requirements"
    if python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes -d "$wheels" \
        -r "$wheels/requirements"; then
        for version in $VERSIONS; do
            mkdir -p "$tools/kubernetes/$version"
            python3 -m zipfile -e "$wheels"/kubernetes_validate-*.whl "$wheels/unpacked"
            cp "$wheels/unpacked/kubernetes_validate/kubernetes-json-schema/$version-local-strict/_definitions.json" \
                "$tools/kubernetes/$version/definitions.json"
        done
    else without "the manifests against Kubernetes' schemas: the package that holds them could not be fetched"; fi
    rm -rf "$wheels"
fi

if [ ! -x "$tools/bin/promtool" ]; then
    packages=$(mktemp -d)
    if command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 &&
        (cd "$packages" && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; }) \
            >"$tools/promtool.log" 2>&1; then
        dpkg-deb -x "$packages"/prometheus_*.deb "$packages/unpacked"
        cp "$packages/unpacked/usr/bin/promtool" "$tools/bin/promtool"
    else without "the alert rules with promtool: Debian's prometheus package could not be fetched"; fi
    rm -rf "$packages"
fi
ls "$tools/bin" "$tools/kubernetes" 2>/dev/null || true
