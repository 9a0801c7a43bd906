#!/bin/sh
# paired.sh NAME PAIRS A B [SCALE]: what NAME takes with B, as a ratio to what it takes with A. Each is
# arguments of thespis-bench and NAME=VALUE for its environment, in one word. The two take turns, in
# the order A B B A, so that what the machine does meanwhile befalls both; the ratios are sorted.
set -eu
cd "$(dirname "$0")/.."
name=$1 pairs=$2 a=$3 b=$4 scale=${5:-1}
bench=${BENCH:-build/release/bench/thespis-bench}

# shellcheck disable=SC2086  # words
one() { env $(echo "$1" | tr ' ' '\n' | grep = || true) "$bench" "$name" $(echo "$1" | tr ' ' '\n' | grep -v = || true) \
    --workers "${WORKERS:-1}" --runs 1 --scale "$scale" --json |
    sed 's/.*"ns_per_message": *\([0-9.]*\).*/\1/'; }

i=0
while [ $i -lt "$pairs" ]; do
    i=$((i + 1))
    echo "$(one "$a") $(one "$b") $(one "$b") $(one "$a")"
done | awk '{ print ($2 + $3) / ($1 + $4), $1 }' | sort -n | awk -v name="$name" '
    { ratio[NR] = $1; ns[NR] = $2 }
    function at(share) { return ratio[1 + int((NR - 1) * share + 0.5)] }
    END { printf "%s: median %.4f, quartiles %.4f to %.4f, all %.4f to %.4f, %d pairs\n", name,
              at(.5), at(.25), at(.75), ratio[1], ratio[NR], NR }'
