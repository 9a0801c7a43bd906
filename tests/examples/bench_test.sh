#!/bin/sh
# bench_test.sh BENCH: every benchmark runs small on 1 and 2 workers, its own checks hold, and
# --json is one object a line.
set -eu
bench=$1
names=$("$bench" --list | awk '{ print $1 }')

for name in $names; do
    for workers in 1 2; do
        timeout 100 "$bench" "$name" --workers $workers --runs 1 --scale 0.001 --json ||
            { echo "FAILED: $name on $workers workers"; exit 1; }
    done
done | awk '{ print } !/^\{"bench":"[a-z0-9-]+","workers":[12],.*\}$/ { bad = 1 } END { exit bad }'
! "$bench" nonesuch 2>/dev/null || { echo "FAILED: an unknown name is taken"; exit 1; }
