# A stand-in for the official PostgreSQL image, made from Debian's packages, so that deploy/compose.yaml can be started
# where no image can be fetched. It reads the same variables as far as compose.yaml sets them.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
 && mkdir -p /etc/postgresql-common \
 && echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null \
 && rm -rf /var/lib/apt/lists/* && ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/
COPY postgresql-entrypoint.sh /entrypoint.sh
STOPSIGNAL SIGINT
ENTRYPOINT ["/entrypoint.sh"]
