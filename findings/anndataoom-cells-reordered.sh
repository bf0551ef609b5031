#!/bin/sh
# Cells taken in another order in anndataoom: sums and factors are those of other cells, and normalised values are divided by them.
#
# Seen: anndataoom 0.1.8, which omicverse uses for files larger than memory (anndata 0.13.4, h5py 3.16.0, pandas 2.3.3, polars 1.31.0),
# Python 3.12 or newer; CSR, CSC and dense.
# Expected before looking: data[["c6", "c1", "c3", "c0"]] has those cells in that order everywhere, as its obs_names and X[:] do.
# Found: X[:] is in the order asked for, and X.chunked(), which the chunked functions go through, is in the file's order. So
# - chunked_qc_metrics writes obs["nUMIs"] under other cells' names;
# - chunked_normalize_total(target_sum=100) divides c6 by the sum of c0 and so on: its cells sum to 700, 100, 100 and 14 instead of 100,
#   in X and in to_adata().
# Cells taken in the file's order (slices, masks, sorted positions) are right. No error and no warning.
#
# Why it matters: cells are taken in another order when they are shuffled, sorted by cluster or donor, or lined up with a table of labels.
# Depths of cells differ by ten times, and the values come back that much too large or too small, with names, shape and zeros right. All
# that follows rests on them. After normalising look at X[:].sum(1), which is the target for each cell; or take the cells in the file's
# order (numpy.sort of the positions) and turn the result around in memory.
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
env/bin/pip install -q --disable-pip-version-check --no-compile anndataoom==0.1.8 anndata==0.13.4 h5py==3.16.0 numpy==2.5.5 \
    scipy==1.18.1 pandas==2.3.3 polars==1.31.0

cat >order.py <<'P'
import anndata
import anndataoom
import numpy
import pandas
import scipy.sparse

# Cell r holds r + 1 times the counts 1 to 5: its sum is 15 (r + 1).
values = (numpy.arange(1, 9)[:, None] * numpy.arange(1, 6)).astype("float32")
obs, var = pandas.DataFrame(index=[f"c{i}" for i in range(8)]), pandas.DataFrame(index=[f"g{i}" for i in range(5)])
asked = {"file's order": [0, 1, 3, 6], "another order": [6, 1, 3, 0]}


def plain(matrix):
    return matrix.toarray() if scipy.sparse.issparse(matrix) else numpy.asarray(matrix)


for kind, make in ("dense", numpy.asarray), ("CSR", scipy.sparse.csr_matrix), ("CSC", scipy.sparse.csc_matrix):
    anndata.AnnData(make(values), obs=obs, var=var).write_h5ad(kind + ".h5ad")
    for name, cells in asked.items():
        data = anndataoom.read(kind + ".h5ad")
        part = data[[f"c{i}" for i in cells]]
        if (plain(part.X[:]) != values[cells]).any():
            print("X itself is not the cells asked for")
        anndataoom.chunked_qc_metrics(part)
        sums = [int(v) for v in part.obs["nUMIs"]]
        anndataoom.chunked_normalize_total(part, target_sum=100)
        normalised = [round(float(v)) for v in plain(part.to_adata().X).sum(1)]
        print(f"{kind}, {name}: {list(part.obs_names)} of sums {values[cells].sum(1).astype(int).tolist()}: nUMIs {sums}, sums after normalising {normalised}")
        data.close()
P
env/bin/python order.py >all.txt 2>told.txt || { cat all.txt told.txt; exit 1; }
grep -E '^(dense|CSR|CSC|X)' all.txt >found.txt
cat found.txt
if cat all.txt told.txt | grep -iE 'reorder|unsorted|another order|file order|not in order' | grep -vE '^(dense|CSR|CSC)'; then
    echo "CHANGED: it is told"
    exit 1
fi
for kind in dense CSR CSC; do
    echo "$kind, file's order: ['c0', 'c1', 'c3', 'c6'] of sums [15, 30, 60, 105]: nUMIs [15, 30, 60, 105], sums after normalising [100, 100, 100, 100]"
    echo "$kind, another order: ['c6', 'c1', 'c3', 'c0'] of sums [105, 30, 60, 15]: nUMIs [15, 30, 60, 105], sums after normalising [700, 100, 100, 14]"
done >expected.txt
cmp -s found.txt expected.txt || { echo "CHANGED: expected"; cat expected.txt; exit 1; }
echo "as found"
