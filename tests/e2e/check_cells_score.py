"""What validate says of a combination's cells against what score says of those that predict wrote:
check_cells_score.py prepare CELLS.h5ad ATLAS.h5ad FOLDER   real.h5ad: the combination's real cells and its controls; logged.h5ad: without counts
check_cells_score.py compare VALIDATION.tsv SCORES.tsv SUMMARY.tsv"""
import pathlib
import sys

import anndata
import numpy as np
import pandas as pd

TYPE, DRUG = "type_2", "drug_1"
if sys.argv[1] == "prepare":
    predicted, atlas, folder = anndata.read_h5ad(sys.argv[2]), anndata.read_h5ad(sys.argv[3]), pathlib.Path(sys.argv[4])
    # in the order in which validate has them, which halves go by
    real = np.concatenate([np.flatnonzero((atlas.obs.cell_type == TYPE) & (atlas.obs.condition == c)) for c in (DRUG, "control")])
    atlas[real, list(predicted.var_names)].copy().write_h5ad(folder / "real.h5ad")
    atlas.X = atlas.X.log1p()
    atlas.write_h5ad(folder / "logged.h5ad")
else:
    everything = pd.read_csv(sys.argv[2], sep="\t")
    rows = everything.set_index(["cell_type", "perturbation", "predictor"]).loc[TYPE, DRUG]
    scores = pd.read_csv(sys.argv[3], sep="\t").set_index(["perturbation", "measure"])
    columns = [c for c in rows if c.startswith("cells_")]
    assert len(columns) == 9 and rows.loc[["mean_nearest", "vae_edit"], columns].isna().all(axis=None)
    summary = pd.read_csv(sys.argv[4], sep="\t").set_index(["predictor", "measure"])
    for column in columns:
        measure = column.removeprefix("cells_")
        assert np.isclose(rows.loc["vae", column], scores.value[DRUG, measure], rtol=1e-7, atol=1e-9), column
        assert np.isclose(rows.loc["no_change", column], scores.baseline["*", measure], rtol=1e-7, atol=1e-9), column
        assert np.isclose(rows.loc["replicate", column], scores.replicate["*", measure], rtol=1e-7, atol=1e-9), column
        u, b, r = (everything[column][everything.predictor == name].mean() for name in ("vae", "no_change", "replicate"))
        lower = measure in ("lfc_nmae", "e_distance", "energy_distance", "mmd2")
        want = (u - b) / (r - b) if (r < b if lower else r > b) else np.nan
        assert np.isclose(summary.scaled["vae", column], want, rtol=1e-6, atol=1e-9, equal_nan=True), (column, want)
        assert summary.baseline["vae", column] == "no_change"
    assert 0.2 < rows.loc["vae", "cells_sig_jaccard"] < 1 and rows.loc["no_change", "cells_sig_jaccard"] == 0
