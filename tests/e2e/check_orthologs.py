"""The files of orthologs.sh, and what its runs say of them.  usage: check_orthologs.py make FILE TABLE | fates symbol|id TABLE"""
import sys

import anndata
import numpy as np
import pandas as pd

OWN = {"symbol": "Mouse gene name", "id": "Mouse gene stable ID"}
REFERENCE = "Gene name"
FATES = ["kept", "not_in_table", "no_ortholog", "one_to_many", "many_to_many", "other_type", "repeated", "not_in_every_input"]


def read_table(path):
    return pd.read_csv(path, keep_default_na=False, dtype=str)


def renamed(cells, names, keep):
    """Cells under other names: the first of each, where it has one."""
    part = cells[keep].copy()
    part.var_names = names
    return part[:, ~part.var_names.duplicated()].copy()


def make(path, table):
    """human.h5ad, by symbol; mouse_symbol.h5ad and mouse_id.h5ad: its control cells under the mouse's symbols and stable IDs."""
    cells, table = anndata.read_h5ad(path), read_table(table)
    cells.obs = cells.obs[["cell_type", "condition"]].astype(str)
    chosen = np.flatnonzero(cells.obs.cell_type.isin(["B", "CD4T", "CD8T", "NK"]))[::3]
    cells = cells[chosen].copy()
    cells.write_h5ad("human.h5ad")
    control = (cells.obs.condition == "control").to_numpy()
    for by in OWN:
        other = table[table[OWN[by]] != ""].groupby("Gene name")[OWN[by]].first()
        names = [other.get(gene, f"unknown-{gene}") for gene in cells.var_names]
        renamed(cells, names, control).write_h5ad(f"mouse_{by}.h5ad")


def expected(table, mouse, human, by):
    """Each mouse gene's fate and its human name, row by row."""
    rows = table[(table[OWN[by]] != "")]
    empty = rows[REFERENCE] == ""
    one = rows[~empty & rows["Mouse homology type"].str.endswith("one2one")]
    one = one.drop_duplicates([OWN[by], REFERENCE])  # equal pairs count once
    single = one[~one[OWN[by]].duplicated(keep=False) & ~one[REFERENCE].duplicated(keep=False)]
    name = dict(zip(single[OWN[by]], single[REFERENCE]))
    why = {}
    for gene, reference, kind in rows[[OWN[by], REFERENCE, "Mouse homology type"]].itertuples(index=False):
        fate = ("no_ortholog" if reference == "" else "repeated" if kind.endswith("one2one") else
                "many_to_many" if kind.endswith("many2many") else "one_to_many")
        why[gene] = max(why.get(gene, fate), fate, key=FATES.index)
    fate = {gene: ("kept" if name[gene] in human else "not_in_every_input") if gene in name else why.get(gene, "not_in_table")
            for gene in mouse}
    return fate, name


def fates(by, table):
    table, human, mouse = read_table(table), anndata.read_h5ad("human.h5ad"), anndata.read_h5ad(f"mouse_{by}.h5ad")
    screen = anndata.read_h5ad(f"{by}/screen.h5ad")
    fate, name = expected(table, mouse.var_names, set(human.var_names), by)
    counts = pd.Series(fate).value_counts().reindex(FATES, fill_value=0)
    stored = screen.uns["genes"]["mouse"]
    print(by, {k: int(stored[k]) for k in FATES})
    for k in FATES:
        assert int(stored[k]) == counts[k], (k, int(stored[k]), counts[k])
    kept = {name[gene]: gene for gene in mouse.var_names if fate[gene] == "kept"}
    assert counts["kept"] > 4000 and counts["one_to_many"] > 10 and counts["not_in_table"] > 10
    assert list(screen.var_names) == [g for g in human.var_names if g in kept]
    assert list(screen.var["gene_mouse"]) == [kept[g] for g in screen.var_names]
    # never by upper-casing: some kept pairs differ in more than case
    assert any(kept[g].upper() != g.upper() for g in kept)
    # the mouse's stimulated cells come from the human's, name by name
    obs = screen.obs
    for kind in ["B", "CD4T", "CD8T", "NK"]:
        row = obs.index[(obs.species == "mouse") & (obs.cell_type == kind)][0]
        assert obs.source[row] == "donors: human", obs.source[row]
        x = lambda a, condition: np.asarray(a[(a.obs.cell_type == kind) & (a.obs.condition == condition)].X.mean(0)).ravel()
        own = x(mouse[:, list(screen.var["gene_mouse"])], "control")
        assert np.abs(screen[row].layers["control"].ravel() - own).max() < 1e-4
        shift = screen[row].layers["shift"].ravel()
        assert np.corrcoef(shift, x(human[:, screen.var_names], "stimulated") - x(human[:, screen.var_names], "control"))[0, 1] > .9


{"make": make, "fates": fates}[sys.argv[1]](*sys.argv[2:])
