"""Kang et al.'s counts under the labels that pertpy hands them out with, and what comes of them.

usage: check_kang_counts.py make COUNTS FILE | recipe CONFIG | score RESULT
"""
import re
import sys
import types

import anndata
import numpy as np

TYPES = {"CD4T": "CD4 T cells", "CD14+Mono": "CD14+ Monocytes", "B": "B cells", "NK": "NK cells", "CD8T": "CD8 T cells",
         "FCGR3A+Mono": "FCGR3A+ Monocytes", "Dendritic": "Dendritic cells"}


def make(counts, path):
    """As pertpy.data.kang_2018(): X raw counts by column, obs label and cell_type, among other columns."""
    cells = anndata.read_h5ad(counts)
    cells = cells[cells.obs.cell_type_scgen.isin(list(TYPES))].copy()
    cells.obs["label"] = cells.obs.condition.astype(str).str.lower().astype("category")
    cells.obs["cell_type"] = cells.obs.cell_type_scgen.astype(str).replace(TYPES).astype("category")
    cells.obs["replicate"] = "patient_1"
    cells.obs = cells.obs[["label", "cell_type", "replicate"]]
    assert set(cells.obs.label) == {"ctrl", "stim"}
    assert (cells.X.data == np.round(cells.X.data)).all()
    cells.X = cells.X.tocsc()
    cells.write_h5ad(path)


def recipe(config):
    """Runs the Python lines of the config's head; pertpy's download is the file that make() made."""
    pertpy = types.ModuleType("pertpy")
    pertpy.data = types.SimpleNamespace(kang_2018=lambda: anndata.read_h5ad("data/kang_2018.h5ad"))
    sys.modules["pertpy"] = pertpy
    with open(config, encoding="utf-8") as file:
        lines = re.findall(r"^#     ((?:import|cells|scanpy)\b.*)", file.read(), re.M)
    assert len(lines) == 8, lines
    exec("\n".join(lines), {})
    cells = anndata.read_h5ad("data/kang.h5ad")
    assert set(cells.obs.condition) == {"control", "stimulated"} and "CD4T" in set(cells.obs.cell_type)


def score(result):
    obs = anndata.read_h5ad(result).obs
    held = obs[obs.held_out]
    assert len(held) == 1 and held.cell_type.iloc[0] in ("CD4T", "CD4 T cells"), held
    row = held.iloc[0]
    print(f"{row.cell_type}: r2_all {row.r2_all:.3f} ({row.r2_all_control:.3f}), r2_deg {row.r2_deg:.3f} ({row.r2_deg_control:.3f})")
    assert row.r2_all > row.r2_all_control and row.r2_deg > row.r2_deg_control and row.delta_pearson > 0.8, row


{"make": make, "recipe": recipe, "score": score}[sys.argv[1]](*sys.argv[2:])
