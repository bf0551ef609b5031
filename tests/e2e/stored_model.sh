# A stored model and the data it is asked about belong together, or the difference is named: settings, inputs, scale. --other-data
# lets it speak of other cells on its scale.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/make_values.py" "$work" >py.log 2>&1
check_ok "making the files" $? py.log
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata
a = anndata.read_h5ad("counts.h5ad")
a.layers["counts"] = a.X.copy()
a.write_h5ad("trained.h5ad")
b = a.copy()
b.X[0, 0] += 1
b.write_h5ad("a_count_more.h5ad")
a[a.obs.cell_type != "C"].copy().write_h5ad("fewer.h5ad")
P
check_ok "variants" $? py.log
cat >m.yaml <<Y
data: {inputs: [trained.h5ad]}
model: {hidden: 8, latent: 3}
train: {epochs: 2, batch: 16, shards: 4}
screen: {permutations: 0}
output: {dir: out}
Y
launch 2 train m.yaml >log 2>&1
check_ok train $? log
launch 3 screen m.yaml >log 2>&1
check_ok "screen with the same data" $? log
cp out/screen.h5ad before.h5ad
if grep -q "was trained with other settings" log; then fail "the same settings are taken for others"; else pass; fi
launch 2 screen m.yaml --set train.epochs=9 --set model.latent=5 --set data.n_top_genes=20 --set output.dir=used --set model.load="$work/out/model.h5" >log 2>&1
check_ok "other settings of training" $? log
words="out/model.h5 was trained with other settings, and is used as it is: data.n_top_genes (all, now 20), model.latent (3, now 5), train.epochs (2, now 9)"
if [ "$(grep -c "note: .*$words" log)" = 1 ]; then pass; else fail "other settings are not told: $(grep note: log)"; fi
expect "another target_sum" 64 "data.target_sum (10000, now 5000)" 2 screen m.yaml --set data.target_sum=5000
expect "another matrix" 64 "data.matrix (X, now layers/counts)" 1 screen m.yaml --set data.matrix=layers/counts
expect "another normalize" 64 "data.normalize (log1p, now none)" 3 screen m.yaml --set data.normalize=none --set data.trust_values=true
expect "another file" 65 "made from another file than" 2 screen m.yaml --set 'data.inputs=[a_count_more.h5ad]'
expect "other cells" 65 "train" 2 screen m.yaml --set 'data.inputs=[fewer.h5ad]'
expect "a loaded model, another file" 65 "made from another file than" 2 run m.yaml --set model.load="$work/out/model.h5" --set 'data.inputs=[a_count_more.h5ad]' --set output.dir=loaded
expect "a loaded model, another target_sum" 64 "data.target_sum (10000, now 5000)" 2 screen m.yaml --set model.load="$work/out/model.h5" --set data.target_sum=5000 --set output.dir=loaded
expect "other cells on another scale" 64 "data.target_sum (10000, now 5000)" 2 screen m.yaml --other-data --set 'data.inputs=[fewer.h5ad]' --set data.target_sum=5000
if cmp -s out/screen.h5ad before.h5ad; then pass; else fail "a refused screen changed the earlier one"; fi
launch 2 screen m.yaml --other-data --set 'data.inputs=[fewer.h5ad]' --set output.dir=other --set model.load="$work/out/model.h5" >log 2>&1
check_ok "--other-data" $? log
launch 1 screen m.yaml --set data.other_data=true --set output.dir=same --set model.load="$work/out/model.h5" >log 2>&1
check_ok "--other-data with the same data" $? log
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, numpy as np
a, b, c = (anndata.read_h5ad(f) for f in ("before.h5ad", "same/screen.h5ad", "other/screen.h5ad"))
assert np.allclose(a.X, b.X, atol=1e-5) and a.n_obs == 3, a.n_obs  # the atlas is made anew, to the same
assert set(c.obs.cell_type) == {"A", "B"}
P
check_ok "and gives what the model gave" $? py.log
cat py.log
finish
