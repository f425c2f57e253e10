# SPDX-License-Identifier: MIT
# links.awk - Markdown as Doxygen 1.9.4 reads it: README's headings get the anchors that GitHub gives them; a link to a
# file that is no page of the documentation (an example, a page still to come) is left as words.
BEGIN { dir = ARGV[1]; if (!sub(/\/[^\/]*$/, "", dir)) dir = "." }
/^```/ { code = !code }
!code && /^## / && FILENAME ~ /README\.md$/ && FILENAME !~ /(examples|bindings)\// && !/\{#/ {
    id = tolower(substr($0, 4))
    gsub(/[^a-z0-9 -]/, "", id)
    gsub(/ /, "-", id)
    $0 = $0 " {#" id "}"
}
!code {
    out = ""
    rest = $0
    while (match(rest, /\[[^]]*\]\([^)]*\)/)) {
        link = substr(rest, RSTART, RLENGTH)
        words = target = link
        sub(/^\[/, "", words); sub(/\]\(.*/, "", words)
        sub(/^.*\]\(/, "", target); sub(/\)$/, "", target)
        image = substr(rest, RSTART - 1, 1) == "!"
        there = (getline line < (dir "/" target)) > 0
        close(dir "/" target)
        if (!image && target !~ /^(https?:|#)/ && !(there && target ~ /\.md$/)) link = words
        out = out substr(rest, 1, RSTART - 1) link
        rest = substr(rest, RSTART + RLENGTH)
    }
    $0 = out rest
}
{ print }
