#!/bin/sh
# record.sh [FILE]: every benchmark on 1 and on 2 workers, as JSON lines; RUNS and NAMES by the
# environment. Real-time priority where it is permitted, so that other work does not show.
set -eu
cd "$(dirname "$0")/.."
file=${1:-build/release/bench/figures.jsonl}
bench=build/release/bench/thespis-bench
quiet=
if chrt -r 1 true 2>/dev/null; then quiet='chrt -r 1'; fi
: >"$file"
for name in ${NAMES:-$("$bench" --list | awk '{ print $1 }')}; do
    for workers in 1 2; do
        # shellcheck disable=SC2086  # two words or none
        $quiet "$bench" "$name" --workers "$workers" --runs "${RUNS:-5}" --json >>"$file" || true
    done
done
echo "$file"
