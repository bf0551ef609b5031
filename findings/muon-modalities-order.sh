#!/bin/sh
# muon's multimodal neighbours take row 7 of each modality for one cell: with proteins in another order than RNA, neighbours are other cells.
#
# Seen: muon 0.2.0 (mudata 0.4.1, anndata 0.13.4, scanpy 1.12.4, numpy 2.5.5, scipy 1.18.1, umap-learn 0.5.12), Python 3.13.
# Expected before looking: cells are matched by name, as MuData does: its modalities may hold other cells each, in any order, and
# mdata.obsmap says which row of which modality a cell is.
# Found, for three cell types that lie far apart in both modalities, each modality's own neighbours being of the cell's type in all cells:
# - proteins in RNA's order: all multimodal neighbours are of the cell's type;
# - the same proteins in another order: 7 of 10. Rows are matched by position, so a cell's "neighbours" are half those of the cell that
#   stands at its place in the other modality. Modality weights (obs["rna:mod_weight"]) are mixed up the same way.
# - mu.pp.intersect_obs, the usual step before, keeps each modality's own order, and names them in mdata.obs_names in RNA's.
# With other cells in a modality (intersect_obs left out) it matches rows by position too, until a row is not there (IndexError). No warning.
#
# Why it matters: RNA and proteins or ATAC come from other files, of other tools, sorted by barcode or by depth. The graph is well formed,
# UMAP and Leiden run on it, and rare types dissolve into others. Before mu.pp.neighbors look whether
# (mdata["rna"].obs_names == mdata["prot"].obs_names).all(), and make the MuData from prot[rna.obs_names].copy() if not.
#
# Needs Python 3.12 or newer and PyPI; makes one environment in a temporary folder, some 90 s of processor time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.14 python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as anndata 0.13 does; name one in PYTHON"; exit 1; }
"$python" -m venv env
env/bin/pip install -q --disable-pip-version-check --no-compile muon==0.2.0 mudata==0.4.1 anndata==0.13.4 scanpy==1.12.4 h5py==3.16.0 \
    numpy==2.5.5 scipy==1.18.1 pandas==3.1.1 numba==0.68.1 umap-learn==0.5.12 pynndescent==0.7.0 scikit-learn==1.9.1 fast-array-utils==1.5.1

cat >order.py <<'P'
import sys
import warnings

import anndata
import muon
import numpy
import pandas
import scanpy

told = []
warnings.showwarning = lambda message, *more, **named: told.append(str(message))
warnings.simplefilter("always")
random = numpy.random.default_rng(1)
n = 240
names = pandas.Index([f"cell {i}" for i in range(n)])
kind = pandas.Series(numpy.arange(n) % 3, index=names)
rna, prot = (6 * random.normal(size=(3, d))[kind] + random.normal(size=(n, d)) for d in (12, 8))
shuffled = random.permutation(n)


def modality(prefix, values, rows):
    var = pandas.DataFrame(index=[f"{prefix} {i}" for i in range(values.shape[1])])
    return anndata.AnnData(values[rows].astype("float32"), obs=pandas.DataFrame(index=names[rows]), var=var)


def same_kind(data):
    graph = data.obsp["distances"].tocoo()
    kinds = kind[data.obs_names].to_numpy()
    return (kinds[graph.row] == kinds[graph.col]).mean()


for name, rows in ("in RNA's order", numpy.arange(n)), ("in another order", shuffled):
    both = muon.MuData({"rna": modality("gene", rna, numpy.arange(n)), "prot": modality("protein", prot, rows)})
    muon.pp.intersect_obs(both)
    for data in both.mod.values():
        scanpy.pp.neighbors(data, use_rep="X", n_neighbors=15)
    muon.pp.neighbors(both, n_multineighbors=60)
    alone = [same_kind(data) for data in both.mod.values()]
    aligned = (both["rna"].obs_names == both["prot"].obs_names).all()
    found = same_kind(both)
    print(f"proteins {name}, {'aligned' if aligned else 'not aligned'} after intersect_obs: neighbours of the cell's type, RNA alone {alone[0]:.2f},"
          f" proteins alone {alone[1]:.2f}, both {found:.2f}")
    if min(alone) < 0.99 or (both.obs_names != names).any():
        sys.exit("CHANGED: the modalities are not what they were")
    other = rows is shuffled
    if aligned == other or other and found > 0.85 or not other and found < 0.99:
        sys.exit("CHANGED: another order alone mixed up the neighbours")
if [text for text in told if any(word in text.lower() for word in ("align", "same order", "match", "sorted"))]:
    sys.exit(f"CHANGED: there is a warning: {told}")
P
env/bin/python order.py 2>log.txt || { tail -n 5 log.txt; exit 1; }
echo "as found"
