#!/bin/sh
# format.sh check|fix: every C file of the house against .clang-format.
set -eu
cd "$(dirname "$0")/.."
case ${1:-check} in
check) set -- --dry-run -Werror ;;
fix) set -- -i ;;
*) echo "format.sh: check or fix" >&2; exit 2 ;;
esac
find include mailbox runtime transport troupe examples bench tools tests -name '*.[ch]' \
    -not -path 'tests/tools/tidy_cases/*' -print0 2>/dev/null |
    xargs -0 clang-format-14 "$@"
