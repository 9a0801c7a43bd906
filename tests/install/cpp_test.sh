#!/bin/sh
# cpp_test.sh INCLUDE LIBRARY SCRATCH: thespis.hpp compiles without a warning as C++11 and as
# C++17, and works; so does the example that uses it.
. "$(dirname "$0")/lib.sh"
include=$1 library=$2 scratch=$3

mkdir -p "$scratch"
libraries=$(pkg-config --libs liburcu-qsbr)
for standard in c++11 c++17; do
    # $libraries is a list of words on purpose.
    # shellcheck disable=SC2086
    g++ -std=$standard -O1 -Wall -Wextra -Wpedantic -Wshadow -Werror -I "$include" \
        "$here/wrapper.cpp" "$library" $libraries -pthread -o "$scratch/wrapper" ||
        fail "wrapper.cpp as $standard"
    output=$(timeout 60 "$scratch/wrapper") || fail "as $standard: $output"
    [ "$output" = 'all is well' ] || fail "as $standard it says '$output'"
    # shellcheck disable=SC2086
    g++ -std=$standard -O1 -Wall -Wextra -Wpedantic -Wshadow -Werror -I "$include" \
        "$here/../../examples/tally.cpp" "$library" $libraries -pthread -o "$scratch/tally" ||
        fail "tally.cpp as $standard"
    output=$(timeout 60 "$scratch/tally" one two one '' one) || fail "as $standard: $output"
    [ "$(echo "$output" | tail -n 3)" = "one: 2
refused: a word without a letter
one: 3" ] || fail "as $standard the tally says '$output'"
done
