#!/bin/sh
# A logical column that R wrote selects the wrong cells in anndata: adata[adata.obs["kept"]] takes cells 0 and 1, over and over.
#
# Seen: anndata 0.13.4 and 0.12.19, h5py 3.16.0, Python 3.12 or newer; the type is that of R's hdf5r 1.3.8.
# Expected before looking: the column is read as booleans, with NA as missing, or is refused.
# Found: hdf5r stores a logical vector, with or without NA, as an HDF5 enumeration of three members, FALSE 0, TRUE 1, NA 2. h5py takes an
# enumeration for booleans only when FALSE and TRUE are all it has, so that anndata.read_h5ad gives uint8: 0, 1 and 2 (NA). Used as a mask,
# adata[adata.obs["kept"]] is then a list of positions: cells a, b, b, a where b and c are meant, without a warning.
#
# Why it matters: .h5ad and .h5mu files that R wrote through hdf5r (MuDataSeurat, and others) carry their quality flags (doublet, passes,
# highly_variable) so. Readers should ask for the members' names, or cast: adata.obs["kept"] == 1. Writers in R should make an enumeration
# of FALSE and TRUE alone, and a nullable-boolean where there is NA.
#
# Needs python3 and PyPI; makes two environments in a temporary folder. The column is written by h5py, with hdf5r's type.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as anndata 0.13 does; name one in PYTHON"; exit 1; }

cat >logical.py <<'P'
import sys, anndata, h5py, numpy, pandas
data = anndata.AnnData(numpy.arange(8, dtype="float32").reshape(4, 2), obs=pandas.DataFrame(index=list("abcd")))
data.write_h5ad("logical.h5ad")
logical = h5py.enum_dtype({"FALSE": 0, "TRUE": 1, "NA": 2}, basetype="u1")
with h5py.File("logical.h5ad", "r+") as file:
    column = file["obs"].create_dataset("kept", data=numpy.array([0, 1, 1, 0], "u1").view(logical))
    column.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    file["obs"].attrs["column-order"] = numpy.array(["kept"], dtype=object)
read = anndata.read_h5ad("logical.h5ad")
chosen = list(read[read.obs["kept"]].obs_names)
print(sys.argv[1], "read FALSE TRUE TRUE FALSE as", read.obs["kept"].dtype, "and chose", chosen, "where b and c are meant")
if read.obs["kept"].dtype != numpy.uint8 or chosen != ["a", "b", "b", "a"]:
    sys.exit("CHANGED")
P
for version in 0.12.19 0.13.4; do
    "$python" -m venv "$version" && "$version/bin/pip" install -q "anndata==$version" 'h5py==3.16.0'
    "$version/bin/python" -W ignore logical.py "anndata $version"
done
echo "as found"
