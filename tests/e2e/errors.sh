# shift_se without a bootstrap: 90 % intervals of the mixed model hold what was held out, in 88 to 92 of 100; on 1 and 3 ranks alike.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --dir "$work/data" --genes 300 --cells 40 --cell_types 8 --perturbations 4 --species 1 --seed 1 >log 2>&1
check_ok simulate $? log
cat >run.yaml <<Y
data: {inputs: [data/species_a.h5ad], normalize: log1p}
hold_out:
$(for i in 1 2 3 4 5 6 7 8; do echo "  - {cell_type: type_$i, condition: drug_$((i % 4 + 1))}"; done)
model: {kind: mean}
train: {shards: 4}
Y
for np in 1 3; do
    launch $np run run.yaml --set output.dir=np$np >log 2>&1
    check_ok "run on $np" $? log
done
if cmp -s np1/screen.h5ad np3/screen.h5ad; then pass; else fail "np 3 gives other bytes than np 1"; fi
"$SCS_PYTHON" "$SCS_SRCDIR/tests/formats/check_result.py" np1/screen.h5ad >py.log 2>&1
check_ok "every column, layer and unstructured entry" $? py.log
"$SCS_PYTHON" - np1/screen.h5ad data/species_a.h5ad >py.log 2>&1 <<'P'
import sys, anndata, numpy as np
screen, cells = map(anndata.read_h5ad, sys.argv[1:])
assert "delta_se" not in screen.obs
x = cells[:, list(screen.var_names)].X.toarray().astype(float)
x = np.log1p(1e4 * x / cells.X.sum(1).A1[:, None] if hasattr(cells.X.sum(1), "A1") else 1e4 * x / np.asarray(cells.X.sum(1)).reshape(-1, 1))
held = screen[screen.obs.held_out.values]
assert held.n_obs == 8 and np.isfinite(screen.layers["shift_se"]).all() and (np.asarray(screen.layers["shift_se"]) > 0).any(axis=1).all()
inside, sizes, largest = [], [], []
for i in range(held.n_obs):
    own = x[((cells.obs.cell_type == held.obs.cell_type.iloc[i]) & (cells.obs.condition == held.obs.perturbation.iloc[i])).values]
    noise, se = own.var(0) / (len(own) - 1), np.asarray(held.layers["shift_se"][i], float)
    off = np.abs(np.asarray(held.X[i], float) - own.mean(0))
    hit = off < 1.645 * np.sqrt(se**2 + noise)
    inside.append(hit.mean())
    largest.append(hit[np.argsort(-np.abs(held.layers["shift"][i]))[:100]].mean())
    sizes.append((off**2).mean() / (se**2 + noise).mean())
print("90 % intervals hold", np.round(inside, 3), "mean", np.mean(inside), "of the 100 largest changes", np.mean(largest), "squared error / expected", np.mean(sizes))
assert 0.88 <= np.mean(inside) <= 0.92
assert 0.86 <= np.mean(largest) <= 0.94    # those of genes that change most are not too short
assert 0.8 <= np.mean(sizes) <= 1.25
P
check_ok "coverage of 90 % intervals" $? py.log
cat py.log
# other rules have no error of their own: the layer is not there, nor is it where the decoder makes most of the change
launch 2 run run.yaml --set screen.shift=nearest --set output.dir=nearest >log 2>&1
check_ok "another rule" $? log
"$SCS_PYTHON" -c 'import anndata; assert "shift_se" not in anndata.read_h5ad("nearest/screen.h5ad").layers' >py.log 2>&1
check_ok "no error of another rule" $? py.log
finish
