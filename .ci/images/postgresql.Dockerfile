# A stand-in for the official PostgreSQL image, made from Debian's packages, so that deploy/compose.yaml can be started
# where no image can be fetched. It reads the same variables as far as compose.yaml sets them. The server's package is
# unpacked and not installed: what its scripts set up (a cluster, a certificate of its own) is not wanted here.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        postgresql-client-15 libllvm14 libxslt1.1 libpam0g libxml2 tzdata locales >/dev/null \
 && cd /tmp && apt-get download -qq postgresql-15 && dpkg-deb -x postgresql-15_*.deb / && rm postgresql-15_*.deb \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 999 --user-group --no-create-home --home-dir /var/lib/postgresql postgres \
 && mkdir -p /var/lib/postgresql/data && ln -sf /usr/lib/postgresql/15/bin/* /usr/local/bin/
COPY postgresql-entrypoint.sh /entrypoint.sh
STOPSIGNAL SIGINT
ENTRYPOINT ["/entrypoint.sh"]
