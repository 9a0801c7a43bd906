#!/bin/sh
# run.sh [SECONDS] [NAME...]: each fuzz target so long (600), one after the other. Fails when one
# found something, which is then in build/fuzz/found.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-600}
[ $# -eq 0 ] || shift
build=build/fuzz

cmake --preset fuzz >/dev/null
cmake --build $build --target fuzzers -j 2 >/dev/null
mkdir -p $build/found

seed() {            # NAME VECTORS...: a first corpus
    name=$1
    shift
    mkdir -p "$build/corpus/$name"
    for vectors in "$@"; do
        python3 -B tests/support/peer.py seeds "tests/vectors/$vectors.txt" "$build/corpus/$name"
    done
}
seed frame frames frames_bad
seed codec messages messages_bad

if [ $# -eq 0 ]; then
    for source in tests/fuzz/*.c; do
        name=$(basename "$source" .c)
        [ "$name" = replay ] || set -- "$@" "$name"
    done
fi
status=0
for name in "$@"; do
    mkdir -p "$build/corpus/$name"
    log=$build/$name.log
    if $build/tests/fuzz/fuzz."$name" -max_total_time="$seconds" -max_len=8192 -timeout=10 \
        -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$build/found/$name-" \
        "$build/corpus/$name" >"$log" 2>&1; then
        printf '%s: %s runs, nothing found\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        status=1
        tail -n 60 "$log"
        echo "$name: found something, see $build/found and $log"
    fi
done
exit $status
