"""Rows of validations by contexts, doses and perturbations: who is scored, on how many cells the model was made, what has no prediction."""
import anndata
import numpy as np
import pandas as pd

KEY = ["species", "cell_type", "perturbation", "predictor"]
read = lambda name: pd.read_csv(f"{name}/validation.tsv", sep="\t").set_index(KEY)
cells = pd.concat([anndata.read_h5ad(f"data/species_{s}.h5ad").obs.assign(species=s) for s in "ab"])
count = lambda **of: int(np.logical_and.reduce([cells[k] == v for k, v in of.items()]).sum())
perturbed = cells[cells.condition != "control"]
rules = ["mean_paired", "mean_nearest", "mean"]

types, species, some = read("types"), read("species"), read("some")
for rows, by in ((types, ["species", "cell_type"]), (species, ["species"])):
    assert (rows.protocol == "context").all() and (rows.held_out_seen == 0).all()
    assert len(rows) == 8 * perturbed.groupby(["species", "cell_type", "condition"], observed=True).ngroups
    for key, group in rows.groupby(by):
        held = np.logical_and.reduce([perturbed[k] == v for k, v in zip(by, key)]).sum()
        assert set(group.n_training) == {len(cells) - held}, (key, held)
# Contexts of types are learnt from the species' other types, contexts of species from the other species.
assert (types.source[types.index.isin(rules, level="predictor")] == "own").all()
named = species.source[species.index.isin(rules, level="predictor")]
assert all(source in ("donors: b", "donors: b + donors: b") for source in named["a"]), set(named["a"])
assert types[types.index.isin(rules + ["additive"], level="predictor")].r2_all.notna().all()
# Scored alone, held out with the others.
assert len(some) == 16 and some.equals(types.loc[some.index])
# The same as `run`.
screen = anndata.read_h5ad("run/screen.h5ad").obs
screen = screen[(screen.species == "a") & (screen.cell_type == "type_2")]
assert screen.held_out.sum() == 4
for _, o in screen[screen.held_out].iterrows():
    row = types.loc[("a", "type_2", o.perturbation, "mean")]
    for name in ("r2_all", "r2_deg", "r2_variance", "delta_pearson"):
        assert row[name] == float("%.9g" % o[name]), (o.perturbation, name, row[name], o[name])

# A perturbation that nobody shows has no prediction by the rules, but the mean of the type's others; its pair is held out too.
rows = read("perturbations")
for drug in ("drug_1", "drug_2", "drug_3"):
    one = rows.xs(drug, level="perturbation")
    pair = 0 if drug == "drug_3" else count(condition="drug_1+drug_2")
    assert set(one.n_training) == {len(cells) - count(condition=drug) - pair}
    assert one[one.index.isin(rules, level="predictor")].mse.isna().all()
    others = one[one.index.isin(["mean_others", "additive", "ridge_pca", "no_change"], level="predictor")]
    assert others.mse.notna().all() and others.r2_all.notna().all()
# A pair whose two perturbations are seen is their sum.
pair = rows.xs("drug_1+drug_2", level="perturbation")
assert pair.mse.notna().all() and set(pair.source[pair.index.isin(rules, level="predictor")]) == {"measured"}

# Doses: the largest cannot be told from those below it; the others lie between two.
rows = read("doses")
assert (rows.protocol == "dose").all()
assert set(rows.index.get_level_values("perturbation")) == {f"drug_{i}@{d}" for i in (1, 2) for d in (1, 3)}
at = rows.xs("mean", level="predictor")
assert set(at.source) == {"own (doses 0, 3)", "own (doses 1, 10)"} or set(at.source) == {"measured (doses 0, 3)", "measured (doses 1, 10)"}, set(at.source)
assert at.mse.notna().all()
# The mixed model has other types and doses beside the two that a dose lies between; the same words say where it is.
way = rows.xs("mean_paired", level="predictor")
assert (at.source == way.source).all()
assert at.mse_share.mean() < .9 * way.mse_share.mean(), (at.mse_share.mean(), way.mse_share.mean())
assert at.delta_pearson.mean() > way.delta_pearson.mean() + .03, (at.delta_pearson.mean(), way.delta_pearson.mean())
print(f"doses: mse_share {at.mse_share.mean():.3f} by the model, {way.mse_share.mean():.3f} on the way between two")
print(len(types), len(species), len(rows), "rows")
