#!/bin/sh
# census_test.sh CENSUS SCRATCH: exact counts on a small tree of hard cases, on the pool and on the
# simple base, whatever the chunks; and clear errors.
set -eu
census=$1 scratch=$2
tree="$scratch/tree"

fail() {
    echo "FAILED: $*"
    exit 1
}

# ---- the tree ----
rm -rf "$scratch"
mkdir -p "$tree/deep/deeper/deepest" "$tree/ odd  name" "$tree/empty"
: >"$tree/empty_file"
printf 'int main(void) { return x1 + 0x1F + 123abc + 42 + _ + __a9; }' >"$tree/no_newline.c"
printf '99bottles 7 8up a\nab abc abcd abcde\r\n\n\n' >"$tree/deep/numbers"
printf 'one\000two\377three\200four\000\000five5\n' >"$tree/deep/deeper/binary"
awk 'BEGIN { for (i = 0; i < 300; i++) printf "%s", "long_name"; print " end" }' \
    >"$tree/deep/deeper/deepest/long"
awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%d", i % 10; print "after_digits" }' \
    >"$tree/deep/deeper/digits"
awk 'BEGIN { for (i = 0; i < 300; i++) printf "word%d ", i % 37 }' >"$tree/ odd  name/-x; \$(y)"
printf 'tail' >"$tree/ odd  name/new
line"
ln -s ../no_newline.c "$tree/deep/link_to_file"
ln -s .. "$tree/deep/link_to_parent"
ln -s nowhere "$tree/dangling"
mkfifo "$tree/deep/fifo"

# ---- counts: equal to coreutils, and to each other ----
# What must not depend on how it was run.
counts() {
    grep -v -e '^messages' -e '^seconds' -e '^check:'
}

try() {
    timeout 60 "$census" "$tree" --check --top 100 "$@" >"$scratch/output" 2>"$scratch/errors" ||
        fail "census $* gives $?: $(cat "$scratch/output" "$scratch/errors")"
    [ ! -s "$scratch/errors" ] || fail "census $* says $(cat "$scratch/errors")"
    grep -q '^check: [1-9][0-9]* identifiers compared, 0 differences$' "$scratch/output" ||
        fail "census $* did not compare"
    counts <"$scratch/output" >"$scratch/counts"
    [ -f "$scratch/expected" ] || cp "$scratch/counts" "$scratch/expected"
    cmp -s "$scratch/expected" "$scratch/counts" ||
        fail "census $* counts differently: $(diff "$scratch/expected" "$scratch/counts")"
}

try
grep -q '^files: 8$' "$scratch/expected" || fail "there are 8 files: $(cat "$scratch/expected")"
grep -q '^1 x1F$' "$scratch/expected" || fail "0x1F holds x1F"
for chunk in 1 3 64 1000; do
    try --chunk "$chunk"
    try --chunk "$chunk" --workers 1
    try --chunk "$chunk" --seed "$chunk"
done
for seed in 0 2 4; do
    try --chunk 16 --seed "$seed"
done

# ---- a difference is noticed: a coreutils that counts one name more ----
mkdir "$scratch/liar"
cat >"$scratch/liar/uniq" <<'LIAR'
#!/bin/sh
sed 's/^/1 /' | sort -u | sed '$s/1/2/'
LIAR
chmod +x "$scratch/liar/uniq"
status=0
PATH="$scratch/liar:$PATH" timeout 60 "$census" "$tree" --check >"$scratch/output" || status=$?
[ $status = 1 ] || fail "a difference gives $status"
grep -q '^differs: ' "$scratch/output" || fail "a difference is not shown"

# ---- what cannot be read is said, and the rest counted (root reads everything) ----
printf 'secret' >"$tree/secret"
chmod 0 "$tree/secret"
chmod 755 "$scratch" "$tree"
as_nobody=
[ "$(id -u)" != 0 ] || as_nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
if $as_nobody test -x "$census" 2>/dev/null && $as_nobody test -d "$tree" &&
    ! $as_nobody test -r "$tree/secret"; then
    $as_nobody timeout 60 "$census" "$tree" --check --top 100 \
        >"$scratch/output" 2>"$scratch/errors" || fail "an unreadable file stops it"
    grep -q '^census: 1 files or directories could not be read$' "$scratch/errors" ||
        fail "an unreadable file is not said: $(cat "$scratch/errors")"
    counts <"$scratch/output" | cmp -s - "$scratch/expected" || fail "the rest is not counted"
else
    echo "not tried: an unreadable file (nobody here may not read it, or nobody is not here)"
fi
rm -f "$tree/secret"

# ---- a trace of it; one seed has one ----
timeout 60 "$census" --workers 2 --trace "$scratch/trace" "$tree" >/dev/null 2>&1 ||
    fail "a traced run fails"
grep -q '"cat":"turn","name":"census tally"' "$scratch/trace" || fail "no tally in the trace"
grep -q '"dropped":"[0-9]*"}}$' "$scratch/trace" || fail "the trace has no end"
for run in 1 2; do
    timeout 60 "$census" --seed 5 --trace "$scratch/trace$run" "$tree" >/dev/null 2>&1 ||
        fail "a traced run with a seed fails"
done
cmp -s "$scratch/trace1" "$scratch/trace2" || fail "one seed has two traces"
status=0
timeout 60 "$census" --trace /nowhere/at/all "$tree" >/dev/null 2>&1 || status=$?
[ $status = 1 ] || fail "a trace that cannot be written gives $status"

# ---- errors: exit 2 and a word about it ----
refuse() {
    status=0
    timeout 60 "$census" "$@" >"$scratch/output" 2>"$scratch/errors" || status=$?
    [ $status = 2 ] || fail "census $* gives $status"
    grep -q '^census: ' "$scratch/errors" || fail "census $* does not say why"
    [ ! -s "$scratch/output" ] || fail "census $* prints on stdout"
}
refuse "$scratch/missing"
refuse "$tree/empty_file"
refuse "$tree" "$tree"
refuse --workers 0
refuse --workers two
refuse --workers
refuse --seed -1
refuse --chunk 0
refuse --chunk 99999999
refuse --top x
refuse --unknown

rm -rf "$scratch"
echo "census: every count right"
