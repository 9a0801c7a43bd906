#!/bin/sh
# docs.sh: the pages there are to read, and every relative link in them that leads nowhere.
set -eu
cd "$(dirname "$0")/.."
broken=0

echo 'Documentation is Markdown, read where it lies:'
pages=$(find . -name '*.md' -not -path './build/*' -not -path './.git/*' \
    -not -path './tests/tools/tidy_cases/*' | sed 's|^\./||' | sort)
for page in $pages; do
    printf '  %-40s %s\n' "$page" "$(sed -n '/^#/{s/^#* *//;p;q;}' "$page")"
done

for page in $pages; do
    # [text](target): without its anchor, and not on the net.
    targets=$(grep -o '](\([^)# ]*\)' "$page" | sed 's/^](//' | grep -v '^[a-z]*:' || true)
    for target in $targets; do
        if [ ! -e "$(dirname "$page")/$target" ]; then
            echo "$page: no such file: $target"
            broken=1
        fi
    done
done
[ "$broken" = 1 ] || echo 'Every relative link leads somewhere.'
exit $broken
