#!/bin/sh
# Makes the secrets that deploy/compose.yaml reads, once: nothing that exists is touched. Run it as root, because the
# files belong to the users inside the containers (10001 is the service). DIRECTORY defaults to secrets/ beside this file.
# Only nginx.conf is written anew each time, from deploy/nginx.conf: change that one.
#
#   deploy/compose/prepare.sh [DIRECTORY]
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
directory=${1:-$here/secrets}
service_user=10001

secret() { python3 -c 'import secrets; print(secrets.token_urlsafe(32), end="")'; }
once() { [ -s "$1" ] || secret >"$1"; }

mkdir -p "$directory/service" "$directory/postgresql" "$directory/tls"
once "$directory/postgresql/password"
once "$directory/service/pseudonym_secret"
once "$directory/service/audit_secret"
once "$directory/service/operator_token"
[ -s "$directory/service/store" ] || printf 'postgresql+psycopg://relapse_cds:%s@postgresql/relapse_cds' \
    "$(cat "$directory/postgresql/password")" >"$directory/service/store"
# A certificate for the first try. Put the hospital's own in its place.
if [ ! -s "$directory/tls/tls.key" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=cds.example.org" \
        -addext "subjectAltName=DNS:cds.example.org,DNS:localhost" \
        -keyout "$directory/tls/tls.key" -out "$directory/tls/tls.crt" 2>/dev/null
    echo "made a certificate for cds.example.org that nobody trusts: replace $directory/tls/tls.crt and tls.key"
fi
sed 's/127\.0\.0\.1:8080/172.30.87.10:8080/' "$here/../nginx.conf" >"$directory/nginx.conf"
if [ "$(id -u)" = 0 ]; then
    chown -R "$service_user:$service_user" "$directory/service"
    # The postgres user of the official image is 999; it reads the file before it lets go of root.
    chmod 0755 "$directory"
fi
echo "secrets are in $directory"
