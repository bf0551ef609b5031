"""A screen of an atlas of an odd shape: every number that can be worked out by hand.

usage: check_shapes.py ATLAS.h5ad SCREEN.h5ad ROWS-WANTED
"""
import sys
import warnings

import anndata
import numpy as np
import scipy.sparse as sp

warnings.simplefilter("ignore")
atlas, screen = (anndata.read_h5ad(path) for path in sys.argv[1:3])
x = sp.csr_matrix(atlas.X).astype(np.float64)
obs = atlas.obs
several = obs.species.nunique() > 1 and len(set(screen.obs.species)) > 1


def cells(row, condition):
    mask = (obs.cell_type == row.cell_type) & (obs.condition == condition)
    return (mask & (obs.species == row.species) if several else mask).to_numpy()


assert list(screen.var_names) == list(atlas.var_names), "genes"
assert screen.n_obs == int(sys.argv[3]), f"{screen.n_obs} rows"
for i, (_, row) in enumerate(screen.obs.iterrows()):
    control, own = cells(row, "control"), cells(row, row.perturbation)
    assert (row.n_control, row.n_observed) == (control.sum(), own.sum()), f"counts of row {i}"
    predicted = np.asarray(screen.X[i]).ravel()
    if row.status != "ok":
        assert np.isnan(predicted).all() and row.reason, f"row {i} without a prediction"
        continue
    mean = np.asarray(x[control].mean(axis=0)).ravel()
    found = np.asarray(screen.layers["control"][i]).ravel()
    assert np.allclose(found, mean, rtol=1e-5, atol=1e-6), f"control mean of row {i}"
    assert np.isfinite(predicted).all() and (predicted >= 0).all(), f"prediction of row {i}"
    shift = np.asarray(screen.layers["shift"][i]).ravel()
    assert np.allclose(predicted - found, shift, atol=1e-5), f"shift of row {i}"
