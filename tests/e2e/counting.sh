# tests/count-results and tests/lib.sh: what passed, failed and was skipped is counted and named, and with --all a skip is a failure.
. "$SCS_SRCDIR/tests/lib.sh"
build=$work/build

# ran TEST RESULT TEXT: as `make check` leaves a test in the fake build folder.
ran() {
    mkdir -p "$build/$(dirname "$1")"
    echo ":global-test-result: $2" >"$build/$1.trs"
    printf "$3" >"$build/$1.log"
}
# counts CODE LAST-LINE [OPTION]: what count-results says of it.
counts() {
    "$SCS_SRCDIR/tests/count-results" $3 "$build" >"$work/said" 2>&1
    code=$?
    [ $code = "$1" ] && [ "$(tail -n 1 "$work/said")" = "$2" ] && pass && return
    fail "count-results $3: exit $code, $(tail -n 1 "$work/said"); expected $1, $2"
    sed 's/^/    /' "$work/said"
}
# named LINE: is among what it says.
named() { if grep -qxF -- "$1" "$work/said"; then pass; else fail "count-results does not say: $1"; fi; }

ran tests/unit/a PASS '\n  tests  5 5 4 1 0\n  asserts 9 9 9 0 n/a\n'
ran tests/unit/b PASS 'SKIPPED: a real table: no real data: t.csv\n  tests  3 3 3 0 0\n'
ran tests/e2e/c PASS 'FAILED words in the middle of a log\n7 passed, 0 failed, 0 skipped\n'
ran tests/e2e/d SKIP 'SKIPPED: no slurmd\n0 passed, 0 failed, 1 skipped\n'
counts 1 "14 passed, 1 failed, 2 skipped"
named "FAILED: tests/unit/a.log: PASS, 1 failed"
named "SKIPPED: tests/unit/b: a real table: no real data: t.csv"
named "SKIPPED: tests/e2e/d: no slurmd"

ran tests/unit/a PASS '\n  tests  5 5 5 0 0\n'
counts 0 "15 passed, 0 failed, 2 skipped"
counts 1 "15 passed, 0 failed, 2 skipped" --all
named "FAILED: 2 skipped, where nothing may be"
named "SKIPPED: tests/unit/b: a real table: no real data: t.csv"

ran tests/e2e/d SKIP ''
counts 0 "15 passed, 0 failed, 2 skipped"
named "SKIPPED: tests/e2e/d: all of it, without a reason"
ran tests/e2e/d FAIL 'Segmentation fault\n'
counts 1 "15 passed, 1 failed, 1 skipped"
named "FAILED: tests/e2e/d.log: FAIL, 1 failed"
ran tests/e2e/d PASS 'nothing\n'
counts 1 "15 passed, 1 failed, 1 skipped"
named "FAILED: tests/e2e/d.log: NO TEST RAN, 1 failed"
ran tests/e2e/d PASS '2 passed, 0 failed\n'
ran tests/unit/b PASS '  tests  3 3 3 0 0\n'
counts 0 "17 passed, 0 failed, 0 skipped" --all
rm -r "$build/tests" && mkdir "$build/tests"
counts 1 "0 passed, 0 failed, 0 skipped"

# script CODE LAST-LINE COMMANDS: a shell test of these commands ends so.
script() {
    (eval ". '$SCS_SRCDIR/tests/lib.sh'; $3") >"$work/said" 2>&1
    code=$?
    if [ $code = "$1" ] && [ "$(tail -n 1 "$work/said")" = "$2" ]; then pass; else
        fail "a script that does '$3': exit $code, $(tail -n 1 "$work/said"); expected $1, $2"
    fi
}
script 0 "2 passed, 0 failed, 1 skipped" 'pass; skip "a page: no browser"; pass; finish'
script 77 "0 passed, 0 failed, 1 skipped" 'skip_all "no slurmd"; pass; finish'
script 77 "0 passed, 0 failed, 1 skipped" 'SCS_SHARED=/nowhere; need_data data/a.h5ad data/b.h5ad; pass; finish'
named "SKIPPED: no real data: /nowhere/data/a.h5ad"
script 1 "1 passed, 1 failed, 1 skipped" 'pass; skip x; fail y; finish'
script 1 "0 passed, 0 failed, 0 skipped" 'finish'
finish
