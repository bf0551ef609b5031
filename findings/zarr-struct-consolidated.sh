#!/bin/sh
# One table of records in uns, written by zarr 3.4, and zarr 3.1 opens nothing of the AnnData store, not even X.
#
# Seen: anndata 0.13.4 with zarr 3.4.2 (writes) beside anndata 0.12.19 with zarr 3.1.6 (reads), Python 3.12 or newer.
# Expected before looking: zarr 3.1 opens the store, reads X and obs, and fails at that one array.
# Found: zarr 3.4 names the type of such an array "struct", which zarr 3.1 does not know. anndata consolidates the metadata of a store
# in its root's zarr.json, so that opening the root group raises ValueError: "No Zarr data type found that matches {'name': 'struct'".
# With use_consolidated=False, or by the path of the array, X is read. The other way round all is read.
#
# Why it matters: scanpy's rank_genes_groups leaves such tables in uns, so most analysed stores have one, and a single one makes the
# whole store unreadable for all who have not upgraded zarr. Writers who share stores: drop uns["rank_genes_groups"] first. Readers who
# need only X and obs: zarr.open_group(store, use_consolidated=False).
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
"$python" -m venv old && old/bin/pip install -q 'anndata==0.12.19' 'zarr==3.1.6'
"$python" -m venv new && new/bin/pip install -q 'anndata==0.13.4' 'zarr==3.4.2'

cat >write.py <<'P'
import anndata, numpy
anndata.settings.zarr_write_format = 3
data = anndata.AnnData(numpy.ones((3, 2), dtype="float32"))
data.uns["rank_genes_groups"] = {"names": numpy.array([("a", "b")], dtype=[("B", "U5"), ("T", "U5")])}
data.write_zarr("ranked.zarr")
del data.uns["rank_genes_groups"]
data.write_zarr("bare.zarr")
print("zarr 3.4.2 wrote ranked.zarr and, without the table, bare.zarr")
P
new/bin/python -W ignore write.py

cat >read.py <<'P'
import sys, anndata, zarr
if anndata.read_zarr("bare.zarr").X.sum() != 6:
    sys.exit("CHANGED: the store without a table is not read")
print("zarr 3.1.6 read bare.zarr")
try:
    zarr.open_group("ranked.zarr", mode="r")["X"]
except ValueError as e:
    print("zarr 3.1.6 did not open ranked.zarr:", str(e)[:60], "...")
else:
    sys.exit("CHANGED: the store with a table is opened")
if zarr.open_group("ranked.zarr", mode="r", use_consolidated=False)["X"][:].sum() != 6:
    sys.exit("CHANGED: X is not read without the consolidated metadata")
print("zarr 3.1.6 read X of it with use_consolidated=False")
P
old/bin/python -W ignore read.py
echo "as found"
