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
# Models and mutants each keep one core busy for minutes, so they go side by side. Of the mutants
# those in tests/mutants/gate; `make mutants` tries all, which takes a quarter of an hour and more.
aside() {           # NAME COMMAND...
    name=$1
    shift
    began=$(date +%s)
    status=0
    "$@" >"$logs/$name.out" 2>&1 || status=$?
    printf '%s %s\n' "$status" "$(($(date +%s) - began))" >"$logs/$name.status"
}

aside_ended() {     # NAME: as a step, with the time it took aside
    read -r status seconds <"$logs/$1.status"
    step "$1" sh -c 'cat "$0"; exit "$1"' "$logs/$1.out" "$status"
    sed -i "s/^\($1 .*\) [0-9]* s\$/\1 $seconds s, beside others/" "$summary"
}

aside models tests/model/run.sh &
# shellcheck disable=SC2046  # names without spaces
step mutants tests/mutants/run.sh -j 1 $(cat tests/mutants/gate)
wait
aside_ended models

echo "== verify"
cat "$summary"
exit $failed
