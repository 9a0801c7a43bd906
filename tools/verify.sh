#!/bin/sh
# verify.sh [JOBS]: everything beyond `make test`.  Runs all of it, then says what failed.
set -eu
cd "$(dirname "$0")/.."
jobs=${1:-2}
logs=build/verify
summary=$logs/summary
failed=0

rm -rf "$logs"
mkdir -p "$logs"
: >"$summary"

# The log of a step is shown when it fails, its last lines when it does not.
step() {            # NAME COMMAND...
    name=$1
    shift
    echo "== $name"
    began=$(date +%s)
    if "$@" >"$logs/$name.log" 2>&1; then
        verdict=ok
        tail -n 4 "$logs/$name.log"
    else
        verdict=FAILED
        failed=1
        tail -n 120 "$logs/$name.log"
    fi
    printf '%-10s %-7s %4d s\n' "$name" "$verdict" "$(($(date +%s) - began))" >>"$summary"
}

suite() {           # PRESET
    tools/build.sh "$1" "$jobs" && ctest --preset "$1" -j "$jobs"
}

step format tools/format.sh check
step clang suite clang
step asan suite asan
step tsan suite tsan
step memcheck suite memcheck
step fuzz tests/fuzz/run.sh 20
step models tests/model/run.sh
# Those in tests/mutants/gate; `make mutants` tries all, which takes three quarters of an hour.
# shellcheck disable=SC2046  # names without spaces
step mutants tests/mutants/run.sh -j "$jobs" $(cat tests/mutants/gate)

echo "== verify"
cat "$summary"
exit $failed
