#!/bin/sh
# Breaks the code on purpose, once per .mutant file, and demands that the named test notices.
# usage: run.sh [-j JOBS] [-n] [NAME ...]
#     all of tests/mutants and tests/orders when none is named; -n: only whether each still applies
#     -j: so many at a time, each in a copy of its own
# Exit 1 when a mutant is missed or no longer applies, or when a test fails without any.
set -u
LC_ALL=C
export LC_ALL
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/mutants
top=${MUTANTS_DIR:-$root/build/mutants}
jobs=2
dry=no
while getopts j:n option; do
    case $option in
    j) jobs=$OPTARG ;;
    n) dry=yes ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
mkdir -p "$top" || exit 1
say() { printf '%s\n' "$*"; }
begun=$(date +%s)

# field NAME FILE [DEFAULT]
field() {
    value=$(sed -n "/^---/q; s/^$1:[[:space:]]*//p" "$2" | head -n 1)
    say "${value:-${3-}}"
}

# The copy follows the tree by content, so that a rerun builds little and a mutant that an
# interrupted run left behind is undone.
follow_tree() {
    mkdir -p "$top/src"
    (cd "$root" && find . \( -path ./build -o -path ./.git \) -prune -o -type f -print) |
        sort >"$top/files"
    (cd "$top/src" && find . -type f -print) | sort | comm -13 "$top/files" - |
        while read -r gone; do rm -f "$top/src/$gone"; done
    while read -r file; do
        cmp -s "$root/$file" "$top/src/$file" && continue
        mkdir -p "$top/src/${file%/*}"
        cp "$root/$file" "$top/src/$file"
    done <"$top/files"
}

# Neighbours on the list share builds, so each copy gets a stretch of it.
share_out() {
    awk '!seen[$4]++ { sub(/.*\//, "", $4); sub(/[.]mutant$/, "", $4); print $4 }' "$top/list" \
        >"$top/names"
    split -n "l/$jobs" -d "$top/names" "$top/share."
    runs=''
    for share in "$top"/share.*; do
        # shellcheck disable=SC2046  # names without spaces
        MUTANTS_DIR=$top/${share##*.} "$here/run.sh" -j 1 $(cat "$share") &
        runs="$runs $!"
    done
    status=0
    for run in $runs; do
        wait "$run" || status=1
    done
    return $status
}

configure() { # preset
    cmake -S "$top/src" --preset "$1" -B "$top/$1" -DTHESPIS_EXTRAS=OFF \
        -DCMAKE_C_COMPILER_LAUNCHER="$here/lenient.sh" >"$top/$1.log" 2>&1 || {
        tail -n 20 "$top/$1.log"
        exit 1
    }
}

# verdict PRESET TEST SECONDS: passed, fail, hang, tsan or unbuilt; the output is in $top/output.
verdict() {
    if ! cmake --build "$top/$1" -j 1 --target "test.$2" >"$top/output" 2>&1; then
        say unbuilt
        return
    fi
    if ctest --test-dir "$top/$1" -R "^$(say "$2" | sed 's/\./\\./g')\$" --timeout "$3" \
        --no-tests=error --output-on-failure >"$top/output" 2>&1; then
        say passed
    elif grep -q 'WARNING: ThreadSanitizer' "$top/output"; then
        say tsan
    elif grep -q -i '\*\*\*Timeout\|timed out' "$top/output"; then
        say hang
    else
        say fail
    fi
}

if [ $# -eq 0 ]; then
    set -- "$here"/*.mutant "$root"/tests/orders/*.mutant
else
    count=$#
    for name; do
        if [ -f "$here/$name.mutant" ]; then
            set -- "$@" "$here/$name.mutant"
        else
            set -- "$@" "$root/tests/orders/$name.mutant"
        fi
    done
    shift "$count"
fi

# One line a mutant, sorted so that mutants of one build and file come together.
: >"$top/list"
broken=0
for mutant; do
    [ -f "$mutant" ] || { say "there is no $mutant"; exit 2; }
    file=$(field file "$mutant")
    if ! awk -f "$here/apply.awk" "$mutant" "$root/$file" >"$top/mutated" 2>"$top/output"; then
        say "STALE   $(basename "$mutant" .mutant): $file: $(cat "$top/output")"
        broken=$((broken + 1))
        continue
    fi
    for test in $(field test "$mutant"); do
        say "$(field build "$mutant" dev) $file $test $mutant" >>"$top/list"
    done
done
sort -o "$top/list" "$top/list"
if [ $dry = yes ]; then
    say "$(wc -l <"$top/list") apply, $broken do not"
    [ "$broken" -eq 0 ]
    exit
fi
if [ "$jobs" -gt 1 ]; then
    rm -f "$top"/share.*
    share_out
    exit
fi

follow_tree
for preset in $(cut -d ' ' -f 1 "$top/list" | sort -u); do
    configure "$preset"
done

cut -d ' ' -f 1,3 "$top/list" | sort -u >"$top/tests"
while read -r preset test; do
    result=$(verdict "$preset" "$test" 120)
    [ "$result" = passed ] && continue
    say "BROKEN  $test ($preset) without any mutant: $result"
    tail -n 30 "$top/output"
    broken=$((broken + 1))
done <"$top/tests"
[ $broken -eq 0 ] || { say "mutants: $broken to mend first"; exit 1; }
say "mutants: $(wc -l <"$top/list") to try, ready after $(($(date +%s) - begun)) s"

caught=0 missed=0
while read -r preset file test mutant; do
    name=$(basename "$mutant" .mutant)
    expect=$(field expect "$mutant" fail)
    awk -f "$here/apply.awk" "$mutant" "$root/$file" >"$top/src/$file"
    # A race shows when threads happen to meet: a check may need more than one look, never a dozen.
    for look in 1 2 3; do
        result=$(verdict "$preset" "$test" "$(field timeout "$mutant" 30)")
        [ "$result" = passed ] || break
    done
    case " $expect " in
    *" $result "*)
        caught=$((caught + 1))
        [ "$look" -eq 1 ] || result="$result at look $look"
        say "caught  $name: $test ($preset), $result"
        ;;
    *)
        missed=$((missed + 1))
        say "MISSED  $name: $test ($preset) $result, not $expect: $(field why "$mutant")"
        tail -n 15 "$top/output" | sed 's/^/    /'
        ;;
    esac
    cp "$root/$file" "$top/src/$file"
done <"$top/list"
say "mutants: $caught caught, $missed missed, $(($(date +%s) - begun)) s"
[ $missed -eq 0 ]
