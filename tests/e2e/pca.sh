# Principal components of all cells: scanpy's up to sign, on any process grid.
. "$SCS_SRCDIR/tests/lib.sh"
"$scscreen" simulate --dir "$work/data" --genes 300 --cells 60 --cell_types 4 --perturbations 2 --species 1 >"$work/log" 2>&1
check_ok simulate $? "$work/log"
cat >"$work/pca.yaml" <<Y
data: {inputs: [data/species_a.h5ad], normalize: log1p}
model: {latent: 12}
Y
for np in 1 3 4; do
    mkdir "$work/$np"
    (cd "$work/$np" && launch "$np" pca ../pca.yaml >log 2>&1)
    check_ok "pca at np $np" $? "$work/$np/log"
done
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_pca.py" "$work/data/species_a.h5ad" "$work/1/results/pca.h5ad" "$work/3/results/pca.h5ad" "$work/4/results/pca.h5ad" >"$work/log" 2>&1
check_ok "components as scanpy's" $? "$work/log"
cat "$work/log"
if "$scscreen" inspect "$work/1/results/pca.h5ad" | grep -q "12 principal components of"; then pass; else fail "inspect of pca.h5ad"; fi
expect "too many components" 64 "model.latent" 2 pca "$work/pca.yaml" --set model.latent=60000
finish
