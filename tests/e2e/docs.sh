# The documents say what is so: made ones are as the program makes them, links and names lead somewhere, README's config and its Python
# run, and no line is too wide to read.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
made=$SCS_BUILDDIR/doc
if cmp -s "$made/config.made.md" "$SCS_SRCDIR/doc/config.md"; then pass; else
    fail "doc/config.md is not what the key table says: make update-docs"
    diff "$SCS_SRCDIR/doc/config.md" "$made/config.made.md" | head -n 5
fi
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_docs.py" "$SCS_SRCDIR" "$scscreen" "$made/scscreen-result.5" .
[ $? = 0 ] && pass || fail "documents"
if groff --version >/dev/null 2>&1; then
    for page in scscreen.1 scscreen-result.5; do
        groff -man -Tutf8 -ww "$made/$page" 2>log >/dev/null
        if [ ! -s log ]; then pass; else
            fail "groff warns of $page"
            head -n 5 log
        fi
    done
else
    skip "man pages without warnings: no groff"
fi

# README's first run, on a simulated atlas with the names that README uses. check_docs.py has written config, shell and Python.
"$scscreen" simulate --dir data --genes 200 --cells 20 --cell_types 4 --perturbations 2 --species 1 >log 2>&1
check_ok simulate $? log
mv data/species_a.h5ad my_atlas.h5ad
names='s/CD4T/type_1/g; s/stimulated/drug_1/g; s/epochs: 30/epochs: 2/'
sed "$names" readme.yaml >my.yaml
for ask in "check my_atlas.h5ad" "check my.yaml" "run my.yaml"; do
    # shellcheck disable=SC2086
    launch 2 $ask >log 2>&1
    check_ok "README: $ask" $? log
done
sed "$names" readme.py >read.py
MPLBACKEND=Agg "$SCS_PYTHON" read.py >log 2>&1
check_ok "README's Python" $? log
if grep -q '^gene_0' log && grep -q 'type_1 .*drug_1' log; then pass; else
    fail "README's Python prints no genes, or no combinations"
    show log
fi

# The recipes name what configure looks for: a library that is new there is missing in them until it stands in this table.
recipes() { # MODULE INSTALL-DEPS SPACK CONDA: the names of a module of configure.ac; "-": not named there
    while [ $# -gt 1 ]; do
        shift
        case $# in
        3) file=scripts/install-deps name=$1 ;;
        2) file=scripts/spack/package.py name="\"$1[\"@]" ;;
        1) file=scripts/conda/recipe.yaml name="- $1\( \|\$\)" ;;
        esac
        [ "$1" = - ] && continue
        if grep -q -- "$name" "$SCS_SRCDIR/$file"; then pass; else fail "$file does not name $1"; fi
    done
}
for module in $(sed -n 's/.*PKG_CHECK_MODULES(\[\([A-Z0-9]*\)\].*/\1/p' "$SCS_SRCDIR/configure.ac" | sort -u) RANDOM123; do
    case $module in
    HDF5) recipes HDF5 libhdf5-openmpi-dev hdf5 hdf5 ;;
    OPENBLAS) recipes OPENBLAS libopenblas-dev openblas openblas ;;
    SCALAPACK) recipes SCALAPACK libscalapack-openmpi-dev netlib-scalapack scalapack ;;
    YAML) recipes YAML libyaml-dev libyaml yaml ;;
    MD) recipes MD libmd-dev libmd - ;; # conda builds it itself
    XXHASH) recipes XXHASH libxxhash-dev xxhash xxhash ;;
    DEFLATE) recipes DEFLATE libdeflate-dev libdeflate libdeflate ;;
    ZLIB) recipes ZLIB zlib1g-dev zlib zlib ;;
    ZSTD) recipes ZSTD libzstd-dev zstd zstd ;;
    LZ4) recipes LZ4 liblz4-dev lz4 lz4-c ;;
    BLOSC) recipes BLOSC libblosc-dev c-blosc blosc ;;
    CUNIT) recipes CUNIT libcunit1-dev cunit - ;; # for the tests only
    RANDOM123) recipes RANDOM123 librandom123-dev random123 - ;;
    *) fail "configure looks for $module: name it in the recipes of scripts/, and here" ;;
    esac
done
finish
