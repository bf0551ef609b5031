"""An atlas for benchmarks, made in seconds: many perturbations, each seen in few cell types."""
import anndata
import numpy as np
import pandas as pd
import scipy.sparse


def labels(args, uneven, rng):
    types, conditions = [], []
    for t in range(args.types):
        n = args.controls // 2 + args.controls * t // args.types if uneven else args.controls
        types += [t] * n
        conditions += [-1] * n
    for p in range(args.perturbations):
        for t in rng.choice(args.types, args.seen, replace=False):
            types += [t] * args.cells
            conditions += [p] * args.cells
    return np.array(types), np.array(conditions)


def make_atlas(path, args, uneven=False):
    """Cells of counts in `path`, in which each perturbation is seen in args.seen of the cell types. Returns how many."""
    rng = np.random.default_rng(1)
    types, conditions = labels(args, uneven, rng)
    per_cell = max(1, round(args.genes * args.density))
    step, start = args.genes // per_cell, rng.integers(0, args.genes, types.size)
    genes = (start[:, None] + step * np.arange(per_cell)[None] + types[:, None] * 7) % args.genes
    genes.sort(axis=1)
    mean = 1 + (genes * 31 + types[:, None] * 17) % 11 + 4 * ((genes * 13 + conditions[:, None] * 29) % 37 == 0)
    counts = rng.poisson(mean).astype(np.float32) + 1
    x = scipy.sparse.csr_matrix((counts.ravel(), genes.ravel().astype(np.int32),
                                 np.arange(0, counts.size + 1, per_cell)), shape=(types.size, args.genes))
    names = np.array(["control"] + [f"drug_{p + 1}" for p in range(args.perturbations)])
    obs = pd.DataFrame({"cell_type": pd.Categorical.from_codes(types, [f"type_{t + 1}" for t in range(args.types)]),
                        "condition": pd.Categorical.from_codes(conditions + 1, names)},
                       index=[f"cell_{i}" for i in range(types.size)])
    var = pd.DataFrame(index=[f"gene_{g}" for g in range(args.genes)])
    anndata.AnnData(x, obs=obs, var=var).write_h5ad(path)
    return types.size
