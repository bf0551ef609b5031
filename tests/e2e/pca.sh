# Principal components of all cells: scanpy's up to sign, on any number of ranks. Of 300 genes the
# covariance is made, of 1,400 it is applied to vectors.
. "$SCS_SRCDIR/tests/lib.sh"
# components GENES CELLS NP...   in $work/GENES; each number of ranks against scanpy
components() {
    local genes=$1 cells=$2 np
    shift 2
    "$scscreen" simulate --dir "$work/$genes/data" --genes "$genes" --cells "$cells" --cell_types 4 --perturbations 2 --species 1 >"$work/log" 2>&1
    check_ok "simulate $genes genes" $? "$work/log"
    cat >"$work/$genes/pca.yaml" <<Y
data: {inputs: [data/species_a.h5ad], normalize: log1p}
model: {latent: 12}
Y
    for np in "$@"; do
        mkdir "$work/$genes/$np"
        (cd "$work/$genes/$np" && launch "$np" pca ../pca.yaml >log 2>&1)
        check_ok "pca of $genes genes at np $np" $? "$work/$genes/$np/log"
        set -- "$@" "$work/$genes/$np/results/pca.h5ad"
        shift
    done
    "$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_pca.py" "$work/$genes/data/species_a.h5ad" "$@" >"$work/log" 2>&1
    check_ok "components of $genes genes as scanpy's" $? "$work/log"
    cat "$work/log"
}
components 300 60 1 3 4
components 1400 25 1 2 3
if "$scscreen" inspect "$work/300/1/results/pca.h5ad" | grep -q "12 principal components of"; then pass; else fail "inspect of pca.h5ad"; fi
expect "too many components" 64 "model.latent" 2 pca "$work/300/pca.yaml" --set model.latent=60000
finish
