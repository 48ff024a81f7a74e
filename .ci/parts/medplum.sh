#!/bin/sh
# Fetches Medplum's FHIR router (a search engine that is not ours, in JavaScript) with npm, so that reading
# is tested against it. It goes to $TEST_SERVERS/medplum; the tests start and stop the server themselves.
set -eu

folder=${TEST_SERVERS:-.cache/servers}/medplum
sources=tests/servers/medplum

loudly() {
    echo "##############################################################################"
    echo "## MEDPLUM IS NOT TESTED: $1"
    echo "## Reading is tested against the servers inside the tests only."
    echo "##############################################################################"
    exit 77
}

for tool in node npm; do
    command -v "$tool" >/dev/null 2>&1 || loudly "there is no $tool here (Node.js 20 is needed)"
done
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || loudly "Node.js is older than 20"

mkdir -p "$folder"
if ! cmp -s "$sources/package.json" "$folder/package.json"; then
    echo "medplum: fetching about 110 MB (once) ..."
    rm -rf "$folder/node_modules"
    cp "$sources/package.json" "$folder/package.json.new"
    mv "$folder/package.json.new" "$folder/package.json"
    (cd "$folder" && npm install --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel=error) || {
        rm -f "$folder/package.json"
        loudly "npm could not fetch it"
    }
fi
echo "medplum: ready in $folder"
