#!/bin/sh
# front_door_test.sh INCLUDE LIBRARY NET: every function a public header declares is in the shared
# library, or in the archive NET.
. "$(dirname "$0")/lib.sh"
include=$1 library=$2 net=$3

declared=$(cat "$include"/thespis/*.h | gcc -fpreprocessed -dD -E -P - 2>/dev/null |
    grep -v '^#' | tr '\n' ' ' | tr ';{}' '\n\n\n' |
    sed -n 's/^.*TH_API [^(]*\b\(th_[a-z0-9_]*\) *(.*$/\1/p' | sort -u)
[ "$(echo "$declared" | wc -l)" -gt 20 ] || fail "found too few declarations: $declared"
exported=$(
    nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }'
    nm -g --defined-only "$net" 2>/dev/null | awk '{ print $3 }'
)

missing=
for function in $declared; do
    echo "$exported" | grep -qx "$function" || missing="$missing $function"
done
[ -z "$missing" ] || fail "declared, but not there:$missing"
echo "$(echo "$declared" | wc -l) functions"
