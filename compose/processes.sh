# shellcheck shell=bash
# Programs, users, processes and ports of servers, as the scripts that run servers see them. It is sourced, never run.

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The seconds after which a server that was asked to end is killed.
readonly STOP_LIMIT=30

# MARK: Programs and users

# The folder of Postgres' programs: version 15, else the newest.
postgres_programs() {
    local found=/usr/lib/postgresql/15/bin
    if [ ! -x "$found/postgres" ]; then
        found=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
    fi
    [ -x "${found:-/nonexistent}/postgres" ] || fail "Postgres is not installed; run compose/install-packages."
    printf '%s' "$found"
}

# shellcheck disable=SC2034 # read by the scripts that source this file
readonly RABBIT_PROGRAMS=/usr/lib/rabbitmq/bin

# Runs a command as the user that a server runs as: its own when we are root, else ours.
as_user() {
    local user=$1
    shift
    if is_root; then
        # --init-groups needs no terminal and, unlike su, leaves no process in between.
        exec setpriv --reuid="$user" --regid="$user" --init-groups "$@"
    else
        exec "$@"
    fi
}

owned_by() {
    local user=$1
    shift
    ! is_root || chown "$user" "$@"
}

# MARK: Processes

# True when the process runs and its command line holds the given text, so that a pid used again is never ours.
is_ours() {
    local pid=$1 text=$2
    [[ $pid =~ ^[0-9]+$ ]] && [ -r "/proc/$pid/cmdline" ] &&
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$text"
}

first_line() {
    [ ! -r "$1" ] || head -n 1 "$1"
}

# A process and all that descend from it.
tree_of() {
    local child
    printf '%s\n' "$1"
    for child in $(pgrep -P "$1" || true); do
        tree_of "$child"
    done
}

# Waits until none of the processes runs any more; zombies count as gone.
wait_gone() {
    local limit=$((SECONDS + $1)) pid state
    shift
    for pid in "$@"; do
        while state=$(ps -o state= -p "$pid" 2>/dev/null) && [ "${state:0:1}" != Z ]; do
            [ "$SECONDS" -lt "$limit" ] || return 1
            sleep 0.05
        done
    done
}

# Asks a process to end with a signal, and ends it and all that descend from it when it has not after the bound.
end_process() {
    local name=$1 pid=$2 signal=$3 family
    kill -CONT "$pid" 2>/dev/null || true
    kill -"$signal" "$pid" 2>/dev/null || true
    if ! wait_gone "$STOP_LIMIT" "$pid"; then
        say "$name did not stop within $STOP_LIMIT seconds and is killed."
        mapfile -t family < <(tree_of "$pid")
        kill -KILL "${family[@]}" 2>/dev/null || true
        wait_gone 10 "${family[@]}" || fail "$name could not be killed."
    fi
}

kill_tree() {
    local name=$1 pid=$2 family
    # What it starts after its descendants are listed would go on without it.
    kill -STOP "$pid" 2>/dev/null || true
    mapfile -t family < <(tree_of "$pid")
    kill -KILL "${family[@]}" 2>/dev/null || true
    wait_gone 10 "${family[@]}" || fail "$name could not be killed."
}

signal_tree() {
    local family
    mapfile -t family < <(tree_of "$2")
    kill -"$1" "${family[@]}"
}

# Closes what the caller left open: a server would hold it open for as long as it runs.
close_inherited() {
    local path number
    for path in /proc/self/fd/*; do
        number=${path##*/}
        # bash reads this script from descriptor 255.
        if [ "$number" -gt 2 ] && [ "$number" -ne 255 ]; then
            eval "exec $number>&-"
        fi
    done
}

# MARK: Ports and passwords

# True when nothing listens on the port. Connections that linger in TIME_WAIT do not keep a server from it.
is_free() {
    local hex
    printf -v hex ':%04X' "$1"
    ! awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# Prints a free port below the range from which the kernel takes ports of outgoing connections.
free_port() {
    local port
    for _ in {1..200}; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if is_free "$port"; then
            printf '%s' "$port"
            return
        fi
    done
    fail "No free port was found between 20000 and 32000."
}

random_word() {
    head -c 256 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c 24
}
