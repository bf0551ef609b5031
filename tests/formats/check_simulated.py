"""A simulated atlas as anndata sees it, and against its own truth.

    check_simulated.py FOLDER
"""
import glob
import os
import sys
import warnings

import anndata
import numpy as np
import pandas as pd
import scanpy as sc

passed = failed = 0


def check(what, ok):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAILED:", what)


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return anndata.read_h5ad(path)


def check_atlas(atlas, species):
    x = atlas.X
    check(f"{species}: X is float32 CSR", x.format == "csr" and x.dtype == np.float32)
    check(f"{species}: indices and indptr have one type", x.indices.dtype == x.indptr.dtype)
    check(f"{species}: counts are positive whole numbers", (x.data >= 1).all() and (x.data == np.floor(x.data)).all())
    check(f"{species}: sorted and without duplicates", x.has_canonical_format)
    check(f"{species}: names are unique", atlas.obs_names.is_unique and atlas.var_names.is_unique)
    check(f"{species}: obs columns", list(atlas.obs.columns) == ["cell_type", "condition", "species"])
    check(f"{species}: obs are labels", all(isinstance(t, pd.CategoricalDtype) for t in atlas.obs.dtypes))
    check(f"{species}: there is a control", "control" in atlas.obs.condition.cat.categories)
    check(f"{species}: one species", list(atlas.obs.species.cat.categories) == [species])
    sizes = atlas.obs.groupby(["cell_type", "condition"], observed=False).size()
    check(f"{species}: every group has as many cells", sizes.nunique() == 1)


def reference_names(folder, atlas, species, genes):
    """Reference gene of every column, None where there is none."""
    path = f"{folder}/{species}.orthologs.tsv"
    if not os.path.exists(path):
        return [name if name in set(genes) else None for name in atlas.var_names]
    table = pd.read_csv(path, sep="\t")
    check(f"{species}: ortholog columns", list(table.columns) == ["gene_a", "gene_b", "type"])
    check(f"{species}: own genes", table.gene_a.isin(atlas.var_names).all())
    one = table[table.type == "ortholog_one2one"]
    check(f"{species}: one-to-one rows are", one.gene_a.is_unique and one.gene_b.is_unique)
    check(f"{species}: all reference genes", set(one.gene_b) == set(genes))
    check(f"{species}: some rows are to be dropped", (table.type == "ortholog_one2many").any())
    check(f"{species}: order says nothing", len(one) < 10 or list(one.gene_b) != sorted(one.gene_b))
    pairs = dict(zip(one.gene_a, one.gene_b))
    return [pairs.get(name) for name in atlas.var_names]


def check_truth_of(atlas, species, names, truth):
    """Means of normalised cells against the truth: no bias, and no more error than the noise of so few cells, which is known
    from the cells."""
    genes = {g: i for i, g in enumerate(truth.var_names)}
    columns = [j for j, name in enumerate(names) if name is not None]
    order = [genes[names[j]] for j in columns]
    check(f"{species}: every reference gene has a column", sorted(order) == list(range(truth.n_vars)))
    sc.pp.normalize_total(atlas, target_sum=float(truth.uns["scscreen"]["target_sum"]))
    sc.pp.log1p(atlas)
    x = np.zeros((atlas.n_obs, truth.n_vars))
    x[:, order] = atlas.X[:, columns].toarray()
    of = lambda kind, condition: x[((atlas.obs.cell_type == kind) & (atlas.obs.condition == condition)).values]
    for kind in atlas.obs.cell_type.cat.categories:
        for condition in atlas.obs.condition.cat.categories.drop("control"):
            check_combination(f"{species}|{kind}|{condition}", of(kind, "control"), of(kind, condition), truth)


def check_combination(name, control, moved, truth):
    row = truth[name]
    flat = lambda m: np.asarray(m, float).ravel()
    noise = np.sqrt(control.var(0) / len(control) + moved.var(0) / len(moved))
    shift, error = flat(row.X), moved.mean(0) - control.mean(0) - flat(row.X)
    spread = [cells.mean(1).var() / len(cells) for cells in (control, moved)]  # of the mean over genes
    bias = (control.mean(0) - flat(row.layers["control"])).mean()
    check(f"{name}: control without bias", abs(bias) < 5 * np.sqrt(spread[0]))
    check(f"{name}: shift without bias", abs(error.mean()) < 5 * np.sqrt(sum(spread)))
    check(f"{name}: errors are noise", np.sqrt((error ** 2).mean()) < 1.25 * np.sqrt((noise ** 2).mean()))
    check(f"{name}: X = mean - control", np.allclose(shift, flat(row.layers["mean"]) - flat(row.layers["control"]), atol=1e-5))
    lfc = flat(row.layers["log_fold_change"])
    check(f"{name}: only some genes respond", 0 < (lfc != 0).mean() < 0.6 or len(lfc) < 20)
    check(f"{name}: shifts follow the log fold changes", np.corrcoef(lfc, shift)[0, 1] > 0.5)


def main(folder):
    truth = read(f"{folder}/truth.h5ad")
    check("truth: obs columns", list(truth.obs.columns) == ["species", "cell_type", "perturbation"])
    check("truth: layers", set(truth.layers) == {"control", "mean", "log_fold_change"})
    files = sorted(glob.glob(f"{folder}/species_*.h5ad"))
    species = [os.path.basename(f)[:-len(".h5ad")] for f in files]
    check("a file for each species", set(species) == set(truth.obs.species.cat.categories))
    for path, name in zip(files, species):
        atlas = read(path)
        check_atlas(atlas, name)
        check_truth_of(atlas, name, reference_names(folder, atlas, name, truth.var_names), truth)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main(sys.argv[1]))
