#!/bin/sh
# PostgreSQL from Debian's packages, and Prefect's and MLflow's servers on it, in one folder.
set -eu

usage() {
    cat <<'TEXT'
usage: sh docs/production/plant.sh COMMAND, with the project's environment active

  start           make what is missing, start what is down, wait until all answer
  stop            stop both servers and PostgreSQL
  status          what answers; exit code 3 if not everything does
  environment     what `hdm` and workers need: eval "$(sh docs/production/plant.sh environment)"
  upgrade         both databases to the installed Prefect and MLflow; their servers are stopped
  backup FOLDER   both databases and MLflow's artifacts, into a new folder
  restore FOLDER  a plant from a backup, where there is none yet

Settings, from the environment; they are kept for the next time, except PLANT_FOLDER:

  PLANT_FOLDER         where everything is: ~/hdm-plant, for root /var/lib/hdm-plant
  PLANT_HOST           this machine's name for others, which then reach both servers;
                       without it nobody else does
  PLANT_PREFECT_PORT   4200
  PLANT_MLFLOW_PORT    5000
  PLANT_POSTGRES_PORT  5433, as Debian's own cluster has 5432
  PLANT_ARTIFACTS      MLflow's artifacts, a folder or s3://BUCKET/PATH; in the plant's folder,
                       or s3://hdm/mlflow where MLFLOW_S3_ENDPOINT_URL names a store
TEXT
}

tell() { echo "$*" >&2; }
fail() { tell "error: $*"; exit 1; }

# ------------------------------------------------------------------------------- settings

SETTINGS="MLFLOW_S3_ENDPOINT_URL PLANT_ARTIFACTS PLANT_HOST PLANT_PREFECT_PORT PLANT_MLFLOW_PORT
PLANT_POSTGRES_PORT"

load_settings() {
    if [ "$(id -u)" = 0 ]; then plant=/var/lib/hdm-plant; else plant=$HOME/hdm-plant; fi
    plant=$(realpath -m "${PLANT_FOLDER:-$plant}")
    [ ! -e "$plant" ] || [ "$(stat -c %u "$plant")" = "$(id -u)" ] ||
        fail "$plant belongs to $(stat -c %U "$plant"); say this as that user"
    take MLFLOW_S3_ENDPOINT_URL ""
    take PLANT_ARTIFACTS "${MLFLOW_S3_ENDPOINT_URL:+s3://hdm/mlflow}"
    take PLANT_HOST 127.0.0.1
    take PLANT_PREFECT_PORT 4200
    take PLANT_MLFLOW_PORT 5000
    take PLANT_POSTGRES_PORT 5433
    artifacts=${PLANT_ARTIFACTS:-$plant/artifacts}
    [ -z "$MLFLOW_S3_ENDPOINT_URL" ] || export MLFLOW_S3_ENDPOINT_URL
    # Every client takes its password from this file: no address and no command line has one.
    export PGPASSFILE="$plant/passwords" PGHOST=127.0.0.1 PGPORT="$PLANT_POSTGRES_PORT"
    prefect_database=postgresql+asyncpg://prefect@127.0.0.1:$PGPORT/prefect
    mlflow_database=postgresql+psycopg2://mlflow@127.0.0.1:$PGPORT/mlflow
}

# The environment's value, else the one that was kept, else the default.
take() {
    eval "value=\${$1:-}"
    [ "$value" ] || value=$(sed -n "s|^$1=||p" "$plant/settings" 2>/dev/null || true)
    value=${value:-$2}
    eval "$1=\$value"
}

keep_settings() {
    for name in $SETTINGS; do eval "echo \"$name=\$$name\""; done > "$plant/settings.part"
    if [ -f "$plant/settings" ] && ! cmp -s "$plant/settings" "$plant/settings.part" &&
            { postgres_lives || [ "$(processes prefect)$(processes mlflow)" ]; }; then
        fail "these settings are other ones than it runs with ($plant/settings); say stop first"
    fi
    mv "$plant/settings.part" "$plant/settings"
}

environment() {
    echo "export PREFECT_API_URL=http://$PLANT_HOST:$PLANT_PREFECT_PORT/api"
    echo "export MLFLOW_TRACKING_URI=http://$PLANT_HOST:$PLANT_MLFLOW_PORT"
}

# ------------------------------------------------------------------- what must be there

check_programs() {
    # A folder of data is for the version that made it.
    version=$(as_owner cat "$plant/postgres/PG_VERSION" 2>/dev/null || true)
    bin=$(find /usr/lib/postgresql -path "*/${version:-*}/bin/initdb" 2>/dev/null |
        sort -V | tail -n 1)
    bin=${bin%/initdb}
    [ "$bin" ] || fail "PostgreSQL${version:+ $version} is not installed; say" \
        "apt-get install postgresql${version:+-$version}"
    for name in python prefect mlflow; do
        command -v $name >/dev/null ||
            fail "there is no $name; activate the project's environment: . .venv/bin/activate"
    done
    modules=psycopg2
    case $artifacts in s3://*) modules="psycopg2, boto3, s3fs" ;; esac
    python -c "import $modules" 2>/dev/null || fail "not all of $modules are installed; say" \
        "pip install -e '.[production]' -c docs/production/constraints.txt"
}

# One at a time. Nothing that is started inherits the lock (9>&-).
take_folder() {
    mkdir -p "$plant"
    exec 9> "$plant/lock"
    flock -n 9 || fail "somebody else is at work on $plant; wait until that is done"
    as_owner test -x "$plant" || fail "PostgreSQL runs as the user postgres, who may not enter" \
        "$plant; name another place in PLANT_FOLDER, or say this as another user than root"
}

# What was killed a moment ago, or its children, may hold its port for a while.
check_port() {
    python - "$1" 2>/dev/null <<'PYTHON' || fail "port $1 is taken; name another in $2"
import socket, sys, time
for left in reversed(range(30)):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sys.exit(listener.bind(("127.0.0.1", int(sys.argv[1]))))
    except OSError:
        time.sleep(1)
        if not left:
            raise
PYTHON
}

# ----------------------------------------------------------------------------- PostgreSQL

# PostgreSQL does not run as root.
as_owner() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }

cluster() { as_owner "$bin/pg_ctl" -D "$plant/postgres" "$@" > /dev/null 9>&-; }

postgres_lives() { cluster status 2>/dev/null; }
postgres_runs() { postgres_lives && "$bin/pg_isready" -q; }

password_of() { sed -n "s/^.*:$1://p" "$PGPASSFILE"; }

make_postgres() {
    if [ ! -f "$PGPASSFILE" ]; then
        (umask 077
        for name in postgres prefect mlflow; do
            echo "*:*:*:$name:$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
        done > "$PGPASSFILE.part")
        mv "$PGPASSFILE.part" "$PGPASSFILE"
    fi
    tell "making $plant/postgres"
    rm -rf "$plant/postgres.part"
    mkdir -m 700 "$plant/postgres.part"
    (umask 077; password_of postgres > "$plant/first.part")
    [ "$(id -u)" != 0 ] || chown postgres "$plant/postgres.part" "$plant/first.part"
    as_owner "$bin/initdb" -D "$plant/postgres.part" -U postgres --pwfile "$plant/first.part" \
        -A scram-sha-256 -E UTF8 --locale C.UTF-8 --data-checksums > /dev/null
    rm "$plant/first.part"
    mv "$plant/postgres.part" "$plant/postgres"
}

start_postgres() {
    [ -d "$plant/postgres" ] || make_postgres
    # One that was killed a moment ago still dies, one that was started may read its log.
    waited=0
    while postgres_lives && ! postgres_runs && [ $waited -lt 120 ]; do
        sleep 1
        waited=$((waited + 1))
    done
    if ! postgres_lives; then
        check_port "$PLANT_POSTGRES_PORT" PLANT_POSTGRES_PORT
        tell "starting PostgreSQL"
        # Twice: children of a killed one hold its memory until they notice.
        try_postgres || { sleep 5; try_postgres; } ||
            fail "PostgreSQL does not start; $plant/postgres/log says why"
    fi
    PREFECT_DB_PASSWORD=$(password_of prefect) MLFLOW_DB_PASSWORD=$(password_of mlflow) \
        sh "$(dirname "$0")/databases.sh"
}

try_postgres() {
    cluster -w -t 120 -l "$plant/postgres/log" \
        -o "-h 127.0.0.1 -p $PLANT_POSTGRES_PORT -k ''" start
}

# ---------------------------------------------------------------------------- the servers

# All processes of a server of this plant, by what their environment says: a number in a file
# may be another program's after a reboot.
processes() { grep -lszxF "PLANT_SERVER=$1 $plant" /proc/[0-9]*/environ | cut -d / -f 3; }

answers() {
    no_proxy='*' python -c "import urllib.request as r; r.urlopen('$(address "$1")', timeout=10)" \
        2>/dev/null
}

# What asks the database, too.
address() {
    case $1 in
        prefect) echo "http://127.0.0.1:$PLANT_PREFECT_PORT/api/ready" ;;
        mlflow) echo "http://127.0.0.1:$PLANT_MLFLOW_PORT/api/2.0/mlflow/experiments/search?max_results=1" ;;
    esac
}

# start_server NAME PORT VARIABLE COMMAND...
start_server() {
    name=$1
    if [ "$(processes "$name")" ]; then
        ! answers "$name" || return 0
        stop_server "$name"
    fi
    check_port "$2" "$3"
    shift 3
    tell "starting $name"
    (cd "$plant" && exec setsid env -u PREFECT_API_URL -u MLFLOW_TRACKING_URI \
        "PLANT_SERVER=$name $plant" "$@" >> "$plant/$name.log" 2>&1 < /dev/null 9>&-) &
    waited=0
    until answers "$name"; do
        sleep 1
        waited=$((waited + 1))
        [ "$(processes "$name")" ] && [ $waited -lt 180 ] || {
            tail -n 20 "$plant/$name.log" >&2
            fail "$name does not answer; its log is $plant/$name.log"
        }
    done
}

stop_server() {
    waited=0
    while found=$(processes "$1"); [ "$found" ]; do
        [ $waited != 0 ] || tell "stopping $1"
        # shellcheck disable=SC2086  # several numbers
        case $waited in
            0) kill -s TERM $found 2>/dev/null || true ;;
            30) kill -s KILL $found 2>/dev/null || true ;;
            60) fail "$1 does not stop:" $found ;;
        esac
        sleep 1
        waited=$((waited + 1))
    done
}

start_prefect() {
    start_server prefect "$PLANT_PREFECT_PORT" PLANT_PREFECT_PORT \
        PREFECT_API_DATABASE_CONNECTION_URL="$prefect_database" PREFECT_HOME="$plant/prefect" \
        PREFECT_UI_API_URL="http://$PLANT_HOST:$PLANT_PREFECT_PORT/api" \
        PREFECT_SERVER_ANALYTICS_ENABLED=false \
        prefect server start --host "$listen" --port "$PLANT_PREFECT_PORT"
}

start_mlflow() {
    start_server mlflow "$PLANT_MLFLOW_PORT" PLANT_MLFLOW_PORT \
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_DISABLE_TELEMETRY=true \
        mlflow server --host "$listen" --port "$PLANT_MLFLOW_PORT" --workers 2 \
        --backend-store-uri "$mlflow_database" --artifacts-destination "$artifacts" \
        --allowed-hosts "$(printf '%s:%s,' "$PLANT_HOST" "$PLANT_MLFLOW_PORT" \
            localhost "$PLANT_MLFLOW_PORT" 127.0.0.1 "$PLANT_MLFLOW_PORT")"
}

# ------------------------------------------------------------------------------ artifacts

# A bucket that is missing is made; a store that refuses is told before a training is lost.
check_bucket() {
    case $artifacts in s3://*) ;; *) return 0 ;; esac
    python - "$artifacts" <<'PYTHON' || fail "the store of $artifacts cannot be used, see above"
import os, sys, boto3, botocore.exceptions
bucket = sys.argv[1].split("/")[2]
try:
    store = boto3.client("s3", endpoint_url=os.environ.get("MLFLOW_S3_ENDPOINT_URL"))
    if bucket not in [one["Name"] for one in store.list_buckets()["Buckets"]]:
        store.create_bucket(Bucket=bucket)
except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
    sys.exit(str(error))
PYTHON
}

# Everything below one place to below the other; one of them may be s3://...
copy_artifacts() {
    case $1$2 in
        *s3://*) python - "${1%/}/" "${2%/}/" <<'PYTHON' ;;
import os, sys, s3fs
here, there = sys.argv[1:]
store = s3fs.S3FileSystem(endpoint_url=os.environ.get("MLFLOW_S3_ENDPOINT_URL"))
if there.startswith("s3:"):
    os.listdir(here) and store.put(here, there, recursive=True)
elif store.exists(here):
    store.get(here, there, recursive=True)
PYTHON
        *)
            mkdir -p "$2"
            [ ! -d "$1" ] || cp -a "$1/." "$2" ;;
    esac
}

# -------------------------------------------------------------------------------- commands

start() {
    [ ! -e "$plant/restoring" ] || fail "a restore into $plant was not finished; say it again"
    keep_settings
    check_bucket
    start_postgres
    start_prefect
    start_mlflow
    tell "the plant is up; its folder is $plant"
    environment
}

stop() {
    stop_server prefect
    stop_server mlflow
    if postgres_lives; then
        tell "stopping PostgreSQL"
        cluster -w -m fast stop
    fi
}

status() {
    down=0
    for name in prefect mlflow; do
        if answers $name; then word=answers; else word="does not answer"; down=3; fi
        echo "$name $word; log $plant/$name.log"
    done
    if postgres_runs; then word=runs; else word="does not run"; down=3; fi
    echo "PostgreSQL $word on port $PLANT_POSTGRES_PORT; log $plant/postgres/log"
    return $down
}

upgrade() {
    [ -d "$plant/postgres" ] || fail "there is no plant in $plant"
    stop_server prefect
    stop_server mlflow
    start_postgres
    PREFECT_API_DATABASE_CONNECTION_URL=$prefect_database PREFECT_HOME=$plant/prefect \
        prefect server database upgrade -y >&2
    mlflow db upgrade "$mlflow_database" >&2
    tell "both databases are those of the installed versions; now say start"
}

backup() {
    target=$(realpath -m "$1")
    [ ! -e "$target" ] || fail "$target is there already; name a new folder"
    postgres_runs || fail "PostgreSQL does not run; say start first"
    rm -rf "$target.part"
    mkdir -p "$target.part/artifacts"
    chmod 700 "$target.part"
    for name in prefect mlflow; do
        "$bin/pg_dump" -Fc --no-owner --no-acl -U $name -d $name -f "$target.part/$name.dump"
    done
    # After the database: files come before the rows that name them.
    copy_artifacts "$artifacts" "$target.part/artifacts"
    sums=$(cd "$target.part" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
    echo "$sums" > "$target.part/SHA256SUMS"
    sync -f "$target.part/SHA256SUMS"
    mv "$target.part" "$target"
    tell "backed up in $target"
}

restore() {
    source=$(realpath "$1")
    [ -f "$source/SHA256SUMS" ] || fail "expected a folder that backup made, found $source"
    [ ! -d "$plant/postgres" ] || [ -e "$plant/restoring" ] ||
        fail "there is a plant in $plant; say stop and move it away, or name another PLANT_FOLDER"
    (cd "$source" && sha256sum --quiet --strict -c SHA256SUMS >&2) ||
        fail "files of $source are missing or damaged, see above; nothing was changed"
    touch "$plant/restoring"
    ! postgres_lives || cluster -w -m immediate stop
    rm -rf "$plant/postgres"
    keep_settings
    check_bucket
    start_postgres
    for name in prefect mlflow; do
        "$bin/pg_restore" --exit-on-error --single-transaction --no-owner --no-acl -U $name \
            -d $name "$source/$name.dump"
    done
    copy_artifacts "$source/artifacts" "$artifacts"
    rm "$plant/restoring"
    tell "restored from $source; now say start"
}

case ${1:-}:$# in
    start:1 | stop:1 | status:1 | environment:1 | upgrade:1 | backup:2 | restore:2) ;;
    help:1 | -h:1 | --help:1) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac
load_settings
case $PLANT_HOST in
    127.0.0.1 | localhost) listen=127.0.0.1 ;;
    *) listen=0.0.0.0 ;;
esac
case $1 in
    environment) environment; exit 0 ;;
esac
check_programs
[ "$1" = status ] || take_folder
"$@"
