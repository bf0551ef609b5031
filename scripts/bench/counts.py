#!/usr/bin/env python3
"""Raw counts of a whole atlas for benchmarks: CSR, CSC or dense float32, written by anndata as users write them.

    scripts/bench/counts.py atlas.h5ad --cells 100000 --genes 20000 --values 1372 --compression gzip
"""
import argparse

import anndata
import numpy as np
import pandas as pd
import scipy.sparse

BLOCK = 2000  # cells drawn at once


def rates(genes, values, rng):
    """Mean count of each gene where it is drawn: few genes nearly always, most rarely; `values` a cell in all."""
    level = np.minimum(np.exp(2.0 * rng.standard_normal(genes)), 200)
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - np.exp(-middle * level)).sum() < values else (low, middle)
    return low * level


def draw(rate, groups, depth, rng):
    """CSR counts of some cells: a gene's counts are larger where it is seen more often."""
    bound = (np.minimum(1 - np.exp(-np.outer(depth, rate).astype(np.float32)), 1) * 65535).astype(np.uint16)
    seen = np.frombuffer(rng.bytes(2 * bound.size), np.uint16).reshape(bound.shape) < bound
    indptr = np.concatenate([[0], np.cumsum(seen.sum(axis=1))])
    cell, gene = np.nonzero(seen)
    mean = rate[gene] * depth[cell] * np.where((gene * 13 + groups[cell] * 29) % 37 == 0, 3, 1)
    counts = 1 + (rng.standard_exponential(gene.size, np.float32) * mean).astype(np.float32).astype(np.int32)
    return scipy.sparse.csr_matrix((counts.astype(np.float32), gene.astype(np.int32), indptr), shape=seen.shape)


def make_counts(path, cells, genes, values, groups, types=10, layout="csr", compression=None, seed=1):
    """An atlas of groups = types x conditions, of which the first condition is `control`; returns its stored values."""
    rng = np.random.default_rng(seed)
    rate = rates(genes, values, rng)
    group = rng.integers(0, groups, cells)
    depth = np.exp(0.3 * rng.standard_normal(cells))
    x = scipy.sparse.vstack([draw(rate, group[c:c + BLOCK], depth[c:c + BLOCK], rng)
                             for c in range(0, cells, BLOCK)], format="csr")
    conditions = groups // types
    names = ["control"] + [f"drug_{p}" for p in range(1, conditions)]
    obs = pd.DataFrame({"cell_type": pd.Categorical.from_codes(group % types, [f"type_{t}" for t in range(types)]),
                        "condition": pd.Categorical.from_codes(group // types % conditions, names)},
                       index=[f"cell_{i}" for i in range(cells)])
    var = pd.DataFrame(index=[f"gene_{g}" for g in range(genes)])
    matrix = x if layout == "csr" else x.tocsc() if layout == "csc" else x.toarray()
    anndata.AnnData(matrix, obs=obs, var=var).write_h5ad(path, compression=compression)
    return x.nnz


def add_sizes(parser):
    """The options that say how large the atlas is."""
    parser.add_argument("--cells", type=int, default=100000)
    parser.add_argument("--genes", type=int, default=20000)
    parser.add_argument("--values", type=int, default=1372, help="stored values a cell, about")
    parser.add_argument("--groups", type=int, default=180, help="species x cell types x conditions")
    parser.add_argument("--types", type=int, default=10)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    add_sizes(parser)
    parser.add_argument("--layout", default="csr", choices=["csr", "csc", "dense"])
    parser.add_argument("--compression", choices=["gzip", "lzf"])
    args = parser.parse_args()
    n = make_counts(args.path, args.cells, args.genes, args.values, args.groups, args.types, args.layout,
                    args.compression)
    print(f"{args.path}: {args.cells} x {args.genes}, {n} values")


if __name__ == "__main__":
    main()
