#!/bin/sh
# tidy_test.sh TIDY FLOORS SCRATCH: each bad tree must be reported, the clean one must not.
set -eu
tidy=$1 floors=$2 scratch=$3
cases=$(dirname "$0")/tidy_cases
wrong=0

complain() {
    echo "$1"
    sed 's/^/    /' "$scratch/report"
    wrong=1
}

# The rules a tree breaks, without repeats.  The cases have no README unless that is their point.
rules_of() {
    sed -n 's/^[^:]*:[0-9]*: \([a-z-]*\): .*/\1/p' "$scratch/report" | sort -u
}

must_report() {     # TREE RULE: that rule and no other
    if "$tidy" "$1" "$floors" >"$scratch/report"; then
        complain "$1: not reported"
        return
    fi
    found=$(rules_of)
    [ "$2" = no-readme ] || found=$(echo "$found" | grep -vx no-readme || true)
    [ "$found" = "$2" ] || complain "$1: reported as '$found', not as '$2'"
}

must_pass() {       # TREE
    "$tidy" "$1" "$floors" >"$scratch/report" || complain "$1: reported, but it is clean"
}

rm -rf "$scratch"
mkdir -p "$scratch"

count=0
for tree in "$cases"/*.*/; do
    rule=$(basename "$tree")
    must_report "${tree%/}" "${rule%%.*}"
    count=$((count + 1))
done
[ "$count" -gt 20 ] || { echo "only $count bad trees found"; exit 1; }
must_pass "$cases/clean"

# Length limits, at the last legal value and one past it.
mailbox() {         # NAME: a tree with an empty mailbox floor
    mkdir -p "$scratch/$1/mailbox"
    echo '# mailbox' >"$scratch/$1/mailbox/README.md"
}
lines() {           # COUNT TEXT
    awk -v n="$1" -v t="$2" 'BEGIN { for (i = 0; i < n; i++) print t }'
}

mailbox file_500 && lines 500 'int x;' >"$scratch/file_500/mailbox/a.c"
must_pass "$scratch/file_500"
mailbox file_501 && lines 501 'int x;' >"$scratch/file_501/mailbox/a.c"
must_report "$scratch/file_501" long-file
mailbox argued && { echo '/* Past 500 lines: for the test. */'; lines 799 'int x;'; } \
    >"$scratch/argued/mailbox/a.c"
must_pass "$scratch/argued"
mailbox file_801 && { echo '/* Past 500 lines: for the test. */'; lines 800 'int x;'; } \
    >"$scratch/file_801/mailbox/a.c"
must_report "$scratch/file_801" long-file

mailbox body_70 && { echo 'void f(void)'; echo '{'; lines 68 '    g();'; echo '}'; } \
    >"$scratch/body_70/mailbox/a.c"
must_pass "$scratch/body_70"
mailbox body_71 && { echo 'void f(void)'; echo '{'; lines 69 '    g();'; echo '}'; } \
    >"$scratch/body_71/mailbox/a.c"
must_report "$scratch/body_71" long-function

mailbox readme_40 && lines 40 'text' >"$scratch/readme_40/mailbox/README.md"
must_pass "$scratch/readme_40"
mailbox readme_41 && lines 41 'text' >"$scratch/readme_41/mailbox/README.md"
must_report "$scratch/readme_41" long-readme

# And a tree it cannot read is neither clean nor dirty.
status=0
"$tidy" "$scratch/nowhere" "$floors" >"$scratch/report" 2>&1 || status=$?
[ "$status" = 2 ] || complain "a missing tree gives $status, not 2"

echo "$count bad trees"
exit $wrong
