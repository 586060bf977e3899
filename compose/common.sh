# shellcheck shell=bash
# What the scripts of this folder share. It is sourced, never run.

# The folder of the repository that the scripts belong to.
REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Says one sentence.
say() {
    printf '%s\n' "$*"
}

# Says one sentence as a failure and ends the script.
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# True when the script runs as root.
is_root() {
    [ "$(id -u)" -eq 0 ]
}

# The folder of the servers that the suites use; a running system has its own next to it.
# shellcheck disable=SC2034 # read by the scripts that source this file
TEST_SERVERS="$REPOSITORY/.batuta/test"
