#!/bin/sh
# runner_test.sh DOOMED CASE...: each CASE of the program must fail, and say its own kind of why.
set -eu
doomed=$1
shift
wrong=0

said_by() {
    case $1 in
    claim) echo 'claimed on purpose, 7' ;;
    expectation) echo 'other' ;;
    hang) echo '[Tt]imed out' ;;
    leak) echo 'LeakSanitizer: detected memory leaks' ;;
    overflow) echo 'heap-buffer-overflow\|insufficient space' ;;
    undefined) echo 'runtime error: signed integer overflow' ;;
    race) echo 'ThreadSanitizer: data race' ;;
    esac
}

"$doomed" --filter doomed/passes >/dev/null 2>&1 || { echo "the passing case fails"; wrong=1; }
for name in "$@"; do
    if output=$("$doomed" --filter "doomed/$name" 2>&1); then
        echo "$name: passes"
        wrong=1
    elif ! echo "$output" | grep -q "$(said_by "$name")"; then
        echo "$name: fails, but does not say '$(said_by "$name")':"
        echo "$output"
        wrong=1
    fi
done
exit $wrong
