#!/usr/bin/env python3
"""Wilcoxon scores equal scanpy's rank_genes_groups(method="wilcoxon", tie_correct=True).

usage: check_wilcoxon.py DUMP_WILCOXON (the program built from dump_wilcoxon.c)."""
import subprocess
import sys
import tempfile

import anndata
import numpy as np
import pandas as pd
import scanpy
from scipy import sparse

with tempfile.NamedTemporaryFile("r") as dump:
    subprocess.run([sys.argv[1], dump.name], check=True, stdout=subprocess.DEVNULL)
    lines = [line.split() for line in dump]
ours = np.array(lines.pop()[1:], float)
x = np.array([line[1:] for line in lines], np.float32)
label = pd.Categorical([line[0] for line in lines])
cells = anndata.AnnData(sparse.csr_matrix(x), obs=pd.DataFrame({"condition": label}, index=[str(i) for i in range(len(x))]))
scanpy.tl.rank_genes_groups(cells, "condition", groups=["condition1"], reference="condition0", method="wilcoxon", tie_correct=True)
table = scanpy.get.rank_genes_groups_df(cells, "condition1").set_index("names")
theirs = table.loc[cells.var_names, "scores"].to_numpy(float)
worst = np.abs(ours - theirs).max()
print(f"{len(x)} cells, {len(ours)} genes, largest |z| {np.abs(theirs).max():.3f}, largest difference {worst:.2g}")
assert np.abs(theirs).max() > 1, "no signal to compare"
assert np.allclose(ours, theirs, rtol=3e-7, atol=1e-7), "differs from scanpy (which keeps float32)"
