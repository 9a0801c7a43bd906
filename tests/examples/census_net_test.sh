#!/bin/sh
# census_net_test.sh CENSUS BREAKER SCRATCH: one process counts for another, with the same counts,
# also while their connection is broken a hundred times; and clear errors.
set -eu
census=$1 breaker=$2 scratch=$3
tree="$scratch/tree"
pids=

fail() {
    echo "FAILED: $*"
    exit 1
}

end() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
    done
}
trap end EXIT

rm -rf "$scratch"
mkdir -p "$tree/deep"
awk 'BEGIN { for (i = 0; i < 3000; i++) printf "word%d ", i % 371 }' >"$tree/words"
awk 'BEGIN { for (i = 0; i < 300; i++) printf "%s", "long_name"; print " end" }' >"$tree/deep/long"

counts() {
    grep -v -e '^messages' -e '^seconds' -e '^check:'
}

"$census" "$tree" --top 1000 | counts >"$scratch/expected"

# Each says where it listens as soon as it does; to read that is to wait for it.
mkfifo "$scratch/server" "$scratch/proxy"
"$census" --listen 127.0.0.1:0 >"$scratch/server" 2>"$scratch/server_errors" &
server=$!
pids="$pids $server"
exec 3<"$scratch/server"
read -r line <&3
address=${line##* }

try() {             # ADDRESS OPTION...
    timeout 200 "$census" "$tree" --top 1000 --to "$@" >"$scratch/output" 2>"$scratch/errors" ||
        fail "census --to $* gives $?: $(cat "$scratch/output" "$scratch/errors")"
    counts <"$scratch/output" >"$scratch/counts"
    cmp -s "$scratch/expected" "$scratch/counts" ||
        fail "census --to $* counts differently: $(diff "$scratch/expected" "$scratch/counts")"
}

try "$address" --check
try "$address" --chunk 16

# ---- through a proxy that resets the connection a hundred times ----
python3 "$breaker" "$address" 100 7 >"$scratch/proxy" &
proxy=$!
pids="$pids $proxy"
exec 4<"$scratch/proxy"
read -r line <&4
try "$line" --chunk 1
kill "$proxy"
read -r line <&4
[ "$line" = 100 ] || fail "the connection was broken $line times only"
wait "$proxy" || fail "the proxy ended with $?"

# ---- errors ----
expect() {          # WORDS OPTION...
    words=$1
    shift
    status=0
    timeout 60 "$census" "$tree" "$@" >"$scratch/output" 2>"$scratch/errors" || status=$?
    [ "$status" -ne 0 ] || fail "census $* succeeds"
    grep -q "$words" "$scratch/errors" || fail "census $* says $(cat "$scratch/errors")"
}

expect "this machine" --listen 0.0.0.0:0
expect "$address" --listen "$address"
expect seed --seed 1 --to "$address"
expect port --to nonsense

kill "$server"
wait "$server" || fail "the server ended with $?"
[ ! -s "$scratch/server_errors" ] || fail "the server says $(cat "$scratch/server_errors")"
expect . --to "$address"
echo "all counts equal"
