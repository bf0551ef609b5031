#!/usr/bin/env python3
"""Raw counts of a whole atlas for benchmarks: CSR, CSC or dense float32, written by anndata as users write them.

    scripts/bench/counts.py atlas.h5ad --cells 100000 --genes 20000 --values 1372 --compression gzip

Memory is that of all values; with `--species 3` it is that of a block of cells (CSR only): then there is a file for each
species, and a table of orthologs for all but the first, whose genes have names and an order of their own.
"""
import argparse
import pathlib
import tempfile

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse

BLOCK = 2000  # cells drawn at once
PLUGINS = {"zstd": "Zstd", "lz4": "LZ4"}  # those of hdf5plugin


def rates(genes, values, rng):
    """Mean count of each gene where it is drawn: few genes nearly always, most rarely; `values` a cell in all."""
    level = np.minimum(np.exp(2.0 * rng.standard_normal(genes)), 200)
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - np.exp(-middle * level)).sum() < values else (low, middle)
    return low * level


def draw(rate, groups, depth, rng, name=None):
    """CSR counts of some cells: a gene's counts are larger where it is seen more often.

    name: numbers of the genes by which groups differ; None: as they stand.
    """
    bound = (np.minimum(1 - np.exp(-np.outer(depth, rate).astype(np.float32)), 1) * 65535).astype(np.uint16)
    seen = np.frombuffer(rng.bytes(2 * bound.size), np.uint16).reshape(bound.shape) < bound
    indptr = np.concatenate([[0], np.cumsum(seen.sum(axis=1))])
    cell, gene = np.nonzero(seen)
    number = gene if name is None else name[gene]
    mean = rate[gene] * depth[cell] * np.where((number * 13 + groups[cell] * 29) % 37 == 0, 3, 1)
    counts = 1 + (rng.standard_exponential(gene.size, np.float32) * mean).astype(np.float32).astype(np.int32)
    return scipy.sparse.csr_matrix((counts.astype(np.float32), gene.astype(np.int32), indptr), shape=seen.shape)


def labels(group, types, conditions):
    """obs of cells, each of one of types x conditions groups."""
    names = ["control"] + [f"drug_{p}" for p in range(1, conditions)]
    return pd.DataFrame({"cell_type": pd.Categorical.from_codes(group % types, [f"type_{t}" for t in range(types)]),
                         "condition": pd.Categorical.from_codes(group // types % conditions, names)},
                        index=[f"cell_{i}" for i in range(group.size)])


def make_counts(path, cells, genes, values, groups, types=10, layout="csr", compression=None, seed=1):
    """An atlas of groups = types x conditions, of which the first condition is `control`; returns its stored values."""
    rng = np.random.default_rng(seed)
    rate = rates(genes, values, rng)
    group = rng.integers(0, groups, cells)
    depth = np.exp(0.3 * rng.standard_normal(cells))
    x = scipy.sparse.vstack([draw(rate, group[c:c + BLOCK], depth[c:c + BLOCK], rng)
                             for c in range(0, cells, BLOCK)], format="csr")
    obs = labels(group, types, groups // types)
    var = pd.DataFrame(index=[f"gene_{g}" for g in range(genes)])
    options = {"compression": compression}
    if compression in PLUGINS:
        import hdf5plugin
        options = getattr(hdf5plugin, PLUGINS[compression])()
    matrix = x if layout == "csr" else x.tocsc() if layout == "csc" else x.toarray()
    anndata.AnnData(matrix, obs=obs, var=var).write_h5ad(path, **options)
    return x.nnz


def copy_values(file, x, name, n, dtype, compression):
    """A dataset of what was gathered in a raw file, a piece at a time; contiguous where it is not compressed."""
    piece = 1 << 24
    data = x.create_dataset(name, (n,), dtype, compression=compression)
    file.seek(0)
    for at in range(0, n, piece):
        data[at:at + piece] = np.fromfile(file, dtype, min(piece, n - at))


def write_blocks(path, blocks, obs, var, compression=None):
    """A file as anndata writes it, from blocks of CSR rows, of which one is held at a time. Returns its values."""
    anndata.AnnData(scipy.sparse.csr_matrix((len(obs), len(var)), dtype=np.float32), obs=obs, var=var).write_h5ad(path)
    indptr = [np.zeros(1, np.int64)]
    with tempfile.TemporaryFile(dir=path.parent) as genes, tempfile.TemporaryFile(dir=path.parent) as values:
        for x in blocks:
            x.indices.astype(np.int32).tofile(genes)
            x.data.astype(np.float32).tofile(values)
            indptr.append(indptr[-1][-1] + x.indptr[1:].astype(np.int64))
        n = int(indptr[-1][-1])
        with h5py.File(path, "r+") as file:
            for name in ("indices", "data", "indptr"):
                del file["X"][name]
            file["X"].create_dataset("indptr", data=np.concatenate(indptr))
            copy_values(genes, file["X"], "indices", n, np.int32, compression)
            copy_values(values, file["X"], "data", n, np.float32, compression)
    return n


def make_species(folder, species, cells, genes, values, groups, types=10, compression=None, seed=1):
    """species_1.h5ad, ... of cells / species each in a folder, and species_2.tsv, ... of orthologs.

    groups: species x types x conditions. Returns the paths and the stored values of all.
    """
    rng = np.random.default_rng(seed)
    rate, paths, n = rates(genes, values, rng), [], 0
    for s in range(1, species + 1):
        mine = cells * s // species - cells * (s - 1) // species
        order = np.arange(genes) if s == 1 else rng.permutation(genes)
        group = rng.integers(0, groups // species, mine)
        depth = np.exp(0.3 * rng.standard_normal(mine))
        name = "gene" if s == 1 else f"species_{s}_gene"
        var = pd.DataFrame(index=[f"{name}_{g}" for g in order])
        paths.append(folder / f"species_{s}.h5ad")
        blocks = (draw(rate[order], group[c:c + BLOCK], depth[c:c + BLOCK], rng, order)
                  for c in range(0, mine, BLOCK))
        n += write_blocks(paths[-1], blocks, labels(group, types, groups // species // types), var, compression)
        if s > 1:
            rows = "".join(f"{name}_{g}\tgene_{g}\n" for g in range(genes))
            paths[-1].with_suffix(".tsv").write_text("own\treference\n" + rows)
    return paths, n


def count_values(path):
    """Stored values of a file that an earlier run has left; those that are not 0 of a dense one."""
    with h5py.File(path) as file:
        x = file["X"]
        if isinstance(x, h5py.Group):
            return x["data"].size
        return sum(int((x[row:row + 1000] != 0).sum()) for row in range(0, x.shape[0], 1000))


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
    parser.add_argument("--compression", choices=["gzip", "lzf", *PLUGINS])
    parser.add_argument("--species", type=int, default=1, help="more than one: path is a folder of files")
    args = parser.parse_args()
    if args.species > 1:
        if args.compression in PLUGINS:
            parser.error(f"--compression {args.compression} is for one species")
        folder = pathlib.Path(args.path)
        folder.mkdir(parents=True, exist_ok=True)
        paths, n = make_species(folder, args.species, args.cells, args.genes, args.values, args.groups, args.types,
                                args.compression)
        print(f"{', '.join(map(str, paths))}: {args.cells} x {args.genes}, {n} values")
        return
    n = make_counts(args.path, args.cells, args.genes, args.values, args.groups, args.types, args.layout,
                    args.compression)
    print(f"{args.path}: {args.cells} x {args.genes}, {n} values")


if __name__ == "__main__":
    main()
