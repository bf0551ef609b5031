"""Rows of validation.tsv recomputed: baselines from the simulated cells, DEGs by scanpy, scores by numpy and cell-eval, the network's
prediction from a result of `run`, and the rows of a validation run again with screen.decode: decode."""
import os
import sys

os.environ["TQDM_DISABLE"] = "1"  # cell-eval draws progress bars
import anndata
import numpy as np
import pandas as pd
import scanpy
from cell_eval._types import PerturbationAnndataPair
from cell_eval.metrics import discrimination_score, mae, mse, pearson_delta

table, result, data, decoded = sys.argv[1:]
rows = pd.read_csv(table, sep="\t").set_index(["species", "cell_type", "perturbation", "predictor"])
key = ("species_a", "type_2", "drug_1")
cells = anndata.read_h5ad(f"{data}/species_a.h5ad")
screen = anndata.read_h5ad(result)
row = screen[(screen.obs.species == key[0]) & (screen.obs.cell_type == key[1]) & (screen.obs.perturbation == key[2])]
assert row.n_obs == 1 and bool(row.obs.held_out.iloc[0])

total = np.asarray(cells.X.sum(1)).ravel()
x = np.log1p(cells.X.toarray().astype(np.float64) * 1e4 / total[:, None])
cells.X = x
cells = cells[:, list(screen.var_names)].copy()
x = cells.X
group = lambda t, c: x[((cells.obs.cell_type == t) & ((cells.obs.condition == c) | (c is None))).values]
types = sorted(cells.obs.cell_type.unique())
control, observed = group(key[1], "control"), group(key[1], key[2])
others = [t for t in types if t != key[1]]
change = np.array([group(t, key[2]).mean(0) - group(t, "control").mean(0) for t in others])
weight = np.array([1 / ((group(t, "control").mean(0) - control.mean(0)) ** 2).sum() ** 2 for t in others])
# Drugs of this species that the type shows besides, and what the drug does on top of what types share under those.
drugs = [d for d in sorted(cells.obs.condition.unique()) if d not in ("control", key[2])]
y = {(t, d): group(t, d).mean(0) - group(t, "control").mean(0) for t in types for d in drugs}
own = np.mean([y[key[1], d] for d in drugs], axis=0)
effect = np.mean([y[key[1], d] - np.mean([y[t, d] for t in others], axis=0) for d in drugs], axis=0)
predicted = {
    "mean_others": np.maximum(0, control.mean(0) + own),
    "additive": np.maximum(0, control.mean(0) + change.mean(0) + effect),
    "no_change": control.mean(0),
    "mean_paired": np.maximum(0, control.mean(0) + change.mean(0)),
    "mean_nearest": np.maximum(0, control.mean(0) + np.average(change, axis=0, weights=weight)),
    "vae": np.asarray(row.X, float).ravel(),
}
# The linear model: 8 components of all cells but the held-out ones, the shift weighted by closeness along them.
other = anndata.read_h5ad(f"{data}/species_b.h5ad")
pairs = pd.read_csv(f"{data}/species_b.orthologs.tsv", sep="\t")
own = pairs[pairs.type == "ortholog_one2one"].set_index("gene_b").gene_a
counts = other.X.toarray().astype(np.float64)
counts *= 1e4 / counts.sum(1, keepdims=True)
seen = np.vstack([x[~((cells.obs.cell_type == key[1]) & (cells.obs.condition == key[2])).values],
                  np.log1p(counts[:, other.var_names.get_indexer(own[list(screen.var_names)])])])
loading = np.linalg.eigh(np.cov(seen.T))[1][:, -8:]
along = lambda v: (v - seen.mean(0)) @ loading
pooled = np.average(change, axis=0, weights=weight)
along_pcs = loading @ (pooled @ loading)  # blended: half of what is at right angles to the sources' own change
shared = (along_pcs @ pooled) / (pooled @ pooled)
predicted["pca"] = np.maximum(0, control.mean(0) + pooled + (along_pcs - shared * pooled) / 2)

# Ahlmann-Eltze et al.'s linear model: components of the type's groups and of what the drugs do in the other types.
components = lambda rows: (lambda u, s, v: u[:, :10] * s[:10])(*np.linalg.svd(rows - rows.mean(0), full_matrices=False))
learnt = [(key[1], d) for d in drugs] if len(drugs) > 1 else [(t, d) for t in others for d in sorted([*drugs, key[2]])]
does = {d: np.mean([group(t, d).mean(0) - group(t, "control").mean(0) for t in others], axis=0) for d in [*drugs, key[2]]}
described = np.array([does[d] for _, d in learnt] + [np.zeros(len(screen.var_names)), does[key[2]]])
B = components(described).T
A = components(np.array([group(t, d).mean(0) for t, d in learnt] + [control.mean(0)]).T)
Y = np.array([group(t, d).mean(0) - group(t, "control").mean(0) for t, d in learnt] + [np.zeros(len(screen.var_names))]).T
center = Y.mean(1)
K = np.linalg.solve(A.T @ A + 0.1 * np.eye(A.shape[1]), A.T @ (Y - center[:, None]) @ B[:, :-1].T)
K = np.linalg.solve(B[:, :-1] @ B[:, :-1].T + 0.1 * np.eye(len(B)), K.T).T
predicted["ridge_pca"] = np.maximum(0, control.mean(0) + A @ K @ B[:, -1] + center)

change_var = np.array([group(t, key[2]).var(0) - group(t, "control").var(0) for t in others])
variance = {
    "no_change": control.var(0),
    "pca": np.maximum(0, control.var(0) + np.average(change_var, axis=0, weights=weight) / 2),
    "mean_paired": np.maximum(0, control.var(0) + change_var.mean(0)),
    "mean_nearest": np.maximum(0, control.var(0) + np.average(change_var, axis=0, weights=weight)),
}
v = {(t, d): group(t, d).var(0) - group(t, "control").var(0) for t in types for d in drugs}
variance["mean_others"] = np.maximum(0, control.var(0) + np.mean([v[key[1], d] for d in drugs], axis=0))
variance["additive"] = np.maximum(0, control.var(0) + change_var.mean(0) + np.mean(
    [v[key[1], d] - np.mean([v[t, d] for t in others], axis=0) for d in drugs], axis=0))
variance = variance | {"vae": np.asarray(row.layers["variance"], float).ravel()}

pair = cells[(cells.obs.cell_type == key[1]) & cells.obs.condition.isin(["control", key[2]])].copy()
scanpy.tl.rank_genes_groups(pair, "condition", groups=[key[2]], reference="control", method="wilcoxon", tie_correct=True)
z = scanpy.get.rank_genes_groups_df(pair, key[2]).set_index("names").loc[pair.var_names, "scores"].to_numpy()
deg = np.argsort(-np.abs(z), kind="stable")
means = {c: group(key[1], c).mean(0) for c in cells.obs.condition.unique()}


shared = np.mean([means[d] for d in drugs], axis=0)


def real_size(perturbed, control):
    """Length of the observed change without its sampling noise; none where this is more than three quarters of it."""
    noise = sum((x.var(0, ddof=1) / len(x)).sum() for x in (perturbed, control))
    size = ((perturbed.mean(0) - control.mean(0)) ** 2).sum()
    return np.sqrt(size - noise) if noise <= 0.75 * size else np.nan


def halves(splits):
    """What half of the cells say of the other half, over random splits: of each measure the mean of all and how it varies from one to the next."""
    random, out = np.random.default_rng(1), []
    for _ in range(splits):
        half = {}
        for d in ["control", key[2], *drugs]:
            order = random.permutation(group(key[1], d))
            half[d] = [order[: len(order) // 2], order[len(order) // 2 : len(order) // 2 * 2]]
        for a in range(2):
            p, o, cp, co = (half[d][s].mean(0) for d, s in ((key[2], a), (key[2], 1 - a), ("control", a), ("control", 1 - a)))
            sp, so = (np.mean([half[d][s].mean(0) for d in drugs], axis=0) for s in (a, 1 - a))
            r = lambda x, y: np.corrcoef(x, y)[0, 1]
            out.append({"r2_all": r(p, o) ** 2, "delta_pearson": r(p - cp, o - co), "delta_perturbed": r(p - sp, o - so),
                        "mse": ((p - o) ** 2).mean(), "change_size": np.linalg.norm(p - cp) / real_size(*(half[d][1 - a] for d in (key[2], "control")))})
    return pd.DataFrame(out)


def by_cell_eval(name):
    """The same by cell-eval, from the real cells and one cell with the predicted means; the other perturbations as they are."""
    real = anndata.AnnData(group(key[1], None), obs=pd.DataFrame({"p": cells.obs.condition[cells.obs.cell_type == key[1]].astype(str).values}))
    kept = real[real.obs.p != key[2]]
    one = anndata.AnnData(predicted[name][None], obs=pd.DataFrame({"p": [key[2]]}))
    pair = PerturbationAnndataPair(real=real, pred=anndata.concat([kept, one], index_unique="-"), pert_col="p", control_pert="control")
    out = {"mse": mse(pair), "mae": mae(pair), "discrimination_l1": discrimination_score(pair, metric="l1")}
    if name != "no_change":
        out["delta_pearson"] = pearson_delta(pair)
    return {measure: value[key[2]] for measure, value in out.items()}


def measures(name):
    p, o, c = predicted[name], observed.mean(0), control.mean(0)
    r = lambda a, b: np.corrcoef(a, b)[0, 1]
    top = np.argsort(-np.abs(p - c), kind="stable")
    far = {k: np.abs(p - m).sum() for k, m in means.items()}
    nearer = [far[k] < far[key[2]] for k in far if k not in (key[2], "control")]
    out = {
        "r2_all": r(p, o) ** 2,
        "r2_deg": r(p[deg[:100]], o[deg[:100]]) ** 2,
        "mse": ((p - o) ** 2).mean(),
        "mae": np.abs(p - o).mean(),
        "discrimination_l1": 1 - sum(nearer) / (len(nearer) + 1),
        "mse_share": ((p - o) ** 2).sum() / ((c - o) ** 2).sum(),
        "change_size": np.linalg.norm(p - c) / real_size(observed, control),
        "delta_perturbed": r(p - shared, o - shared),
        "centroid_accuracy": np.mean([np.linalg.norm(p - means[d]) > np.linalg.norm(p - o) for d in drugs]),
    }
    if name in variance:
        out["r2_variance"] = r(variance[name], observed.var(0)) ** 2
        out["r2_sd"] = r(np.sqrt(variance[name]), observed.std(0)) ** 2
    if name != "no_change":
        out["delta_pearson"] = r(p - c, o - c)
        out["deg_direction"] = ((p - c)[deg[:100]] * (o - c)[deg[:100]] > 0).mean()
        for k in (20, 50, 100):
            out[f"deg_overlap_{k}"] = len(set(deg[:k]) & set(top[:k])) / k
    return out


for name in predicted:
    ours = rows.loc[(*key, name)]
    assert ours.n_control == len(control) and ours.n_observed == len(observed)
    for measure, expected in measures(name).items():
        if (name, measure) == ("mean_others", "delta_perturbed"):  # the reference itself, but for rounding
            assert np.isnan(ours[measure])
            continue
        # A gene or two may change places where scores are equal up to float32.
        tolerance = 0.021 if measure.startswith("deg_") else 2e-5 + 2e-5 * abs(expected)
        assert abs(ours[measure] - expected) <= tolerance, (name, measure, ours[measure], expected)
    for measure, expected in by_cell_eval(name).items():
        assert abs(ours[measure] - expected) <= 2e-5 + 2e-5 * abs(expected), ("cell-eval", name, measure, ours[measure], expected)
    print(name, "r2_all %.4f r2_deg %.4f" % (ours.r2_all, ours.r2_deg))
# Five splits, both ways: within what ten of them may differ from many.
many, ceiling = halves(200), rows.loc[(*key, "replicate")]
for measure in many:
    assert abs(ceiling[measure] - many[measure].mean()) < 4 * many[measure].std() / np.sqrt(5), (measure, ceiling[measure], many[measure].mean())
    assert abs(ceiling[measure] - many[measure].mean()) < 0.2 * abs(many[measure].mean())
# The summary says what the rows say.
summary = pd.read_csv(table.replace(".tsv", "_summary.tsv"), sep="\t").set_index(["predictor", "measure"])
wide = rows.reset_index().pivot(index=["species", "cell_type", "perturbation"], columns="predictor")
for (name, measure), s in summary.iterrows():
    value = wide[measure][name]
    if name != "replicate":
        assert wide["mse"][name].notna().all()
        value = value.fillna(0)
    assert np.isclose(s["mean"], value.mean(), atol=1e-8), (name, measure)
    if name == "replicate" or measure == "change_size" or not isinstance(s.baseline, str):
        continue
    better = -1 if measure in ("mse", "mae", "mse_share", "energy_v_latent", "mmd2_u_rbf_latent") else 1
    base = wide[measure][s.baseline].fillna(0)
    off = better * (value - base)
    assert s.n == len(off) and s.wins == (off > 0).sum() and np.isclose(s.difference, off.mean(), atol=1e-8), (name, measure)
    assert s.low <= s.difference + 1e-12 and s.high >= s.difference - 1e-12
    if len(off) > 2 and off.std() > 0:
        assert 0.5 < (s.high - s.low) / (2 * 1.96 * off.std() / np.sqrt(len(off))) < 1.6, (name, measure, s.low, s.high)
    r = wide[measure]["replicate"].mean()
    assert np.isnan(s.scaled) if not better * (r - base.mean()) > 0 else np.isclose(s.scaled, (value.mean() - base.mean()) / (r - base.mean()), rtol=1e-4)
    for rival in ("no_change", "mean_paired", "mean_nearest", "mean_others", "additive", "ridge_pca"):
        if (rival, measure) in summary.index:
            assert better * (summary.loc[(rival, measure), "mean"] - base.mean()) < 1e-7, (measure, rival, s.baseline)
assert np.isnan(rows.loc[(*key, "no_change"), "delta_pearson"])
assert (rows.protocol == "combination").all() and (rows.held_out_seen == 0).all()
assert (rows.loc[key].n_training == cells.n_obs + other.n_obs - len(observed)).all()
# The model is bit for bit the one of `run`.
obs = row.obs.iloc[0]
ours = rows.loc[(*key, "vae")]
for name in ("r2_all", "r2_deg", "r2_variance", "delta_pearson"):
    assert float("%.9g" % obs[name]) == ours[name], (name, obs[name], ours[name])
# `vae` goes with screen.decode, in a folder that held the rows of another too.
again = pd.read_csv(decoded, sep="\t").set_index(["species", "cell_type", "perturbation", "predictor"])
one = rows[rows.index.get_level_values("cell_type") == "type_1"]
vae, plain, was = (t.xs(name, level="predictor") for t, name in ((again, "vae"), (one, "vae_decode"), (one, "vae")))
assert len(vae) == 2 and vae.equals(plain) and not was.r2_all.equals(plain.r2_all), (vae, plain, was)
# Predicted cells are nearer to the observed ones than the control cells are.
edit, none = rows.loc[(*key, "vae_edit")], rows.loc[(*key, "no_change")]
print("energy", edit.energy_v_latent, none.energy_v_latent, "mmd2", edit.mmd2_u_rbf_latent, none.mmd2_u_rbf_latent)
assert np.isfinite([edit.energy_v_latent, edit.mmd2_u_rbf_latent, none.energy_v_latent, none.mmd2_u_rbf_latent]).all()
