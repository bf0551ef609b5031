"""A result file as its users meet it: anndata opens it without a warning, every column, layer and fact is there with its type
and meaning, and scanpy's own functions run on it.

    check_result.py screen.h5ad
"""
import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import scanpy as sc

KEYS = ["species", "cell_type", "perturbation", "source", "status", "reason"]
COUNTS = ["n_control", "n_observed"]
TRUST = ["delta_se", "energy_distance", "agreement", "support", "support_flag", "p_value", "q_value"]
OPTIONAL = {"delta_se", "p_value", "q_value"}
SCORES = ["r2_all", "r2_deg", "r2_variance", "delta_pearson", "r2_all_control", "r2_deg_control", "change_size"]
passed = failed = 0


def check(what, ok):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAILED:", what)


def check_obs(obs):
    trust = [c for c in TRUST if c in obs or c not in OPTIONAL]
    check("obs columns in order", list(obs.columns) == KEYS + ["dose"] * ("dose" in obs) + COUNTS + ["held_out", "delta_norm"] + trust + SCORES)
    for key in KEYS:
        check(f"{key} is categorical without missing or unused labels",
              isinstance(obs[key].dtype, pd.CategoricalDtype) and obs[key].notna().all()
              and set(obs[key].cat.categories) == set(obs[key]))
    names = obs.species.astype(str) + "|" + obs.cell_type.astype(str) + "|" + obs.perturbation.astype(str)
    if "dose" in obs:
        names += "|" + obs.dose.map(lambda d: np.format_float_positional(d, trim="-"))
        check("dose is float64 above 0", obs.dose.dtype == np.float64 and (obs.dose > 0).all())
    check("rows are named species|cell_type|perturbation[|dose]", list(names) == list(obs.index))
    check("rows are unique", obs.index.is_unique)
    for key in COUNTS:
        check(f"{key} is int64", obs[key].dtype == np.int64)
    ok = obs.status == "ok"
    check("status is ok, no_control or no_source", obs.status.isin(["ok", "no_control", "no_source"]).all())
    check("rows have control cells, or say so", ((obs.n_control > 0) == (obs.status != "no_control")).all())
    check("what is predicted has a source and no reason", ((obs.source != "") == ok).all() and ((obs.reason == "") == ok).all())
    check("observed cells are counted", (obs.n_observed >= 0).all())
    check("held_out is bool", obs.held_out.dtype == bool)
    check("held-out rows were observed", (obs.n_observed[obs.held_out] > 0).all())
    for key in ["delta_norm"] + SCORES:
        check(f"{key} is float64", obs[key].dtype == np.float64)
    check("delta_norm is there", (np.isfinite(obs.delta_norm) == ok).all())


def check_trust(screen):
    obs, ok = screen.obs, screen.obs.status == "ok"
    check("support_flag is bool: beyond the 99th percentile",
          obs.support_flag.dtype == bool and (obs.support_flag == (obs.support > 99)).all())
    for key, low, high in (("agreement", -1, 1), ("support", 0, 100), ("p_value", 0, 1), ("q_value", 0, 1),
                           ("energy_distance", 0, np.inf), ("delta_se", 0, np.inf)):
        if key in obs:
            check(f"{key} is float64 in range", obs[key].dtype == np.float64 and obs[key].dropna().between(low - 1e-9, high + 1e-9).all())
            check(f"{key} is missing without a prediction", obs[key][~ok].isna().all())
    check("energy distance is there, or the screen has no latent cells", obs.energy_distance[ok].notna().all()
          or (obs.energy_distance.isna().all() and "p_value" not in obs))
    if "p_value" in obs:
        shown = ok & ~obs.source.astype(str).str.startswith("like: ")     # where no cells show it, no labels are permuted
        check("every prediction has p and q", obs.p_value[shown].notna().all() and (obs.q_value[shown] >= obs.p_value[shown] - 1e-12).all())
        p = obs.p_value[shown].sort_values()
        q = (p * len(p) / np.arange(1, len(p) + 1))[::-1].cummin()[::-1]
        check("q is Benjamini and Hochberg's", np.allclose(q, obs.q_value[q.index]))
    if "delta_se" in obs:
        length = np.linalg.norm(screen.obsm["delta_se"].astype(float), axis=1)
        check("delta_se is obsm's length", np.allclose(length, obs.delta_se, rtol=1e-4, equal_nan=True))
        check("errors are positive where there is a prediction", ((obs.delta_se[ok] > 0).all() or "p_value" not in obs)
              and (screen.layers["shift_se"][ok.values] >= 0).all() and np.isnan(screen.layers["shift_se"][~ok.values]).all())


def check_scores(obs):
    unseen = obs[obs.n_observed == 0]
    check("rows without observed cells have no score", unseen[SCORES].isna().all(axis=None))
    for key in SCORES:
        values = obs[key].dropna()
        check(f"{key} is in range", values.between(-1 if key == "delta_pearson" else 0, np.inf if key == "change_size" else 1 + 1e-12).all())
    seen = obs[(obs.n_observed > 0) & (obs.status == "ok")]
    check("rows with observed cells have a score", len(seen) == 0 or seen.r2_all.notna().any())


def check_matrices(whole):
    lost = whole[(whole.obs.status != "ok").values]
    check("rows without a prediction hold NaN", np.isnan(lost.X).all() and np.isnan(lost.layers["shift"]).all())
    screen = whole[(whole.obs.status == "ok").values]
    layers = set(screen.layers)
    check("layers", {"control", "shift"} <= layers <= {"control", "shift", "variance", "shift_se", "log2fc", "p_de", "q_de"})
    for name, x in [("X", screen.X)] + [(k, screen.layers[k]) for k in sorted(layers)]:
        check(f"{name} is dense float32", isinstance(x, np.ndarray) and x.dtype == (np.float64 if name in ("p_de", "q_de") else np.float32))
        known = np.isfinite(x).any(axis=1) if name == "shift_se" and "delta_se" not in screen.obs else np.ones(len(x), bool)
        check(f"{name} is finite", np.isfinite(x[known]).all())
    check("expression is not negative", (np.asarray(screen.layers["control"]) >= 0).all())
    check("shift = X - control", np.allclose(screen.layers["shift"], screen.X - screen.layers["control"],
                                             atol=1e-4, rtol=1e-4))
    if "variance" in layers:
        check("variance is not negative", (screen.layers["variance"] >= 0).all())


def check_delta(screen):
    delta = screen.obsm["delta"]
    check("delta is float32, a row each", delta.dtype == np.float32 and delta.shape[0] == screen.n_obs and delta.ndim == 2)
    norm = np.linalg.norm(delta.astype(float), axis=1)
    check("delta_norm is delta's Euclidean norm", np.allclose(norm, screen.obs.delta_norm, rtol=1e-4, atol=1e-6, equal_nan=True))


def check_facts(uns):
    check("uns/scscreen is a dict", isinstance(uns.get("scscreen"), dict) and len(uns["scscreen"]) > 0)
    for key, value in uns.get("scscreen", {}).items():
        check(f"uns/scscreen/{key} is text or a number", isinstance(value, (str, float, np.floating)))


def check_storage(path):
    with h5py.File(path) as f:
        for name in ["X", "layers/control", "layers/shift", "obsm/delta", "obs/delta_norm"]:
            check(f"{name} is contiguous and uncompressed", f[name].chunks is None and f[name].compression is None)


def check_scanpy(path):
    screen = anndata.read_h5ad(path)
    screen = screen[(screen.obs.status == "ok").values].copy()
    components = min(2, screen.n_obs - 1, screen.n_vars - 1)
    if components < 1:
        return
    sc.pp.pca(screen, n_comps=components)
    check("scanpy's PCA", np.isfinite(screen.obsm["X_pca"]).all())
    backed = anndata.read_h5ad(path, backed="r")
    rows = np.flatnonzero(backed.obs.status == "ok")[:1]
    check("backed mode reads the same rows", np.array_equal(backed.X[rows], screen.X[:1]))
    backed.file.close()


def main(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        screen = anndata.read_h5ad(path)
    check("rows and genes", screen.n_obs > 0 and screen.n_vars > 0)
    check("genes are unique", screen.var_names.is_unique)
    check_obs(screen.obs)
    check_trust(screen)
    check_scores(screen.obs)
    check_matrices(screen)
    check_delta(screen)
    check_facts(screen.uns)
    check_storage(path)
    check_scanpy(path)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main(sys.argv[1]))
