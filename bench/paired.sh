#!/bin/sh
# paired.sh NAME ROUNDS A B [SCALE]: what NAME takes with B, as a ratio to what it takes with A.
# Each is arguments of thespis-bench and NAME=VALUE for its environment, in one word. The two take
# turns, in the order A B B A, so that what the machine does meanwhile befalls both. Of the rounds'
# ratios the median and the quartiles; and of the fastest run of each, which other work disturbed
# least.
set -eu
cd "$(dirname "$0")/.."
name=$1 rounds=$2 a=$3 b=$4 scale=${5:-1}
bench=${BENCH:-build/release/bench/thespis-bench}
quiet=
if chrt -r 1 true 2>/dev/null; then quiet='chrt -r 1'; fi

# shellcheck disable=SC2086  # words, or none
one() {
    for word in $1; do
        case $word in
        *=*) environment="$environment $word" ;;
        *) arguments="$arguments $word" ;;
        esac
    done
    $quiet env $environment "$bench" "$name" --workers "${WORKERS:-1}" --runs 1 --scale "$scale" \
        --json $arguments | sed 's/.*"ns_per_message": *\([0-9.]*\).*/\1/'
    environment='' arguments=''
}

environment='' arguments='' i=0
while [ $i -lt "$rounds" ]; do
    i=$((i + 1))
    echo "$(one "$a") $(one "$b") $(one "$b") $(one "$a")"
done | awk '
    function least(a, b) { return a == 0 || b < a ? b : a }
    {
        print ($2 + $3) / ($1 + $4), 0, 0
        fast = least(least(fast, $1), $4)
        slow = least(least(slow, $2), $3)
    }
    END { print 1e9, fast, slow }' | sort -n | awk -v name="$name" '
    { ratio[NR] = $1; fast = $2; slow = $3 }
    function at(share) { return ratio[1 + int((NR - 2) * share + 0.5)] }
    END {
        printf "%s: median %.3f, quartiles %.3f to %.3f, %d rounds; ", name, at(.5), at(.25),
            at(.75), NR - 1
        printf "fastest %.2f ns and %.2f ns, %.4f\n", fast, slow, slow / fast
    }'
