#!/bin/sh
# Every third cell of a sparse X by SnapATAC2 is every cell: the step of a slice is left out along one axis, silently.
#
# Seen: snapatac2 2.10.0 (anndata 0.13.4, h5py 3.16.0, polars 1.44.2), Python 3.12 or newer; AnnData and AnnDataSet backed by .h5ad.
# Expected before looking: what X[::3, :] means in NumPy and SciPy, and in SnapATAC2 where X is dense, or an error. X[::3] alone, without
# the second axis, does raise ("not yet implemented").
# Found, for ten cells and eight genes:
# - CSR: X[::3, :] gives all ten cells, X[1:9:3, :] all eight from the second to the ninth, X[::3, ::2] all ten of every second gene.
#   The same in an AnnDataSet of two files: all twenty.
# - CSC: X[:, ::3] gives all eight genes.
# - Along the other axis the step is heeded, but the number is rounded down: of CSR X[:, ::3] is said to have two genes of three, of CSC
#   X[::3, :] three cells of four.
# A dense X is right, and so are layers and obsm (which arrive as matrices in memory), and lists of positions: X[list(range(0, 10, 3)), :].
#
# Why it matters: X[::10, :] is how one looks at a tenth of a file larger than memory, and X[fold::5, :] how one sets aside every fifth cell.
# The first takes all the memory after all; the second hands out nearly all cells for each fold, so that the cells set aside are the cells
# trained on. Sums and means are of other cells than meant, and no name stands beside a row to tell. Give positions instead of steps.
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
env/bin/pip install -q --disable-pip-version-check --no-compile snapatac2==2.10.0 anndata==0.13.4 h5py==3.16.0 numpy==2.5.5 scipy==1.18.1 \
    pandas==2.3.3 polars==1.44.2

cat >step.py <<'P'
import anndata
import numpy
import pandas
import scipy.sparse
import snapatac2

# Value 100 r + c in row r and column c, both from 1: a value tells where it is from.
values = (100 * numpy.arange(1, 11)[:, None] + numpy.arange(1, 9)).astype("float32")
genes = pandas.DataFrame(index=[f"gene {i}" for i in range(1, 9)])
asked = {
    "[::3, :]": numpy.s_[::3, :],
    "[1:9:3, :]": numpy.s_[1:9:3, :],
    "[:, ::3]": numpy.s_[:, ::3],
    "[::3, ::2]": numpy.s_[::3, ::2],
    "[positions, :]": (list(range(0, 10, 3)), slice(None)),
}


def answer(matrix):
    """The shape that a matrix states, and the cells that its values are from."""
    stored = matrix.data if scipy.sparse.issparse(matrix) else numpy.asarray(matrix).ravel()
    return f"{matrix.shape[0]} x {matrix.shape[1]}, cells {sorted({int(v) // 100 for v in stored})}"


for kind, make in ("dense", numpy.asarray), ("CSR", scipy.sparse.csr_matrix), ("CSC", scipy.sparse.csc_matrix):
    files = []
    for sample in "A", "B":
        cells = pandas.DataFrame(index=[f"{sample}{i}" for i in range(1, 11)])
        files.append((sample, f"{kind}{sample}.h5ad"))
        anndata.AnnData(make(values), obs=cells, var=genes).write_h5ad(files[-1][1])
    data = snapatac2.read(files[0][1], "r")
    for name, where in asked.items():
        print(f"{kind} {name}: NumPy {answer(values[where])}; SnapATAC2 {answer(data.X[where])}")
    data.close()
    if kind == "CSR":
        both = snapatac2.AnnDataSet(adatas=files, filename="both.h5ads", add_key="sample")
        print(f"CSR, two files [::3, :]: SnapATAC2 {answer(both.X[::3, :])}")
        both.close()
P
env/bin/python step.py 2>told.txt >found.txt || { cat found.txt told.txt; exit 1; }
cat found.txt
if grep -iE 'slic|step|stride' told.txt; then
    echo "CHANGED: it is told"
    exit 1
fi
cat >expected.txt <<'T'
dense [::3, :]: NumPy 4 x 8, cells [1, 4, 7, 10]; SnapATAC2 4 x 8, cells [1, 4, 7, 10]
dense [1:9:3, :]: NumPy 3 x 8, cells [2, 5, 8]; SnapATAC2 3 x 8, cells [2, 5, 8]
dense [:, ::3]: NumPy 10 x 3, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]; SnapATAC2 10 x 3, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
dense [::3, ::2]: NumPy 4 x 4, cells [1, 4, 7, 10]; SnapATAC2 4 x 4, cells [1, 4, 7, 10]
dense [positions, :]: NumPy 4 x 8, cells [1, 4, 7, 10]; SnapATAC2 4 x 8, cells [1, 4, 7, 10]
CSR [::3, :]: NumPy 4 x 8, cells [1, 4, 7, 10]; SnapATAC2 10 x 8, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
CSR [1:9:3, :]: NumPy 3 x 8, cells [2, 5, 8]; SnapATAC2 8 x 8, cells [2, 3, 4, 5, 6, 7, 8, 9]
CSR [:, ::3]: NumPy 10 x 3, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]; SnapATAC2 10 x 2, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
CSR [::3, ::2]: NumPy 4 x 4, cells [1, 4, 7, 10]; SnapATAC2 10 x 4, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
CSR [positions, :]: NumPy 4 x 8, cells [1, 4, 7, 10]; SnapATAC2 4 x 8, cells [1, 4, 7, 10]
CSR, two files [::3, :]: SnapATAC2 20 x 8, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
CSC [::3, :]: NumPy 4 x 8, cells [1, 4, 7, 10]; SnapATAC2 3 x 8, cells [1, 4, 7, 10]
CSC [1:9:3, :]: NumPy 3 x 8, cells [2, 5, 8]; SnapATAC2 2 x 8, cells [2, 5, 8]
CSC [:, ::3]: NumPy 10 x 3, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]; SnapATAC2 10 x 8, cells [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
CSC [::3, ::2]: NumPy 4 x 4, cells [1, 4, 7, 10]; SnapATAC2 3 x 8, cells [1, 4, 7, 10]
CSC [positions, :]: NumPy 4 x 8, cells [1, 4, 7, 10]; SnapATAC2 4 x 8, cells [1, 4, 7, 10]
T
cmp -s found.txt expected.txt || { echo "CHANGED: expected"; cat expected.txt; exit 1; }
echo "as found"
