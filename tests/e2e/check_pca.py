"""pca.h5ad files of several numbers of ranks against scanpy on the same cells, and against each other."""
import sys
import warnings

import anndata
import numpy as np
import scanpy


def pairs(mine, one):
    """Arrays of the same name, also those of uns/pca."""
    for name in one:
        if name == "pca":
            yield from pairs(mine[name], one[name])
        else:
            yield name, mine[name], one[name]


data, *results = sys.argv[1:]
cells = anndata.read_h5ad(data)
cells.X = cells.X.astype(np.float64)
scanpy.pp.normalize_total(cells, target_sum=1e4)
scanpy.pp.log1p(cells)
first = None
for path in results:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = anndata.read_h5ad(path)
    k = ours.obsm["X_pca"].shape[1]
    assert ours.shape == cells.shape and ours.varm["PCs"].shape == (ours.n_vars, k)
    assert list(ours.var_names) == list(cells.var_names)
    assert (ours.obs.cell_type.astype(str).values == cells.obs.cell_type.astype(str).values).all()
    if first is None:
        theirs = anndata.AnnData(cells.X.toarray(), obs=cells.obs, var=cells.var)
        scanpy.pp.pca(theirs, n_comps=k, svd_solver="full", dtype="float64")
        first = ours
    sign = np.sign((ours.varm["PCs"] * theirs.varm["PCs"]).sum(0))
    gap = {
        "PCs": np.abs(ours.varm["PCs"] * sign - theirs.varm["PCs"]).max(),
        "X_pca": np.abs(ours.obsm["X_pca"] * sign - theirs.obsm["X_pca"]).max(),
        "variance": np.abs(ours.uns["pca"]["variance"] / theirs.uns["pca"]["variance"] - 1).max(),
        "variance_ratio": np.abs(ours.uns["pca"]["variance_ratio"] / theirs.uns["pca"]["variance_ratio"] - 1).max(),
    }
    print(path.split("/")[-3], "ranks, largest difference from scanpy:", {key: float(f"{value:.2g}") for key, value in gap.items()})
    # float32 cells here, float64 there
    assert gap["PCs"] < 1e-4 and gap["X_pca"] < 1e-3 and gap["variance"] < 1e-5 and gap["variance_ratio"] < 1e-5
    if ours.n_vars > 1000:
        for key in ("varm", "obsm", "uns"):
            for name, mine, one in pairs(getattr(ours, key), getattr(first, key)):
                assert np.array_equal(mine, one), f"{name}: other bits on another number of ranks"
    assert np.abs(ours.varm["PCs"] - first.varm["PCs"]).max() < 1e-6, "another process grid, other components"
    assert (ours.varm["PCs"][np.abs(ours.varm["PCs"]).argmax(0), range(k)] > 0).all(), "orientation"
