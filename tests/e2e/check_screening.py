"""The screens of screening.sh: rows, sources, statuses, and gene-space changes recomputed from the groups' means."""
import anndata
import h5py
import numpy as np

screens = {name: anndata.read_h5ad(f"{name}.1.h5ad") for name in
           "plain chosen blend regression average globs wanted".split()}
plain = screens["plain"]
assert plain.n_obs == (9 - 1) * 3                       # every species and type with controls x three drugs
status = plain.obs.status.astype(str)
assert (status[plain.obs.perturbation == "drug_2"] == "no_source").all()
assert (status[plain.obs.perturbation != "drug_2"] == "ok").all()
assert plain.obs.reason[plain.obs.perturbation == "drug_2"].str.contains("no cells outside hold_out").all()
assert (plain.obs.reason[plain.obs.status == "ok"] == "").all()
assert (plain.obs.source[plain.obs.status != "ok"] == "").all()
away = (plain.obs.species == "species_c") & (plain.obs.perturbation == "drug_3")
assert away.sum() == 3 and plain.obs.source[away].isin(["donors: species_a", "donors: species_b"]).all()
assert (plain.obs.source[(plain.obs.species == "species_a") & (plain.obs.status == "ok")] == "own").all()
assert (screens["regression"].obs.source[away] == "donors: species_a+species_b").all()
assert screens["average"].obs.source[away].str.startswith("average: species_").any()

# nearest donor: the one whose control cells of the type are closest in latent space
with h5py.File("model.h5") as f:
    names = {k: [n.decode() for n in f[f"atlas/{k}"][:]] for k in ("species", "cell_types", "conditions")}
    group, mean, genes = f["atlas/group"][:], f["atlas/mean"][:], f["atlas/gene_mean"][:].astype(float)
at = {(names["species"][g[0]], names["cell_types"][g[1]], names["conditions"][g[2]]): i
      for i, g in enumerate(group) if not g[3]}
for name in plain.obs_names[away]:
    _, kind, _ = name.split("|")
    far = {s: np.sum((mean[at[s, kind, "control"]] - mean[at["species_c", kind, "control"]]) ** 2)
           for s in ("species_a", "species_b") if (s, kind, "control") in at}
    assert plain.obs.source[name] == "donors: " + min(far, key=far.get), (name, far)

# blend: a x edit's change + (1 - a) x the weighted change of the sources in gene space
blend, share = screens["blend"], 0.3
for name in plain.obs_names[(plain.obs.species == "species_a") & (plain.obs.status == "ok")]:
    species, kind, drug = name.split("|")
    target = mean[at[species, kind, "control"]]
    others = [k for k in names["cell_types"] if k != kind and (species, k, drug) in at]
    weight = np.array([np.sum((mean[at[species, k, "control"]] - target) ** 2) ** -2.0 for k in others])
    change = sum(w * (genes[at[species, k, drug]] - genes[at[species, k, "control"]]) for w, k in zip(weight / weight.sum(), others))
    control = np.asarray(plain[[name]].layers["control"], float).ravel()
    edited, mixed = (np.asarray(s[[name]].X, float).ravel() for s in (plain, blend))
    free = edited > 0                                   # where edit was not cut off at 0
    expected = np.maximum(0, control + share * (edited - control) + (1 - share) * change)
    assert np.abs(mixed - expected)[free].max() < 1e-5, name
    assert free.mean() > 0.5

assert set(screens["globs"].obs.cell_type) == {"type_1", "type_2"} and set(screens["globs"].obs.species) == {"species_c"}
wanted = screens["wanted"]
assert list(wanted.obs_names) == ["species_a|type_1|drug_1", "species_a|type_2|drug_3", "species_b|type_2|drug_3",
                                  "species_b|type_3|drug_1", "species_c|type_2|drug_3"], list(wanted.obs_names)
lost = wanted.obs.loc["species_b|type_3|drug_1"]
assert lost.status == "no_control" and lost.reason == "the species has no control cells of this cell type" and lost.n_control == 0
assert np.array_equal(wanted[["species_a|type_1|drug_1"]].X, plain[["species_a|type_1|drug_1"]].X)

uns = screens["chosen"].uns["scscreen"]
assert uns["shift"] in ("nearest", "paired", "balanced", "regression") and 0 <= uns["blend"] <= 1
