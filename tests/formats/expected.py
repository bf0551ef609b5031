"""What anndata says an .h5ad file holds, in the lines that dump_h5ad prints.

usage: expected.py FILE MATRIX
"""
import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

MASK = (1 << 64) - 1


def hash_names(names):
    """FNV-1a over all names, each with a final NUL."""
    value = 14695981039346656037
    for byte in b"".join(str(name).encode() + b"\0" for name in names):
        value = ((value ^ byte) * 1099511628211) & MASK
    return value


def as_labels(column):
    """Categories and codes of a column, or None when it holds floats."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.cat.categories), column.cat.codes.to_numpy()
    if pd.api.types.is_float_dtype(column.dtype):
        return None
    categories = sorted(set(column.dropna()))
    code = {value: i for i, value in enumerate(categories)}
    return categories, np.array([-1 if pd.isna(v) else code[v] for v in column])


def label_line(name, column):
    labels = as_labels(column)
    if labels is None:
        return ("obs", name, "refused")
    categories, codes = labels
    order = 0
    for code in codes:
        order = (order * 31 + int(code) + 1) & MASK
    line = ["obs", name, "missing", int((codes < 0).sum()), "order", order]
    for i, category in enumerate(categories):
        line += [str(category), int((codes == i).sum())]
    return tuple(str(part) for part in line)


def pick(data, matrix):
    """The matrix and its genes; both None if there is no such matrix."""
    if matrix == "raw":
        return (data.raw.X, data.raw.var_names) if data.raw is not None else (None, None)
    if matrix.startswith("layers/"):
        return data.layers[matrix[7:]], data.var_names
    return data.X, data.var_names


def rows_of(x):
    """For each row its number of values that are not 0, and the sum of (column + 1) * value."""
    if sp.issparse(x):  # scipy takes no unsigned indices
        parts = (x.data, x.indices.astype(np.int64), x.indptr.astype(np.int64))
        x = type(x)(parts, shape=x.shape)
    x = sp.csr_matrix(x, dtype=np.float32)
    x.eliminate_zeros()
    x.sort_indices()
    weighted = x.astype(np.float64)
    weighted.data = weighted.data * (x.indices + 1.0)
    return np.diff(x.indptr), np.asarray(weighted.sum(axis=1)).ravel()


def tenx(path):
    """As scanpy.read_10x_h5 takes a file of Cell Ranger's, which it needs many packages for."""
    with h5py.File(path) as file:
        group = file["matrix"] if "matrix" in file else file[list(file)[0]]
        shape, names = group["shape"][:], "features/name" if "features" in group else "gene_names"
        x = sp.csr_matrix((group["data"][:].astype("f4"), group["indices"][:], group["indptr"][:]), shape=shape[::-1])
        genes = np.ones(shape[0], bool)
        if "features" in group:
            genes = group["features/feature_type"][:] == b"Gene Expression"
        names, cells = (group[name][:].astype(str) for name in (names, "barcodes"))
    return anndata.AnnData(x[:, genes], obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=names[genes]))


def describe(path, matrix):
    """Facts as tuples of text; rows come last."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = anndata.read_h5ad(path) if path.endswith(".h5ad") else tenx(path)
        x, genes = pick(data, matrix)
    yield ("shape", str(x.shape[0]), str(x.shape[1]))
    yield ("genes", str(hash_names(genes)))
    yield ("duplicates", str(int(data.obs_names.duplicated().sum())))
    for name in data.obs.columns:
        yield label_line(name, data.obs[name])
    for i, (count, total) in enumerate(zip(*rows_of(x))):
        yield ("row", str(i), str(count), repr(float(total)))


if __name__ == "__main__":
    for fact in describe(sys.argv[1], sys.argv[2]):
        print("\t".join(fact))
