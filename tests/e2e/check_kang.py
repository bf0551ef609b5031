"""Held-out CD4T in a result of configs/kang.yaml: thresholds, and scores recomputed from the real cells."""
import json
import sys

import anndata
import numpy as np

result, events, cells = sys.argv[1:]
screen, real = anndata.read_h5ad(result), anndata.read_h5ad(cells)
row = screen[(screen.obs.cell_type == "CD4T") & (screen.obs.perturbation == "stimulated")]
assert row.n_obs == 1, screen.obs
obs = row.obs.iloc[0]
print(obs.to_string())
assert bool(obs.held_out) and obs.source == "own"
assert obs.r2_all >= 0.96, obs.r2_all
assert obs.r2_deg >= 0.91, obs.r2_deg
assert obs.delta_pearson >= 0.86, obs.delta_pearson

of = lambda condition: np.asarray(real.X[((real.obs.cell_type == "CD4T") & (real.obs.condition == condition)).values].todense(), np.float64)
control, stimulated = of("control"), of("stimulated")
assert list(screen.var_names) == list(real.var_names)
predicted = np.asarray(row.X).ravel().astype(float)
r2 = lambda a, b: np.corrcoef(a, b)[0, 1] ** 2
assert abs(r2(predicted, stimulated.mean(0)) - obs.r2_all) < 1e-5
assert abs(r2(np.asarray(row.layers["control"]).ravel(), control.mean(0)) - 1) < 1e-9
assert abs(r2(control.mean(0), stimulated.mean(0)) - obs.r2_all_control) < 1e-5
assert abs(r2(np.asarray(row.layers["variance"]).ravel(), stimulated.var(0)) - obs.r2_variance) < 1e-5
assert abs(np.corrcoef(predicted - control.mean(0), stimulated.mean(0) - control.mean(0))[0, 1] - obs.delta_pearson) < 1e-5
assert np.allclose(np.asarray(row.layers["shift"]).ravel(), predicted - control.mean(0), atol=1e-5)
assert (obs.n_control, obs.n_observed) == (len(control), len(stimulated))
assert abs(np.linalg.norm(row.obsm["delta"]) - obs.delta_norm) < 1e-3

epochs = [json.loads(line) for line in open(events)]
assert [e["epoch"] for e in epochs] == list(range(1, len(epochs) + 1))
for key in ("loss", "kl", "reconstruction", "validation", "cells_per_second", "peak_memory_mib"):
    assert all(np.isfinite(e[key]) for e in epochs), key
assert epochs[-1]["loss"] < epochs[0]["loss"]
