#!/bin/sh
# headers_test.sh INCLUDE: each public header compiles alone, twice in a row, as C11, C++11 and
# C++17.
. "$(dirname "$0")/lib.sh"
include=$1
count=0

strict='-Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only'
for header in "$include"/thespis/*.h; do
    name=thespis/$(basename "$header")
    # $strict is a list of words on purpose.
    # shellcheck disable=SC2086
    {
        printf '#include <%s>\n#include <%s>\nint unit;\n' "$name" "$name" |
            gcc -std=c11 -Wstrict-prototypes $strict -I "$include" -x c - || fail "$name as C11"
        for standard in c++11 c++17; do
            printf '#include <%s>\n#include <%s>\nint unit;\n' "$name" "$name" |
                g++ -std=$standard $strict -I "$include" -x c++ - || fail "$name as $standard"
        done
    }
    count=$((count + 1))
done
[ "$count" -gt 10 ] || fail "only $count headers found"
echo "$count headers"
