#!/bin/sh
# Zeros that a sparse matrix stores count as expression in illico's rank test: clipped predictions differ from the controls in silent genes.
#
# Seen: illico 0.6.0 (numpy 2.5.5, scipy 1.18.1, numba 0.68.1, anndata 0.13.4), Python 3.13; CSR and CSC, Rust and Numba.
# Expected before looking: a stored 0 is a 0, as in SciPy and scanpy, or is refused, as pdex 0.3.0 does (and as illico does with unsorted
# indices). Its page says that all data formats are dealt with, and that p-values match SciPy's to 1e-12.
# Found: stored zeros are ranked above the zeros that are not stored. Controls and predicted cells of one distribution, the predicted ones
# a sparse matrix whose negative values were set to 0 in place (X.data[X.data < 0] = 0): of 40 genes SciPy finds none below p = 0.001, and
# illico 40, with p below 1e-9 in each. Means and fold changes are right. After X.eliminate_zeros() the p-values are SciPy's. No error, no warning.
#
# Why it matters: zeros are stored by clipping, by thinning of counts, by removal of ambient RNA and by switching genes off (X.data[...] = 0),
# and files keep them. Whoever tests predicted against real cells so finds every gene changed, or true changes gone; nothing shows it but
# X.nnz, which is larger than X.count_nonzero(). Call eliminate_zeros() before a rank test, and before writing.
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

cat >zeros.py <<'P'
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
warnings.simplefilter("always")
random = numpy.random.default_rng(1)
n, genes = 300, 40
# One distribution for both halves, which is 0 or below in about 70 of 100 cells; the controls' zeros are not stored, the predicted ones' are.
values = random.normal(-0.5, 1, (2 * n, genes)).astype("float32")
control = scipy.sparse.csr_matrix(numpy.maximum(values[:n], 0))
predicted = scipy.sparse.csr_matrix(values[n:])
predicted.data[predicted.data < 0] = 0
matrix = scipy.sparse.vstack([control, predicted], format="csr")
plain = matrix.toarray().astype("float64")
print(f"{matrix.nnz} values stored, {matrix.count_nonzero()} of them not 0")
obs = pandas.DataFrame({"group": pandas.Categorical(["control"] * n + ["predicted"] * n)}, index=[f"cell {i}" for i in range(2 * n)])
truth = scipy.stats.mannwhitneyu(plain[n:], plain[:n], method="asymptotic").pvalue
if (truth < 0.001).any():
    sys.exit("CHANGED: SciPy finds differences")
clean = matrix.copy()
clean.eliminate_zeros()
for name, form, wrong in (
    ("CSR", matrix, True),
    ("CSC", matrix.tocsc(), True),
    ("CSR after eliminate_zeros", clean, False),
    ("dense", matrix.toarray(), False),
):
    for engine in "Rust", "Numba":
        for reference in "control", None:
            table = asymptotic_wilcoxon(anndata.AnnData(form.copy(), obs=obs), is_log1p=True, group_keys="group", reference=reference,
                                        use_rust=engine == "Rust").xs("predicted", level=0)
            p = table["p_value"].to_numpy()
            print(f"{name}, {engine}, against {reference or 'the rest'}: genes with p < 0.001: {(p < 0.001).sum()} (SciPy 0), largest p {p.max():.2g}")
            if wrong != bool((p < 1e-9).all()) or not wrong and not numpy.allclose(p, truth, rtol=1e-6):
                sys.exit("CHANGED: stored zeros alone made every gene differ")
if [text for text in told if any(word in text.lower() for word in ("zero", "stored", "canonical"))]:
    sys.exit(f"CHANGED: there is a warning: {told}")
P
env/bin/python zeros.py 2>log.txt || { tail -n 5 log.txt; exit 1; }
if grep -iE 'stored|explicit|eliminate' log.txt; then
    echo "CHANGED: it is told"
    exit 1
fi
echo "as found"
