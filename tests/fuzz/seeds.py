"""Whole files, one of each layout, that mutants are made of. layouts() gives name -> bytes."""
import io
import os
import sys
import tempfile

import anndata
import h5py
import hdf5plugin
import numpy as np
import scipy.sparse as sp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "formats"))
import make_fixtures  # noqa: E402
import other_formats  # noqa: E402


def written(data, edit=None, **options):
    """An AnnData as bytes; edit(file) may change the layout by hand."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", **{k: options.pop(k) for k in ("libver",) if k in options}) as file:
        anndata.io.write_elem(file, "/", data, dataset_kwargs=options)
        if edit:
            edit(file)
    return memory.getvalue()


def whole(x):
    data = make_fixtures.anndata_of(x, layers={"counts": x.copy()})
    data.raw = make_fixtures.anndata_of(x)
    return data


def old_categories(file):
    """anndata 0.7: obs/COLUMN holds codes, obs/__categories/COLUMN the words."""
    for name in ("cell_type", "with_missing", "flag_category"):
        codes, words = (file[f"obs/{name}/{part}"][:] for part in ("codes", "categories"))
        del file[f"obs/{name}"]
        file[f"obs/__categories/{name}"] = words
        file[f"obs/{name}"] = codes
        file[f"obs/{name}"].attrs["categories"] = file[f"obs/__categories/{name}"].ref


def compound_frames(file):
    """anndata before 0.7: obs and var are tables, categories stand in uns."""
    words = file["obs/cell_type/categories"][:]
    n, m = file["obs/_index"].shape[0], file["var/_index"].shape[0]
    obs = np.zeros(n, [("index", "S8"), ("cell_type", "i1"), ("number", "i8"), ("score", "f8")])
    obs["index"], obs["cell_type"] = file["obs/_index"].asstr()[:], file["obs/cell_type/codes"][:]
    var = np.zeros(m, [("index", "S9")])
    var["index"] = file["var/_index"].asstr()[:]
    del file["obs"], file["var"]
    file["obs"], file["var"], file["uns/cell_type_categories"] = obs, var, words


def enumerations(file):
    """Labels as R's hdf5r writes factors and logical vectors."""
    for name, members in (("cell_type", {f"level {k}": k for k in range(1, 9)}), ("flag", {"FALSE": 0, "TRUE": 1, "NA": 2})):
        if name in file["obs"]:
            del file[f"obs/{name}"]
        numbers = (np.arange(file["obs/_index"].shape[0]) % 3 + (name == "cell_type")).astype("u1")
        file[f"obs/{name}"] = numbers.view(h5py.enum_dtype(members, basetype="u1"))


def blosc_tables(file):
    """Numbers alone: Blosc is not made for strings of any length."""
    for name in ("X", "layers/counts"):
        values, facts = file[name][:], dict(file[name].attrs)
        del file[name]
        file.create_dataset(name, data=values, **hdf5plugin.Blosc()).attrs.update(facts)


def model_like(file):
    """What model.load takes: weights by scGen's names, and genes."""
    random = np.random.default_rng(5)
    for key in list(file):
        del file[key]
    file["var_names"] = np.array([f"gene{j}" for j in range(6)], dtype=object)
    sizes = {"z_encoder.encoder.fc_layers.Layer 0.0.weight": (4, 6),
             "z_encoder.encoder.fc_layers.Layer 1.0.weight": (4, 4),
             "z_encoder.mean_encoder.weight": (2, 4), "z_encoder.mean_encoder.bias": (2,),
             "decoder.decoder.fc_layers.Layer 0.0.weight": (4, 2),
             "decoder.decoder.fc_layers.Layer 1.0.weight": (4, 4),
             "decoder.linear_out.weight": (6, 4)}
    for name, size in sizes.items():
        file["state_dict/" + name] = random.random(size).astype("f4")
    for name, words in (("species", ["all"]), ("cell_types", ["T", "B"]),
                        ("conditions", ["control", "drug"])):
        file["atlas/" + name] = np.array(words, dtype=object)
    file["atlas"].attrs["control"] = np.int64(0)
    file["atlas/group"] = np.array([[0, t, c, 0, 5] for t in (0, 1) for c in (0, 1)], "i8")
    file["config"] = "model: {hidden: 4}\n"
    file.attrs["profile"] = "scgen2"


def result_like(file):
    """What inspect takes for a result."""
    facts = {"config": "train: {}\n", "version": "0.1", "seed": 1, "shards": 4}
    for key, value in facts.items():
        file["uns/scscreen/" + key] = value


def of_format(write, *arguments, **options):
    """A file of tests/formats/other_formats.py as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "seed")
        write(*arguments[:1], path, *arguments[1:], **options)
        with open(path, "rb") as file:
            return file.read()


def others(x):
    data = make_fixtures.anndata_of(x)
    data.obs = data.obs[["cell_type", "number", "flag_category"]]
    layers = {"counts": x}
    return {"h5mu": of_format(other_formats.write_h5mu, whole(sp.csr_matrix(x)), {"prot": data}),
            "10x_v3": of_format(other_formats.write_10x_h5, whole(sp.csr_matrix(x)), antibodies=3),
            "10x_v10": of_format(other_formats.write_10x_h5, whole(sp.csr_matrix(x)), version=10),
            "10x_v2": of_format(other_formats.write_10x_h5, whole(sp.csr_matrix(x)), version=2),
            "loom_v3": of_format(other_formats.write_loom, data, layers=layers, chunks=(8, 8)),
            "loom_v2": of_format(other_formats.write_loom, data, version=2, layers=layers, chunks=None)}


def layouts():
    """name -> (bytes, the verb that reads it)"""
    x = make_fixtures.counts()
    csr, csc = sp.csr_matrix(x), sp.csc_matrix(x)
    files = {"csr": written(whole(csr)), "csc": written(whole(csc)), "dense": written(whole(x)),
             "csr_gzip": written(whole(csr), compression="gzip", shuffle=True),
             "csc_lzf": written(whole(csc), compression="lzf"),
             "csr_zstd": written(whole(csr), **hdf5plugin.Zstd()), "csr_lz4": written(whole(csr), **hdf5plugin.LZ4()),
             "dense_blosc": written(whole(x), blosc_tables),
             "dense_gzip": written(whole(x), compression="gzip", chunks=True),
             "csr_latest": written(whole(csr), libver="latest"),
             "dense_latest": written(whole(x), libver="latest", compression="lzf"),
             "old_categories": written(whole(csr), old_categories),
             "compound": written(make_fixtures.anndata_of(csr), compound_frames),
             "enumerations": written(whole(csr), enumerations),
             "plain_text": written(whole(csr), make_fixtures.plain_text)}
    files.update(others(x))
    table = {name: (data, "check") for name, data in files.items()}
    data = make_fixtures.anndata_of(x)
    table["model"] = (written(data, model_like), "inspect")
    table["model_latest"] = (written(data, model_like, libver="latest"), "inspect")
    table["result"] = (written(data, result_like), "inspect")
    return table
