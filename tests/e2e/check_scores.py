"""Scores against the definitions in numpy and scipy, one perturbation after the other: check_scores.py FOLDER NAME SCORES.tsv

Where cell_eval2 can be imported (0.20.0), its six metrics are compared as well."""
import importlib.util
import logging
import os
import pathlib
import sys
import warnings

import anndata
import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

folder, name, table = pathlib.Path(sys.argv[1]), sys.argv[2], pd.read_csv(sys.argv[3], sep="\t", keep_default_na=False, na_values="nan")
ours = {(r.perturbation, r.measure): r.value for r in table.itertuples()}
real, predicted = (anndata.read_h5ad(folder / f"{name}.{side}.h5ad") for side in ("real", "predicted"))
genes = list(real.var_names)
failed = compared = 0


def same(where, measure, expected, tolerance=1e-6):
    global failed, compared
    got = ours[where, measure]
    compared += 1
    if not (np.isnan(got) and np.isnan(expected)) and not abs(got - expected) <= tolerance:
        failed += 1
        print(f"FAILED: {name}, {measure} of {where}: {got!r}, expected {expected!r}")


def counts(a, label):
    return a.X[np.flatnonzero(a.obs.target == label)].toarray().astype("f8")


def scaled(x, total):
    return x / (x.sum(1, keepdims=True) / total)


def bulk(x):
    return np.log1p(50000 * x.sum(0) / x.sum())


def jackknife(x):
    """Variance of bulk(x), summed over genes, by leaving out each cell in turn."""
    left_out = np.log1p(50000 * (x.sum(0) - x) / (x.sum() - x.sum(1, keepdims=True))) - bulk(x)
    return (len(x) - 1) / len(x) * ((left_out**2).sum() - (left_out.sum(0) ** 2).sum() / len(x))


def adjusted(p):
    order = np.argsort(p)
    q = np.empty_like(p)
    q[order] = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    return np.minimum(q, 1)


def rank_sum(x, y):
    with warnings.catch_warnings():  # genes that all cells tie in: p is NaN there, and 1 here
        warnings.simplefilter("ignore")
        p = mannwhitneyu(x, y, axis=0, method="asymptotic").pvalue
    return np.where(np.isnan(p), 1, np.minimum(p, 1))


names = sorted(set(real.obs.target) - {"control"})
R, P = {p: counts(real, p) for p in names}, {p: counts(predicted, p) for p in names}
control, predicted_control = counts(real, "control"), counts(predicted, "control")
own = {p: genes.index(p) if p in genes else -1 for p in names}
cpm0, mean_cpm0 = np.log1p(scaled(control, 1e6)), scaled(control, 1e6).mean(0)
tested = mean_cpm0 > 5


def de(x, target):
    cpm = scaled(x, 1e6)
    p = rank_sum(np.log1p(cpm), cpm0)
    q = np.ones(len(genes))
    q[tested] = adjusted(p[tested])
    significant = (q < 0.05) & tested
    if target >= 0:
        significant[target] = False
    return p, q, np.log2((cpm.mean(0) + 1e-9) / (mean_cpm0 + 1e-9)), significant


def reach(of_predicted, of_real):
    p, q, lfc, significant = of_predicted
    pool = [g for g in range(len(genes)) if of_real[3][g]]
    pool.sort(key=lambda g: (not significant[g], q[g], p[g], -abs(lfc[g]), genes[g].encode()))
    seen = right = longest = 0
    for g in pool:
        seen += of_real[2][g] != 0
        right += of_real[2][g] * lfc[g] > 0
        longest = seen if seen and right / seen >= 0.9 else longest
    return longest / len(pool) if pool else np.nan


bulk0 = bulk(control)
effect = {p: bulk(R[p]) - bulk0 for p in names}
predicted_effect = {p: bulk(P[p]) - bulk0 for p in names}
kept = np.setdiff1d(np.arange(len(genes)), [own[p] for p in names])
noise = {p: jackknife(R[p]) for p in names}
noise0 = jackknife(control)
claim = {p: min(jackknife(P[p]), noise[p]) for p in names}
weight = {p: 1 / (len(genes) - (own[p] >= 0)) for p in names}
budget = 0
for g in range(len(genes)):
    who = [p for p in names if own[p] != g]
    w, b = np.array([weight[p] for p in who]), np.array([bulk(P[p])[g] for p in who])
    budget += (w * (b - (w * b).sum() / w.sum()) ** 2).sum() if len(who) > 1 else 0
share = min(1, budget / sum(claim[p] * weight[p] for p in names))


def distance(a, b, p, less):
    d = (a - b) ** 2
    return (d.sum() - less - (d[own[p]] if own[p] >= 0 else 0)) * weight[p]


def cosine(a, b):
    size = np.linalg.norm(a[kept]) * np.linalg.norm(b[kept])
    return 1 - (a[kept] @ b[kept] / size if size else 0)


def variance(x):
    v = x.var(0)
    return np.where(v < 1e-12 * (x**2).mean(0), 0, v)  # of cells that are all alike


def pearson(x, y):
    return np.corrcoef(x, y)[0, 1] if np.ptp(x) > 0 and np.ptp(y) > 0 else np.nan


# of the 2025 challenge: each file brought to its own median total
medians = {side: np.median(np.asarray(a.X.sum(1)).ravel()) for side, a in (("real", real), ("predicted", predicted))}
log_real = {p: np.log1p(scaled(R[p], medians["real"])) for p in names}
log_predicted = {p: np.log1p(scaled(P[p], medians["predicted"])) for p in names}
cpm_predicted0 = np.log1p(scaled(predicted_control, 1e6))
log0, log_predicted0 = np.log1p(scaled(control, medians["real"])), np.log1p(scaled(predicted_control, medians["predicted"]))


def top(cpm, cpm_control, x, y, k=None):
    """The k significant genes of largest |log2 fold change|, and how many are significant."""
    significant = np.flatnonzero(adjusted(rank_sum(np.log1p(scaled(cpm, 1e6)), cpm_control)) < 0.05)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.abs(np.log2(np.expm1(x.mean(0)) / np.expm1(y.mean(0))))
    size = np.where(np.isnan(size), 0, size).astype("f4")
    order = sorted(significant, key=lambda g: (-size[g], g))
    return set(order[:k]), len(order)


def log10k(x):
    return np.log1p(scaled(x, 1e4))


# The space in which populations are compared: of the real cells' genes that vary most, by the singular vectors of the centred cells.
COMPONENTS, GENES, FITTED = 50, 2000, 5000
labelled = real.X[np.flatnonzero(real.obs.target.notna())].toarray().astype("f8")
chosen = np.sort(np.argsort(-variance(log10k(labelled)), kind="stable")[:GENES])
chosen = chosen[variance(log10k(labelled))[chosen] > 0]
fitted = log10k(labelled)[np.arange(min(len(labelled), FITTED)) * len(labelled) // min(len(labelled), FITTED)][:, chosen]
loading = np.linalg.svd(fitted - fitted.mean(0), full_matrices=False)[2][:min(COMPONENTS, len(chosen), len(fitted) - 1)]


def place(x):
    return (log10k(x)[:, chosen] - fitted.mean(0)) @ loading.T


def apart(x):
    """Mean over pairs of different rows of a matrix of all pairs."""
    return (x.sum() - np.trace(x)) / (len(x) * (len(x) - 1))


def populations(x, y, most=2000):
    def pairs(x, y):
        return [cdist(a, b, "sqeuclidean") for a, b in ((x, y), (x, x), (y, y))]

    def difference(between, of_x, of_y):
        return 2 * between.mean() - apart(of_x) - apart(of_y)

    some = pairs(*(z[np.arange(min(len(z), most)) * len(z) // min(len(z), most)] for z in (x, y)))
    h = np.median(some[2][np.triu_indices(len(some[2]), 1)])
    return difference(*pairs(x, y)), difference(*map(np.sqrt, some)), -difference(*(np.exp(-d / h) for d in some))


def surest(p, lfc, target, n=100):
    genes_tested = [g for g in np.flatnonzero(tested) if g != target]
    return set(sorted(genes_tested, key=lambda g: (p[g], -abs(lfc[g]), g))[:n]), min(n, len(genes_tested))


expected = {}
for p in names:
    r, s = de(R[p], own[p]), de(P[p], own[p])
    called = s[3] & (r[2] != 0)
    right = called & (np.sign(s[2]) == np.sign(r[2]))
    union, most = (r[3] | s[3]).sum(), max(called.sum(), r[3].sum())
    own_distance = cosine(predicted_effect[p], effect[p])
    others = np.array([cosine(predicted_effect[p], effect[k]) for k in names if k != p])
    top_real, n_real = top(R[p], cpm0, log_real[p], log0)
    top_predicted, _ = top(P[p], cpm_predicted0, log_predicted[p], log_predicted0, n_real)
    l1 = [(np.delete(np.abs((log_predicted[p].mean(0) - log_predicted0.mean(0)) - (log_real[k].mean(0) - log0.mean(0))), own[p] if own[p] >= 0 else [])).sum()
          for k in names]
    ten, ten_predicted = np.log1p(scaled(R[p], 1e4)), np.log1p(scaled(P[p], 1e4))
    a, b = predicted_effect[p], effect[p]
    expected[p] = {
        "pds_cosine": 1 - ((others < own_distance - 1e-12).sum() + (np.abs(others - own_distance) < 1e-12).sum() / 2) / len(others),
        "mse_unbiased": distance(bulk(P[p]), bulk(R[p]), p, claim[p] * share + noise[p]),
        "distance_unbiased": distance(bulk(R[p]), bulk0, p, noise[p] + noise0),
        "direction_fidelity": right.sum() / most if most else np.nan,
        "direction_reach": reach(s, r),
        "sig_jaccard": (r[3] & s[3]).sum() / union if union else 1,
        "lfc_nmae": np.abs(s[2] - r[2])[r[3]].sum() / np.abs(r[2])[r[3]].sum() if r[3].sum() >= 10 else np.nan,
        "des": len(top_real & top_predicted) / n_real if n_real else 0,
        "pds_l1": 1 - sum(d < l1[names.index(p)] for d in l1) / len(names),
        "mae": np.abs(log_predicted[p].mean(0) - log_real[p].mean(0)).mean(),
        "delta_pearson": pearson(a, b),
        "delta_mae": np.abs(a - b).mean(),
        "delta_mse": ((a - b) ** 2).mean(),
        "delta_size": np.linalg.norm(a) / np.linalg.norm(b),
        "r2_mean": pearson(ten_predicted.mean(0), ten.mean(0)) ** 2,
        "r2_variance": pearson(variance(ten_predicted), variance(ten)) ** 2,
        "r2_sd": pearson(np.sqrt(variance(ten_predicted)), np.sqrt(variance(ten))) ** 2,
        "top_100": len(surest(r[0], r[2], own[p])[0] & surest(s[0], s[2], own[p])[0]) / surest(r[0], r[2], own[p])[1],
        "deg_predicted": s[3].sum(),
        "deg_real": r[3].sum(),
    }
    expected[p].update(zip(("e_distance", "energy_distance", "mmd2"), populations(place(P[p]), place(R[p]))))
    for measure, value in expected[p].items():
        same(p, measure, value)
for measure in expected[names[0]]:
    values = np.array([expected[p][measure] for p in names], "f8")
    same("*", measure, np.nanmean(values) if np.isfinite(values).any() else np.nan)
total = sum(expected[p]["distance_unbiased"] for p in names)
same("*", "mse_unbiased_norm", sum(expected[p]["mse_unbiased"] for p in names) / total if total > 0 else np.nan)

if importlib.util.find_spec("cell_eval2"):
    os.environ["TQDM_DISABLE"] = "1"
    logging.disable(logging.WARNING)
    from dataclasses import replace

    from cell_eval2 import EvalConfig, compute_metrics

    config = EvalConfig.from_preset("vcc2026")
    config = replace(config, de=replace(config.de, backend="pdex"), control="control", num_threads=1, gather_threads=1, cache_strict=False,
                     target_gene_map=None if any(own[p] >= 0 for p in names) else {"*": None})
    theirs = {"pds_cosine": "pds_cosine", "expr_mse_unbiased_capped": "mse_unbiased", "expr_distance_unbiased": "distance_unbiased",
              "de_wilcoxon_direction_fidelity_yield_raw": "direction_fidelity", "de_wilcoxon_direction_reach_raw": "direction_reach",
              "de_wilcoxon_sig_jaccard": "sig_jaccard", "de_wilcoxon_lfc_nmae": "lfc_nmae"}
    for row in compute_metrics(str(folder / f"{name}.predicted.h5ad"), str(folder / f"{name}.real.h5ad"), config=config).iter_rows(named=True):
        if row["metric"] in theirs:
            same(row["perturbation"], theirs[row["metric"]], np.nan if row["value"] is None else row["value"])
print(f"{compared} numbers compared")
sys.exit(failed > 0)
