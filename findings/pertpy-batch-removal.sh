#!/bin/sh
# pertpy 1.3's Scgen.batch_removal removes no batch, and its obsm["latent"] holds other cells' points; 1.4.0 does what it says.
#
# Seen: pertpy 1.3.0 beside 1.4.0 (jax 0.12.0.1, flax 0.12.12, anndata 0.13.4, numpy 2.5.5), Python 3.13. By their source 1.1.0, 1.1.1 and
# 1.2.0 are as 1.3.0: the line that wrote the moved points back went with the warnings that it gave (pull request 982).
# Expected before looking: as scGen's function of that name, each batch of a cell type is moved onto the mean of the type's largest batch
# in latent space and decoded: afterwards batches of a type have the same mean.
# Found, for two types in two batches that differ by 3 in a third of the genes:
# - 1.3.0: the batches differ by 3.0 after batch_removal as they did before: what comes back is each cell decoded, not moved.
# - 1.3.0: obsm["latent"] stays in the order of types and batches, under the names of the data's order: 118 of 120 rows are another cell's.
# - 1.4.0: the batches differ by 0.0, and the rows of obsm["latent"] are in the order of the cells.
# No error and no warning in either.
#
# Why it matters: decoded cells look smooth and well clustered, as corrected ones do, and the names and shapes are right. Cells "corrected"
# with these versions still hold their batches, and clusters or neighbours from obsm["latent"] belong to other cells. Who has such data
# should make them again with 1.4.0, and whoever uses any such function should look at one number afterwards: the distance between the
# batches' means within a type.
#
# Needs Python 3.12 or newer and PyPI; makes one environment in a temporary folder (1.6 GB), some 55 s of processor time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.14 python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as pertpy does; name one in PYTHON"; exit 1; }
"$python" -m venv env
pip="env/bin/pip install -q --disable-pip-version-check --no-compile"
$pip 'pertpy[scgen]==1.3.0' jax==0.12.0.1 jaxlib==0.12.0.1 flax==0.12.12 numpyro==0.22.0 optax==0.2.8 anndata==0.13.4 h5py==3.16.0 \
    numpy==2.5.5 scipy==1.18.1 pandas==3.1.1 scanpy==1.12.4 fast-array-utils==1.5.1
$pip --no-deps --target newer pertpy==1.4.0

cat >remove.py <<'P'
import sys
import warnings

import anndata
import numpy
import pandas
from pertpy.tools import Scgen

told = []
warnings.showwarning = lambda message, *more, **named: told.append(str(message))
random = numpy.random.default_rng(1)
cells = numpy.arange(120)
kind, second = cells % 2, cells // 2 % 3 == 2
expected = numpy.where(kind[:, None] == 0, numpy.arange(30) % 5, numpy.arange(30) % 7) + 3.0 * second[:, None] * (numpy.arange(30) % 3 == 0)
obs = pandas.DataFrame({"type": numpy.where(kind, "B", "A"), "batch": numpy.where(second, "2", "1")}, index=[f"cell {i}" for i in cells])
data = anndata.AnnData(random.normal(expected, 0.3).astype("float32"), obs=obs)


def gap(values):
    """The largest difference of the two batches' means within a type."""
    mean = lambda k, b: values[(kind == k) & (second == b)].mean(0)
    return max(numpy.abs(mean(k, True) - mean(k, False)).max() for k in (0, 1))


Scgen.setup_anndata(data, batch_key="batch", labels_key="type")
model = Scgen(data, n_hidden=32, n_latent=5)
model.train(max_epochs=60, batch_size=16)
before = model.get_latent_representation(data)
after = model.batch_removal()
if list(after.obs_names) != list(data.obs_names):
    sys.exit("CHANGED: the cells come back in another order")
latent = numpy.asarray(after.obsm["latent"])
others = ((numpy.abs(latent[:, None] - before).max(2) < 1e-4).any(1) & (numpy.abs(latent - before).max(1) > 1e-4)).sum()
removed = gap(after.X) < 0.1
print(f"the batches of a type differ by {gap(data.X):.1f}, after batch_removal by {gap(after.X):.1f};"
      f" {others} rows of obsm['latent'] are another cell's point before; warnings about it: {sum('batch' in t.lower() for t in told)}")
if removed != (sys.argv[1] == "1.4.0") or (others > 60) != (sys.argv[1] == "1.3.0") or not removed and gap(after.X) < 2.5:
    sys.exit(f"CHANGED: not as {sys.argv[1]} was")
P
for version in 1.3.0 1.4.0; do
    if [ $version = 1.4.0 ]; then export PYTHONPATH="$folder/newer"; fi
    echo "pertpy $(env/bin/python -c 'import importlib.metadata as m; print(m.version("pertpy"))'):"
    env/bin/python remove.py $version 2>log.txt || { cat log.txt; exit 1; }
done
echo "as found"
