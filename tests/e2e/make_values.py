"""Small atlases on every scale that users' files are on: make_values.py FOLDER"""
import pathlib
import sys

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(7)
GENES, GROUP = 150, 12


def draw(depth):
    rate = rng.gamma(0.5, 1, GENES)
    labels = [(t, c) for t in ("A", "B", "C") for c in ("control", "stimulated") for _ in range(GROUP)]
    rates = np.array([rate * np.where(np.arange(GENES) % 9 == 0, 3 if c == "stimulated" else 1, 1) * (1 + (ord(t) * np.arange(GENES)) % 7) for t, c in labels])
    size = rng.lognormal(np.log(depth), 0.3, len(labels))
    return rng.poisson(size[:, None] * rates / rates.sum(1, keepdims=True)).astype("f8"), pd.DataFrame(
        labels, columns=["cell_type", "condition"], index=[f"cell_{i}" for i in range(len(labels))])


def write(name, x, layers=None, raw=None, as_is=False, rows=slice(None)):
    a = anndata.AnnData(x if as_is else sp.csr_matrix(x.astype("f4")), obs=obs.iloc[rows].copy(), var=pd.DataFrame(index=[f"gene_{g}" for g in range(x.shape[1])]))
    if raw is not None:
        a.raw = anndata.AnnData(sp.csr_matrix(raw), obs=obs.copy(), var=a.var.copy())
    for key, value in (layers or {}).items():
        a.layers[key] = value
    a.write_h5ad(folder / f"{name}.h5ad")


def scaled(to):
    return counts / counts.sum(1, keepdims=True) * to


def unit(x):  # scanpy's pp.scale(zero_center=False)
    deviation = x.std(0, ddof=1)
    return x / np.where(deviation > 0, deviation, 1)


def cut(x):  # at the whole number that the largest fiftieth is above
    return np.minimum(x, np.floor(np.quantile(x[x > 0], 0.98)))


counts, obs = draw(1500)
write("counts", counts)
write("counts_double", sp.csr_matrix(counts), as_is=True)
write("counts_integer", sp.csr_matrix(counts.astype("i4")), as_is=True)
write("counts_dense", counts.astype("f4"), as_is=True)
write("counts_csc", sp.csc_matrix(counts.astype("f4")), as_is=True)
write("accessible", (counts > 4).astype("f8"))
write("cpm", scaled(1e6))
write("tens", scaled(1e4))
write("shares", scaled(1))
write("corrected", counts * 0.83)
write("log", np.log1p(scaled(1e4)))
write("log_million", np.log1p(scaled(1e6)))
write("log_median", np.log1p(scaled(np.median(counts.sum(1)))))
write("log_chosen", np.where(np.arange(GENES) % 3 == 0, np.log1p(scaled(1e4)), 0))  # sums of some genes alone
write("log_counts", np.log1p(counts))
write("log2_million", np.log2(1 + scaled(1e6)))
write("log_twice", np.log1p(np.log1p(scaled(1e4))))
write("pseudocount", (counts + 1).astype("f4"), as_is=True)
write("roots", np.sqrt(counts))
write("roots_scaled", np.sqrt(scaled(1e4)))
write("roots_small", np.sqrt(np.minimum(counts, 60)))  # none above 20, as logarithms
write("part_logged", np.where(np.arange(len(counts))[:, None] % 4 == 0, np.log1p(scaled(1e4)), counts))
write("part_counts", np.where(np.arange(len(counts))[:, None] % 9 == 0, counts, np.log1p(counts)))
few = np.minimum(counts, 9)
write("corrected_small", few * (1 - 0.004 * (few > 1)))  # nearly whole, as ambient RNA is taken off
write("counts_back", counts * (1 + 1e-7))  # out of logarithms again, to the last bits
write("counts_back_small", few * (1 + 1e-7))
write("log2_counts", np.log2(1 + few))
write("scaled", (scaled(1e4) - scaled(1e4).mean(0)).astype("f4"), as_is=True)
write("few_counts", (counts > 4) * (np.arange(len(counts)) % 12 == 0)[:, None])  # some hundred ones
write("cut", cut(np.log1p(scaled(1e4))))
write("scaled_gene", unit(np.log1p(scaled(1e4))))
write("scaled_cut", cut(unit(np.log1p(scaled(1e4)))))
long = np.repeat(counts, 8, 0) + (np.random.default_rng(1).random((8 * len(counts), GENES)) < 0.002) * 40  # rare large values
write("scaled_half", unit(np.log1p(long))[::2], rows=np.repeat(np.arange(len(counts)), 4))
write("scaled_zero", np.clip(unit(long - long.mean(0)), 0, None), rows=np.repeat(np.arange(len(counts)), 8))
zero = sp.csr_matrix(counts.shape, dtype="f4")
write("zero", zero, layers={"counts": sp.csr_matrix(counts), "also_zero": zero}, raw=counts, as_is=True)
write("zero_dense", np.zeros(counts.shape, "f4"), layers={"counts": counts}, as_is=True)
write("nothing", zero, as_is=True)
