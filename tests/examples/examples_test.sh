#!/bin/sh
# examples_test.sh FOLDER: each small example says what it promises.
set -eu
folder=$1

fail() {
    echo "FAILED: $*"
    exit 1
}

says() {
    expected=$1
    shift
    output=$(timeout 60 "$@") || fail "$* gives $?"
    echo "$output" | grep -q "$expected" || fail "$* says '$output', not '$expected'"
}

says '^hello, world$' "$folder/hello"
says '^info: worked kind pieces$' "$folder/logging"
says '^the report: [1-9]' "$folder/status"
says '^  system  *thespis$' "$folder/status"
says '^an actor: curious ' "$folder/status"
says '^pong: 1001 balls returned' "$folder/pingpong" 1000
says 'pong is gone: it ended itself' "$folder/pingpong" 0
says '^50 %: 5133 primes$' "$folder/progress" 100000
says '^done: 9592 primes$' "$folder/progress" 100000
says '^called off: ' "$folder/progress" 100000000 1
says '^5 of 7 jobs done$' "$folder/supervised" 7
says '^24000 of flour$' "$folder/backpressure"
says '^few waited$' "$folder/backpressure"
says '^the farmer was held$' "$folder/backpressure"
output=$(yes | head -20000 | timeout 60 "$folder/pump") || fail "pump gives $?"
[ "$output" = '20000 lines' ] || fail "pump says '$output'"
says '^1000 movements, 28 times overdrawn$' "$folder/bank" 1000
says '^1 worker: .* sum 6765000$' "$folder/fib_troupe" 20 1000
says '^4 workers: .* sum 6765000$' "$folder/fib_troupe" 20 1000
says '^a painter, with one colour: the system lacks a capability' "$folder/services"
says '^the ledger says 70$' "$folder/services"
says '^the painter is gone: its system lost a capability' "$folder/services"
