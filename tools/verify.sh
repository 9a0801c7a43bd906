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

absent() {          # NAME WHAT
    printf '%-10s %-7s %s\n' "$1" absent "there is no $2" >>"$summary"
}

suite() {           # PRESET
    tools/build.sh "$1" "$jobs" && ctest --preset "$1" -j "$jobs"
}

script() {          # NAME PATH
    if [ -f "$2" ]; then
        step "$1" "./$2"
    else
        absent "$1" "$2"
    fi
}

step format tools/format.sh check
step clang suite clang
step asan suite asan
step tsan suite tsan
step memcheck suite memcheck
# The models take one core for minutes, and so do the mutants.
(
    status=0
    tests/model/run.sh >"$logs/models.out" 2>&1 || status=$?
    echo "$status" >"$logs/models.status"
) &
script mutants tests/mutants/run.sh
wait
step models sh -c 'cat "$0.out"; exit "$(cat "$0.status")"' "$logs/models"

echo "== verify"
cat "$summary"
exit $failed
