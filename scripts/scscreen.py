#!/usr/bin/env python3
"""Models, screens and training curves of scscreen in Python; weights to and from scGen's other implementations.

As a module (put its folder on sys.path, or copy the file):

    import scscreen
    model = scscreen.read_model("results/model.h5")
    z = model.embed(adata)                      # [cells, latent] posterior means
    x = model.decode(z + delta)                 # [cells, genes] in the unit of the input, log1p as a rule
    screen = scscreen.read_screen("results/screen.h5ad")
    scscreen.predict_mean(screen, "all", "CD4T", "stimulated").nlargest(20)
    scscreen.read_events("results/events.jsonl").plot("epoch", ["loss", "validation"])
    scscreen.to_scgen(model, adata).batch_removal()      # with scgen installed; to_pertpy with pertpy

As a program, between formats that are known by their names (.h5, .safetensors, a folder with scvi-tools' model.pt or
pertpy's model.msgpack):

    scripts/scscreen.py convert results/model.h5 model.safetensors
    scripts/scscreen.py convert scgen_folder weights.h5  # then `model.load: weights.h5` in a config

Needs anndata, numpy and h5py; .safetensors the package safetensors, model.pt torch, model.msgpack flax. Bad input
raises ValueError, and as a program ends with one line and exit code 65 (64 for usage).
"""
import argparse
import json
import pathlib
import sys

import numpy as np

ENCODER, DECODER = "z_encoder.encoder.fc_layers", "decoder.decoder.fc_layers"
BN_EPSILON = 1e-3


class Model:
    """scGen's network in evaluation mode: running statistics, no dropout.

    genes    list of names, in the order of the weights
    state    name -> float32 array, scGen 2.x's own names and torch's shapes
    profile  "scgen2", or "paper": the constants of scGen 1.x
    """

    def __init__(self, genes, state, profile="scgen2"):
        self.genes, self.profile = [str(g) for g in genes], profile
        self.state = {k: np.ascontiguousarray(v, np.float32) for k, v in state.items() if not k.endswith("num_batches_tracked")}
        self._check()

    def _check(self):
        if self.profile not in ("scgen2", "paper"):
            raise ValueError(f'unknown profile "{self.profile}": scgen2 or paper')
        for name in (f"{ENCODER}.Layer 0.0.weight", "z_encoder.mean_encoder.weight", f"{DECODER}.Layer 0.0.weight", "decoder.linear_out.weight"):
            if name not in self.state:
                raise ValueError(f'no tensor "{name}": these are not weights of scGen 2.x')
        for name, value in self.state.items():
            if not np.isfinite(value).all():
                raise ValueError(f'tensor "{name}" has NaN or Inf')
        if len(set(self.genes)) != len(self.genes):
            raise ValueError("a gene name stands twice")
        read, written = self.state[f"{ENCODER}.Layer 0.0.weight"].shape[1], self.state["decoder.linear_out.weight"].shape[0]
        if not len(self.genes) == read == written:
            raise ValueError(f"{len(self.genes)} gene names for a network of {read} input and {written} output genes")

    @property
    def n_latent(self):
        return self.state["z_encoder.mean_encoder.weight"].shape[0]

    @property
    def n_hidden(self):
        return self.state["z_encoder.mean_encoder.weight"].shape[1]

    @property
    def n_layers(self):
        return sum(name.startswith(ENCODER) and name.endswith(".0.weight") for name in self.state)

    def _linear(self, x, name):
        y = x @ self.state[name + ".weight"].T
        bias = self.state.get(name + ".bias")
        return y if bias is None else y + bias

    def _blocks(self, x, stem):
        slope = 0.2 if self.profile == "paper" else 0.01
        for layer in range(self.n_layers):
            x = self._linear(x, f"{stem}.Layer {layer}.0")
            norm = f"{stem}.Layer {layer}.1."
            if norm + "running_mean" in self.state:
                scale = self.state[norm + "weight"] / np.sqrt(self.state[norm + "running_var"] + BN_EPSILON)
                x = (x - self.state[norm + "running_mean"]) * scale + self.state[norm + "bias"]
            x = np.where(x > 0, x, slope * x)
        return x

    def matrix(self, data):
        """[cells, genes] of an AnnData in the order of the weights, or `data` itself if it is a matrix of that width."""
        if hasattr(data, "var_names"):
            missing = [g for g in self.genes if g not in data.var_names]
            if missing:
                raise ValueError(f"{len(missing)} of {len(self.genes)} genes of the model are not in the data, the first {missing[0]}")
            data = data[:, self.genes].X
        if data.shape[1] != len(self.genes):
            raise ValueError(f"{data.shape[1]} columns for {len(self.genes)} genes")
        return data

    def embed(self, data, rows=4096):
        """Posterior means. data: AnnData, or [cells, genes] dense or sparse.  @return float32 [cells, n_latent]"""
        data = self.matrix(data)
        out = np.empty((data.shape[0], self.n_latent), np.float32)
        for at in range(0, len(out), rows):
            x = data[at : at + rows]
            x = np.asarray(x.todense() if hasattr(x, "todense") else x, np.float32)
            out[at : at + rows] = self._linear(self._blocks(x, ENCODER), "z_encoder.mean_encoder")
        return out

    def decode(self, z):
        """Expression of latent points.  z: [cells, n_latent]  @return float32 [cells, genes]"""
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.n_latent:
            raise ValueError(f"latent points of shape {z.shape}, expected [cells, {self.n_latent}]")
        x = self._linear(self._blocks(z, DECODER), "decoder.linear_out")
        return np.maximum(x, 0) if self.profile == "paper" else x


def interpolate(start, end, n):
    """n latent points from start to end, both included.  start, end: [n_latent]  @return float32 [n, n_latent]"""
    if n < 2:
        raise ValueError(f"{n} points between two: at least 2")
    share = np.linspace(0, 1, n, dtype=np.float32)[:, None]
    return (1 - share) * np.asarray(start, np.float32) + share * np.asarray(end, np.float32)


def integrate(model, adata, batch, cell_type):
    """scGen's batch removal: in latent space, each batch of a cell type is moved onto the mean of the type's largest
    batch, and all cells are decoded. Types in one batch are not moved; the first of equally large batches counts as the
    largest. batch, cell_type: columns of obs.
    @return AnnData of adata's cells in its order, X decoded, obs as it was; obsm["latent"], where the cells were moved to,
    and as scGen's obsm["corrected_latent"], where the encoder puts the decoded cells"""
    import anndata

    for column in (batch, cell_type):
        if column not in adata.obs:
            raise ValueError(f'no column "{column}" in obs')
        if adata.obs[column].isna().any():
            raise ValueError(f'obs["{column}"] has cells without a label')
    z, types, batches = model.embed(adata), adata.obs[cell_type].astype(str).values, adata.obs[batch].astype(str).values
    for kind in np.unique(types):
        names, sizes = np.unique(batches[types == kind], return_counts=True)
        home = z[(types == kind) & (batches == names[sizes.argmax()])].mean(0)
        for name in names if len(names) > 1 else []:
            cells = (types == kind) & (batches == name)
            z[cells] += home - z[cells].mean(0)
    x = model.decode(z)
    obsm = {"latent": z, "corrected_latent": model.embed(x)}
    return anndata.AnnData(x, adata.obs.copy(), adata.var.loc[model.genes].copy(), obsm=obsm)


# ---- what scscreen writes ----


def read_screen(path):
    """screen.h5ad as AnnData: rows are combinations, X predicted means; doc/result-format.md has the columns."""
    import anndata

    screen = anndata.read_h5ad(path)
    if "scscreen" not in screen.uns:
        raise ValueError(f'{path}: no uns["scscreen"]: not a screen')
    return screen


def predict_mean(screen, species, cell_type, perturbation, dose=None, layer=None):
    """One row of a screen as a Series over genes: X, or a layer ("shift", "control", "variance", "shift_se")."""
    import pandas as pd

    of = (screen.obs["cell_type"] == cell_type) & (screen.obs["perturbation"] == perturbation) & (screen.obs["species"] == species)
    if dose is not None:
        of &= screen.obs["dose"] == dose
    if of.sum() != 1:
        raise ValueError(f"{of.sum()} rows are {species}, {cell_type}, {perturbation}{'' if dose is None else f', {dose}'}")
    row = screen[of.values]
    if row.obs["status"].iloc[0] != "ok":
        raise ValueError(f"{row.obs_names[0]} has no prediction: {row.obs['reason'].iloc[0]}")
    values = row.X if layer is None else row.layers[layer]
    return pd.Series(np.asarray(values).ravel(), screen.var_names, name=row.obs_names[0])


def read_events(path):
    """events.jsonl as a table, a row per epoch."""
    import pandas as pd

    with open(path, encoding="utf-8") as lines:
        return pd.DataFrame([e for e in map(json.loads, lines) if e.get("event") == "epoch"])


# ---- weights ----


def read_model(path):
    """Weights from model.h5 or any scGen state_dict in HDF5, from .safetensors, or from a folder with scvi-tools' model.pt
    or pertpy's model.msgpack."""
    path = pathlib.Path(path)
    if path.is_dir():
        return (_read_pertpy if (path / "model.msgpack").exists() else _read_folder)(path)
    try:
        return _read_safetensors(path) if path.suffix == ".safetensors" else _read_h5(path)
    except (OSError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from None


def _read_h5(path):
    import h5py

    with h5py.File(path, "r") as file:
        if "state_dict" not in file or "var_names" not in file:
            raise ValueError(f'{path}: no "state_dict" and "var_names": not a model')
        state = {name: value[()] for name, value in file["state_dict"].items()}
        return Model(file["var_names"].asstr()[:], state, file.attrs.get("profile", "scgen2"))


def _read_safetensors(path):
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        about = file.metadata() or {}
        if "var_names" not in about:
            raise ValueError(f"{path}: its metadata has no var_names (a JSON list of genes)")
        state = {name: file.get_tensor(name) for name in file.keys()}
    return Model(json.loads(about["var_names"]), state, about.get("profile", "scgen2"))


def _read_folder(path):
    """What SCGEN.save writes: model.pt, by scvi-tools 0.15 and later with the genes' names in it."""
    import torch

    stored = torch.load(path / "model.pt", map_location="cpu", weights_only=False)
    if "model_state_dict" not in stored or "var_names" not in stored:
        raise ValueError(f"{path}/model.pt: no model_state_dict and var_names: not by scvi-tools 0.15 or later")
    if "params" in stored["model_state_dict"]:
        raise ValueError(f"{path}/model.pt: JAX's weights, of pertpy before 1.3: load them there, and save them by a later one")
    return Model(stored["var_names"], {k: v.numpy() for k, v in stored["model_state_dict"].items()})


def _read_pertpy(path):
    """What Scgen.save of pertpy 1.3 and later writes: model.msgpack, and the genes in attr.json."""
    from flax.serialization import msgpack_restore

    try:
        about, stored = json.loads((path / "attr.json").read_text(encoding="utf-8")), msgpack_restore((path / "model.msgpack").read_bytes())
        return from_flax(about["var_names"], stored["params"], stored["model_state"].get("batch_stats", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not what pertpy's Scgen saves: {error}") from None


# How pertpy's flax modules number the layers that scGen's torch modules name; after the hidden ones come the outputs.
FLAX_HALVES = {"encoder": (ENCODER, ("z_encoder.mean_encoder", "z_encoder.var_encoder")), "decoder": (DECODER, ("decoder.linear_out",))}


def _flax_layers(n_layers):
    """(half, number, scGen's name of the linear layer, of its batch norm or None)"""
    for half, (stem, outputs) in FLAX_HALVES.items():
        for layer in range(n_layers):
            yield half, layer, f"{stem}.Layer {layer}.0", f"{stem}.Layer {layer}.1"
        for extra, name in enumerate(outputs):
            yield half, n_layers + extra, name, None


def to_flax(model):
    """The weights as pertpy's flax modules hold them, kernels [input, output].
    @return params, batch_stats: dicts by half ("encoder", "decoder"), then by module ("Dense_0", "BatchNorm_0", ...)"""
    params, stats = {half: {} for half in FLAX_HALVES}, {}
    for half, number, linear, norm in _flax_layers(model.n_layers):
        for name in (linear + ".weight", linear + ".bias"):
            if name not in model.state:
                raise ValueError(f'no tensor "{name}", which pertpy\'s network has')
        params[half][f"Dense_{number}"] = {"kernel": model.state[linear + ".weight"].T.copy(), "bias": model.state[linear + ".bias"]}
        if norm and norm + ".running_mean" in model.state:
            params[half][f"BatchNorm_{number}"] = {"scale": model.state[norm + ".weight"], "bias": model.state[norm + ".bias"]}
            stats.setdefault(half, {})[f"BatchNorm_{number}"] = {"mean": model.state[norm + ".running_mean"], "var": model.state[norm + ".running_var"]}
    return params, stats


def from_flax(genes, params, batch_stats):
    """The Model of pertpy's weights: the inverse of to_flax. Layers that scGen's network does not have are refused."""
    n_layers, state, known = sum(name.startswith("Dense_") for name in params["decoder"]) - 1, {}, set()
    for half, number, linear, norm in _flax_layers(n_layers):
        dense, name = params[half][f"Dense_{number}"], f"BatchNorm_{number}"
        state[linear + ".weight"], state[linear + ".bias"] = np.asarray(dense["kernel"]).T, dense["bias"]
        known.add((half, f"Dense_{number}"))
        if norm and name in params[half]:
            scale, running = params[half][name], batch_stats[half][name]
            values = {"weight": scale["scale"], "bias": scale["bias"], "running_mean": running["mean"], "running_var": running["var"]}
            state.update({f"{norm}.{key}": value for key, value in values.items()})
            known.add((half, name))
    for half in params:
        for name in params[half]:
            if (half, name) not in known:
                raise ValueError(f'{half}: a layer "{name}", which scGen\'s network does not have')
    return Model(genes, state)


def write_model(model, path):
    """Weights as HDF5 (`model.load` of a config reads it) or .safetensors, as the name says."""
    path = pathlib.Path(path)
    if path.suffix == ".safetensors":
        from safetensors.numpy import save_file

        save_file(model.state, path, {"var_names": json.dumps(model.genes), "profile": model.profile})
    elif path.suffix in (".h5", ".hdf5"):
        import h5py

        with h5py.File(path, "w") as file:
            file.attrs["profile"] = model.profile
            file.create_dataset("var_names", data=model.genes, dtype=h5py.string_dtype())
            for name, value in model.state.items():
                file.create_dataset(f"state_dict/{name}", data=value)
    else:
        raise ValueError(f"{path}: .h5 and .safetensors can be written; for scvi-tools' folder see to_scgen")


def _check_reference(model, adata):
    """A public scGen can take this model for this data."""
    if model.profile == "paper":
        raise ValueError("scGen 2.x and pertpy have no network of profile paper")
    if list(adata.var_names) != model.genes:
        raise ValueError("genes of the data are not the model's in its order: use adata[:, model.genes].copy()")


def to_scgen(model, adata):
    """The public scGen with these weights, for `adata` (set up by SCGEN.setup_anndata, genes as the model's): then
    batch_removal(), predict(), save(). Needs scgen."""
    _check_reference(model, adata)
    import scgen
    import torch

    made = scgen.SCGEN(adata, n_hidden=model.n_hidden, n_latent=model.n_latent, n_layers=model.n_layers)
    weights = made.module.state_dict()
    for name, value in weights.items():
        if not name.endswith("num_batches_tracked"):
            value.copy_(torch.from_numpy(model.state[name]))
    made.module.load_state_dict(weights)
    made.module.eval()  # as after training: else running statistics move with every cell that is looked at
    made.is_trained_ = True
    return made


def to_pertpy(model, adata):
    """pertpy's Scgen with these weights, for `adata` (set up by Scgen.setup_anndata, genes as the model's): then
    batch_removal(), predict(), save(). Needs pertpy 1.3 or later with its extra scgen."""
    _check_reference(model, adata)
    params, stats = to_flax(model)
    import jax
    import pertpy

    norm = {half: any(name.startswith("BatchNorm") for name in params[half]) for half in params}
    use = "both" if all(norm.values()) else "encoder" if norm["encoder"] else "decoder" if norm["decoder"] else "none"
    made = pertpy.tl.Scgen(adata, n_hidden=model.n_hidden, n_latent=model.n_latent, n_layers=model.n_layers, use_batch_norm=use)
    made.params = jax.device_put(params)
    made.model_state = jax.device_put({"batch_stats": stats} if stats else {})
    made.is_trained_ = True
    return made


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    convert = verbs.add_parser("convert", help="weights from one format to another, as the names say")
    convert.add_argument("source", help="model.h5, FILE.safetensors or a folder with model.pt or model.msgpack")
    convert.add_argument("target", help="FILE.h5 or FILE.safetensors")
    try:
        given = parser.parse_args(arguments)
    except SystemExit as end:
        return 64 if end.code else 0
    try:
        write_model(read_model(given.source), given.target)
    except ImportError as error:
        print(f"scscreen.py: {sys.executable} has no {error.name}: {sys.executable} -m pip install {error.name}", file=sys.stderr)
        return 64
    except (ValueError, OSError) as error:
        print(f"scscreen.py: {error}", file=sys.stderr)
        return 65
    return 0


if __name__ == "__main__":
    sys.exit(main())
