#!/bin/sh
# Fetches HAPI FHIR (the reference server, in Java) from Maven Central, so that reading is tested against it.
# It goes to $TEST_SERVERS/hapi; the tests start and stop the server themselves.
set -eu

folder=${TEST_SERVERS:-.cache/servers}/hapi
sources=tests/servers/hapi

loudly() {
    echo "##############################################################################"
    echo "## HAPI FHIR IS NOT TESTED: $1"
    echo "## Reading is tested against the servers inside the tests only."
    echo "##############################################################################"
    exit 77
}

for tool in java javac mvn; do
    command -v "$tool" >/dev/null 2>&1 || loudly "there is no $tool here (JDK 17 and Maven are needed)"
done
[ "$(javac -version 2>&1 | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 17 ] || loudly "the JDK is older than 17"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if ! cmp -s "$sources/pom.xml" "$folder/pom.xml"; then
    echo "hapi: fetching about 270 MB (once) ..."
    rm -rf "$folder/lib" "$folder/classes"
    mvn --quiet --batch-mode --file "$sources/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$folder/lib" || loudly "Maven could not fetch it"
fi
mkdir -p "$folder/classes"
javac -proc:none -nowarn -cp "$folder/lib/*" -d "$folder/classes" "$sources/HapiServer.java"
cp "$sources/logback.xml" "$folder/classes/"
cp "$sources/pom.xml" "$folder/pom.xml"
echo "hapi: ready in $folder"
