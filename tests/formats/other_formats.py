"""Writers of the formats that are read beside .h5ad, by the layouts that their own programs write.

Each takes an AnnData of counts and a path. Compared with files of loompy 3.0.8, mudata 0.3.10 and Cell Ranger's:
where the layout has a choice, it is theirs (chunks, types of text and of numbers, compression).
"""
import gzip
import os

import anndata
import h5py
import numpy as np
import scipy.sparse as sp


def dense(x):
    return x.toarray() if sp.issparse(x) else np.asarray(x)


def plain(values):
    """A column as arrays of text, integers or floats: there are no categories in loom."""
    values = np.asarray(values)
    return values if values.dtype.kind in "iuf" else values.astype(str).astype(object)


def write_h5mu(data, path, others=None):
    """mudata: an AnnData for each modality, and obs of all cells."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "MuData", "encoding-version": "0.1.0", "encoder": "mudata", "axis": 0})
        modalities = {"rna": data, **(others or {})}
        for name, one in modalities.items():
            anndata.io.write_elem(file, f"mod/{name}", one)
        file["mod"].attrs["mod-order"] = list(modalities)
        anndata.io.write_elem(file, "obs", data.obs.iloc[:, :0])
        for name in modalities:
            anndata.io.write_elem(file, f"obsmap/{name}", np.arange(1, data.n_obs + 1, dtype="u4"))


def write_loom(data, path, version=3, layers=None, chunks=(64, 64), genes="Gene", cells="CellID"):
    """loompy: genes x cells; text of fixed length in version 2, of any length in version 3."""
    def put(file, name, values):
        values = plain(values)
        if values.dtype == object and version < 3:
            values = np.array([v.encode("ascii", "xmlcharrefreplace") for v in values])
        file.create_dataset(name, data=values, chunks=(min(64, len(values)),), compression="gzip",
                            maxshape=(None,) if "col_attrs" in name else None)

    with h5py.File(path, "w") as file:
        for name, x in {"matrix": data.X, **{f"layers/{k}": v for k, v in (layers or {}).items()}}.items():
            x = dense(x).T
            size = tuple(min(a, b) for a, b in zip(chunks, x.shape)) if chunks else None
            file.create_dataset(name, data=x, chunks=size, compression="gzip" if chunks else None,
                                maxshape=(x.shape[0], None) if chunks else None)
        for group in ("layers", "row_graphs", "col_graphs"):
            file.require_group(group)
        if version < 3:
            file.attrs["LOOM_SPEC_VERSION"] = "2.0.1"
        else:
            file["attrs/LOOM_SPEC_VERSION"] = "3.0.0"
        file.require_group("row_attrs"), file.require_group("col_attrs")
        if genes:
            put(file, f"row_attrs/{genes}", data.var_names)
        if cells:
            put(file, f"col_attrs/{cells}", data.obs_names)
        for name in data.obs.columns:
            put(file, f"col_attrs/{name}", data.obs[name])
