"""Small .h5ad files: every layout that must be read (good), every trick that must be refused (bad).

usage: make_fixtures.py FOLDER
make(folder, built) returns the good ones as (path, matrix, a file that holds the same),
the bad ones as (path, matrix, words of the refusal); built: the compression libraries of the program.
"""
import os
import subprocess
import sys
import warnings
import zlib

import anndata
import h5py
import hdf5plugin
import numpy as np
import pandas as pd
import scipy.sparse as sp

import other_formats

CELLS, GENES = 37, 23
# Filters of hdf5plugin, by the library that has to be there when the program is built.
PLUGINS = {
    "ZSTD": {"zstd": hdf5plugin.Zstd(), "zstd_19": hdf5plugin.Zstd(clevel=19)},
    "LZ4": {"lz4": hdf5plugin.LZ4(), "lz4_blocks": hdf5plugin.LZ4(nbytes=64)},
    "BLOSC": {f"blosc_{name}": hdf5plugin.Blosc(cname=name, shuffle=k % 3)
              for k, name in enumerate(("blosclz", "lz4", "lz4hc", "zlib", "zstd"))},
}


def counts(seed=1):
    random = np.random.default_rng(seed)
    x = random.poisson(0.7, (CELLS, GENES)).astype(np.float32)
    x[5] = 0
    return x


def frame():
    kinds = np.array(["T", "B", "NK cell"])[np.arange(CELLS) % 3]
    obs = pd.DataFrame(index=[f"cell{i}" for i in range(CELLS)])
    obs["cell_type"] = pd.Categorical(kinds, categories=["T", "unused", "NK cell", "B"])
    obs["with_missing"] = pd.Categorical([None if i % 5 == 0 else k for i, k in enumerate(kinds)])
    obs["day"] = pd.Categorical(np.arange(CELLS) % 4 * 10)
    obs["dose"] = pd.Categorical(np.array([0.0, 0.5, 1e-7, 1000.25])[np.arange(CELLS) % 4])
    obs["flag"] = np.arange(CELLS) % 2 == 0
    obs["flag_category"] = pd.Categorical(np.arange(CELLS) % 2 == 0)
    obs["number"] = (np.arange(CELLS) * 7) % 12 - 3
    obs["maybe"] = pd.array([None if i % 4 == 0 else i % 3 for i in range(CELLS)], dtype="Int64")
    obs["score"] = np.linspace(0, 1, CELLS)
    return obs


def anndata_of(x, **more):
    var = pd.DataFrame(index=[f"gene{j}" for j in range(x.shape[1])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return anndata.AnnData(x, obs=frame().iloc[: x.shape[0]], var=var, **more)


TALL = 150000  # cells: more values of a gene than are read at once


def tall_csc():
    """By columns: one in order, one that is not, with zeros that are stored, and one with gaps."""
    rng = np.random.default_rng(1)
    rows = [np.arange(TALL), rng.permutation(TALL), np.arange(0, TALL, 2)]
    values = [1 + np.arange(TALL) % 7, np.arange(TALL) % 3, np.full(TALL // 2, 2)]
    x = sp.csc_matrix((np.concatenate(values).astype("f4"), np.concatenate(rows).astype("i4"),
                       np.cumsum([0] + [len(r) for r in rows])), shape=(TALL, 3))
    obs = frame().iloc[np.arange(TALL) % CELLS]
    obs.index = [f"cell{i}" for i in range(TALL)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=["gene0", "gene1", "gene2"]))


class Good:
    """Files that must be read as anndata reads them."""

    def __init__(self, folder):
        self.folder, self.files = folder, []

    def path(self, name, *matrices, like=None):
        path, twin = (os.path.join(self.folder, f"good_{n}.h5ad") for n in (name, like or name))
        self.files += [(path, matrix, twin) for matrix in (matrices or ("X",))]
        return path

    def layouts(self):
        for kind, x in (("csr", sp.csr_matrix(counts())), ("csc", sp.csc_matrix(counts())),
                        ("dense", counts())):
            for compression in (None, "gzip", "lzf"):
                data = anndata_of(x)
                data.raw = anndata_of(x)
                path = self.path(f"{kind}_{compression}", "X", "raw")
                data.write_h5ad(path, compression=compression)
            for dtype in ("int8", "uint16", "int32", "int64", "float64", "bool"):
                y = x.astype(dtype)
                with h5py.File(self.path(f"{kind}_{dtype}"), "w") as file:
                    anndata.io.write_elem(file, "/", anndata_of(x))
                    anndata.io.write_elem(file, "X", y)
        anndata_of(counts(), layers={"counts": sp.csc_matrix(counts(2))}).write_h5ad(
            self.path("layer", "layers/counts"))

    def sizes(self):
        anndata_of(counts()[:1]).write_h5ad(self.path("one_cell"))
        anndata_of(sp.csr_matrix(counts()[:, :1])).write_h5ad(self.path("one_gene"))
        anndata_of(sp.csr_matrix((CELLS, GENES), dtype="f4")).write_h5ad(self.path("all_zero"))
        anndata_of(sp.csc_matrix((CELLS, GENES), dtype="f4")).write_h5ad(self.path("all_zero_csc"))

    def tall(self):
        tall_csc().write_h5ad(self.path("tall"))

    def names(self):
        data = anndata_of(counts())
        data.var_names = [f"gène {j} 日本" for j in range(GENES)]
        data.obs_names = [f"same{i // 2}" for i in range(CELLS)]
        data.write_h5ad(self.path("unicode"))

        data = anndata_of(counts())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # anndata 0.12 discourages, writes and reads it
            data.obs["cell/type"] = data.obs.cell_type
            data.obs["a/b/number"] = data.obs.number
            if tuple(map(int, anndata.__version__.split(".")[:2])) < (0, 13):  # which refuses to write it
                data.write_h5ad(self.path("slash"))

    def encodings(self):
        """Each encoding of a column and of an index that anndata 0.8 to 0.13 writes (doc/inputs.md)."""
        if hasattr(anndata.settings, "allow_write_nullable_strings"):
            anndata.settings.allow_write_nullable_strings = True
        text = [f"type {i % 3}" for i in range(CELLS)]
        some = [None if i % 5 == 0 else t for i, t in enumerate(text)]
        data = anndata_of(sp.csr_matrix(counts()))
        data.obs["text"] = np.array(text, dtype=object)
        data.obs["nullable_text"] = pd.array(some, dtype="string")
        data.obs["nullable_flag"] = pd.array([None if i % 5 == 0 else i % 2 == 0 for i in range(CELLS)], dtype="boolean")
        data.obs["ordered"] = pd.Categorical(text, ordered=True)
        data.obs["of_nullable"] = pd.Categorical(pd.array(some, dtype="string"))
        for dtype in ("int8", "uint16", "int64"):
            data.obs[dtype] = (np.arange(CELLS) % 5).astype(dtype)
        with h5py.File(self.path("encodings"), "w") as file:
            anndata.io.write_elem(file, "/", data)
        data.obs_names = pd.Index(pd.array([f"cell{i}" for i in range(CELLS)], dtype="string"))
        data.var_names = pd.Index(pd.array([f"gene{i}" for i in range(GENES)], dtype="string"))
        with h5py.File(self.path("string_index"), "w") as file:
            anndata.io.write_elem(file, "/", data)
        data = anndata_of(sp.csr_matrix(counts()))
        data.raw = anndata_of(sp.csr_matrix(counts()))
        data.raw.var["feature_name"] = pd.Categorical([f"SYM{j % 20}" for j in range(GENES)])
        data.var.index = pd.CategoricalIndex([f"SYM{j}" for j in range(GENES)][::-1], name="feature_name")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "AnnData expects .obs.index to contain strings"
            data.obs = data.obs.set_index(pd.CategoricalIndex([f"BC{i}" for i in range(CELLS)], name="barcode"))
        with h5py.File(self.path("categorical_index", "X", "raw"), "w") as file:
            anndata.io.write_elem(file, "/", data)

    def by_hand(self):
        """What anndata reads but does not write."""
        for index in ("i4", "i8", "u2", "u8"):
            with edited(self.path(f"indices_{index}")) as file:
                for name in ("X/indices", "X/indptr"):
                    replace(file, name, file[name][:].astype(index))
        with edited(self.path("unsorted")) as file:
            shuffle_rows(file)
        with edited(self.path("explicit_zeros")) as file:
            file["X/data"][::3] = 0
        with edited(self.path("filters")) as file:
            replace(file, "X/data", file["X/data"][:], compression="lzf", shuffle=True,
                    fletcher32=True)
            replace(file, "X/indices", file["X/indices"][:], compression=9, shuffle=True,
                    chunks=(7,))
        with edited(self.path("float_shape")) as file:  # R has no other numbers
            del file["X"].attrs["shape"]
            file["X"].attrs["shape"] = np.array([CELLS, GENES], dtype="f8")
        with edited(self.path("no_order", like="csr_None")) as file:
            del file["obs"].attrs["column-order"]
        with edited(self.path("text_columns")) as file:
            plain_text(file)
        with edited(self.path("fixed_text")) as file:
            names = [f"G{j}".encode() for j in range(GENES)]
            replace(file, "var/_index", np.array(names, dtype="S9"))
        with edited(self.path("cycle", like="csr_None")) as file:  # anndata follows it for ever
            file["uns/loop"] = file["/"]
            file["obsm/again"] = file["obsm"]
        with edited(self.path("dense_chunks"), dense=True) as file:
            replace(file, "X", file["X"][:], chunks=(3, 5), compression="gzip",
                    maxshape=(None, None))
        with edited(self.path("incompressible"), dense=True) as file:
            noise = np.random.default_rng(3).random((CELLS, GENES))
            replace(file, "X", noise.astype("f4"), chunks=(8, GENES), compression="lzf")

    def plugins(self, built):
        for library in built & set(PLUGINS):
            for name, options in PLUGINS[library].items():
                for kind, x in (("csr", sp.csr_matrix(counts())), ("csc", sp.csc_matrix(counts())), ("dense", counts())):
                    path = self.path(f"{kind}_{name}")
                    if library != "BLOSC":
                        anndata_of(x).write_h5ad(path, **options)
                        continue
                    anndata_of(x).write_h5ad(path)  # hdf5plugin 7.1 crashes on texts
                    with h5py.File(path, "r+") as file:
                        for list_ in file["X"] if kind != "dense" else [""]:
                            replace(file, f"X/{list_}".rstrip("/"), file[f"X/{list_}"][:], **options)
                with edited(self.path(f"filters_{name}")) as file:
                    for k, list_ in enumerate(("data", "indices")):
                        replace(file, f"X/{list_}", file[f"X/{list_}"][:], shuffle=True, fletcher32=k == 0, chunks=(50,), **options)

    def of_format(self, name, like, matrix="X"):
        path, twin = os.path.join(self.folder, name), os.path.join(self.folder, f"good_{like}.h5ad")
        self.files.append((path, matrix, twin))
        return path

    def mudata(self):
        rna, prot = anndata_of(sp.csr_matrix(counts())), anndata_of(counts(2)[:, :5])
        rna.raw = anndata_of(counts(3))
        rna.write_h5ad(self.path("rna", "X", "raw"))
        prot.write_h5ad(self.path("prot"))
        path = self.of_format("good.h5mu", "rna")
        other_formats.write_h5mu(rna, path, {"prot": prot})
        self.of_format("good.h5mu", "rna", "raw")
        self.files += [(f"{path}:rna", "X", self.files[-1][2]),
                       (f"{path}:prot", "X", os.path.join(self.folder, "good_prot.h5ad"))]

    def loom(self):
        data = anndata_of(counts(), layers={"spliced": counts(2).astype("i4")})
        data.obs = data.obs[["cell_type", "number", "score"]].assign(cell_type=data.obs.cell_type.astype(str))
        options = {"good_v3.loom": {}, "good_v2.loom": {"version": 2}, "good_plain.loom": {"chunks": None},
                   "good_chunks.loom": {"chunks": (5, 7)}, "good_by_row.loom": {"chunks": (1, CELLS)}}
        bare = data.copy()
        bare.obs_names = [str(i) for i in range(CELLS)]
        bare.write_h5ad(self.path("bare"))
        other_formats.write_loom(bare, self.of_format("good_bare.loom", "bare"), cells=None, genes="Accession")
        data.obs["CellID"] = data.obs_names.to_numpy()
        data.write_h5ad(self.path("loom", "X", "layers/spliced"))
        for name, more in options.items():
            path = self.of_format(name, "loom")
            other_formats.write_loom(data, path, layers={"spliced": data.layers["spliced"]}, cells=None, **more)
            self.of_format(name, "loom", "layers/spliced")

    def of_r(self):
        """Columns as R's hdf5r writes them: a logical has a third member, NA, and a factor is an enumeration of its levels."""
        data = anndata_of(sp.csr_matrix(counts()))
        number = np.arange(CELLS) % 3
        names = {"FALSE": 0, "TRUE": 1, "NA": 2}
        data.obs = data.obs.iloc[:, :0].assign(
            logical=pd.array([(False, True, None)[k] for k in number], dtype="boolean"),
            factor=pd.Categorical.from_codes(number, ["B", "NK é", "T"]))
        data.write_h5ad(self.path("of_pandas"))
        path = self.of_format("good_of_r.h5ad", "of_pandas")
        data.write_h5ad(path)
        with h5py.File(path, "r+") as file:
            for name, members, values in (("logical", names, number), ("factor", {"B": 1, "NK é": 2, "T": 3}, number + 1)):
                del file[f"obs/{name}"]
                file[f"obs/{name}"] = values.astype("u1").view(h5py.enum_dtype(members, basetype="u1"))

    def tenx(self):
        data = anndata_of(sp.csr_matrix(counts()))
        data.obs = data.obs.iloc[:, :0]
        data.write_h5ad(self.path("no_labels"))
        data[:, :-4].copy().write_h5ad(self.path("genes_alone"))
        write = other_formats.write_10x_h5
        write(data, self.of_format("good_10x_v3.h5", "no_labels"))
        write(data, self.of_format("good_10x_v2.h5", "no_labels"), version=2)
        write(data, self.of_format("good_10x_v8.h5", "no_labels"), version=8)
        write(data, self.of_format("good_10x_v10.h5", "no_labels"), version=10)
        write(data, self.of_format("good_10x_one_genome.h5", "no_labels"))
        with h5py.File(self.files[-1][0], "r+") as file:  # as h5 writers of the field leave it: one text for all
            replace(file, "matrix/features/genome", b"GRCh38")
        write(data, self.of_format("good_10x_v8_antibodies.h5", "genes_alone"), version=8, antibodies=4)
        write(data, self.of_format("good_10x_antibodies.h5", "genes_alone"), antibodies=4)
        self.of_format("good_10x_antibodies.h5:GRCh38", "genes_alone")
        write(data, self.of_format("good_10x_genomes.h5:mm10", "no_labels"), version=2, genomes=("GRCh38", "mm10"))
        os.rename(os.path.join(self.folder, "good_10x_genomes.h5:mm10"), os.path.join(self.folder, "good_10x_genomes.h5"))
        write = other_formats.write_10x_mtx
        write(data, self.of_format("good_mtx_v3", "no_labels"))
        self.of_format("good_mtx_v3/matrix.mtx.gz", "no_labels")
        write(data, self.of_format("good_mtx_v2", "no_labels"), version=2)
        write(data, self.of_format("good_mtx_antibodies", "genes_alone"), antibodies=4)
        write(data, self.of_format("good_mtx_gene", "no_labels"), order="gene")
        write(data, self.of_format("good_mtx_any", "genes_alone"), order="any", antibodies=4)
        write(data, self.of_format("good_mtx_any_v2", "no_labels"), version=2, order="any")
        write(data, self.of_format("good_mtx_real", "no_labels"), kind="real", newline="\r\n")
        write(data, os.path.dirname(self.of_format("good_mtx_prefix/GSM1_a_matrix.mtx.gz", "no_labels")), prefix="GSM1_a_")

    def old_zarr(self, data, script):
        """anndata 0.7's layout, without a mark and with categories that are named by their path, as a modality in a zip file;
        and a table of records with text, as scanpy's rank_genes_groups."""
        import zarr

        path = os.path.join(self.folder, "old.zarr.zip")
        data.uns = {"ranks": np.array([("a", 1.0)], dtype=[("B/NK", "U4"), ("T", "f4")])}
        with warnings.catch_warnings(), zarr.storage.ZipStore(path, mode="w") as store:
            warnings.simplefilter("ignore")
            root = zarr.open_group(store, mode="w", zarr_format=2)
            memory = zarr.group(zarr_format=2)  # what a zip file holds cannot be taken out again
            anndata.io.write_elem(memory, "/", data)
            for frame in ("obs", "raw/var", "var"):
                for name, item in list(memory[frame].groups()):
                    if item.attrs.get("encoding-type") != "categorical":
                        continue
                    codes, categories = item["codes"][:], item["categories"][:]
                    del memory[f"{frame}/{name}"]
                    anndata.io.write_elem(memory, f"{frame}/__categories/{name}", categories)
                    anndata.io.write_elem(memory, f"{frame}/{name}", codes)
                    memory[f"{frame}/{name}"].attrs["categories"] = f"__categories/{name}"
            rna = root.create_group("mod/rna")
            for name, item in memory.members(max_depth=None):
                if isinstance(item, zarr.Group):
                    rna.create_group(name, attributes=dict(item.attrs))
                else:
                    rna.create_array(name, data=item[()], attributes=dict(item.attrs))
        out = os.path.join(self.folder, "old_zarr.h5ad")
        run = [sys.executable, "-W", "ignore", "-B", script, path, out]
        unnamed = subprocess.run(run, capture_output=True, text=True, check=False)
        assert unnamed.returncode == 1 and "name one: --part mod/rna" in unnamed.stderr, unnamed
        subprocess.run([*run, "--part", "mod/rna"], check=True)
        with h5py.File(out) as file:
            assert file["uns/ranks"][0]["B/NK"] == b"a"
        for matrix in ("X", "raw"):
            self.files.append((out, matrix, os.path.join(self.folder, "good_zarr.h5ad")))

    def zarr(self):
        """Stores of both versions and with shards, made into .h5ad by scripts/zarr-to-h5ad."""
        try:
            import zarr
        except ImportError:
            print("SKIPPED: zarr stores: this anndata came without zarr")
            return
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "zarr-to-h5ad")
        data = anndata_of(sp.csr_matrix(counts()), layers={"counts": sp.csc_matrix(counts(2)), "dense": counts(3)})
        data.raw = anndata_of(counts())
        data.uns = {"words": np.array(["a", "b"], dtype=object), "one": 1, "text": "hé", "none": np.zeros((0, 3))}
        data.write_h5ad(os.path.join(self.folder, "good_zarr.h5ad"))

        def sharded(write, store, name, element, *, dataset_kwargs, iospec):
            if iospec.encoding_type in ("array", "csr_matrix", "csc_matrix") and getattr(element, "ndim", 0) == 2:
                wide = () if sp.issparse(element) else element.shape[1:]
                dataset_kwargs = dict(dataset_kwargs, shards=(16,) + wide, chunks=(4,) + wide)
            write(store, name, element, dataset_kwargs=dataset_kwargs)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for version in (2, 3):
                store = zarr.open_group(os.path.join(self.folder, f"v{version}.zarr"), mode="w", zarr_format=version)
                anndata.io.write_elem(store, "/", data)
            store = zarr.open_group(os.path.join(self.folder, "sharded.zarr"), mode="w", zarr_format=3)
            del data.uns["none"]
            anndata.experimental.write_dispatched(store, "/", data, sharded)
        assert store["layers/dense"].shards == (16, GENES) and store["X/data"].shards == (16,)
        for name, options in (("v2", []), ("v3", ["--gzip"]), ("sharded", [])):
            paths = [os.path.join(self.folder, name + ending) for ending in (".zarr", "_zarr.h5ad")]
            subprocess.run([sys.executable, "-B", script, *paths, *options], check=True)
            for matrix in ("X", "raw", "layers/counts", "layers/dense"):
                self.files.append((paths[1], matrix, os.path.join(self.folder, "good_zarr.h5ad")))
        self.old_zarr(data, script)
        again = subprocess.run([sys.executable, "-B", script, *paths], capture_output=True, text=True, check=False)
        assert again.returncode == 1 and "is there already" in again.stderr, again

    def make(self, built):
        self.layouts()
        self.plugins(built)
        self.zarr()
        self.mudata()
        self.of_r()
        self.loom()
        self.tenx()
        self.sizes()
        self.tall()
        self.names()
        self.encodings()
        self.by_hand()
        return self.files


def plain_texts(file):
    """Texts as anndata wrote them before pandas 3: datasets, which the edits below change."""
    nullable = []
    file.visititems(lambda name, item: nullable.append(name)
                    if item.attrs.get("encoding-type") == "nullable-string-array" else None)
    for name in nullable:
        texts = np.array(anndata.io.read_elem(file[name]), dtype=object)
        group, key = name.rsplit("/", 1)
        del file[name]
        anndata.io.write_elem(file[group], key, texts)
    return file


def edited(path, dense=False):
    """A plain file, open for edits."""
    data = anndata_of(counts() if dense else sp.csr_matrix(counts()))
    data.write_h5ad(path)
    return plain_texts(h5py.File(path, "r+"))


def replace(file, name, values, **options):
    attributes = dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, data=values, **options).attrs.update(attributes)


def shuffle_rows(file):
    random = np.random.default_rng(7)
    indptr, indices, data = (file["X"][k][:] for k in ("indptr", "indices", "data"))
    for first, last in zip(indptr[:-1], indptr[1:]):
        order = first + random.permutation(last - first)
        indices[first:last], data[first:last] = indices[order], data[order]
    file["X/indices"][:], file["X/data"][:] = indices, data


def plain_text(file):
    values = np.array(["zeta", "Alpha", "été", "alpha"], dtype=object)[np.arange(CELLS) % 4]
    del file["obs/cell_type"]
    column = file.create_dataset("obs/cell_type", data=values, dtype=h5py.string_dtype())
    column.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


def set_at(name, at, value):
    def edit(file):
        file[name][at] = value
    return edit


def wide(name, at, value):
    """The same of integers that are stored in 64 bits."""
    def edit(file):
        replace(file, name, file[name][()].astype("i8"))
        file[name][at] = value
    return edit


def remove(name):
    def edit(file):
        del file[name]
    return edit


def resize(name, length):
    def edit(file):
        values = np.resize(file[name][:], length)
        replace(file, name, values)
    return edit


def external_link(file):
    del file["X/data"]
    file["X/data"] = h5py.ExternalLink("good_csr_None.h5ad", "X/data")


def external_group(file):
    del file["obs"]
    file["obs"] = h5py.ExternalLink("good_csr_None.h5ad", "obs")


def soft_link(name):
    def edit(file):
        file.move(name, "uns/hidden")
        file[name] = h5py.SoftLink("/uns/hidden")
    return edit


def external_storage(file):
    del file["X/data"]
    file.create_dataset("X/data", shape=(10,), dtype="f4", external=[("elsewhere.bin", 0, 40)])


def virtual(file):
    n = file["X/data"].shape[0]
    del file["X/data"]
    layout = h5py.VirtualLayout(shape=(n,), dtype="f4")
    layout[:] = h5py.VirtualSource("good_csr_None.h5ad", "X/data", shape=(n,))
    file.create_virtual_dataset("X/data", layout)


def bomb(name, length, dtype):
    def edit(file):
        attributes = dict(file[name].attrs)
        del file[name]
        file.create_dataset(name, shape=(length,), dtype=dtype, chunks=(1 << 16,),
                            compression="gzip").attrs.update(attributes)
    return edit


def unknown_filter(file):
    values = file["X/data"][:]
    del file["X/data"]
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk(values.shape)
    creation.set_filter(32008, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple(values.shape)
    h5py.h5d.create(file["X"].id, b"data", h5py.h5t.IEEE_F32LE, space, creation)
    file["X/data"][:] = values


def broken_lzf(stream):
    def edit(file):
        n = file["X/data"].shape[0]
        del file["X/data"]
        data = file.create_dataset("X/data", shape=(n,), dtype="f4", chunks=(n,), compression="lzf")
        data.id.write_direct_chunk((0,), stream)
    return edit


def broken_chunk(options, edit_chunk):
    """A chunk that hdf5plugin has compressed, with other bytes."""
    def edit(file):
        values = file["X/data"][:]
        replace(file, "X/data", values, chunks=values.shape, **options)
        _, chunk = file["X/data"].id.read_direct_chunk((0,))
        file["X/data"].id.write_direct_chunk((0,), edit_chunk(bytes(chunk)))
    return edit


def big_endian(value, size):
    return value.to_bytes(size, "big")


BAD_PLUGINS = {
    "ZSTD": [("zstd_cut", broken_chunk(hdf5plugin.Zstd(), lambda c: c[:-5])),
             ("zstd_twice", broken_chunk(hdf5plugin.Zstd(), lambda c: c * 3)),
             ("zstd_noise", broken_chunk(hdf5plugin.Zstd(), lambda c: c[:12] + bytes(range(len(c) - 12 & 255)))),
             ("zstd_huge", broken_chunk(hdf5plugin.Zstd(), lambda c: c[:4] + b"\xe0" + b"\xff" * 7 + b"\x7f" + c[6:]))],
    "LZ4": [("lz4_cut", broken_chunk(hdf5plugin.LZ4(), lambda c: c[:-5])),
            ("lz4_head", broken_chunk(hdf5plugin.LZ4(), lambda c: c[:7])),
            ("lz4_huge", broken_chunk(hdf5plugin.LZ4(), lambda c: big_endian(1 << 60, 8) + c[8:])),
            ("lz4_negative", broken_chunk(hdf5plugin.LZ4(), lambda c: b"\xff" * 8 + c[8:])),
            ("lz4_no_block", broken_chunk(hdf5plugin.LZ4(), lambda c: c[:8] + bytes(4) + c[12:])),
            ("lz4_block", broken_chunk(hdf5plugin.LZ4(), lambda c: c[:12] + big_endian((1 << 32) - 1, 4) + c[16:])),
            ("lz4_short", broken_chunk(hdf5plugin.LZ4(), lambda c: big_endian(8, 8) + c[8:])),
            ("lz4_noise", broken_chunk(hdf5plugin.LZ4(nbytes=64), lambda c: c[:16] + bytes(reversed(c[16:]))))],
    "BLOSC": [("blosc_cut", broken_chunk(hdf5plugin.Blosc(), lambda c: c[:-5])),
              ("blosc_head", broken_chunk(hdf5plugin.Blosc(), lambda c: c[:9])),
              ("blosc_huge", broken_chunk(hdf5plugin.Blosc(), lambda c: c[:4] + b"\xff\xff\xff\x7f" + c[8:])),
              ("blosc_short", broken_chunk(hdf5plugin.Blosc(), lambda c: c[:4] + (8).to_bytes(4, "little") + c[8:])),
              ("blosc_noise", broken_chunk(hdf5plugin.Blosc(), lambda c: c[:20] + bytes(reversed(c[20:]))))],
}


def bad_plugins(built):
    """(name, edit, words): damaged chunks of libraries that are there, whole ones of those that are not."""
    for library, broken in BAD_PLUGINS.items():
        if library in built:
            yield from ((name, edit, "damaged") for name, edit in broken)
        else:
            yield (f"without_{library}", broken_chunk(next(iter(PLUGINS[library].values())), lambda c: c),
                   f"which is not read, since scscreen was built without lib{library.lower()}; rewrite the file: import hdf5plugin; ")


def broken_gzip(kept, cut=None, mask=0, n=None):
    """A chunk of n numbers that holds `kept` bytes before compression, `cut` after."""
    def edit(file):
        size = n or file["X/data"].shape[0]
        del file["X/data"]
        data = file.create_dataset("X/data", shape=(size,), dtype="f4", chunks=(size,),
                                   compression="gzip")
        data.id.write_direct_chunk((0,), zlib.compress(bytes(kept))[:cut], filter_mask=mask)
        for name, values in (("X/indices", np.zeros(size, "i4")),
                             ("X/indptr", np.r_[np.zeros(CELLS, "i8"), size])):
            replace(file, name, values)
    return edit


def deflate_bomb(file):
    """A chunk of 1.6 KB whose 260 KB inflate to 256 MiB."""
    n = file["X/data"].shape[0]
    del file["X/data"]
    data = file.create_dataset("X/data", shape=(n,), dtype="f4", chunks=(n,), compression="gzip")
    data.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 28)))


def categories(values):
    """The words of cell_type become something else; None: a group."""
    def edit(file):
        attributes = dict(file["obs/cell_type/categories"].attrs)
        del file["obs/cell_type/categories"]
        if values is None:
            file["obs/cell_type/categories"] = file["obs/cell_type"]
        else:
            file["obs/cell_type"].create_dataset("categories", data=values).attrs.update(attributes)
    return edit


def evil_category(file):
    categories(np.array(["evil\x1b[31m\nname"] * 4, dtype=object))(file)


def cycle(file):
    """The matrix holds itself as its values."""
    del file["X/data"]
    file["X/data"] = file["X"]


def short_shuffle(file):
    n = 10 ** 6
    broken_gzip(4 * n, n=n)(file)
    del file["X/data"]
    data = file.create_dataset("X/data", shape=(n,), dtype="f4", chunks=(n,), shuffle=True)
    data.id.write_direct_chunk((0,), bytes(400))


def duplicate_column(file):
    file["X/indices"][1] = file["X/indices"][0]


def bad_gene_name(file):
    names = [f"gene{j}" for j in range(GENES)]
    names[int(file["X/indices"][2])] = "evil\x1b[31m\nname"
    replace(file, "var/_index", np.array(names, dtype=object))
    file["X/data"][2] = np.nan


def latin1(file):
    replace(file, "var/_index", np.array([b"caf\xe9"] * GENES))


def text_matrix(file):
    replace(file, "X/data", np.array([b"x"] * file["X/data"].shape[0]))


def relabel(name, key, value):
    def edit(file):
        file[name].attrs[key] = value
    return edit


def loop_as_column(file):
    del file["obs/cell_type"]
    file["obs/cell_type"] = file["obs"]


def wide_x(file):
    replace(file, "X", np.zeros((CELLS, GENES + 1), "f4"))


def cube(file):
    replace(file, "X", np.zeros((CELLS, GENES, 2), "f4"))


def no_name(frame, code):
    """An index of categories, in which a row has none."""
    def edit(file):
        names = list(anndata.io.read_elem(file[f"{frame}/_index"]))
        del file[frame]["_index"]
        anndata.io.write_elem(file[frame], "_index", pd.Categorical(names))
        file[frame]["_index/codes"][3] = code
    return edit


def no_codes(file):
    no_name("var", 0)(file)
    del file["var/_index/codes"]


BAD = [
    ("external_link", external_link, "external link"),
    ("external_group", external_group, "external link"),
    ("soft_link", soft_link("X/data"), "soft link"),
    ("soft_group", soft_link("X"), "soft link"),
    ("soft_column", soft_link("obs/cell_type"), "soft link"),
    ("soft_codes", soft_link("obs/cell_type/codes"), "soft link"),
    ("soft_categories", soft_link("obs/cell_type/categories"), "soft link"),
    ("external_storage", external_storage, "external files"),
    ("virtual", virtual, "virtual dataset"),
    ("bomb_huge", bomb("X/data", 1 << 40, "f4"), "data.memory"),
    ("bomb_product", bomb("X/data", (1 << 62) + 5, "f4"), "data.memory"),
    ("bomb_empty", bomb("X/data", 1 << 28, "f4"), "no real data"),
    ("bomb_names", bomb("var/_index", 1 << 28, "S8"), "no real data"),
    ("bomb_categories", bomb("obs/cell_type/categories", 1 << 28, "S8"), "no real data"),
    ("bomb_deflate", deflate_bomb, "full length"),
    ("unknown_filter", unknown_filter, 'import hdf5plugin; anndata.read_h5ad(...).write_h5ad(..., compression="gzip")'),
    ("lzf_short", broken_lzf(b"\x1fabc"), "damaged"),
    ("lzf_back", broken_lzf(b"\x00a\xff\xff\xff\xff\xff\xff"), "damaged"),
    ("lzf_small", broken_lzf(b"\x03abcd"), "damaged"),
    ("deflate_cut", broken_gzip(1600, -3), "damaged"),
    ("deflate_short", broken_gzip(80000, n=10 ** 6), "damaged"),
    ("deflate_skipped", broken_gzip(80000, mask=1, n=10 ** 6), "full length"),
    ("shuffle_short", short_shuffle, "full length"),
    ("indptr_falls", set_at("X/indptr", 9, 1), "falls"),
    ("indptr_first", set_at("X/indptr", 0, 3), "not at 0"),
    ("indptr_negative", set_at("X/indptr", 0, -3), "not at 0"),
    ("indptr_last", set_at("X/indptr", -1, 10 ** 6), "ends at 1000000"),
    ("indptr_short", resize("X/indptr", CELLS), "belong"),
    ("index_negative", set_at("X/indices", 4, -1), "names gene number -1"),
    ("index_wide", wide("X/indices", 4, 2 ** 31 + 5), f"names gene number 2147483653 of {GENES}"),
    ("index_wide_negative", wide("X/indices", 4, -2 ** 40), f"names gene number -1099511627776 of {GENES}"),
    ("codes_wide", wide("obs/cell_type/codes", 2, 2 ** 32 + 1), "has the code 4294967297, which none of the 4 categories"),
    ("index_high", set_at("X/indices", 4, GENES), f"names gene number {GENES} of {GENES}"),
    ("indices_short", resize("X/indices", 10), "belong"),
    ("duplicate_column", duplicate_column, "twice"),
    ("nan", set_at("X/data", 3, np.nan), "missing value"),
    ("inf", set_at("X/data", 3, np.inf), "finite"),
    ("negative", set_at("X/data", 3, -1.5), "holds -1.5"),
    ("codes_high", set_at("obs/cell_type/codes", 2, 4), "cell row 2"),
    ("codes_low", set_at("obs/cell_type/codes", 2, -2), "cell row 2"),
    ("codes_short", resize("obs/cell_type/codes", 5), "5 values for 37 cells"),
    ("categories_twice", set_at("obs/cell_type/categories", 1, "T"), "category T twice"),
    ("categories_cube", categories(np.zeros((2, 2, 2))), "1 or 2 dimensions"),
    ("categories_floats", categories(np.full(4, np.nan)), "category nan twice"),
    ("categories_group", categories(None), "categories"),
    ("categories_control", evil_category, "evil?[31m?name twice"),
    ("cycle_matrix", cycle, "X/data is no dataset"),
    ("control_characters", bad_gene_name, "evil?[31m?name"),
    ("latin1", latin1, "not UTF-8"),
    ("text_matrix", text_matrix, "must hold numbers"),
    ("no_data", remove("X/data"), "there is no X/data"),
    ("no_indices", remove("X/indices"), "there is no X/indices"),
    ("no_indptr", remove("X/indptr"), "there is no X/indptr"),
    ("no_x", remove("X"), "no expression matrix"),
    ("no_obs", remove("obs"), "no AnnData file"),
    ("no_var", remove("var"), "no AnnData file"),
    ("no_index", remove("var/_index"), "there is no var/_index"),
    ("no_codes", remove("obs/cell_type/codes"), "there is no obs/cell_type/codes"),
    ("kind", relabel("X", "encoding-type", "coo_matrix"), "coo_matrix"),
    ("shape", relabel("X", "shape", [CELLS + 1, GENES]), "belong"),
    ("shape_half", relabel("X", "shape", np.array([CELLS, GENES + .5])), "attribute shape"),
    ("shape_nan", relabel("X", "shape", np.array([CELLS, np.nan])), "attribute shape"),
    ("shape_negative", relabel("X", "shape", [-1, GENES]), "absurd shape"),
    ("shape_long", relabel("X", "shape", [CELLS, GENES, 1]), "attribute shape"),
    ("genes", relabel("X", "shape", [CELLS, GENES + 1]), "names 23 genes"),
    ("obs_short", resize("obs/_index", CELLS - 1), "names 36 cells"),
    ("index_name_missing", no_name("obs", -1), "obs/_index has no name in row 3"),
    ("index_name_high", no_name("var", GENES), "var/_index has no name in row 3"),
    ("index_name_codes", no_codes, "there is no var/_index/codes"),
    ("loop_column", loop_as_column, "obs/cell_type"),
]
BAD_DENSE = [
    ("dense_nan", set_at("X", (3, 4), np.nan), "cell row 3, gene gene4"),
    ("dense_negative", set_at("X", (3, 4), -2), "holds -2"),
    ("dense_wide", wide_x, "names 23 genes"),
    ("dense_cube", cube, "1 or 2 dimensions"),
]
BAD_CSC = [
    ("csc_index", set_at("X/indices", 4, CELLS), f"names cell row {CELLS}"),
    ("csc_negative", set_at("X/indices", 4, -1), "names cell row -1"),
    ("csc_wide", wide("X/indices", 4, 2 ** 31 - 1), "names cell row 2147483647"),
    ("csc_wider", wide("X/indices", 4, 3 * 2 ** 31), "names cell row 6442450944"),
    ("csc_duplicate", duplicate_column, "twice"),
    ("csc_nan", set_at("X/data", 4, np.nan), "gene gene0"),
]
BAD_TALL = [
    ("tall_duplicate", set_at("X/indices", 140000, 5), "cell row 5 holds gene gene0 twice"),
    ("tall_duplicate_unsorted", set_at("X/indices", slice(150001, 299999, 140000), 7), "cell row 7 holds gene gene1 twice"),
    ("tall_negative", set_at("X/data", 149999, -1), "cell row 149999, gene gene0 holds -1"),
]


def make_bad(folder, built):
    files = []
    x = counts()
    for table, x in (([*BAD, *bad_plugins(built)], sp.csr_matrix(x)), (BAD_DENSE, x), (BAD_CSC, sp.csc_matrix(x))):
        for name, edit, words in table:
            path = os.path.join(folder, f"bad_{name}.h5ad")
            anndata_of(x).write_h5ad(path)
            with h5py.File(path, "r+") as file:
                edit(plain_texts(file))
            files.append((path, "X", words))
    for name, edit, words in BAD_TALL:
        path = os.path.join(folder, f"bad_{name}.h5ad")
        tall_csc().write_h5ad(path)
        with h5py.File(path, "r+") as file:
            edit(file)
        files.append((path, "X", words))
    return files + make_no_h5(folder) + bad_looms(folder) + bad_tenx(folder) + bad_mtx(folder) + what_people_try(folder)


LEFT_OPEN = """
import os, sys, h5py
file = h5py.File(sys.argv[1], "w", libver="v110")
file.create_dataset("X", data=[1.0], maxshape=(None,), chunks=(8,))
file.swmr_mode = True
os._exit(0)
"""


def left_open(folder):
    """A file whose writer was killed: its mark of being written stays."""
    path = os.path.join(folder, "bad_left_open.h5ad")
    subprocess.run([sys.executable, "-c", LEFT_OPEN, path], check=True)
    return path


def bad_looms(folder):
    def gone(name):
        return lambda file: file.__delitem__(name)

    def moved(name, to):
        return lambda file: file.move(name, to)

    def at(name, where, value):
        return lambda file: file[name].__setitem__(where, value)

    edits = [("negative", at("matrix", (3, 4), -2), "X", "cell row 4, gene gene3 holds -2"),
             ("nan", at("matrix", (3, 4), np.nan), "X", "cell row 4, gene gene3 holds a missing value"),
             ("no_matrix", gone("matrix"), "X", "there is no X in this loom file"),
             ("layer", at("matrix", (0, 0), 1), "layers/nope", "to layers/ and one of: spliced"),
             ("raw", at("matrix", (0, 0), 1), "raw", "there is no raw in this loom file"),
             ("no_genes", moved("row_attrs/Gene", "row_attrs/Length"), "X", "has no names of genes"),
             ("genes", moved("row_attrs/Gene", "row_attrs/Length"), "X", "but: Length"),
             ("cells", lambda file: replace(file, "col_attrs/CellID", [b"a"] * 5), "X", "col_attrs names 5 cells"),
             ("few_genes", lambda file: replace(file, "row_attrs/Gene", [b"a"] * 5), "X", "row_attrs names 5 genes"),
             ("text", lambda file: replace(file, "matrix", np.full((GENES, CELLS), b"a")), "X", "a table of numbers"),
             ("layer_shape", lambda file: replace(file, "layers/spliced", np.ones((GENES, 3))), "layers/spliced",
              "37 cells")]
    files = []
    for name, edit, matrix, words in edits:
        path = os.path.join(folder, f"bad_{name}.loom")
        other_formats.write_loom(anndata_of(counts()), path, layers={"spliced": counts()})
        with h5py.File(path, "r+") as file:
            edit(file)
        files.append((path, matrix, words))
    return files


def bad_tenx(folder):
    def types(file, values):
        replace(file, "matrix/features/feature_type", values)

    def probes(file):  # as Cell Ranger and Space Ranger name what is in them
        for name in ("gene_id", "gene_name"):
            file[f"matrix/features/{name}"] = [b"ENSG1"] * GENES
        file["matrix/features/probe_region"] = [b"spliced"] * GENES
        file["matrix/filtered_barcodes"] = np.ones(CELLS, bool)

    edits = [("index", lambda f: f["matrix/indices"].__setitem__(4, GENES), 3, "", f"names gene number {GENES} of {GENES}"),
             ("negative", lambda f: f["matrix/data"].__setitem__(3, -1), 3, "", "holds -1"),
             ("indptr", lambda f: f["matrix/indptr"].__setitem__(9, 1), 3, "", "falls"),
             ("shape", lambda f: replace(f, "matrix/shape", [GENES]), 3, "", "shape ends early"),
             ("cells", lambda f: replace(f, "matrix/shape", [GENES, CELLS + 1]), 3, "", "indptr has 38 elements where 39 belong"),
             ("barcodes", lambda f: replace(f, "matrix/barcodes", [b"a"] * 5), 3, "", "barcodes names 5 cells"),
             ("names", lambda f: replace(f, "matrix/features/name", [b"a"] * 5), 3, "", "has 5 texts for 23 features"),
             ("no_data", lambda f: f.__delitem__("matrix/data"), 3, "", "there is no data"),
             ("no_genes", lambda f: types(f, [b"Antibody Capture"] * GENES), 3, "", "no feature of type Gene Expression"),
             ("probes", probes, 3, "", "counts probes"),
             ("genome", lambda f: None, 3, ":mm10", "has no genome mm10; it has: GRCh38"),
             ("genome_v2", lambda f: None, 2, ":hg19", "has no genome hg19; it has: GRCh38, mm10"),
             ("which", lambda f: None, 2, "", "holds a matrix for each of several genomes (GRCh38, mm10): name one")]
    files = []
    for name, edit, version, part, words in edits:
        path = os.path.join(folder, f"bad_10x_{name}.h5")
        other_formats.write_10x_h5(anndata_of(sp.csr_matrix(counts())), path, version, genomes=("GRCh38", "mm10"))
        with h5py.File(path, "r+") as file:
            edit(file)
        files.append((path + part, "X", words))
    return files + [(files[0][0], "raw", "a 10x file has one matrix")]


def bad_mtx(folder):
    def line(number, text):
        def edit(lines):
            lines[number] = text
        return edit

    def cut(lines):
        del lines[-5:]

    def swap(lines):
        lines[2] = f"{CELLS} {GENES} {lines[2].split()[2]}"

    end = "/matrix.mtx:"
    edits = [("head", line(0, "%%MatrixMarket matrix array real general"), "does not begin with"),
             ("pattern", line(0, "%%MatrixMarket matrix coordinate pattern general"), "does not begin with"),
             ("sizes", line(2, "23 37"), f"{end}3: three sizes belong there"),
             ("huge", line(2, "23 99999999999999 4"), f"{end}3: three sizes belong there"),
             ("other", line(2, "23 38 4"), "is 23 x 38, but beside it stand 23 features and 37 barcodes"),
             ("transposed", swap, "is cells x features"),
             ("cut", cut, "it was cut short"),
             ("more", lambda lines: lines.append(lines[-1]), "more than one matrix"),
             ("word", line(5, "1 x 3"), f"{end}6: is no entry"),
             ("short", line(5, "1 1"), f"{end}6: is no entry"),
             ("hex", line(5, "1 1 0x1"), f"{end}6: is no entry"),
             ("many", line(5, "1 1 3 4"), f"{end}6: is no entry"),
             ("zero", line(5, "0 1 3"), f"{end}6: names feature 0 of 23"),
             ("feature", line(5, f"{GENES + 1} 1 3"), f"{end}6: names feature 24 of 23"),
             ("cell", line(5, f"1 {CELLS + 1} 3"), f"{end}6: names feature 1 of 23 and cell 38 of 37"),
             ("negative", line(3, "1 1 -2"), "cell row 0, gene gene0 holds -2"),
             ("nan", line(3, "1 1 nan"), "a missing value"),
             ("inf", line(3, "1 1 1e99"), "must be finite"),
             ("long", line(5, "1" * 300000), "a line of more than")]
    files = []

    def made(name, **options):
        path = os.path.join(folder, f"bad_mtx_{name}")
        other_formats.write_10x_mtx(anndata_of(sp.csr_matrix(counts())), path, version=2, **options)
        return path

    def edited_text(path, name, edit):
        with open(os.path.join(path, name)) as file:
            lines = file.read().splitlines()
        edit(lines)
        with open(os.path.join(path, name), "w") as file:
            file.write("".join(text + "\n" for text in lines))

    for name, edit, words in edits:
        path = made(name)
        edited_text(path, "matrix.mtx", edit)
        files.append((path, "X", words))
    for order in ("cell", "any"):
        path = made(f"twice_{order}", order=order)
        edited_text(path, "matrix.mtx", lambda lines: line(4, lines[3])(lines))
        files.append((path, "X", "twice"))
    for name, text, edit, words in (("barcodes", "barcodes.tsv", lambda lines: lines.pop(), "beside it stand 23 features and 36 barcodes"),
                                    ("no_name", "genes.tsv", line(4, ""), "genes.tsv:5: has no name in it"),
                                    ("type", "genes.tsv", line(4, "a\tb\tGene Expression"), "genes.tsv:5: has a type"),
                                    ("antibodies", "genes.tsv", lambda lines: lines.__setitem__(slice(None), ["a\tb\tAntibody Capture"] * GENES),
                                     "no feature of type Gene Expression")):
        path = made(name)
        edited_text(path, text, edit)
        files.append((path, "X", words))
    for gone in ("barcodes.tsv", "genes.tsv"):
        path = made(f"no_{gone}")
        os.remove(os.path.join(path, gone))
        files.append((path, "X", ("features.tsv" if gone == "genes.tsv" else gone) + ": is not there, plain or gzipped"))
    path = os.path.join(folder, "bad_mtx_gzip")
    other_formats.write_10x_mtx(anndata_of(sp.csr_matrix(counts())), path)
    with open(os.path.join(path, "matrix.mtx.gz"), "r+b") as file:
        file.truncate(os.path.getsize(file.name) // 2)
    files += [(path, "X", "was cut short"), (path, "raw", "a 10x folder has one matrix")]
    path = made("latin1")
    with open(os.path.join(path, "barcodes.tsv"), "ab") as file:
        file.write(b"caf\xe9\n")
    return files + [(path, "X", "barcodes.tsv:38: is not UTF-8 text")]


def what_people_try(folder):
    """What people try besides .h5ad, as far as it shows."""
    def hdf5(name, *groups):
        path = os.path.join(folder, f"bad_{name}")
        with h5py.File(path, "w") as file:
            for group in groups:
                file.create_group(group)
        return path

    zarr = os.path.join(folder, "bad.zarr")
    os.makedirs(zarr, exist_ok=True)
    with open(os.path.join(zarr, "zarr.json"), "w") as file:
        file.write("{}")
    prot = hdf5("prot.h5mu", "mod/prot/X", "obs", "var")

    linked = hdf5("linked.h5mu", "x/X", "mod", "obs", "var")
    with h5py.File(linked, "r+") as file:
        file["mod/rna"] = h5py.SoftLink("/x")

    def scaled(name, **layers):
        path = os.path.join(folder, f"bad_{name}")
        data = anndata_of(counts() - 1, layers=layers)
        if name.endswith(".loom"):
            other_formats.write_loom(data, path, layers=layers)
        else:
            data.write_h5ad(path)
        return path

    def empty(name, **layers):  # as anndataR writes an X that is NULL
        path = scaled(name, **layers)
        with h5py.File(path, "r+") as file:
            del file["X"]
            file["X"] = h5py.Empty("f4")
        return path

    def other(name, start):
        path = os.path.join(folder, f"bad_{name}")
        with open(path, "wb") as file:
            file.write(start)
        return path

    return [(hdf5("x.h5mu", "mod/prot/X", "mod/rna/X", "obs", "var"), "X", "no AnnData file"),
            (prot, "X", f"without a modality rna; it has: prot; name one: {prot}:prot"),
            (f"{prot}:atac", "X", f"without a modality atac; it has: prot; name one: {prot}:prot"),
            (linked, "X", "mod/rna is a soft link, which is not followed"),
            (hdf5("none.h5mu", "mod", "obs", "var"), "X", "without a modality"),
            (hdf5("part.h5", "X", "obs", "var") + ":GRCh38", "X", "only MuData (.h5mu) and 10x files have parts"),
            (hdf5("x.loom", "matrix", "row_attrs", "col_attrs", "layers"), "X", "matrix is no dataset"),
            (hdf5("x.h5seurat", "assays", "cell.names", "meta.data"), "X", "SeuratDisk::Convert"),
            (scaled("scaled.h5ad"), "X", "scaled data cannot be used, and there is no other matrix in the file"),
            (scaled("scaled_layers.h5ad", counts=counts()), "X", "set data.matrix to one of: layers/counts"),
            (scaled("scaled_layers.h5ad", counts=counts() - 1), "layers/counts", "set data.matrix to one of: X"),
            (scaled("scaled.loom"), "X", "there is no other matrix in the file"),
            (scaled("scaled_layers.loom", spliced=counts()), "X", "set data.matrix to one of: layers/spliced"),
            (empty("empty.h5ad", counts=counts()), "X", "there is no X in it; set data.matrix to one of: layers/counts"),
            (other("x.zarr.zip", b"PK\x03\x04"), "X", "is a zip file, not HDF5; unpack it, or, of a zarr store"),
            (other("x.rds", b"\x1f\x8b"), "X", "is a gzip file, not HDF5; unpack it, or, of what R saved"),
            (other("cells_x_genes.mtx", b"%%MatrixMarket matrix"), "X", "with NAME_barcodes.tsv"),
            (zarr, "X", f"scripts/zarr-to-h5ad {zarr} FILE.h5ad")]


def newer(folder):
    """A file in the newest layout of h5py's HDF5, if that is later than 1.14."""
    if h5py.version.hdf5_version_tuple < (2, 0, 0):
        return []
    files = []
    for name, options in (("plain", {}), ("gzip", {"compression": "gzip"})):
        path = os.path.join(folder, f"newer_{name}.h5ad")
        with h5py.File(path, "w", libver="latest") as file:
            anndata.io.write_elem(file, "/", anndata_of(sp.csr_matrix(counts())))
            del file["X"]
            anndata.io.write_elem(file, "X", sp.csr_matrix(counts()), dataset_kwargs=options)
        files.append(path)
    return files


def make_no_h5(folder):
    def write(name, data):
        path = os.path.join(folder, f"bad_{name}.h5ad")
        with open(path, "wb") as file:
            file.write(data)
        return path

    with open(os.path.join(folder, "good_csr_None.h5ad"), "rb") as file:
        whole = file.read()
    return [(write("text", b"cell,gene\n1,2\n"), "X", "not an HDF5 file"),
            (write("nothing", b""), "X", "is empty"),
            (write("cut", whole[: len(whole) // 2]), "X", "truncated"),
            (write("header", whole[:60]), "X", "truncated"),
            (left_open(folder), "X", f"h5clear -s {folder}"),
            (os.path.join(folder, "absent.h5ad"), "X", "No such file"),
            (folder, "X", "no regular file"),
            (os.path.join(folder, "good_layer.h5ad"), "raw", "layers/counts"),
            (os.path.join(folder, "good_layer.h5ad"), "layers/nope", "layers/counts"),
            (os.path.join(folder, "good_layer.h5ad"), "nope", "none of X, raw, layers/NAME")]


def make(folder, built=frozenset(PLUGINS)):
    os.makedirs(folder, exist_ok=True)
    return Good(folder).make(built), make_bad(folder, built)


if __name__ == "__main__":
    good, bad = make(sys.argv[1])
    print(len(good), "good,", len(bad), "bad")
