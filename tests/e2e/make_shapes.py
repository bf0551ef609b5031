"""Atlases of odd shapes, and one whose matrix has more than 2^31 stored values.

usage: make_shapes.py FOLDER
"""
import os
import sys
import warnings
import zlib

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

HUGE_ROWS, HUGE_COLUMNS, HUGE_CHUNK_ROWS = 73_000, 30_000, 100  # 2.19e9 values > 2^31


def atlas(name, obs, genes=20, density=0.4, seed=0):
    """Cells as labelled, stimulated ones with more of everything."""
    random = np.random.default_rng(seed)
    n = len(obs)
    x = sp.random(n, genes, density, "csr", dtype=np.float32, random_state=seed)
    x.data = np.log1p(random.poisson(3, x.nnz) + 1).astype(np.float32)
    scale = 1 + 0.5 * (obs.condition.to_numpy() != "control")
    x = sp.csr_matrix(sp.diags(scale.astype(np.float32)) @ x, dtype=np.float32) if n else x
    var = pd.DataFrame(index=[f"gene_{g}" for g in range(genes)])
    obs.index = [f"cell_{i}" for i in range(n)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        anndata.AnnData(x, obs=obs, var=var).write_h5ad(name, compression="gzip")


def labels(n, types=("A", "B"), conditions=("control", "drug"), species=("s",)):
    i = np.arange(n)
    k = i // len(types)
    return pd.DataFrame({"cell_type": pd.Categorical(np.array(types)[i % len(types)], types),
                         "condition": pd.Categorical(np.array(conditions)[k % len(conditions)],
                                                     conditions),
                         "species": pd.Categorical(
                             np.array(species)[k // len(conditions) % len(species)], species)})


def shuffled(values):
    """As HDF5's shuffle and deflate filters store it."""
    return zlib.compress(values.view("u1").reshape(len(values), -1).T.tobytes(), 6)


def constant(group, name, dtype, chunk, fill, last):
    """A long dataset of equal chunks, compressed once; the last one differs."""
    n = HUGE_ROWS * HUGE_COLUMNS
    data = group.create_dataset(name, shape=(n,), dtype=dtype, chunks=(chunk,), compression="gzip",
                                shuffle=True)
    packed = shuffled(fill.astype(dtype))
    for at in range(0, n - chunk, chunk):
        data.id.write_direct_chunk((at,), packed)
    data.id.write_direct_chunk((n - chunk,), shuffled(last.astype(dtype)))


def huge(name):
    """Every row holds every gene: 1 or 2 (it has to store a thousandth of what it declares), and in the
    last 100 rows 1 + row % 7."""
    obs = labels(HUGE_ROWS)
    with h5py.File(name, "w") as file:
        obs.index = np.arange(HUGE_ROWS).astype(str)
        anndata.io.write_elem(file, "obs", obs)
        anndata.io.write_elem(file, "var", pd.DataFrame(index=np.arange(HUGE_COLUMNS).astype(str)))
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        x = file.create_group("X")
        x.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0",
                        "shape": [HUGE_ROWS, HUGE_COLUMNS]})
        x["indptr"] = np.arange(HUGE_ROWS + 1, dtype="i8") * HUGE_COLUMNS
        chunk = HUGE_CHUNK_ROWS * HUGE_COLUMNS
        columns = np.tile(np.arange(HUGE_COLUMNS), HUGE_CHUNK_ROWS)
        last = 1 + np.arange(HUGE_ROWS - HUGE_CHUNK_ROWS, HUGE_ROWS) % 7
        constant(x, "indices", "u2", chunk, columns, columns)
        fill = np.ones(chunk)
        fill[:HUGE_COLUMNS] = np.random.default_rng(2).integers(1, 3, HUGE_COLUMNS)
        constant(x, "data", "u1", chunk, fill, np.repeat(last, HUGE_COLUMNS))


def main():
    os.chdir(sys.argv[1])
    for n in range(33):
        atlas(f"cells_{n}.h5ad", labels(n), seed=n)
    atlas("one_gene.h5ad", labels(60), genes=1, density=0.9)
    atlas("one_type.h5ad", labels(60, types=("A",)))
    obs = labels(90, types=("A", "B", "C"))
    keep = ~((obs.cell_type == "C") & (obs.condition == "control"))
    atlas("no_control_type.h5ad", obs[keep].copy())
    obs = labels(160, conditions=("control", "drug", "rare"), species=("s", "t"))
    atlas("one_species.h5ad", obs[~((obs.species == "t") & (obs.condition == "rare"))].copy())
    atlas("many_genes.h5ad", labels(24), genes=70_000, density=0.01)
    huge("huge.h5ad")


if __name__ == "__main__":
    main()
