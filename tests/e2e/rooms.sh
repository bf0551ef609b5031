# scripts/check-rooms finds nothing wrong with this tree, and finds each kind of violation in a small one made here.
. "$SCS_SRCDIR/tests/lib.sh"
python=${SCS_PYTHON:-python3}
check=$SCS_SRCDIR/scripts/check-rooms
if "$python" "$check" "$SCS_BUILDDIR" "$SCS_SRCDIR" >"$work/log" 2>&1; then pass; else
    fail "check-rooms: exit $?"
    cat "$work/log"
fi
if "$python" "$check" --comments "$SCS_BUILDDIR" "$SCS_SRCDIR" >"$work/log" 2>&1; then pass; else
    fail "check-rooms --comments: exit $?"
    cat "$work/log"
fi

tree=$work/tree
mkdir "$tree"
cd "$tree" || exit 1

# put FILE: the file from standard input, and its object if it is C. add FILE: more of it.
put() {
    mkdir -p "$(dirname "$1")" "$(dirname "build/$1")"
    : >"$1"
    add "$1"
}
add() {
    cat >>"$1"
    case $1 in
    *.c) ${CC:-cc} -I. -Iinclude -c "$1" -o "build/${1%.c}.o" || fail "cannot compile $1" ;;
    esac
}
# pair FILE SYMBOL [USED]: FILE.c with SYMBOL, an int, the function USED plus one if given; and FILE.h.
pair() {
    echo "int $2(void);" | put "$1.h"
    put "$1.c" <<C
#include "$1.h"
${3:+int $3(void);}
int $2(void) { return ${3:+$3() + }1; }
C
}

# Three folders of src/ and two of mpi/, a public header, a header for a folder alone, a variant of an object, and a test.
pair src/base/text scs_text_length
pair src/base/status scs_status_name scs_text_length
echo 'int scs_fail(void) { return 1; }' | add src/base/status.c
: | put src/base/text_internal.h
pair src/config/values scs_values_read scs_text_length
pair src/model/step scs_step scs_values_read
echo 'int scs_net_open(void);' | put include/scscreen/net.h
printf '%s\n' '#include "scscreen/net.h"' 'const int scs_net_size = 3;' 'static int open_one(void) { return 1; }' \
    'int scs_net_open(void) { return open_one(); }' | put src/model/net.c
pair mpi/comm/comm scs_comm_open scs_net_open
pair mpi/app/cli scs_cli_read scs_comm_open
echo 'int scs_cli_read(void); int main(void) { return scs_cli_read(); }' | put mpi/app/main.c
printf '%s\n' '#include "src/base/text_internal.h"' 'int scs_step(void); int main(void) { return scs_step(); }' |
    put tests/unit/test_step.c
echo 'int scs_status_name(void); int again(void) { return scs_status_name(); }' | put src/base/again.c
mv build/src/base/again.o build/src/base/libfaults_a-text.o
rm src/base/again.c
i=10
while [ $i -lt 60 ]; do
    echo "int scs_filler_$i(void);" >"src/base/filler_$i.h"
    printf '%s\n' "#include \"src/base/filler_$i.h\"" "int scs_filler_$i(void) { return $i; }" >"src/base/filler_$i.c"
    i=$((i + 1))
done
(cd build/src/base && ${CC:-cc} -I../../.. -c ../../../src/base/filler_*.c) || fail "cannot compile the fillers"
cp -Rp "$tree" "$work/clean"

# fresh: the tree without violations again, and what the last case was done to.
fresh() {
    cd "$work" && rm -rf "$tree" && cp -Rp clean "$tree" && cd "$tree" || exit 1
}
# found WHAT VIOLATIONS LINE [OPTION]: so many violations and this line; then the next case begins.
found() {
    "$python" "$check" $4 build . >"$work/log" 2>&1
    code=$?
    want=1
    [ "$2" = 0 ] && want=0
    if [ "$code" != "$want" ]; then
        fail "$1: exit $code, expected $want"
        cat "$work/log"
    elif ! tail -n 1 "$work/log" | grep -q ", $2 violations\$"; then
        fail "$1: not $2 violations"
        cat "$work/log"
    elif ! grep -qxF -- "$3" "$work/log"; then
        fail "$1: not this line: $3"
        cat "$work/log"
    else
        pass
    fi
    fresh
}
line() { printf '%s\n' "$@"; }

found "a tree in order" 0 "58 files, 60 exported symbols, 0 violations"

# ---- order
after_base='src/base may not use src/model, which comes after it'
line '#include "src/base/text.h"' '#include "src/model/step.h"' 'int scs_text_length(void) { return 1; }' | put src/base/text.c
found "a header of a later folder" 1 "src/base/text.c: includes src/model/step.h: $after_base"
line '#include "scscreen/net.h"' | put src/base/text.h
found "a public header of a later folder" 1 "src/base/text.h: includes include/scscreen/net.h: $after_base"
line 'int scs_words(void);' | put include/scscreen/words.h
line '#include <scscreen/words.h>' | put include/scscreen/net.h
line '#include <scscreen/net.h>' 'int scs_words(void) { return 1; }' | put src/base/words.c
line '#include "src/model/step.h"' | put include/scscreen/words.h
found "a public header that includes a later folder's" 2 \
    "include/scscreen/words.h: includes src/model/step.h: $after_base"
line '#include "mpi/comm/comm.h"' | put include/scscreen/screen.h
found "a public header without a .c that includes what it may not" 1 \
    "include/scscreen/screen.h: includes mpi/comm/comm.h: src/ may not use mpi/"
pair src/base/text scs_text_length scs_net_open
found "a call into a later folder" 1 "src/base/text.c: uses scs_net_open of src/model/net.c: $after_base"
line 'extern const int scs_net_size; int scs_text_length(void) { return scs_net_size; }' | put src/base/text.c
found "data of a later folder" 1 "src/base/text.c: uses scs_net_size of src/model/net.c: $after_base"
pair mpi/comm/comm scs_comm_open scs_cli_read
pair mpi/app/cli scs_cli_read
found "a call into a later folder of mpi/" 1 \
    "mpi/comm/comm.c: uses scs_cli_read of mpi/app/cli.c: mpi/comm may not use mpi/app, which comes after it"
pair src/model/step scs_step scs_cli_read
found "src/ calls mpi/" 1 "src/model/step.c: uses scs_cli_read of mpi/app/cli.c: src/ may not use mpi/"
line '#include "mpi/app/cli.h"' 'int scs_step(void);' | put src/model/step.h
found "src/ includes mpi/" 1 "src/model/step.h: includes mpi/app/cli.h: src/ may not use mpi/"
line '#if 0' '#  include <mpi.h>' '#endif' | put src/model/step.h
found "src/ includes mpi.h" 1 "src/model/step.h: includes mpi.h: src/ may not use MPI"
pair src/extra/more scs_more
found "a folder without a place in the order" 2 "src/extra/more.c: src/extra is not in the order of folders"
pair src/more scs_more
found "a file in no folder" 2 "src/more.h: is in no folder of src/"
line '#if 0' '#include "text.h"' '#endif' | put src/model/step.h
found "a header that is nowhere" 1 "src/model/step.h: includes text.h, which is not in the source tree"

# Without folders there is no order, and it is said; but src/ never uses mpi/.
line 'int scs_cli_read(void); int scs_text_length(void) { return scs_cli_read(); }' | put src/base/text.c
for top in src mpi; do
    for f in $top/*/*.[ch] build/$top/*/*.o; do mv "$f" "$(dirname "$(dirname "$f")")"; done
    rmdir $top/*/
done
for f in src/*.[ch] mpi/*.[ch] tests/unit/*.c; do
    sed -E 's,(src|mpi)/[a-z]+/,\1/,' "$f" >"$work/flat" && touch -r "$f" "$work/flat" && cp -p "$work/flat" "$f"
done
cp -Rp . "$work/without"
found "a tree without folders" 1 "src/text.c: uses scs_cli_read of mpi/cli.c: src/ may not use mpi/"

"$python" "$check" "$work/without/build" "$work/without" >"$work/log"
if grep -qx 'note: src/ has no folders: their order is not checked' "$work/log"; then pass; else
    fail "a tree without folders: not said"
fi

# ---- names
pair src/model/values scs_values_write
found "a name in two folders" 1 "values: this name is in src/config, src/model"
pair mpi/comm/text scs_text_send
found "a name in src/ and mpi/" 1 "text: this name is in mpi/comm, src/base"
line 'int scs_text_length(void);' | put include/scscreen/text.h
found "two headers of a name" 1 "include/scscreen/text.h: this name is in src/base/text.h too"
pair src/base/text_line scs_text_line_end
pair src/base/text scs_text_line_end
line 'int scs_text_length(void) { return 1; }' | add src/base/text.c
found "a symbol in two files" 1 "src/base/text_line.c: exports scs_text_line_end, as src/base/text.c does"

# ---- prefix
pair src/base/word scs_text_word
found "a function not named after its file" 1 "src/base/word.c: exports scs_text_word, not scs_word_*"
pair src/base/word scs_words
found "a longer word" 1 "src/base/word.c: exports scs_words, not scs_word_*"
pair src/base/word scs_word
line 'int letters[2] = {1, 2};' | add src/base/word.c
found "data not named after its file" 1 "src/base/word.c: exports letters, not scs_word_*"
line 'int scs_word_zero[9];' 'static _Thread_local int scs_word_own;' \
    'int *scs_word(void) { return &scs_word_own; }' | put src/base/word.c
line 'int *scs_word(void);' | put src/base/word.h
found "static data named as if external" 1 \
    "src/base/word.c: scs_word_own is static and has the prefix of external symbols, scs_"
line 'static inline' 'int scs_word_one(int a)' '{ return a; }' 'int scs_word(void) { return 1; }' |
    put src/base/word.c
line 'int scs_word(void);' | put src/base/word.h
found "a static function named as if external, of which the object has no trace" 1 \
    "src/base/word.c: scs_word_one is static and has the prefix of external symbols, scs_"
line 'static inline int scs_word_one(int a) { return a; }' | put src/base/word.h
line '#include "src/base/word.h"' 'int scs_word(void) { return scs_word_one(1); }' | put src/base/word.c
found "an inline function of a header" 0 "59 files, 61 exported symbols, 0 violations"

# ---- cycle
pair src/base/text scs_text_length scs_status_name
found "two files that call each other" 1 "cycle: src/base/status.c uses scs_text_length of src/base/text.c;\
 src/base/text.c uses scs_status_name of src/base/status.c"
pair src/base/one scs_one scs_two
pair src/base/two scs_two scs_three
pair src/base/three scs_three scs_four
line 'int scs_one(void);' 'int (*const scs_four)(void) = scs_one;' | put src/base/four.c
: | put src/base/four.h
found "a cycle of four, over data" 1 "cycle: src/base/four.c uses scs_one of src/base/one.c; src/base/one.c uses scs_two of\
 src/base/two.c; src/base/two.c uses scs_three of src/base/three.c; src/base/three.c uses scs_four of src/base/four.c"

# ---- header
rm src/model/step.h
line 'int scs_step(void) { return 1; }' | put src/model/step.c
found "a .c without a header" 1 "src/model/step.c: has no header step.h, and nothing else in its folder declares scs_step"
: | put src/model/extra.h
found "a header without a .c" 1 "src/model/extra.h: has no extra.c"
: | put src/model/text_internal.h
found "an internal header without a .c in its folder" 2 "src/model/text_internal.h: has no text.c"
: | put include/scscreen/extra.h
found "a public header without a .c" 1 "include/scscreen/extra.h: has no extra.c"
line '#include "src/base/text_internal.h"' | put src/model/step.h
found "an internal header in another folder" 1 \
    "src/model/step.h: includes src/base/text_internal.h, which is internal to its folder"

# ---- object
rm build/src/model/step.o
found "no object" 1 "src/model/step.c: has no object; \`make check TESTS=\` builds it"
touch -r src/base/text.h -d '+1 hour' src/model/step.c
found "an object older than its file" 1 \
    "src/model/step.c: is newer than src/model/step.o; \`make check TESTS=\` builds it"
: >"$work/none.c"
${CC:-cc} -c "$work/none.c" -o "$work/none.o"
cp "$work/none.o" build/src/base/filler_10.o
found "an object without symbols" 1 "src/base/filler_10.c: src/base/filler_10.o has no symbols"
rm -r build/*
found "no objects" 1 "build: has no objects; \`make check TESTS=\` builds them"
rm src/base/filler_1* src/base/filler_2*
found "few files" 1 "only 38 .c files found, fewer than 50"
echo 'no object' >build/src/model/step.o
if "$python" "$check" build . >"$work/log" 2>&1; then fail "an object that nm cannot read: exit 0"; else pass; fi
if grep -q '^check-rooms: .* failed on the objects in build: exit 1$' "$work/log"; then pass; else
    fail "an object that nm cannot read: not said"
    cat "$work/log"
fi
fresh

# ---- its tables: an exception that nothing needs is a violation, in the tree whose script it is
mkdir scripts
sed 's/^PREFIXES = {$/&\n    "text.c": ["scs_never"],/' "$check" >scripts/check-rooms
if "$python" scripts/check-rooms >"$work/log" 2>&1; then fail "an exception that nothing needs: exit 0"; else pass; fi
if grep -qx 'scripts/check-rooms: PREFIXES has text.c scs_never, which nothing needs' "$work/log" &&
    ! grep -q 'NO_HEADER has main.c' "$work/log"; then pass; else
    fail "an exception that nothing needs: not said"
    cat "$work/log"
fi
fresh

# ---- comments
for f in src/*/*.[ch] mpi/*/*.[ch] include/scscreen/*.h; do
    { echo "/* What it holds. */" && sed 's,^int scs_.*;$,/* What it does. */\n&,' "$f"; } >"$work/said" && cp "$work/said" "$f"
done
cp -Rp . "$work/said.tree"
said() { cd "$work" && rm -rf "$tree" && cp -Rp said.tree "$tree" && cd "$tree" || exit 1; }
found "a tree with comments" 0 "115 files, 57 declared functions, 0 violations" --comments
said
line 'int scs_text_end(void);' | add src/base/text.h
found "a function without a comment" 1 "src/base/text.h:4: no comment directly above scs_text_end" --comments
said
line '/* Of another. */' '' 'const char *scs_text_end(int of,' '                         int at);' | add src/base/text.h
found "a comment that stands apart" 1 "src/base/text.h:6: no comment directly above scs_text_end" --comments
said
sed -i 1d src/config/values.c
found "a file without an opening" 1 \
    "src/config/values.c: does not begin with a comment that says what it holds" --comments
said
printf '%s\n' '/* Words' ' * of two lines. */' '/* Others. */' 'int scs_values_read(void);' >>src/config/values.h
found "two comments" 1 "src/config/values.h:6: a comment directly below another; make them one" --comments
said
printf '%s\n' '/* @param of, at in' ' *  units  @param[out] it the answer */' 'int scs_values_read(int of, int (*to)(int at), int *answer);' \
    >>src/config/values.h
found "a parameter that is none" 1 "src/config/values.h:4: scs_values_read has no parameter it; mend the comment" --comments
said
rm src/base/filler_*
found "few functions" 1 "only 7 declared functions found, fewer than 50" --comments

# ---- who uses what
found "used by no other file" 0 "unused: src/model/net.c: scs_net_size" --unused
"$python" "$check" --unused build . >"$work/log"
if grep -E '^unused: .*: (main|scs_(step|status_name|text_length|cli_read))$' "$work/log"; then
    fail "--unused: what a test, a variant, a file or the program uses"
else
    pass
fi
"$python" "$check" --uses build . >"$work/log"
tab=$(printf '\t')
for row in "src/base/text.c${tab}scs_text_length${tab}T${tab}src/base/status.c,src/config/values.c" \
    "src/model/step.c${tab}scs_step${tab}T${tab}tests/unit/test_step.c" \
    "src/model/net.c${tab}scs_net_size${tab}R${tab}"; do
    if grep -qxF "$row" "$work/log"; then pass; else fail "--uses: not this row: $row"; fi
done
finish
