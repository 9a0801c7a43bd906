#!/bin/sh
# readme_test.sh README INCLUDE LIBRARY SCRATCH: the first C program of README builds and runs.
. "$(dirname "$0")/lib.sh"
readme=$1 include=$2 library=$3 scratch=$4

rm -rf "$scratch"
mkdir -p "$scratch"
awk '/^```c$/ && !done { inside = 1; next }  /^```/ && inside { inside = 0; done = 1 }  inside' \
    "$readme" >"$scratch/hello.c"
grep -q 'int main(' "$scratch/hello.c" || fail "the first C block has no main()"
# shellcheck disable=SC2046
gcc -std=c11 -Wall -Wextra -Wno-unused-parameter -Werror -I "$include" "$scratch/hello.c" \
    "$library" $(pkg-config --libs liburcu-qsbr) -pthread -o "$scratch/hello"
timeout 30 "$scratch/hello" >"$scratch/output" || fail "it gives $?"
[ -s "$scratch/output" ] || fail "it says nothing"
cat "$scratch/output"
