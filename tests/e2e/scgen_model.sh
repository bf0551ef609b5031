# A model trained by the public scGen 2.1.0: `run` with model.load reproduces its predict() for held-out CD4T.
. "$SCS_SRCDIR/tests/lib.sh"
need_data data/kang_ifnb.h5ad parity/scgen_model.h5
cd "$work" || exit 1
for shift in balanced paired; do
    launch 2 run "$SCS_SRCDIR/configs/kang.yaml" --set "data.inputs=[{path: $SCS_SHARED/data/kang_ifnb.h5ad}]" \
        --set "model.load=$SCS_SHARED/parity/scgen_model.h5" --set screen.shift=$shift --set screen.decode=decode \
        --set output.dir=$shift >log 2>&1
    check_ok "run with scGen's weights, $shift" $? log
    "$SCS_PYTHON" - "$shift" "$shift/screen.h5ad" "$SCS_SHARED/parity/scgen_model.h5" >py.log 2>&1 <<'P'
import sys, anndata, h5py, numpy as np
shift, result, model = sys.argv[1:]
row = anndata.read_h5ad(result)
row = row[((row.obs.cell_type == "CD4T") & (row.obs.perturbation == "stimulated")).values]
with h5py.File(model) as f:
    want = f["predict/" + shift]
    near = lambda a, b: np.abs(np.asarray(a).ravel() - b).max() / np.abs(b).max()
    errors = near(row.X, want["mean"][:]), near(row.obsm["delta"], want["delta"][:]), near(row.layers["variance"], want["var"][:])
    print(shift, errors, row.obs.r2_all.iloc[0], want.attrs["r2_mean_all_genes"])
    assert max(errors) < 1e-3, errors
    assert abs(row.obs.r2_all.iloc[0] - want.attrs["r2_mean_all_genes"]) < 1e-3
P
    check_ok "predict() reproduced, $shift" $? py.log
    cat py.log
done
finish
