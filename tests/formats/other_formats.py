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


def features_of(data, antibodies=0):
    """ids, names, types, genomes; the last features are antibodies."""
    n = data.n_vars
    ids = [f"ENSG{j:011}" for j in range(n - antibodies)] + [f"ab{j}" for j in range(antibodies)]
    types = ["Gene Expression"] * (n - antibodies) + ["Antibody Capture"] * antibodies
    return ids, [str(name) for name in data.var_names], types, ["GRCh38"] * (n - antibodies) + [""] * antibodies


def write_10x_h5(data, path, version=3, antibodies=0, genomes=("GRCh38",)):
    """Cell Ranger: features x cells by columns, int32 counts, int64 indices, gzip; a group of features from version 3 on,
    a group for each genome before. 8: as 10x documents the format for 7 to 10, with what features have beside genes.
    10: as the source of version 10 writes it, texts of 256 bytes, and with columns of the user's feature reference."""
    x = sp.csr_matrix(data.X)
    ids, names, types, of_genome = features_of(data, antibodies)

    def put(file, name, values, size=80000):
        values = np.asarray(values)
        if values.dtype.kind in "UO":
            values = np.array([str(v).encode() for v in values], dtype="S256" if version > 9 else None)
        file.create_dataset(name, data=values, chunks=(size,), maxshape=(None,), compression="gzip", shuffle=version < 3)

    with h5py.File(path, "w") as file:
        file.attrs.update({"filetype": "matrix", "chemistry_description": "Single Cell 3' v3", "library_ids": [b"test"],
                           "original_gem_groups": [1]})
        for group in ("matrix",) if version > 2 else genomes:
            lists = {"barcodes": data.obs_names, "data": x.data.astype("i4"), "indices": x.indices.astype("i8"),
                     "indptr": x.indptr.astype("i8"), "shape": np.array(x.shape[::-1], "i4")}
            if version > 2:
                file.attrs["version"] = 2
                lists.update({"features/id": ids, "features/name": names, "features/feature_type": types,
                              "features/genome": of_genome, "features/_all_tag_keys": ["genome"]})
                if version > 9:
                    tags = {name: [f"{name} {j}" for j in range(len(ids))] for name in ("gene_id", "target_gene_name")}
                    lists.update({f"features/{name}": values for name, values in tags.items()})
                    lists["features/_all_tag_keys"] = ["genome", "read", "pattern", "sequence", *tags]
                elif version > 7:
                    lists.update({name: np.asarray(lists[name]).astype("u4") for name in ("data", "indices", "indptr")})
                    lists.update({"shape": np.array(x.shape[::-1], "u8"), "features/pattern": ["5P(BC)"] * len(ids),
                                  "features/read": ["R2"] * len(ids), "features/sequence": ["ACGT"] * len(ids),
                                  "features/target_sets/panel": np.arange(0, len(ids), 2, dtype="u4")})
            else:
                lists.update({"genes": ids, "gene_names": names})
            for name, values in lists.items():
                put(file, f"{group}/{name}", values)


def write_10x_mtx(data, folder, version=3, antibodies=0, prefix="", order="cell", kind="integer", newline="\n"):
    """Cell Ranger: features x cells as text, an entry a line, cell by cell; gzip from version 3 on. order: "cell", "gene"
    (what scipy's mmwrite makes of rows) or "any"."""
    x = sp.csr_matrix(data.X).tocoo()
    ids, names, types, _ = features_of(data, antibodies)
    by = {"cell": np.lexsort((x.col, x.row)), "gene": np.lexsort((x.row, x.col)),
          "any": np.random.default_rng(4).permutation(x.nnz)}[order]
    value = "%d" if kind == "integer" else "%.9g"
    head = [f"%%MatrixMarket matrix coordinate {kind} general", '%metadata_json: {"software_version": "cellranger-8.0.1"}',
            f"{x.shape[1]} {x.shape[0]} {x.nnz}"]
    entries = [f"{j + 1} {i + 1} " + value % v for i, j, v in zip(x.row[by], x.col[by], x.data[by])]
    texts = {"matrix.mtx": head + entries, "barcodes.tsv": data.obs_names}
    if version > 2:
        texts["features.tsv"] = ["\t".join(words) for words in zip(ids, names, types)]
    else:
        texts["genes.tsv"] = ["\t".join(words) for words in zip(ids, names)]
    os.makedirs(folder, exist_ok=True)
    for name, lines in texts.items():
        with (gzip.open if version > 2 else open)(os.path.join(folder, prefix + name + ".gz" * (version > 2)), "wb") as file:
            file.write("".join(str(line) + newline for line in lines).encode())
