# Sourced by scripts/check-*: a build with other options beside the usual one, in ./build-NAME (or $SCS_VARIANTS/build-NAME).
src=$(cd "$(dirname "$0")/.." && pwd)
. "$src/scripts/mpirun.sh"
jobs=$(nproc)

# variant NAME CONFIGURE-OPTIONS...: builds the program and the tests there, and goes there.
variant() {
    build=${SCS_VARIANTS:-$PWD}/build-$1
    shift
    [ -x "$src/configure" ] || (cd "$src" && autoreconf -i) || exit 1
    mkdir -p "$build" && cd "$build" || exit 1
    [ -f config.status ] || "$src/configure" --with-test-data="${SCS_SHARED:-$src/../shared}" \
        PYTHON="${SCS_PYTHON:-$src/.venv/bin/python}" "$@" >configure.log || { cat configure.log; exit 1; }
    make -j"$jobs" check TESTS= >make.log 2>&1 || { tail -n 30 make.log; exit 1; }
}

# run_tests TESTS...: these, or all but those in $without. Prints what failed, and returns 1 if anything did.
run_tests() {
    [ $# -gt 0 ] || set -- $(make -s list-tests | tr ' ' '\n' | grep -vxF "$(printf '%s\n' $without)")
    make -k check TESTS="$*" >check.log 2>&1
    "$src/tests/count-results" .
}

need() {
    command -v "$1" >/dev/null || { echo "$0: $1 is missing; scripts/install-deps --checks installs it" >&2; exit 1; }
}
