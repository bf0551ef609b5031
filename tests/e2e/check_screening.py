"""The screens of screening.sh: rows, sources, statuses, and gene-space changes recomputed from the groups' means."""
import re

import anndata
import h5py
import numpy as np
import pandas as pd

screens = {name: anndata.read_h5ad(f"{name}.1.h5ad") for name in
           "plain chosen own mixed trusted ranked blend regression average globs wanted".split()}
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

# nearest donor: the one whose control cells of the type have the closest mean expression
with h5py.File("model.h5") as f:
    names = {k: [n.decode() for n in f[f"atlas/{k}"][:]] for k in ("species", "cell_types", "conditions")}
    group, mean, genes = f["atlas/group"][:], f["atlas/mean"][:], f["atlas/gene_mean"][:].astype(float)
at = {(names["species"][g[0]], names["cell_types"][g[1]], names["conditions"][g[2]]): i
      for i, g in enumerate(group) if not g[3]}
for name in plain.obs_names[away]:
    _, kind, _ = name.split("|")
    far = {s: np.sum((genes[at[s, kind, "control"]] - genes[at["species_c", kind, "control"]]) ** 2)
           for s in ("species_a", "species_b") if (s, kind, "control") in at}
    assert plain.obs.source[name] == "donors: " + min(far, key=far.get), (name, far)

# blend: the weighted change of the sources in gene space + a x (edit's change less what it shares with that)
def sources(species, kind, drug):
    target = genes[at[species, kind, "control"]]
    others = [k for k in names["cell_types"] if k != kind and (species, k, drug) in at and (species, k, "control") in at]
    weight = np.array([np.sum((genes[at[species, k, "control"]] - target) ** 2) ** -2.0 for k in others])
    return others, weight / weight.sum()


def row(name, layer=None):
    return np.asarray(screens[name][[at_row]].X if layer is None else screens[name][[at_row]].layers[layer], float).ravel()


share, mixed, square = 0.3, 0, 0
for at_row in plain.obs_names[(plain.obs.source == "own") & (plain.obs.status == "ok")]:
    species, kind, drug = at_row.split("|")
    others, weight = sources(species, kind, drug)
    change = sum(w * (genes[at[species, k, drug]] - genes[at[species, k, "control"]]) for w, k in zip(weight, others))
    control, edited = row("plain", "control"), row("plain")
    free = edited > 0                                   # where edit was not cut off at 0
    assert free.mean() > 0.5
    rest = row("blend") - control - share * (edited - control)
    both = free & (row("blend") > 0)
    own = rest[both] @ change[both] / (change[both] @ change[both])
    assert np.abs(rest - own * change)[both].max() < 1e-5, at_row
    shared = (1 - own) / share                          # of genes that are not cut off about as much
    about = (edited - control)[both] @ change[both] / (change[both] @ change[both])
    assert -1e-4 < shared < 1 + 1e-4 and abs(shared - about) < 0.1, (at_row, shared, about)
    if (species, kind, drug) in at:                     # `blend: auto` is least squares over these
        uncut = row("blend") > 0
        added, true = (row("blend") - control - change) / share, genes[at[species, kind, drug]] - control - change
        mixed, square = mixed + added[uncut] @ true[uncut], square + added[uncut] @ added[uncut]
    shifts = np.array([mean[at[species, k, drug]] - mean[at[species, k, "control"]] for k in others])
    shifts /= np.linalg.norm(shifts, axis=1)[:, None]
    cosines = (shifts @ shifts.T)[np.triu_indices(len(others), 1)]
    agreement = plain.obs.agreement[at_row]
    assert np.isnan(agreement) if len(others) == 1 else abs(agreement - cosines.mean()) < 1e-9, at_row
said = re.search(r"^blend ([01]\.\d+), by leaving out \d+ groups in turn \(([0-9.]+), but", open("mixed.1.log").read(), re.M)
assert screens["mixed"].uns["scscreen"]["blend"] == 0.1 == float(said[1]), said
assert abs(float(said[2]) - mixed / square) < 0.1, (said, mixed / square)

# errors: the sources' sampling error in gene space is a lower bound of shift_se where decode is blend (half and half)
trusted = screens["trusted"]
assert {"delta_se", "p_value", "q_value"} <= set(trusted.obs) and "shift_se" in trusted.layers
assert (trusted.obs.p_value.dropna() >= 1 / 200).all() and trusted.obs.p_value.nunique() > 1
assert not {"p_value", "q_value", "delta_se"} & set(screens["chosen"].obs) and "p_value" in plain.obs
assert plain.obs.p_value.dropna().min() < 0.05

assert set(screens["globs"].obs.cell_type) == {"type_1", "type_2"} and set(screens["globs"].obs.species) == {"species_c"}
wanted = screens["wanted"]
assert list(wanted.obs_names) == ["species_a|type_1|drug_1", "species_a|type_2|drug_3", "species_b|type_2|drug_3",
                                  "species_b|type_3|drug_1", "species_c|type_2|drug_3"], list(wanted.obs_names)
lost = wanted.obs.loc["species_b|type_3|drug_1"]
assert lost.status == "no_control" and lost.reason == "the species has no control cells of this cell type" and lost.n_control == 0
assert np.array_equal(wanted[["species_a|type_1|drug_1"]].X, plain[["species_a|type_1|drug_1"]].X)

uns = screens["chosen"].uns["scscreen"]
rules = ("nearest", "paired", "balanced", "regression", "converging", "mixed", "limited")
assert uns["shift"] in (*rules, "several") and "blend" not in uns
weights = {name: float(weight) for name, weight in (pair.split() for pair in uns["shift_weights"].split("; "))}
errors = {name: float(error) for name, error in (pair.split() for pair in uns["shift_errors"].split("; "))}
tried = set(rules) - {"regression"}  # of latent space, which a network made from the groups that are left out
assert set(errors) == tried and set(weights) <= tried - {"converging"} and abs(sum(weights.values()) - 1) < 1e-5, (weights, errors)
assert uns["shift"] == "several" or (weights == {uns["shift"]: 1} and errors[uns["shift"]] == min(errors.values())), (weights, errors)
assert (uns["shift_several_error"] < min(errors.values())) == (uns["shift"] == "several"), uns
assert 0 <= uns["correction"] <= 1 and "correction" not in screens["own"].uns["scscreen"]
own = screens["own"].uns["scscreen"]  # of the mixed model alone, which says what its variances are
assert own["shift"] == "mixed" and own["shift_weights"] == "mixed 1" and "shift_errors" not in own
assert 0 < own["convergence"] < 1 and "perturbation" in own["shift_variances"]

# ranked answers: genes by predicted shift, and the table by the number asked for
ranked = screens["ranked"]
shift = np.asarray(ranked.layers["shift"])
for i in range(ranked.n_obs):
    for name, sign in (("up", 1), ("down", -1)):
        gene, value = ranked.obsm["top_" + name][i], ranked.obsm[f"top_{name}_shift"][i]
        moves = np.flatnonzero(np.nan_to_num(sign * shift[i]) > 0)
        best = sorted(moves, key=lambda g: (-sign * shift[i, g], g))[:7]
        assert list(gene[:len(best)]) == best and (gene[len(best):] == -1).all() and gene.dtype == np.int32
        assert np.array_equal(value[:len(best)], shift[i, best]) and np.isnan(value[len(best):]).all()
table = pd.read_csv("ranking.tsv", sep="\t", keep_default_na=False, na_values={"energy_distance": [""], "delta_norm": [""]})
assert list(table["rank"]) == list(range(1, ranked.n_obs + 1))
names_in_order = table.species + "|" + table.cell_type + "|" + table.perturbation
assert set(names_in_order) == set(ranked.obs_names)
energy = ranked.obs.energy_distance[names_in_order.values]
assert np.allclose(energy, table.energy_distance, equal_nan=True)
assert energy.dropna().is_monotonic_decreasing and energy[len(energy.dropna()):].isna().all()
assert (ranked.obs.status[names_in_order.values].astype(str).values == table.status.values).all()
