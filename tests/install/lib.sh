# Sourced by the tests here: one way to complain, and one to stop.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

fail() {
    echo "FAILED: $*"
    exit 1
}
