# shellcheck shell=bash
# The processes of a running system, as `up` and `down` see them. It is sourced, never run.

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# What a running system has under its folder: the servers, the services' process ids and logs, passwords, the token.
readonly RUN="$REPOSITORY/.batuta/run"
readonly BIN="$REPOSITORY/.build/debug"

# The seconds after which a service that drains is killed; its own patience is 30.
readonly DRAIN_LIMIT=35

# The process of a service that this folder started and that still runs: prints its id, or fails.
#
# A process id may have been given to another process since, so the executable has to be ours; it may have been built
# anew since, which the kernel tells by a word after the path.
service_pid() {
    local pid path
    pid=$(cat "$RUN/services/$1.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] || return 1
    path=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
    [ "${path% (deleted)}" = "$(realpath -m "$BIN/$1")" ] && printf '%s' "$pid"
}

# Asks the named services to drain, all at once, and waits until none of them runs.
stop_services() {
    local name pid limit=$((SECONDS + DRAIN_LIMIT))
    for name in "$@"; do
        ! pid=$(service_pid "$name") || kill -TERM "$pid" 2>/dev/null || true
    done
    for name in "$@"; do
        while pid=$(service_pid "$name") && [ "$SECONDS" -lt "$limit" ]; do
            sleep 0.05
        done
        if pid=$(service_pid "$name"); then
            say "$name did not drain within $DRAIN_LIMIT seconds and is killed."
            kill -KILL "$pid" 2>/dev/null || true
        fi
        rm -f "$RUN/services/$name.pid"
    done
}

# One `up` or `down` at a time works on a folder; descriptor 9 holds the lock and is closed to everything started.
lock_system() {
    mkdir -p "$RUN/services"
    chmod 755 "$REPOSITORY/.batuta" "$RUN"
    exec 9>"$RUN/lock"
    flock -n 9 || {
        say "Another \`make up\` or \`make down\` works on this folder; waiting for it."
        flock -w 900 9 || fail "It has not come to its end for 15 minutes; end it and try again."
    }
}
