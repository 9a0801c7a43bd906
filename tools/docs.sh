#!/bin/sh
# docs.sh: what there is to read, in order, and every relative link that leads nowhere.
set -eu
cd "$(dirname "$0")/.."

mkdir -p build
echo 'Documentation is Markdown, read where it lies:'
find . -name '*.md' -not -path './build/*' -not -path './.git/*' \
    -not -path './tests/tools/tidy_cases/*' | sed 's|^\./||' | sort >build/docs.list
while read -r page; do
    printf '  %-40s %s\n' "$page" "$(sed -n '/^#/{s/^#* *//;p;q;}' "$page")"
done <build/docs.list

broken=0
while read -r page; do
    # [text](target): drop anchors, skip what is on the net.
    targets=$(grep -o '](\([^)# ]*\)' "$page" | sed 's/^](//' | grep -v '^[a-z]*:' || true)
    for target in $targets; do
        if [ ! -e "$(dirname "$page")/$target" ]; then
            echo "$page: no such file: $target"
            broken=1
        fi
    done
done <build/docs.list
[ "$broken" = 1 ] || echo 'Every relative link leads somewhere.'
exit $broken
