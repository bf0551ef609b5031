#!/bin/sh
# pertpy keeps the distances between cells under a name without the layer: every further layer, and a new PCA, gets the first one's.
#
# Seen: pertpy 1.4.0 (anndata 0.13.4, scanpy 1.12.4, numpy 2.5.5, scikit-learn 1.9.1), Python 3.13.
# Expected before looking: Distance(layer_key="B") is computed on layer B, and on what the layer or embedding holds when it is called.
# Found: mean_pairwise, and edistance with bootstrap=True, take distances between cells from adata.obsp, where the first call left them
# under "None_euclidean_predistances" for any layer and "X_pca_euclidean_predistances" for an embedding. So
# - layer "ten" holds ten times the values of layer "one": whichever is asked first, both get its distance
#   (8.8 and 8.8, or 88 and 88);
# - after adata.obsm["X_pca"] was replaced, as by a second sc.tl.pca, the distances are those of the old one: 8.8 for 88;
# - they are written with the data, so that another program that reads the .h5ad and makes its own PCA gets them as well.
# edistance without bootstrap, and metrics of means, are right: the distance and its own bootstrap differ ten times. No error, no warning.
#
# Why it matters: distances are compared between counts, normalised and predicted layers, or between numbers of components, and equal ones
# read as "it makes no difference". Delete the entries of adata.obsp that end in "_predistances" before each call, or call the object with
# two arrays: Distance("mean_pairwise")(X[a], X[b]).
#
# Needs Python 3.12 or newer and PyPI; makes one environment in a temporary folder, some 40 s of processor time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.14 python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as pertpy does; name one in PYTHON"; exit 1; }
"$python" -m venv env
env/bin/pip install -q --disable-pip-version-check --no-compile pertpy==1.4.0 anndata==0.13.4 scanpy==1.12.4 h5py==3.16.0 numpy==2.5.5 \
    scipy==1.18.1 pandas==3.1.1 numba==0.68.1 scikit-learn==1.9.1 fast-array-utils==1.5.1

cat >kept.py <<'P'
import warnings

import anndata
import numpy
import pandas
from pertpy.tools import Distance

told = []
warnings.showwarning = lambda message, *more, **named: told.append(str(message))
warnings.simplefilter("always")
random = numpy.random.default_rng(1)
group = numpy.repeat(["control", "treated"], 60)
values = random.normal(numpy.where(group == "treated", 1.5, 0)[:, None], 0.6, (120, 25))
obs = pandas.DataFrame({"group": group}, index=[f"cell {i}" for i in range(120)])
fresh = anndata.AnnData(values, obs=obs, layers={"one": values, "ten": 10 * values}, obsm={"X_pca": values})


def between(data, metric, bootstrap=False, **where):
    """The distance of the two groups."""
    table = Distance(metric=metric, **where).pairwise(data, groupby="group", bootstrap=bootstrap, show_progressbar=False)
    return (table[0] if bootstrap else table).loc["control", "treated"]


def line(title, data, **where):
    mean, own, booted = between(data, "mean_pairwise", **where), between(data, "edistance", **where), between(data, "edistance", True, **where)
    print(f"{title}: mean_pairwise {mean:.3g}, edistance {own:.3g}, its bootstrap {booted:.3g}")


for layer in "one", "ten":
    line(f"layer {layer} alone", fresh.copy(), layer_key=layer)
for order in ("one", "ten"), ("ten", "one"):
    data = fresh.copy()
    for layer in order:
        line(f"layer {layer}, {'first' if layer == order[0] else 'after layer ' + order[0]}", data, layer_key=layer)
print("kept:", ", ".join(data.obsp))
data = fresh.copy()
line("X_pca", data)
data.obsm["X_pca"] = 10 * values
line("X_pca, ten times as large", data)
data.write_h5ad("data.h5ad")
again = anndata.read_h5ad("data.h5ad")
line("X_pca, written and read", again)
again.obsm["X_pca"] = 100 * values
line("X_pca, a hundred times as large", again)
print("kept:", ", ".join(data.obsp))
print("warnings about it:", sum(any(word in t.lower() for word in ("precomputed", "predistances", "stale", "reus")) for t in told))
P
env/bin/python kept.py >found.txt 2>log.txt || { tail -n 5 log.txt; exit 1; }
cat found.txt
cat >expected.txt <<'T'
layer one alone: mean_pairwise 8.8, edistance 9.39, its bootstrap 9.52
layer ten alone: mean_pairwise 88, edistance 93.9, its bootstrap 95.2
layer one, first: mean_pairwise 8.8, edistance 9.39, its bootstrap 9.52
layer ten, after layer one: mean_pairwise 8.8, edistance 93.9, its bootstrap 9.52
layer ten, first: mean_pairwise 88, edistance 93.9, its bootstrap 95.2
layer one, after layer ten: mean_pairwise 88, edistance 9.39, its bootstrap 95.2
kept: None_euclidean_predistances
X_pca: mean_pairwise 8.8, edistance 9.39, its bootstrap 9.52
X_pca, ten times as large: mean_pairwise 8.8, edistance 93.9, its bootstrap 9.52
X_pca, written and read: mean_pairwise 8.8, edistance 93.9, its bootstrap 9.52
X_pca, a hundred times as large: mean_pairwise 8.8, edistance 939, its bootstrap 9.52
kept: X_pca_euclidean_predistances
warnings about it: 0
T
cmp -s found.txt expected.txt || { echo "CHANGED: expected"; cat expected.txt; exit 1; }
echo "as found"
