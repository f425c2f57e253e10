# SPDX-License-Identifier: MIT
# filter.awk - the headers' plain comments as Doxygen sees comments: the head becomes the file's, a comment before
# declarations belongs to each of them until an empty line, one behind a field or constant to that.
NR == 1 { head = 1; print "/** @file"; next }
{
    line = $0
    if (head) {
        if (!named) { sub(/^ \* [a-z.]+ - /, " * ", line); named = 1 }
        print line
        if (line ~ /\*\//) head = 0
        next
    }
    if (line ~ /^ *\/\* -- /) next # a rule between parts
    if (line ~ /^ *\/\* /) {
        sub(/\/\* /, "/** ", line)
        comment = ""
        open = 1
        fresh = 1
    } else if (line ~ /[^ ] *\/\* /) {
        sub(/\/\* /, "/**< ", line)
    }
    if (open) {
        comment = comment line "\n"
        print line
        if (line ~ /\*\//) open = 0
        next
    }
    if (line ~ /^ *$/) comment = ""
    if (line ~ /^MOPD_API/ && !fresh && comment != "") printf "%s", comment
    fresh = 0
    print line
}
