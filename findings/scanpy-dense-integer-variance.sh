#!/bin/sh
# Variances of a dense matrix of integers are wrong, even negative, in scanpy's basis: highly variable genes are then other genes.
#
# Seen: scanpy 1.12.4 with fast-array-utils 1.5.1 (numpy 2.5.5, anndata 0.13.4, scikit-misc 0.5.3), Python 3.13.
# Expected before looking: variances are computed in float64, whatever type the counts have: that is what comes back.
# Found: fast_array_utils.stats.mean_var squares a dense array in its own type before it averages in float64. Squares wrap above 15 in
# uint8, 255 in uint16, 46,340 in int32. Variances come back as float64, and negative: -28,802 for a gene of some hundred counts in
# uint16. scanpy.pp.highly_variable_genes(flavor="seurat_v3"), which is for raw counts, goes on with them: of 40 genes it chooses
# - dense uint8: 9 of the 40 that the same counts in float64, or in a sparse matrix of uint8, give;
# - dense uint16: 38 of the 40.
# Genes whose variance is negative are taken for constant ones. Sparse matrices are right in all types. No error and no warning.
#
# Why it matters: counts are whole numbers, and small types are how they are kept small: a dense layer of uint8 or uint16, or a sparse
# one of integers after toarray(). The list of genes has the right length and looks like one; clusters and integration then rest on
# other genes than those that vary. Cast to float32 first (adata.X.astype("float32")), and look at the smallest of
# adata.var["variances"]: it is not below 0.
#
# Needs Python 3.12 or newer and PyPI; makes one environment in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.14 python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as scanpy 1.12 does; name one in PYTHON"; exit 1; }
"$python" -m venv env
env/bin/pip install -q --disable-pip-version-check --no-compile scanpy==1.12.4 'fast-array-utils[accel,sparse]==1.5.1' anndata==0.13.4 \
    h5py==3.16.0 numpy==2.5.5 scipy==1.18.1 pandas==3.1.1 scikit-misc==0.5.3

cat >genes.py <<'P'
import sys
import warnings

import anndata
import numpy
import pandas
import scanpy
import scipy.sparse

told = []
warnings.showwarning = lambda message, *more, **named: told.append(str(message))
warnings.simplefilter("always")
random = numpy.random.default_rng(1)
n_cells, n_genes = 400, 300
cells, genes = [f"cell {i}" for i in range(n_cells)], [f"gene {i}" for i in range(n_genes)]
mean = random.lognormal(0, 1.5, n_genes)
mean[:20] *= 40  # some hundred counts a cell, as of mitochondrial genes
expected = numpy.tile(mean, (n_cells, 1))
expected[1::2, 20:40] *= 6
expected[1::2, :5] *= 2
counts = random.poisson(random.gamma(5, expected / 5))
print(f"largest count {counts.max()}, {counts.sum(1).mean():.0f} counts a cell")


def chosen(matrix):
    data = anndata.AnnData(matrix, obs=pandas.DataFrame(index=cells), var=pandas.DataFrame(index=genes))
    scanpy.pp.highly_variable_genes(data, flavor="seurat_v3", n_top_genes=40)
    return set(data.var_names[data.var.highly_variable]), data.var.variances.min()


for name, wrong in ("uint8", True), ("uint16", True), ("float32", False):
    typed = numpy.minimum(counts, 255 if name == "uint8" else counts.max()).astype(name)
    truth, smallest = chosen(typed.astype("float64"))
    if smallest < 0:
        sys.exit("CHANGED: float64 has negative variances too")
    for kind, matrix in ("dense", typed), ("sparse", scipy.sparse.csr_matrix(typed)):
        found, smallest = chosen(matrix)
        print(f"{name}, {kind}: {len(found & truth)} of 40 genes as in float64, smallest variance {smallest:.3g}")
        bad = wrong and kind == "dense"
        if (smallest < 0) != bad or (found != truth) != bad:
            sys.exit("CHANGED: dense integers alone were wrong")
told = [text for text in told if "infer_string" not in text and any(word in text.lower() for word in ("overflow", "integer", "negative", "invalid", "dtype"))]
if told:
    sys.exit(f"CHANGED: there is a warning: {set(told)}")
P
env/bin/python genes.py
echo "as found"
