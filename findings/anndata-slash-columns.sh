#!/bin/sh
# A file with an obs column "a/b" can be read by anndata 0.13 and not be written back by it.
#
# Seen: anndata 0.13.4 (h5py 3.16.0, pandas 3.1.1) beside anndata 0.12.19, Python 3.12 or newer.
# Expected before looking: what a version reads it also writes, perhaps with a warning.
# Found: 0.12 writes an obs column whose name holds a slash (with a FutureWarning), as a group inside obs. 0.13 reads that file and lists
# the column under its name, and then read_h5ad(...).write_h5ad(...) raises ValueError: "Forward slashes are not allowed in keys".
#
# Why it matters: names such as "cell/type", "S/G2M" or "%mito/total" are common in atlases of the last years. A pipeline that only
# subsets such a file (read, filter, write) stops after an upgrade, at its last line. Readers should take the column's path from the
# attribute column-order, not from splitting names at slashes; writers should rename such columns first.
#
# Needs python3 and PyPI; makes two environments in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as anndata 0.13 does; name one in PYTHON"; exit 1; }
"$python" -m venv old && old/bin/pip install -q 'anndata==0.12.19'
"$python" -m venv new && new/bin/pip install -q 'anndata==0.13.4' 'h5py==3.16.0' 'pandas==3.1.1'

cat >write.py <<'P'
import anndata, numpy, pandas
obs = pandas.DataFrame({"cell/type": ["B", "NK", "B"]}, index=["c1", "c2", "c3"])
anndata.AnnData(numpy.ones((3, 2), dtype="float32"), obs=obs).write_h5ad("slash.h5ad")
print("0.12.19 wrote", list(obs.columns))
P
old/bin/python -W ignore write.py

cat >back.py <<'P'
import anndata, sys
data = anndata.read_h5ad("slash.h5ad")
print("0.13.4 read", list(data.obs.columns))
if list(data.obs.columns) != ["cell/type"]:
    sys.exit("CHANGED: the column is read under another name")
try:
    data.write_h5ad("again.h5ad")
except ValueError as e:
    print("0.13.4 did not write it back:", str(e).splitlines()[0])
else:
    sys.exit("CHANGED: the file is written back")
P
new/bin/python -W ignore back.py
echo "as found"
