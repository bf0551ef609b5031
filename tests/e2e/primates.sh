# Three species from one file of raw counts: every species x type x day is predicted, across species too.
. "$SCS_SRCDIR/tests/lib.sh"
need_data data/primates_counts.h5ad
cd "$work" || exit 1
SCS_TIMEOUT=600 launch 2 run "$SCS_SRCDIR/configs/primates.yaml" \
    --set "data.inputs=[{path: $SCS_SHARED/data/primates_counts.h5ad}]" --set output.dir=out >log 2>&1
check_ok "run configs/primates.yaml on 2 ranks" $? log
"$SCS_PYTHON" - out/screen.h5ad "$SCS_SHARED/data/primates_counts.h5ad" >py.log 2>&1 <<'P'
import sys, anndata, numpy as np, scanpy as sc
screen, cells = map(anndata.read_h5ad, sys.argv[1:])
obs = screen.obs
print(obs.to_string())
assert set(obs.species) == set(cells.obs.species)
assert "0" not in set(obs.perturbation)
held = obs[obs.held_out]
assert len(held) == 1
# normalisation is scanpy's: control means equal those of normalize_total (to the median, its default, of the cells that are not held out)
# + log1p
row = held.iloc[0]
of = lambda day: ((cells.obs.species == row.species) & (cells.obs.cell_type == row.cell_type) & (cells.obs.day.astype(str) == day)).values
seen = ~of(str(row.perturbation))
assert 0 < (~seen).sum() == row.n_observed
sc.pp.normalize_total(cells, target_sum=np.median(np.asarray(cells.X[seen].sum(1))))
sc.pp.log1p(cells)
own = cells[of("0")]
mean = np.asarray(own.X.mean(0)).ravel()
predicted = screen[[held.index[0]]]
assert predicted.obs.n_control.iloc[0] == own.n_obs
assert list(screen.var_names) == list(cells.var_names)
assert np.abs(np.asarray(predicted.layers["control"]).ravel() - mean).max() < 1e-4
assert np.isfinite(screen.X).all() and (screen.X >= 0).all()
controls = cells.obs[cells.obs.day.astype(str) == "0"].groupby(["species", "cell_type"], observed=True).size()
assert len(obs) == len(controls) * (cells.obs.day.nunique() - 1), (len(obs), len(controls))
P
check_ok "contents" $? py.log
[ "$failed" = 0 ] || cat py.log
finish
