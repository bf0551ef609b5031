"""Pairs of predicted and real counts that are awkward to score: make_scores.py FOLDER"""
import pathlib
import sys

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

folder = pathlib.Path(sys.argv[1])


def write(name, counts, labels, genes, **columns):
    obs = pd.DataFrame({"target": pd.Categorical(labels), **columns}, index=[f"cell_{i}" for i in range(len(labels))])
    anndata.AnnData(sp.csr_matrix(counts.astype("f4")), obs=obs, var=pd.DataFrame(index=genes)).write_h5ad(folder / f"{name}.h5ad")


def pair(name, perturbations, n_gene, n, n_control, seed, depth=(500, 3000), tied=False, effect=1.0, own=True):
    """Perturbation 1 changes nothing, 2 is predicted by the controls themselves, 3 by one cell over and over, and the last has a gene that no
    other cell has. own: perturbations have the names of genes."""
    rng = np.random.default_rng(seed)
    base = rng.lognormal(0, 1.5, n_gene)
    base /= base.sum()
    genes = [f"g{(i * 37) % n_gene}" for i in range(n_gene)] if np.gcd(37, n_gene) == 1 else [f"g{i}" for i in range(n_gene)]
    names = [genes[3 * i + 1] if own else f"drug {i}" for i in range(perturbations)]
    names[0] = "unmeasured"

    def cells(m, mean):
        rate = rng.gamma(3, 1 / 3, (m, n_gene)) * mean
        if tied:  # all cells have 1,000 counts, so that equal counts are equal CPM
            return np.array([rng.multinomial(1000, r / r.sum()) for r in rate])
        return rng.poisson(rate * rng.uniform(*depth, m)[:, None])

    real, predicted = [cells(n_control, base)], [cells(n_control // 2, base)]
    labels, predicted_labels = ["control"] * n_control, ["control"] * (n_control // 2)
    for i, p in enumerate(names):
        change = np.where(rng.random(n_gene) < 0.1, rng.normal(0, effect, n_gene), 0) * (i != 1)
        mean = base * np.exp(change)
        if p in genes:
            mean[genes.index(p)] *= 0.1
        real.append(cells(n + 3 * (i % 5), mean / mean.sum()))
        if i == 2:
            x = real[0].copy()
        elif i == 3:
            x = np.repeat(cells(1, mean / mean.sum()), n, 0)
        else:
            mean = base * np.exp(change * rng.uniform(0.3, 1.2) + np.where(rng.random(n_gene) < 0.05, rng.normal(0, 0.5, n_gene), 0))
            x = cells(n + 4 * (i % 3), mean / mean.sum())
        predicted.append(x)
        labels += [p] * len(real[-1])
        predicted_labels += [p] * len(x)
    predicted[-1][:, -1] += 3
    real[-1][:, -2] += 40
    write(f"{name}.real", np.vstack(real), labels, genes)
    write(f"{name}.predicted", np.vstack(predicted), predicted_labels, genes)


pair("plain", 12, 300, 40, 150, 1)
pair("tied", 8, 200, 30, 100, 2, tied=True)
pair("few", 5, 150, 6, 20, 3, depth=(50, 300))
pair("weak", 10, 250, 35, 120, 4, effect=0.15)
pair("deep", 9, 400, 30, 120, 5, depth=(2000, 20000), effect=1.5)
pair("unnamed", 6, 211, 25, 60, 6, own=False)
pair("wide", 3, 2300, 12, 30, 7)  # more genes than populations are compared in, fewer cells than components
pair("many", 2, 40, 2100, 1500, 8)  # more real cells than components are made from, more cells of a group than are compared pair by pair

# Files that do not fit one another, from the pair `few`.
real, predicted = (anndata.read_h5ad(folder / f"few.{side}.h5ad") for side in ("real", "predicted"))
predicted[:, 5:].write_h5ad(folder / "fewer_genes.h5ad")
predicted[:, ::-1].copy().write_h5ad(folder / "turned_genes.h5ad")
predicted[predicted.obs.target != "g109"].copy().write_h5ad(folder / "fewer_perturbations.h5ad")
predicted[predicted.obs.target != "control"].copy().write_h5ad(folder / "no_control.h5ad")
real[real.obs.target != "control"].copy().write_h5ad(folder / "real_without_control.h5ad")
unlabelled = anndata.concat([predicted, predicted[:7]], index_unique="-")
unlabelled.obs["target"] = pd.Categorical(list(predicted.obs.target) + [None] * 7)
unlabelled.write_h5ad(folder / "unlabelled.h5ad")
for name, a in (("spaced", predicted), ("spaced_real", real)):
    a = a.copy()
    labels = a.obs.target.astype(str).values
    labels[np.flatnonzero(labels == "g109")[:3]] = "g109 "
    a.obs["target"] = pd.Categorical(labels)
    a.write_h5ad(folder / f"{name}.h5ad")
other = predicted.copy()
other.obs["target"] = other.obs.target.astype(str).replace("control", "ctrl").astype("category")
other.write_h5ad(folder / "other_control.h5ad")
bare = real.copy()
bare.X = sp.csr_matrix(bare.X.toarray() * (bare.obs.target != "control").values[:, None]).astype("f4")
bare.write_h5ad(folder / "empty_controls.h5ad")
bare.obs["target"] = pd.Categorical([None] * bare.n_obs)
bare.write_h5ad(folder / "no_label.h5ad")
logged = predicted.copy()
logged.X.data = np.log1p(logged.X.data)
logged.write_h5ad(folder / "logged.h5ad")
# Two cell types: the pair `few`, and the same cells once more under another name.
for side, a in (("real", real), ("predicted", predicted)):
    both = anndata.concat([a, a], index_unique="-")
    both.obs["type"] = ["B"] * a.n_obs + ["T"] * a.n_obs
    both.write_h5ad(folder / f"types.{side}.h5ad")
one = anndata.read_h5ad(folder / "types.predicted.h5ad")
one[one.obs.type == "B"].copy().write_h5ad(folder / "one_type.h5ad")
