#!/bin/sh
# coverage.sh [JOBS]: the suite under gcov; covered lines and branches per file, worst first.
set -eu
cd "$(dirname "$0")/.."
jobs=${1:-2}
build=build/coverage

tools/build.sh coverage "$jobs"
find "$build" -name '*.gcda' -delete
ctest --preset coverage -j "$jobs" -E '^(house|install|model|mutants)' >"$build/ctest.log" 2>&1 ||
    { tail -n 40 "$build/ctest.log"; exit 1; }

# gcov says, per file: File 'x' / Lines executed:p% of n / ... / Taken at least once:p% of n
find "$build" -path '*floor_*' -name '*.gcda' -exec gcov -n -b -r -s "$PWD" {} + 2>/dev/null |
    awk -F"[':% ]+" '
        /^File/ { file = $2; branches = "-" }
        /^Lines executed/ { lines = $3; count = $5 }
        /^Taken at least once/ { branches = $5 }
        /calls$|^Calls executed/ && file ~ /\.c$/ { print lines, branches, count, file; file = "" }
        ' |
    sort -n | awk 'BEGIN { printf "%7s %9s %6s\n", "lines %", "branch %", "of" }
        { printf "%7s %9s %6s  %s\n", $1, $2, $3, $4; sum += $1 * $3; all += $3 }
        END { if (all) printf "%7.2f %9s %6d  all floors\n", sum / all, "", all }'
