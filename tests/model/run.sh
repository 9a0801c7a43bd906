#!/bin/sh
# Runs every model (it must hold in an exhaustive search) and every mutant of it (it must fail).
# usage: run.sh [quick|full] [model ...]           TAP on stdout; exit 1 when anything is wrong.
set -u
here=$(cd "$(dirname "$0")" && pwd)
size=quick
case "${1-}" in quick | full) size=$1; shift ;; esac

if ! command -v spin >/dev/null; then
    echo "1..0 # SKIP spin is not installed"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

bounds() { # model size -> one set of bounds a line
    case $1.$2 in
    inbox.quick) echo "-DP=2 -DM=2 -DW=2"; echo "-DP=1 -DM=2 -DW=2 -DWAKER=1" ;;
    inbox.full) echo "-DP=2 -DM=2 -DW=2 -DWAKER=1"; echo "-DP=3 -DM=1 -DW=2"
                echo "-DP=1 -DM=4 -DW=2" ;;
    park.quick) echo "-DS=2 -DT=1 -DW=2 -DSPAWN=0 -DSTOP=0"; echo "-DS=1 -DT=2 -DW=2"
                echo "-DS=1 -DT=2 -DW=2 -DSTOP=0 -DRETIRE=1 -DBLOCKS=1" ;;
    park.full) echo "-DS=2 -DT=1 -DW=2"; echo "-DS=2 -DT=2 -DW=2 -DSPAWN=0 -DSTOP=0"
               echo "-DS=1 -DT=1 -DW=3 -DSPAWN=0"
               echo "-DS=1 -DT=2 -DW=2 -DRETIRE=1 -DBLOCKS=1" ;;
    next.quick) echo "-DWAKES=6" ;;
    next.full) echo "-DWAKES=12" ;;
    ask.quick) echo "-DQ=3 -DA=2" ;;
    ask.full) echo "-DQ=3 -DA=3" ;;
    exit.quick) echo "-DASKS=1" ;;
    exit.full) echo "-DASKS=2" ;;
    credits.quick) echo "-DN=2 -DB=3"; echo "-DN=2 -DB=2 -DEXITS=1"; echo "-DN=3 -DB=1" ;;
    resume.quick) echo "-DM=3 -DB=1 -DBAD=2"; echo "-DM=2 -DB=2 -DBAD=1" ;;
    resume.full) echo "-DM=3 -DB=2 -DBAD=2"; echo "-DM=4 -DB=1 -DBAD=9" ;;
    credits.full) echo "-DN=2 -DB=4 -DLIMIT=2"; echo "-DN=3 -DB=1 -DEXITS=1" ;;
    *) echo "" ;;
    esac
}

# search OPTIMISE DEFINES MODEL: leaves pan's report in $work/report; fails if it could not be made.
search() {
    (cd "$work" && rm -f pan* ./*.trail &&
        spin -a $2 "$here/$3.pml" >report 2>&1 &&
        ${CC:-cc} $1 -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=12000 -w -o pan pan.c \
            >>report 2>&1 &&
        ./pan -m2000000 >>report 2>&1)
}

count=0 wrong=0
say() { # result text
    count=$((count + 1))
    [ "$1" = ok ] || wrong=$((wrong + 1))
    echo "$1 $count - $2"
    [ "$1" = ok ] || sed 's/^/# /' "$work/report" | head -40
}

[ $# -gt 0 ] || set -- inbox park next ask exit credits resume
for model; do
    for size_now in $size; do
        bounds "$model" "$size_now" >"$work/bounds"
        while read -r defines; do
            begun=$(date +%s)
            search -O2 "$defines" "$model"
            states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$work/report")
            text="$model holds $defines: ${states:-no} states, $(($(date +%s) - begun)) s"
            if grep -q 'errors: 0' "$work/report" && ! grep -q 'not completed' "$work/report"; then
                say ok "$text"
            else
                say "not ok" "$text"
            fi
        done <"$work/bounds"
    done
    # The mutants need no large bounds: each must be found within the quick ones.
    for mutant in $(grep -o 'MUT_[0-9]*' "$here/$model.pml" | sort -u -t_ -k2n); do
        found=no
        bounds "$model" quick >"$work/bounds"
        while read -r defines; do
            [ $found = no ] || break
            search -O0 "$defines -D$mutant" "$model"
            if grep -q 'errors: [1-9]' "$work/report" && grep -q 'assertion violated' "$work/report"
            then
                found=yes
            fi
        done <"$work/bounds"
        why=$(sed -n 's/^pan:1: assertion violated \(.*\) (at depth.*/\1/p' "$work/report")
        if [ $found = yes ]; then
            say ok "$model $mutant is found: $why"
        else
            say "not ok" "$model $mutant is missed"
        fi
    done
done
echo "1..$count"
[ $wrong -eq 0 ]
