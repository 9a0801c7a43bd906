#!/bin/sh
# probes_test.sh LIBRARY POINTS: the shared library has a probe for each point of points.def, with
# as many arguments, and no other.
. "$(dirname "$0")/lib.sh"
library=$1 points=$2

wanted=$(sed -n 's/^POINT\([0-9]\)(\([a-z_]*\),.*/\2 \1/p' "$points" | sort)
found=$(readelf -n "$library" | awk '
    $1 == "Provider:" { provider = $2 }
    $1 == "Name:" { name = $2 }
    $1 == "Arguments:" { print (provider == "thespis" ? "" : provider ":") name, NF - 1 }' |
    sort -u)
[ -n "$wanted" ] || fail "no point in $points"
[ "$wanted" = "$found" ] || {
    work=$(mktemp -d) || exit 1
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    echo "$wanted" >"$work/wanted"
    echo "$found" >"$work/found"
    diff "$work/wanted" "$work/found"
    fail "points.def (<) and the notes of the library (>) differ"
}
# A tracer finds the probes by the library's build, moved or not: the base must be there.
readelf -S "$library" | grep -q '[.]stapsdt[.]base' || fail "no .stapsdt.base"
echo "$(echo "$wanted" | wc -l) probes"
