# data.n_top_genes: the genes that scanpy chooses, from cells that are not held out, on any number of ranks; a stored model keeps its own.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --dir data --genes 400 --cells 60 --cell_types 3 --perturbations 2 >log 2>&1
check_ok simulate $? log
cat >run.yaml <<Y
data:
  inputs: [data/counts.h5ad]
  n_top_genes: 80
hold_out: {cell_type: type_1, condition: drug_1}
model: {kind: mean}
Y
# counts.h5ad has batches; in spoilt.h5ad the held-out cells are others; in changed.h5ad all perturbed ones are.
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import glob, warnings
warnings.simplefilter("ignore")
import anndata, numpy as np, pandas as pd, scanpy, scipy.sparse as sp
a = anndata.read_h5ad(glob.glob("data/*.h5ad")[0])
a.X = sp.csr_matrix(a.X)
a.obs["batch"] = pd.Categorical(["one" if i % 3 else "two" for i in range(a.n_obs)])
a.obs["single"] = pd.Categorical(["one" if i else "two" for i in range(a.n_obs)])
a.write_h5ad("data/counts.h5ad")
held = ((a.obs.cell_type == "type_1") & (a.obs.condition == "drug_1")).to_numpy()

def turned(rows, name):
    x = a.X.toarray()
    x[rows] = np.roll(x[rows], 200, axis=1)  # other genes' counts
    b = a.copy()
    b.X = sp.csr_matrix(x)
    b.write_h5ad(name)

turned(held, "data/spoilt.h5ad")
turned((a.obs.condition != "control").to_numpy(), "data/changed.h5ad")
seen = a[~held].copy()
logged = seen.copy()
scanpy.pp.normalize_total(logged, target_sum=1e4)
scanpy.pp.log1p(logged)
whole = a.copy()
scanpy.pp.normalize_total(whole, target_sum=1e4)
scanpy.pp.log1p(whole)
whole.write_h5ad("data/logged.h5ad")
for flavor, cells in ("seurat", logged), ("seurat_v3", seen):
    for batch in None, "batch":
        scanpy.pp.highly_variable_genes(cells, n_top_genes=80, flavor=flavor, batch_key=batch)
        print(*sorted(cells.var_names[cells.var.highly_variable]), sep="\n", file=open(f"{flavor}_{batch or ''}.txt", "w"))
P
check_ok "what scanpy chooses" $? py.log
# genes FILE: the genes of a result
genes() {
    "$SCS_PYTHON" -c 'import sys, anndata; print(*sorted(anndata.read_h5ad(sys.argv[1], backed="r").var_names), sep="\n")' "$1"
}
# of NP WHAT ARGS...: a run into folder WHAT, its genes into WHAT.genes
of() {
    launch "$1" run run.yaml --set output.dir="$2" "${@:3}" >log 2>&1
    check_ok "$2" $? log
    genes "$2/screen.h5ad" >"$2.genes"
}
for flavor in seurat seurat_v3; do
    for batch in "" batch; do
        name=${flavor}_$batch
        of 3 "$name.run" --set data.hvg_flavor=$flavor --set "data.hvg_batch=$batch"
        both=$(comm -12 "$name.txt" "$name.run.genes" | wc -l)
        [ "$both" -ge 79 ] && [ "$(wc -l <"$name.run.genes")" = 80 ] && pass || fail "$name: $both of scanpy's 80 genes"
    done
    of 1 one_$flavor --set data.hvg_flavor=$flavor --set 'data.inputs=[data/spoilt.h5ad]'
    cmp -s one_$flavor.genes ${flavor}_.run.genes && pass || fail "$flavor: held-out cells, or the number of ranks, make a difference"
done
grep -q '80 of 411 are kept, the most variable (data.hvg_flavor: seurat_v3) over [0-9]* cells that are not held out' log && pass || fail "what was chosen is not said"
launch 2 screen run.yaml --set output.dir=seurat_.run >log 2>&1
check_ok "a screen of the stored model" $? log
genes seurat_.run/screen.h5ad | cmp -s - seurat_.run.genes && pass || fail "the stored model's genes are not its screen's"

# A validation holds out every perturbed group in turn: its genes are those of the controls, whatever the others hold.
for file in counts changed; do
    launch 2 validate run.yaml --set "data.inputs=[data/$file.h5ad]" --set output.dir=v_$file --set validate.pca=true --set model.latent=4 \
        --set "validate.cell_types=[type_2]" >v_$file.log 2>&1
    check_ok "validate $file" $? v_$file.log
    grep -q "over [0-9]* control cells, which no fold holds out" v_$file.log && pass || fail "validate does not say what it chose from"
done

# expect WHAT CODE WORDS ARGS...
expect() {
    launch 2 run run.yaml --set output.dir=none "${@:4}" >log 2>&1
    code=$?
    [ $code = "$2" ] && grep -q "$3" log && pass || { fail "$1: exit $code"; show log; }
}
expect "more genes than there are" 64 "data.n_top_genes is 500, but there are 411 genes" --set data.n_top_genes=500
expect "seurat_v3 of logged values" 65 "seurat_v3 needs raw counts" --set data.hvg_flavor=seurat_v3 --set 'data.inputs=[data/logged.h5ad]'
expect "a batch of one cell" 65 "two has 1 cell to choose genes from" --set data.hvg_batch=single
expect "no such column" 65 "did you mean" --set data.hvg_batch=batches
expect "a word" 64 "data.n_top_genes" --set data.n_top_genes=many
finish
