"""The screen of dose.sh: deltas against the latent atlas, shifts against the truth."""
import anndata
import h5py
import numpy as np
import pandas as pd

screen, truth, again, linear = map(anndata.read_h5ad, ("np1/screen.h5ad", "more/truth.h5ad", "again/screen.h5ad", "pca/screen.h5ad"))
obs = screen.obs
doses = [1, 3, 5, 10, 30, 50]
assert obs.dose.dtype == np.float64 and sorted(obs.dose.unique()) == doses
assert screen.n_obs == 3 * 3 * 6 and set(obs.perturbation) == {"drug_1", "drug_2", "drug_1+drug_2"}
assert list(screen.obs_names) == list((obs.species.astype(str) + "|" + obs.cell_type.astype(str) + "|" +
                                       obs.perturbation.astype(str) + "|" + obs.dose.map("{:g}".format)).values)
beyond = obs.dose == 50
assert (obs.status[beyond] == "no_source").all() and (obs.status[~beyond] == "ok").all()
assert obs.reason[beyond].str.contains("above the largest that shows the perturbation (30)", regex=False).all()
held = ((obs.perturbation == "drug_1") & (obs.dose == 3)) | ((obs.perturbation == "drug_2") & (obs.cell_type == "type_3"))
assert (obs.held_out == (held & obs.dose.isin([1, 3, 10, 30]))).all()
assert ((obs.n_observed > 0) == obs.dose.isin([1, 3, 10, 30])).all() and (obs.n_observed[obs.n_observed > 0] == 60).all()
assert (obs.r2_all.notna() == (obs.n_observed > 0)).all()         # observed doses and pairs are scored
ok = obs[~beyond]
assert ((ok.p_value > 0) & (ok.p_value <= 1)).all() and (ok.delta_se > 0).all()
assert np.array_equal(screen.layers["shift"], again.layers["shift"], equal_nan=True)

# every delta, from the groups' means in the model
with h5py.File("np1/model.h5") as f:
    types, labels = ([n.decode() for n in f[f"atlas/{k}"][:]] for k in ("cell_types", "conditions"))
    group, mean = f["atlas/group"][:], f["atlas/mean"][:]
at = {(types[g[1]], labels[g[2]]): mean[i] for i, g in enumerate(group) if not g[3]}
assert "drug_1@3" in labels and ("type_1", "drug_1@3") not in at


def own(kind, what):
    return at[kind, what] - at[kind, "control"] if (kind, what) in at else None


def nearest(kind, what):
    others = [k for k in types if k != kind and (k, what) in at]
    if not others:
        return None
    weight = np.array([np.sum((at[k, "control"] - at[kind, "control"]) ** 2) ** -2.0 for k in others])
    return (weight / weight.sum()) @ np.array([own(k, what) for k in others])


def part(kind, drug, dose):                                        # what is put together: as measured, else estimated
    what = f"{drug}@{dose}"
    shift = own(kind, what)
    return shift if shift is not None else nearest(kind, what)


def between(kind, drug, dose):
    known = [d for d in (1, 3, 10, 30) if part(kind, drug, d) is not None and d != dose]
    low, high = max([d for d in known if d < dose], default=0), min(d for d in known if d > dose)
    way = np.log((1 + dose) / (1 + low)) / np.log((1 + high) / (1 + low))
    return (1 - way) * (part(kind, drug, low) if low else 0) + way * part(kind, drug, high)


def single(kind, drug, dose, as_part=False):
    shift = part(kind, drug, dose) if as_part else nearest(kind, f"{drug}@{dose}")
    return shift if shift is not None else between(kind, drug, dose)


for i, name in enumerate(screen.obs_names):
    if beyond.iloc[i]:
        continue
    _, kind, what, dose = name.split("|")
    drugs = what.split("+")
    expected = sum(single(kind, d, int(dose), len(drugs) > 1) for d in drugs)
    assert np.abs(screen.obsm["delta"][i] - expected).max() < 1e-5, (name, obs.source.iloc[i])

source = obs.source.astype(str)
assert source["species_a|type_1|drug_1|3"] == "measured (doses 1, 10)" and source["species_a|type_1|drug_1|10"] == "own"
assert source["species_a|type_3|drug_2|5"] == "own (doses 3, 10)" and source["species_a|type_3|drug_1+drug_2|1"] == "measured + own"
assert source["species_a|type_2|drug_1+drug_2|1"] == "measured"

# against the truth (by principal components: the small network shrinks every shift, measured doses' as well): right direction,
# right size, and nearer to the truth at its own dose than at others
assert list(linear.obs_names) == list(screen.obs_names) and list(linear.obs.source) == list(obs.source)
shift = pd.DataFrame(linear[:, truth.var_names].layers["shift"].astype(float), screen.obs_names)
true = pd.DataFrame(truth.X.astype(float), truth.obs_names)


def judge(what, rows):
    r = np.array([np.corrcoef(shift.loc[n], true.loc[n])[0, 1] for n in rows])
    slope = np.array([shift.loc[n] @ true.loc[n] / (true.loc[n] @ true.loc[n]) for n in rows])
    print(f"{what}: {len(rows)} rows, predicted v true shift: Pearson {r.mean():.3f} (lowest {r.min():.3f}), "
          f"slope {slope.mean():.3f} ({slope.min():.3f} to {slope.max():.3f})")
    return r, slope


held_dose = list(screen.obs_names[(obs.perturbation == "drug_1") & (obs.dose == 3)])
unseen = list(screen.obs_names[(obs.dose == 5) & (obs.perturbation != "drug_1+drug_2")])
pairs = list(screen.obs_names[(obs.perturbation == "drug_1+drug_2") & ~beyond])
for what, rows in (("dose 3 of drug_1, held out in all types", held_dose), ("dose 5, never measured", unseen), ("pairs", pairs)):
    r, slope = judge(what, rows)
    assert r.mean() > 0.85 and r.min() > 0.7 and (np.abs(slope - 1) < 0.3).all() and abs(slope.mean() - 1) < 0.15
for name in held_dose + unseen:
    head, dose = name.rsplit("|", 1)
    away = {d: np.sum((shift.loc[name] - true.loc[f"{head}|{d}"]) ** 2) for d in (1, 3, 5, 10, 30)}
    nearest_dose = min(away, key=away.get)
    assert away[int(dose)] < away[1] and away[int(dose)] < away[10], (name, away)
    assert nearest_dose in (3, 5), (name, away)

table = pd.read_csv("np1/ranking.tsv", sep="\t")
assert list(table.columns[:5]) == ["rank", "species", "cell_type", "perturbation", "dose"] and len(table) == screen.n_obs
