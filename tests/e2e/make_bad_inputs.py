"""Small .h5ad files, one good and the others each with one fault."""
import os
import sys

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

os.chdir(sys.argv[1])
rng = np.random.default_rng(0)


def atlas(name, cells=90, types=("A", "B", "C"), genes=20, conditions=("control", "stimulated")):
    i = np.arange(cells)
    obs = pd.DataFrame({"cell_type": pd.Categorical(np.array(types)[i % len(types)]),
                        "condition": pd.Categorical(np.array(conditions)[i // len(types) % len(conditions)])},
                       index=[f"cell_{k}" for k in i])
    x = np.log1p(rng.poisson(1 + 2 * (obs.condition == "stimulated").values[:, None], (cells, genes))).astype(np.float32)
    x[:, 3] += 0.5
    a = anndata.AnnData(sp.csr_matrix(x), obs=obs, var=pd.DataFrame(index=[f"gene_{k}" for k in range(genes)]))
    a.write_h5ad(name)
    return a


def spoil(name, value):
    atlas(name)
    with h5py.File(name, "r+") as f:
        k = np.flatnonzero(f["X/indices"][:] == 3)[5]
        f["X/data"][k] = value


atlas("good.h5ad")
open("text.h5ad", "w").write("this is not HDF5\n" * 100)
data = open("good.h5ad", "rb").read()
open("truncated.h5ad", "wb").write(data[: len(data) // 2])
heap = data.index(b"GCOL")  # where variable-length text lies: an object of no size, which HDF5 1.10 reads again and again
open("endless.h5ad", "wb").write(data[:heap + 1024] + bytes(512) + data[heap + 1536:])
spoil("nan.h5ad", np.nan)
spoil("inf.h5ad", np.inf)
spoil("negative.h5ad", -1.0)
atlas("bad_index.h5ad")
with h5py.File("bad_index.h5ad", "r+") as f:
    f["X/indices"][7] = 1000000
a = atlas("duplicate_genes.h5ad")
a.var_names = ["gene_1" if g == "gene_2" else g for g in a.var_names]
a.write_h5ad("duplicate_genes.h5ad")
atlas("only_controls.h5ad", conditions=("control",))
a = atlas("one_type_uncontrolled.h5ad")
a[~((a.obs.cell_type == "C") & (a.obs.condition == "control"))].copy().write_h5ad("one_type_uncontrolled.h5ad")
a = atlas("one_cell_type.h5ad")
keep = (a.obs.cell_type != "C").values
keep[np.flatnonzero((a.obs.cell_type == "C") & (a.obs.condition == "control"))[0]] = True
a[keep].copy().write_h5ad("one_cell_type.h5ad")
atlas("five_cells.h5ad", cells=5, types=("A",))
a[np.zeros(a.n_obs, bool)].copy().write_h5ad("no_cells.h5ad")
