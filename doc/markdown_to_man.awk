# A man page from Markdown: headings, paragraphs, lists with -, fenced code, and tables of two columns, which become
# tagged paragraphs.
#
#     awk -v title='NAME 5 "" "source" "manual"' -f markdown_to_man.awk page.md >page.5
#
# The first line, "# name: what it is", makes the section NAME. Other columns than two are an error: they would be lost.

# Text for roff: no escapes of its own, hyphens that can be copied, code and strong words bold, links as their words.
function plain(text) {
    gsub(/\\\|/, "|", text)
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    return text
}
function formatted(text,    out, at, end, word) {
    if (gsub(/`/, "`", text) % 2)
        fail("code begins in this line and ends in another")
    out = ""
    while (match(text, /`[^`]*`|\*\*[^*]*\*\*|\[[^]]*\]\([^)]*\)/)) {
        word = substr(text, RSTART, RLENGTH)
        out = out plain(substr(text, 1, RSTART - 1))
        text = substr(text, RSTART + RLENGTH)
        if (word ~ /^`/)
            out = out "\\fB" plain(substr(word, 2, length(word) - 2)) "\\fR"
        else if (word ~ /^\*\*/)
            out = out "\\fB" plain(substr(word, 3, length(word) - 4)) "\\fR"
        else
            out = out "\\fI" plain(substr(word, 2, index(word, "](") - 2)) "\\fR"
    }
    return guarded(out plain(text))
}
# A line of text that begins as a request would.
function guarded(line) { return line ~ /^[.']/ ? "\\&" line : line }

function fail(why) {
    printf "%s:%d: %s\n", FILENAME, FNR, why >"/dev/stderr"
    failed = 1
    exit 1
}

BEGIN { print ".\\\" Made from Markdown by markdown_to_man.awk."; print ".TH " title }

FNR == 1 {
    if (!match($0, /^# [^:]*: /))
        fail("the first line is not \"# name: what it is\"")
    print ".SH NAME"
    print plain(substr($0, 3, RLENGTH - 4)) " \\- " formatted(substr($0, RLENGTH + 1))
    print ".SH DESCRIPTION"
    next
}
/^```/ {
    code = !code
    print code ? ".PP\n.RS 4\n.EX" : ".EE\n.RE"
    next
}
code { print guarded(plain($0)); next }
/^\|---/ { head = ""; table = 1; next }  # the line before was the table's head
/^\|/ {
    line = $0
    sub(/^\| */, "", line)
    sub(/ *\|$/, "", line)
    n = 0
    while (match(line, /[^\\] \| /)) {
        n++
        first = substr(line, 1, RSTART)
        line = substr(line, RSTART + 4)
    }
    if (n != 1)
        fail("a table of " n + 1 " columns; 2 are known")
    if (!table)
        next
    print ".TP\n" formatted(first) "\n" formatted(line)
    next
}
{ table = 0 }
/^## / { print ".SH " plain(substr($0, 4)); listed = 0; next }
/^### / { print ".SS " formatted(substr($0, 5)); next }
/^- / { print ".IP \\(bu 2\n" formatted(substr($0, 3)); listed = 1; next }
/^$/ { if (!listed) print ".PP"; next }
/^  / && listed { sub(/^ +/, ""); print formatted($0); next }
{ if (listed) print ".PP"; listed = 0; print formatted($0) }

END {
    if (failed)
        exit 1
    print ".SH SEE ALSO\n.BR scscreen (1)"
}
