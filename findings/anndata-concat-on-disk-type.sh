#!/bin/sh
# anndata's concat_on_disk stores all files in the number type of the first: decimals are cut off and large counts changed, silently.
#
# Seen: anndata 0.13.4 (Python 3.12 or newer; zarr 3.4.2) and anndata 0.12.19 (Python 3.11; zarr 3.1.6), h5py 3.16.0. Sparse matrices.
# Expected before looking: a type that holds all files' values, as anndata.concat chooses in memory, or an error.
# Found: concat_on_disk writes the first file's matrix and appends the others to its dataset, so that
# - int32 counts followed by float32 corrected counts: the float values lose their decimals (0.5 becomes a stored 0, 2.75 becomes 2);
# - uint8 counts followed by int32 counts: 300 becomes 255 in an .h5ad (HDF5 takes the nearest) and 44 in a .zarr (modulo 256).
# The other way round these lose nothing, so the order of the files decides. No error, no warning. anndata.concat of the same data is
# right, and so is concat_on_disk of dense matrices (which go through dask).
#
# Why it matters: atlases are put together on disk because they do not fit in memory, and their parts differ: raw counts here, counts
# without ambient RNA (floats) there, small counts stored in few bytes. The result has the right shape, names and mostly whole numbers, as
# counts should be. Look at the type of the matrices in all parts before, write them in one type first, or name the widest first.
#
# Needs python3 and PyPI; makes one environment in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-python3}
packages='anndata==0.13.4 h5py==3.16.0 pandas==3.1.1 zarr==3.4.2'
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' || packages='anndata==0.12.19 h5py==3.16.0 pandas==2.3.3 zarr==3.1.6'
"$python" -m venv env
# shellcheck disable=SC2086 # several words
env/bin/pip install -q --disable-pip-version-check $packages
echo "$packages"

cat >join.py <<'P'
import sys
import warnings

import anndata
import numpy
import pandas
import scipy.sparse
from anndata.experimental import concat_on_disk

seen = []
warnings.showwarning = lambda message, category, *where, **more: seen.append(str(message))
warnings.simplefilter("always")


def cells(name, rows, kind):
    matrix = scipy.sparse.csr_matrix(numpy.array(rows, dtype=kind))
    return anndata.AnnData(matrix, obs=pandas.DataFrame(index=[name + "1", name + "2"]), var=pandas.DataFrame(index=["A", "B", "C"]))


def joined(first, second, ending):
    for name in first, second:
        getattr(parts[name], "write_" + ending)(f"{name}.{ending}")
    concat_on_disk([f"{first}.{ending}", f"{second}.{ending}"], f"{first}-{second}.{ending}")
    return getattr(anndata, "read_" + ending)(f"{first}-{second}.{ending}")


parts = {
    "raw": cells("raw", [[1, 0, 300], [2, 5, 0]], "int32"),
    "small": cells("small", [[1, 0, 3], [2, 5, 0]], "uint8"),
    "corrected": cells("corrected", [[0.5, 0, 0.25], [2.75, 0, 300.5]], "float32"),
}
expected = {
    ("raw", "corrected", "h5ad"): ("int32", [[0, 0, 0], [2, 0, 300]]),
    ("raw", "corrected", "zarr"): ("int32", [[0, 0, 0], [2, 0, 300]]),
    ("small", "raw", "h5ad"): ("uint8", [[1, 0, 255], [2, 5, 0]]),
    ("small", "raw", "zarr"): ("uint8", [[1, 0, 44], [2, 5, 0]]),
    ("corrected", "raw", "h5ad"): ("float32", [[1, 0, 300], [2, 5, 0]]),
}
for (first, second, ending), (kind, rows) in expected.items():
    disk = joined(first, second, ending)
    memory = anndata.concat([parts[first], parts[second]])
    if (memory.X.toarray()[2:] != parts[second].X.toarray()).any():
        sys.exit("CHANGED: anndata.concat in memory alters values too")
    found = disk.X.dtype.name, disk.X.toarray()[2:].tolist()
    print(f"{first} + {second}, {ending}: stored as {found[0]}; {second} was {parts[second].X.toarray().tolist()}, is {found[1]}")
    if found != (kind, rows):
        sys.exit(f"CHANGED: expected {kind} {rows}")
told = [text for text in seen if any(word in text.lower() for word in ("truncat", "overflow", "lossy", "precision", "cast"))]
if told:
    sys.exit(f"CHANGED: there is a warning: {told}")
P
env/bin/python join.py
echo "as found"
