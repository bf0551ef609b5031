#!/bin/sh
# infercnvpy filters noise by each chunk of 5,000 cells: sorted by type, normal cells come back with copy numbers; mixed, they have none.
#
# Seen: infercnvpy 0.6.1 (pandas 2.3.3, scanpy 1.12.4, anndata 0.13.4, numpy 2.5.5, scipy 1.18.1), Python 3.13; all parameters at default.
# Expected before looking: a cell's profile does not depend on the order of the cells, nor on chunksize, which is there to save memory.
# The method's page says that values below 1.5 times the standard deviation of the smoothed expression become 0, and names no chunks.
# Found: the standard deviation is that of the chunk. For 5,000 normal cells and 5,000 tumour cells, in which one of three chromosomes is
# gained, the same cells under the same names in another order:
# - in the order of their types: 14 of 100 values of the normal cells are not 0, and their score (the mean of the absolute values, as
#   cnv_score has it) is 0.22 of the tumour cells';
# - mixed: 0.2 of 100, and 0.006. So it is in the order of types with chunksize=10000.
# 8,120 of the 10,000 profiles differ. Up to 5,000 cells there is one chunk, and nothing of this. No error and no warning.
#
# Why it matters: joined samples stand one after the other in a file, so a chunk is a sample, or all normal or all tumour. Each is then
# filtered by its own noise: scores cannot be compared between chunks, and normal tissue looks like a tumour with small changes. Give
# chunksize=adata.n_obs where memory allows, shuffle the cells before, or dynamic_threshold=None and filter the whole result by hand.
#
# Needs Python 3.12 or newer and PyPI; makes one environment in a temporary folder, some 40 s of processor time.
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
# With pandas 3 infercnvpy 0.6.1 stops in pyarrow.
env/bin/pip install -q --disable-pip-version-check --no-compile infercnvpy==0.6.1 anndata==0.13.4 scanpy==1.12.4 h5py==3.16.0 numpy==2.5.5 \
    scipy==1.18.1 pandas==2.3.3 numba==0.68.1 fast-array-utils==1.5.1

cat >chunks.py <<'P'
import sys
import warnings

import anndata
import infercnvpy
import numpy
import pandas

told = []
warnings.showwarning = lambda message, *more, **named: told.append(str(message))
warnings.simplefilter("always")
random = numpy.random.default_rng(1)
n, genes = 10000, 240
tumour = numpy.arange(n) >= n // 2
expression = numpy.log1p(random.poisson(2, (n, 3 * genes))).astype("float32")
expression[numpy.ix_(tumour, numpy.arange(genes, 2 * genes))] += 0.3
start = numpy.tile(1000 * numpy.arange(genes), 3)
names = [f"gene {i}" for i in range(3 * genes)]
var = pandas.DataFrame({"chromosome": numpy.repeat(["chr1", "chr2", "chr3"], genes), "start": start, "end": start + 500}, index=names)
obs = pandas.DataFrame({"type": numpy.where(tumour, "tumour", "normal")}, index=[f"cell {i}" for i in range(n)])
data = anndata.AnnData(expression, obs=obs, var=var)


def profiles(order, **chunks):
    """The profiles of all cells, in the order of data."""
    part = data[order].copy()
    infercnvpy.tl.infercnv(part, reference_key="type", reference_cat="normal", n_jobs=1, **chunks)
    return part.obsm["X_cnv"].toarray()[numpy.argsort(order)]


def main():
    found, sorted_by_type = {}, numpy.arange(n)
    for name, order, chunks in (
        ("sorted by type", sorted_by_type, {}),
        ("mixed", random.permutation(n), {}),
        ("sorted by type, one chunk", sorted_by_type, {"chunksize": n}),
    ):
        found[name] = profiles(order, **chunks)
        share, score = (found[name] != 0).mean(1), numpy.abs(found[name]).mean(1)
        print(f"{name}: values not 0, normal {share[~tumour].mean():.3f}, tumour {share[tumour].mean():.3f};"
              f" score of normal cells / of tumour cells {score[~tumour].mean() / score[tumour].mean():.3f}")
        if (share[~tumour].mean() > 0.1) != (name == "sorted by type"):
            sys.exit("CHANGED: chunks by type alone left the noise of normal cells")
    one, mixed = found["sorted by type, one chunk"], found["mixed"]
    print(f"cells whose profile differs from that of one chunk: {(numpy.abs(found['sorted by type'] - one) > 0.01).any(1).sum()} sorted by type")
    if (numpy.abs(mixed - one) > 0.01).any(1).mean() > 0.2:
        sys.exit("CHANGED: mixed cells differ from one chunk too")
    if [text for text in told if "chunk" in text.lower()]:
        sys.exit(f"CHANGED: there is a warning: {told}")


if __name__ == "__main__":
    main()
P
env/bin/python chunks.py 2>log.txt || { tail -n 5 log.txt; exit 1; }
if grep -i 'chunk' log.txt; then
    echo "CHANGED: it is told"
    exit 1
fi
echo "as found"
