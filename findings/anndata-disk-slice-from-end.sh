#!/bin/sh
# Slices of a sparse matrix on disk that count from its end: anndata 0.13 leaves out the first cell or gene, silently, or raises.
#
# Seen: anndata 0.13.4 (h5py 3.16.0, pandas 3.1.1, zarr 3.4.2), Python 3.12 or newer; CSR and CSC, .h5ad and .zarr.
# Expected before looking: what [::-1] and [-2:] mean in NumPy and SciPy, and in anndata once the file is in memory.
# Found, for a file opened with backed="r", and for sparse_dataset of an .h5ad or .zarr:
# - [::-1] of five cells gives a matrix of four, without the first; [:, ::-1] leaves out the first gene, [4::-2] gives two rows of three.
#   Nothing tells of it: data[::-1] has five names in obs, and X of four rows. [3:0:-1], which ends before the first, is right.
# - [-2:] and [:-1] along the compressed axis (cells in CSR, genes in CSC) raise: "index pointer size 2 should be 3", "index 0 is out of
#   bounds". Along the other axis they are right.
# - data[::-1].to_memory() raises, for obs and X differ; a dense matrix on disk refuses steps below 1 by name.
# anndata 0.12.19 raises on the first kind too ("cannot reshape array"): 0.13 made a wrong result of an error.
#
# Why it matters: tools that walk through matrices larger than memory take slices of them, and whoever tries them on a file in memory sees
# them right. Sums, means and batches of a reversed slice are one cell or gene short, and nothing says so unless names are compared with
# it. Take slices of a matrix on disk from its front, with both ends at 0 or above, and turn the result around in memory.
#
# Needs python3 and PyPI; makes one environment in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as anndata 0.13 does; name one in PYTHON"; exit 1; }
"$python" -m venv new
new/bin/pip install -q --disable-pip-version-check anndata==0.13.4 h5py==3.16.0 pandas==3.1.1 zarr==3.4.2

cat >slices.py <<'P'
import anndata
import h5py
import numpy
import pandas
import scipy.sparse
import zarr

# Value 10 r + c in row r and column c, both from 1: a value tells where it is from.
values = (10 * numpy.arange(1, 6)[:, None] + numpy.arange(1, 5)).astype("float32")
asked = {
    "[::-1]": numpy.s_[::-1],
    "[:, ::-1]": numpy.s_[:, ::-1],
    "[4::-2]": numpy.s_[4::-2],
    "[3:0:-1]": numpy.s_[3:0:-1],
    "[-2:]": numpy.s_[-2:],
    "[:-1]": numpy.s_[:-1],
    "[:, -2:]": numpy.s_[:, -2:],
    "[:, :-1]": numpy.s_[:, :-1],
}


def answer(matrix, where):
    try:
        part = matrix[where].toarray()
    except (ValueError, IndexError) as e:
        return type(e).__name__
    return f"rows {[int(v) // 10 for v in part[:, 0]]} columns {[int(v) % 10 for v in part[0]]}"


for make in scipy.sparse.csr_matrix, scipy.sparse.csc_matrix:
    data = anndata.AnnData(make(values), obs=pandas.DataFrame(index=list("abcde")), var=pandas.DataFrame(index=list("wxyz")))
    kind = data.X.format
    data.write_h5ad(kind + ".h5ad")
    data.write_zarr(kind + ".zarr")
    disk = {
        "backed": anndata.read_h5ad(kind + ".h5ad", backed="r").X,
        "h5ad": anndata.io.sparse_dataset(h5py.File(kind + ".h5ad")["X"]),
        "zarr": anndata.io.sparse_dataset(zarr.open(kind + ".zarr", mode="r")["X"]),
    }
    for name, where in asked.items():
        found = {answer(matrix, where) for matrix in disk.values()}
        print(f"{kind} {name}: in memory {answer(data.X, where)}; on disk {' or '.join(sorted(found))}")

view = anndata.read_h5ad("csr.h5ad", backed="r")[::-1]
print(f"view [::-1]: {len(view.obs_names)} names, X of {view.X[:].shape[0]} rows")
P
new/bin/python slices.py 2>told.txt >found.txt || { cat found.txt told.txt; exit 1; }
cat found.txt
if grep -iE 'slic|step|revers|negative' told.txt; then
    echo "CHANGED: it is told"
    exit 1
fi
cat >expected.txt <<'T'
csr [::-1]: in memory rows [5, 4, 3, 2, 1] columns [1, 2, 3, 4]; on disk rows [5, 4, 3, 2] columns [1, 2, 3, 4]
csr [:, ::-1]: in memory rows [1, 2, 3, 4, 5] columns [4, 3, 2, 1]; on disk rows [1, 2, 3, 4, 5] columns [4, 3, 2]
csr [4::-2]: in memory rows [5, 3, 1] columns [1, 2, 3, 4]; on disk rows [5, 3] columns [1, 2, 3, 4]
csr [3:0:-1]: in memory rows [4, 3, 2] columns [1, 2, 3, 4]; on disk rows [4, 3, 2] columns [1, 2, 3, 4]
csr [-2:]: in memory rows [4, 5] columns [1, 2, 3, 4]; on disk ValueError
csr [:-1]: in memory rows [1, 2, 3, 4] columns [1, 2, 3, 4]; on disk IndexError
csr [:, -2:]: in memory rows [1, 2, 3, 4, 5] columns [3, 4]; on disk rows [1, 2, 3, 4, 5] columns [3, 4]
csr [:, :-1]: in memory rows [1, 2, 3, 4, 5] columns [1, 2, 3]; on disk rows [1, 2, 3, 4, 5] columns [1, 2, 3]
csc [::-1]: in memory rows [5, 4, 3, 2, 1] columns [1, 2, 3, 4]; on disk rows [5, 4, 3, 2] columns [1, 2, 3, 4]
csc [:, ::-1]: in memory rows [1, 2, 3, 4, 5] columns [4, 3, 2, 1]; on disk rows [1, 2, 3, 4, 5] columns [4, 3, 2]
csc [4::-2]: in memory rows [5, 3, 1] columns [1, 2, 3, 4]; on disk rows [5, 3] columns [1, 2, 3, 4]
csc [3:0:-1]: in memory rows [4, 3, 2] columns [1, 2, 3, 4]; on disk rows [4, 3, 2] columns [1, 2, 3, 4]
csc [-2:]: in memory rows [4, 5] columns [1, 2, 3, 4]; on disk rows [4, 5] columns [1, 2, 3, 4]
csc [:-1]: in memory rows [1, 2, 3, 4] columns [1, 2, 3, 4]; on disk rows [1, 2, 3, 4] columns [1, 2, 3, 4]
csc [:, -2:]: in memory rows [1, 2, 3, 4, 5] columns [3, 4]; on disk ValueError
csc [:, :-1]: in memory rows [1, 2, 3, 4, 5] columns [1, 2, 3]; on disk IndexError
view [::-1]: 5 names, X of 4 rows
T
cmp -s found.txt expected.txt || { echo "CHANGED: expected"; cat expected.txt; exit 1; }
echo "as found"
