#!/bin/sh
# Makes a cluster on first start, with the password of POSTGRES_PASSWORD_FILE, and runs the server as postgres.
set -eu
export PATH="/usr/local/bin:$PATH"
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }

mkdir -p "$PGDATA" && chown postgres:postgres "$PGDATA" /run/postgresql && chmod 0700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    install -m 0400 -o postgres "$POSTGRES_PASSWORD_FILE" /tmp/password
    # shellcheck disable=SC2086 # the arguments are several words
    as_postgres initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile /tmp/password $POSTGRES_INITDB_ARGS >/dev/null
    rm /tmp/password
    echo "host all all all scram-sha-256" | as_postgres tee -a "$PGDATA/pg_hba.conf" >/dev/null
    echo "CREATE DATABASE $POSTGRES_DB" | as_postgres postgres --single -D "$PGDATA" postgres >/dev/null
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups \
    postgres -D "$PGDATA" -c listen_addresses='*' -k /run/postgresql
