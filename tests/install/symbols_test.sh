#!/bin/sh
# symbols_test.sh LIBRARY: the shared library exports th_*, under its version, and nothing else.
. "$(dirname "$0")/lib.sh"
library=$1

exported=$(nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }')
[ -n "$exported" ] || fail "it exports nothing"
others=$(echo "$exported" | grep -v '^th_[a-z0-9_]*@@THESPIS_0$' || true)
[ -z "$others" ] || fail "exported, but not th_*@@THESPIS_0: $others"
echo "$(echo "$exported" | wc -l) symbols"
