#!/bin/sh
# Above 2.6 million cells illico's p-values are wrong: a gene that differs at p = 0.00006 comes back with 0.4, silently.
#
# Seen: illico 0.6.0 (numpy 2.5.5, scipy 1.18.1, numba 0.68.1, anndata 0.13.4), Python 3.13.
# Expected before looking: ranks and ties are summed in float64, as in SciPy, scanpy and pdex; its page promises SciPy's p-values to
# 1e-12. With as many cells the three of them agree with each other.
# Found, for one gene in two halves of the cells, expressed in 40,000:
# - Rust (the default), dense, against a reference or against the rest, and CSR against the rest: right as long as 2,642,245 cells share
#   a value (here 0), and wrong from 2,642,246 on, whose cube does not fit 64 bits: the tie correction is then taken from the rest of it.
#   CSR against a reference is right.
# - Numba (use_rust=False): right for 2,097,152 cells, wrong from 2,097,153 on, in all forms.
# Means, fold changes and U statistics are right in all of them. No error and no warning.
#
# Why it matters: nearly all genes are 0 in nearly all cells, and atlases and screens have that many: all p-values of one cluster against
# the rest of 3 or 10 million cells are then wrong at once, and look like those of data without differences. One gene beside
# scipy.stats.mannwhitneyu tells it. Take fewer cells, compare against a reference (CSR, in memory), or use scanpy or pdex above 2.6
# million. Whoever writes such a test has to take the cubes of counts in float64.
#
# Needs Python 3.12 or newer and PyPI; makes one environment in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as anndata 0.13 does; name one in PYTHON"; exit 1; }
"$python" -m venv env
env/bin/pip install -q --disable-pip-version-check --no-compile illico==0.6.0 anndata==0.13.4 numpy==2.5.5 scipy==1.18.1 numba==0.68.1 \
    pandas==3.1.1 h5py==3.16.0 statsmodels==0.15.0 # illico imports statsmodels and does not ask for it

cat >cells.py <<'P'
import sys
import warnings

import anndata
import numpy
import pandas
import scipy.sparse
import scipy.stats
from illico import asymptotic_wilcoxon

told = []
warnings.showwarning = lambda message, *more, **named: told.append(str(message))


def halves(first):
    return pandas.DataFrame({"group": pandas.Categorical.from_codes((~first).astype("int8"), ["A", "B"])}, index=numpy.arange(len(first)).astype(str))


def found(n, forms, rust):
    """The p-values of one gene of n cells, which 20,400 cells of group A and 19,600 of group B express, in SciPy and by illico."""
    first = numpy.arange(n) < n // 2
    gene = numpy.zeros(n, "float32")
    gene[:20400] = numpy.arange(20400) % 7 + 1
    gene[n // 2:n // 2 + 19600] = numpy.arange(19600) % 7 + 1
    truth = scipy.stats.mannwhitneyu(gene[first].astype("float64"), gene[~first].astype("float64"), method="asymptotic")
    obs = halves(first)
    results = {}
    for form, make in forms.items():
        data = anndata.AnnData(make(gene[:, None]), obs=obs)
        for reference in "B", None:
            row = asymptotic_wilcoxon(data, is_log1p=False, group_keys="group", reference=reference, use_rust=rust).xs("A", level=0).iloc[0]
            if row["statistic"] != truth.statistic:
                sys.exit("CHANGED: the U statistic is wrong too")
            results[f"{form} against {reference or 'the rest'}"] = row["p_value"]
    return truth.pvalue, results


dense, sparse = {"dense": lambda x: x}, {"CSR": scipy.sparse.csr_matrix}
for n, engine, forms, wrong in (
    (2682245, "Rust", dense | sparse, set()),
    (2682246, "Rust", dense | sparse, {"dense against B", "dense against the rest", "CSR against the rest"}),
    (2097152, "Numba", dense, set()),
    (2097153, "Numba", dense, {"dense against B", "dense against the rest"}),
):
    truth, results = found(n, forms, engine == "Rust")
    print(f"{n} cells, {n - 40000} of them 0, {engine}: SciPy p = {truth:.2g};", ", ".join(f"{k} {v:.2g}" for k, v in results.items()))
    if {k for k, v in results.items() if abs(v / truth - 1) > 1e-6} != wrong:
        sys.exit(f"CHANGED: wrong were {sorted(wrong)}")
if [text for text in told if any(word in text.lower() for word in ("overflow", "cells", "precision"))]:
    sys.exit(f"CHANGED: there is a warning: {told}")
P
env/bin/python cells.py 2>log.txt || { tail -n 5 log.txt; exit 1; }
if grep -iE 'overflow|too many|precision' log.txt; then
    echo "CHANGED: it is told"
    exit 1
fi
echo "as found"
