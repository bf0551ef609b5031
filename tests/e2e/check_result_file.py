"""The tables of doc/result-format.md, "screen.h5ad", against a result that has everything, both ways; then what each field means,
recomputed from the cells.

    check_result_file.py doc/result-format.md screen.h5ad FOLDER-OF-CELLS
"""
import re
import sys

import anndata
import numpy as np
import pandas as pd
import scanpy as sc

page, path, folder = sys.argv[1:]
screen = anndata.read_h5ad(path)
obs = screen.obs

# ---- documented = present
section = open(page).read().split("\n## screen.h5ad\n")[1].split("\n## ")[0]
fields, told_sources = section.split("\nValues of `obs.source`:\n")
table = [line for line in fields.splitlines() if line.startswith("| `")]
assert len(table) > 20, len(table)
documented, inner = set(), {}
for line in table:
    where, what = re.match(r"\| (.*?) \| (.*) \|$", line).groups()
    words = re.findall(r"`([^`]*)`", where)
    if words[0] == "obs":
        words = ["obs." + w for w in words[1:]]
    documented |= set(words)
    if words[0].startswith("uns"):
        inner[words[0]] = set(re.findall(r"`([a-z_0-9]+)`", what))
present = {"X"} | {f'layers["{k}"]' for k in screen.layers} | {f'obsm["{k}"]' for k in screen.obsm}
present |= {f"obs.{c}" for c in obs.columns}
labels = list(screen.uns["genes"])
present |= {re.sub(r"gene_(" + "|".join(labels) + r")$", "gene_LABEL", f'var["{c}"]'.replace('"]', "")) + '"]' for c in screen.var.columns}
present |= {f'uns["{k}"]' + ("[LABEL]" if k == "genes" else "") for k in screen.uns}
assert documented == present, (sorted(documented - present), sorted(present - documented))
for name, keys in (("scscreen", set(screen.uns["scscreen"])), ("gene_sets", set(screen.uns["gene_sets"])),
                   ("genes", set(screen.uns["genes"][labels[0]]))):
    told = next(v for k, v in inner.items() if k.startswith(f'uns["{name}"]'))
    assert told == keys, (name, sorted(told - keys), sorted(keys - told))

# ---- meant: the cells, normalised by scanpy, with the reference's genes
cells = {}
for label in labels:
    one = anndata.read_h5ad(f"{folder}/{label}.h5ad")
    sc.pp.normalize_total(one, target_sum=1e4)
    sc.pp.log1p(one)
    own = screen.var.get("gene_" + label, pd.Series(screen.var_names, screen.var_names))
    fate = screen.uns["genes"][label]
    assert fate["kept"] == screen.n_vars and sum(fate.values()) == one.n_vars
    cells[label] = one[:, own.astype(str).values]
own = screen.var["gene_species_b"].astype(str)
orthologs = pd.read_csv(f"{folder}/species_b.orthologs.tsv", sep="\t")
pairs = orthologs[orthologs.type == "ortholog_one2one"].set_index("gene_b").gene_a
assert (pairs[screen.var_names] == own).all()
assert screen.uns["genes"]["species_b"]["one_to_many"] == 2 and screen.uns["genes"]["species_b"]["not_in_table"] == 5
assert screen.uns["genes"]["species_a"]["not_in_every_input"] == 7


def group(species, kind, what, dose):
    one = cells[species]
    pick = (one.obs.cell_type == kind) & (one.obs.condition == what) & (one.obs.dose == dose)
    return one[pick.values]


def mean_of(x):
    return np.asarray(x.X.mean(0)).ravel()


def squared(a, b):
    return np.corrcoef(a, b)[0, 1] ** 2


sized = 0
shift, x, control = (np.asarray(m, float) for m in (screen.layers["shift"], screen.X, screen.layers["control"]))
for i, row in enumerate(obs.itertuples()):
    still = group(row.species, row.cell_type, "control", 0)
    seen = group(row.species, row.cell_type, row.perturbation, row.dose)
    assert row.n_control == still.n_obs and row.n_observed == seen.n_obs, row.Index
    assert np.abs(control[i] - mean_of(still)).max() < 1e-4, row.Index
    held = (row.cell_type == "type_1" and row.perturbation == "drug_1") or \
           (row.cell_type, row.perturbation, row.dose, row.species) == ("type_2", "drug_2", 10, "species_b")
    assert row.held_out == (held and seen.n_obs > 0), row.Index
    assert (row.status == "ok") == (row.dose <= 10) and (row.status == "ok" or "above the largest" in row.reason)
    if row.status != "ok":
        continue
    if seen.n_obs:
        real = mean_of(seen)
        assert abs(row.r2_all - squared(x[i], real)) < 1e-4 and abs(row.r2_all_control - squared(control[i], real)) < 1e-4
        assert abs(row.delta_pearson - np.corrcoef(shift[i], real - control[i])[0, 1]) < 1e-4
        spread = np.asarray(seen.X.todense()).var(0)
        noise = spread.sum() / (seen.n_obs - 1) + np.asarray(still.X.todense()).var(0).sum() / (still.n_obs - 1)
        size = ((real - control[i]) ** 2).sum()
        sized += noise <= 0.75 * size
        expected = np.linalg.norm(shift[i]) / np.sqrt(size - noise) if noise <= 0.75 * size else np.nan
        assert np.isclose(row.change_size, expected, rtol=1e-3, equal_nan=True), row.Index
        assert abs(row.r2_variance - squared(screen.layers["variance"][i], spread)) < 1e-3, row.Index
    order = np.argsort(-shift[i], kind="stable")
    assert list(screen.obsm["top_up"][i]) == list(order[:5]) and np.allclose(screen.obsm["top_up_shift"][i], shift[i][order[:5]])
    order = np.argsort(shift[i], kind="stable")
    assert list(screen.obsm["top_down"][i]) == list(order[:5]) and np.allclose(screen.obsm["top_down_shift"][i], shift[i][order[:5]])
assert list(obs.source[obs.status == "ok"].astype(str).unique()) and (obs.source[obs.status != "ok"] == "").all()
assert {s.split(" ")[0] for s in obs.source.astype(str)} <= {"own", "measured", "donors:", ""}
# each source is told in the second table: the names behind it, and doses, are the data's
told = {re.sub(r" .*", "", w) for line in told_sources.splitlines() for w in re.findall(r"^\| `([^`]*)`", line)}
assert told == {"own", "donors:", "average:", "measured", "self", "like:"}, told

# gene sets: mean of known genes less mean of all; PAGE's z
sets = screen.uns["gene_sets"]
assert list(sets["name"]) == ["up", "none", "all_but_case"] and list(sets["n_listed"]) == [4, 2, 3] and list(sets["n_known"]) == [4, 0, 2]
score, z = screen.obsm["gene_set_score"], screen.obsm["gene_set_z"]
members = [["gene_0001", "gene_0005", "gene_0009", "gene_0013"], [], ["gene_0002", "gene_0004"]]
for k, names in enumerate(members):
    at = screen.var_names.get_indexer(names)
    if not names:
        assert np.isnan(score[:, k]).all() and np.isnan(z[:, k]).all()
        continue
    expected = shift[:, at].mean(1) - shift.mean(1)
    assert np.allclose(score[:, k], expected, atol=1e-5, equal_nan=True)
    assert np.allclose(z[:, k], expected * np.sqrt(len(names)) / shift.std(1), atol=1e-3, equal_nan=True)
assert (np.isnan(score[:, 0]) == (obs.status != "ok").values).all()
