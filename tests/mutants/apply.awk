# apply.awk: prints a source file with one mutant applied.
#     awk -f apply.awk mutant-file source-file
# Each text between "--- find" and "--- replace" must occur exactly once in the source, any run of
# white space in it standing for any other; what follows, up to "--- find" or "--- end", takes its
# place. Exit 3 when it does not occur, or occurs twice.

FNR == NR {
    if (/^--- find$/) {
        pairs++
        part = "find"
    } else if (/^--- replace$/) {
        part = "replace"
    } else if (/^--- end$/) {
        part = ""
    } else if (part == "find") {
        find[pairs] = find[pairs] $0 "\n"
    } else if (part == "replace") {
        replace[pairs] = replace[pairs] $0 "\n"
    }
    next
}

{ source = source $0 "\n" }

# Squeezes white space to single blanks; leaves in at[] where each character came from.
function squeeze(text,    i, n, c, out, blank) {
    n = length(text)
    out = ""
    blank = 1
    squeezed = 0
    for (i = 1; i <= n; i++) {
        c = substr(text, i, 1)
        if (c == " " || c == "\t" || c == "\n") {
            if (blank)
                continue
            blank = 1
            c = " "
        } else {
            blank = 0
        }
        out = out c
        at[++squeezed] = i
    }
    return out
}

END {
    if (pairs == 0) {
        print "no --- find in the mutant" > "/dev/stderr"
        exit 3
    }
    for (p = 1; p <= pairs; p++) {
        wanted = squeeze(find[p])
        sub(/ $/, "", wanted)
        flat = squeeze(source)
        first = index(flat, wanted)
        if (!first || index(substr(flat, first + 1), wanted)) {
            printf "%s: %s\n", first ? "occurs twice" : "does not occur", wanted > "/dev/stderr"
            exit 3
        }
        sub(/\n$/, "", replace[p])
        source = substr(source, 1, at[first] - 1) replace[p] \
            substr(source, at[first + length(wanted) - 1] + 1)
    }
    printf "%s", source
}
