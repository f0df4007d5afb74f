#!/bin/sh
# Makes sure that PostgreSQL's server binaries are on this machine. The tests start a private, throw-away cluster
# from them; no system cluster is created, started or touched.
set -eu

found() {
    command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
        || ls /usr/pgsql-*/bin/initdb /opt/homebrew/opt/postgresql*/bin/initdb >/dev/null 2>&1
}

found && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "PostgreSQL's server binaries (initdb, postgres) are missing." >&2
    echo "Install them: sudo apt-get install --no-install-recommends postgresql" >&2
    exit 1
fi

# Debian creates and starts a cluster on installation unless it is told not to.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] \
    || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
found || { echo "apt-get installed postgresql, but initdb is not in /usr/lib/postgresql/*/bin" >&2; exit 1; }
