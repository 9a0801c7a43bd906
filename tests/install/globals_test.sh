#!/bin/sh
# globals_test.sh LIBRARY: the static library holds no state but what is named here, with its
# reason,
# and ends no program but by an assertion.
. "$(dirname "$0")/lib.sh"
library=$1

# signals.c: a disposition is the process's. reclaim.c: liburcu's readers are the process's threads;
# asleep_marker is only an address.
allowed='process exit_key exit_key_made exit_key_once asleep_marker foreign'
state=$(objdump -t "$library" | awk '$1 ~ /^[0-9a-f]+$/ {
    section = $(NF - 2); size = $(NF - 1); name = $NF
    if (section ~ /^\.(data|bss|tdata|tbss)(\.[^r].*)?$/ && name !~ /^\./ && size !~ /^0+$/)
        print name }' | sed 's/\.[0-9]*$//' | sort -u)
[ -n "$state" ] || fail "nothing found, not even what is known"
for name in $state; do
    case " $allowed " in
    *" $name "*) ;;
    *) fail "global state: $name" ;;
    esac
done

enders=$(nm -A "$library" 2>/dev/null | awk '$(NF - 1) == "U" &&
    $NF ~ /^(exit|_exit|_Exit|abort|quick_exit|__assert_fail|raise|kill)(@.*)?$/ {
    sub(/^[^:]*:/, "", $1); sub(/:.*/, "", $1); print $1 ":" $NF }' | sort -u)
for ender in $enders; do
    [ "$ender" = assert.c.o:abort ] || fail "it ends the program: $ender"
done
echo "$(echo "$state" | wc -l) variables, $(echo "$enders" | wc -l) ways out"
