"""A screen of the simulated demo atlas against its truth: every combination is there and the shifts are the known ones."""
import sys

import anndata
import numpy as np

screen, truth = map(anndata.read_h5ad, sys.argv[1:])
truth = truth[:, screen.var_names]
assert set(screen.obs_names) == set(truth.obs_names), "not the same combinations"
truth = truth[screen.obs_names]
shift = np.asarray(screen.layers["shift"], float)
assert np.allclose(np.asarray(screen.X) - np.asarray(screen.layers["control"]), shift, atol=1e-5)

r = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(shift, np.asarray(truth.X, float))])
held = screen.obs.held_out.values
print(f"predicted v true shift, Pearson: held out {r[held].mean():.3f} (lowest {r[held].min():.3f}), all {r.mean():.3f}")
assert held.sum() >= 3 and not held.all()
assert r[held].mean() > 0.85 and r.min() > 0.7
# another perturbation's truth fits worse: the screen tells perturbations apart
for i in np.flatnonzero(held):
    others = truth[((truth.obs.species == screen.obs.species.iloc[i]) & (truth.obs.cell_type == screen.obs.cell_type.iloc[i])).values]
    best = max(others.obs_names, key=lambda n: np.corrcoef(shift[i], np.asarray(others[n].X).ravel())[0, 1])
    assert best == screen.obs_names[i], (screen.obs_names[i], best)
scores = screen.obs[held]
assert (scores.r2_all > scores.r2_all_control).all() and (scores.r2_deg > scores.r2_deg_control).all()
assert (screen.obs.n_control > 0).all() and (screen.obs.n_observed > 0).all()
