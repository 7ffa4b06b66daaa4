# Starts PostgreSQL, Redis and Keycloak on free loopback ports, with their data in $work.
# `run` sources this file, sets $work and calls stop_services in its trap.

service_pids=()

free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() { # seconds, name of the service, command…
    local until=$((SECONDS + $1)) name=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= until)); then
            echo "$name does not answer" >&2
            tail -n 40 "$work/$name.log" >&2
            return 1
        fi
        sleep 0.5
    done
}

start_postgresql() {
    local port programs data=$work/postgresql
    port=$(free_port)
    programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    install -d -o postgres -g postgres -m 700 "$data"
    runuser -u postgres -- "$programs/initdb" --pgdata="$data" --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync >"$work/postgresql.log"
    # setpriv replaces itself, so the pid is PostgreSQL's. No data is kept, so none is synced.
    setpriv --reuid=postgres --regid=postgres --init-groups "$programs/postgres" -D "$data" -p "$port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=200 \
        >>"$work/postgresql.log" 2>&1 &
    service_pids+=("$!")
    wait_for 30 postgresql "$programs/pg_isready" --host=127.0.0.1 --port="$port"
    export PSC_TESTS_POSTGRES_DSN=postgresql://postgres@127.0.0.1:$port/postgres
}

start_redis() {
    local port
    port=$(free_port)
    redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$work" >"$work/redis.log" &
    service_pids+=("$!")
    wait_for 30 redis redis-cli -p "$port" ping
    export PSC_TESTS_REDIS_URL=redis://127.0.0.1:$port/0
}

fetch_keycloak() { # the unpacked distribution goes to $PSC_KEYCLOAK_HOME
    local version=26.7.3
    mvn -B -ntp -q dependency:copy "-Dartifact=org.keycloak:keycloak-quarkus-dist:$version:zip" \
        "-DoutputDirectory=$work"
    unzip -q "$work/keycloak-quarkus-dist-$version.zip" -d "$work"
    export PSC_KEYCLOAK_HOME=$work/keycloak-$version
}

start_keycloak() { # python; one Keycloak for all corners
    local port
    port=$(free_port)
    "$1" -m tests.interop.keycloak "$PSC_KEYCLOAK_HOME" "$port" >"$work/keycloak.log" 2>&1 &
    service_pids+=("$!")
    wait_for 180 keycloak grep -q "^http" "$work/keycloak.log"
    export PSC_KEYCLOAK_URL=http://127.0.0.1:$port/auth
}

print_keycloak_warnings() { # the tests only see its responses, not its reasons
    local log=${PSC_KEYCLOAK_HOME:-}/keycloak.log
    [[ ! -f $log ]] || grep -F ' WARN ' "$log" | tail -n 30
}

stop_services() {
    local pid
    for pid in "${service_pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${service_pids[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    service_pids=()
}
