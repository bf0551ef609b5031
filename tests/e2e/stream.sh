# train.data: stream: cells stay on disk. The same bytes on any number of ranks, those of cells in memory where all are one
# window, and the same refusals.
. "$SCS_SRCDIR/tests/lib.sh"
small_atlas
cd "$work" || exit 1
cat >arrays.py <<'P'
import sys
import h5py

def arrays(path):
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, x: found.__setitem__(name, x[()]) if isinstance(x, h5py.Dataset) else None)
    return {k: v for k, v in found.items() if k not in ("config", "inputs") and not k.startswith("uns")}

for a, b in zip(sys.argv[1::2], sys.argv[2::2]):
    x, y = arrays(a), arrays(b)
    assert x.keys() == y.keys() and len(x) > 20
    for k in x:
        same = x[k].tobytes() == y[k].tobytes() if hasattr(x[k], "tobytes") and x[k].dtype != object else (x[k] == y[k])
        assert same if isinstance(same, bool) else same.all(), (a, b, k)
P
same_arrays() { # WHAT A B [A B]
    what=$1
    shift
    "$SCS_PYTHON" arrays.py "$@" >log 2>&1
    check_ok "$what" $? log
}
# go NP FOLDER ARGS...: a run that ends well. streamed: the same from disk, in windows of 130 of the 360 cells.
go() {
    np=$1 folder=$2
    shift 2
    launch "$np" run run.yaml --set output.dir="$folder" "$@" >log 2>&1
    check_ok "run in $folder" $? log
}
streamed() { go "$@" --set train.data=stream --set train.window=130; }
same_files() { # A B
    if cmp -s "$1/model.h5" "$2/model.h5" && cmp -s "$1/screen.h5ad" "$2/screen.h5ad"; then pass; else fail "$1 and $2 hold other bytes"; fi
}

go 2 memory
go 2 whole --set train.data=stream
same_arrays "one window is memory" memory/model.h5 whole/model.h5 memory/screen.h5ad whole/screen.h5ad
for np in 1 2 3; do
    streamed $np "s$np"
    grep -qF 'streamed in' log && fail "run says what check does"
    same_files s1 "s$np"
done
if cmp -s memory/model.h5 s1/model.h5; then fail "three windows train in the order of one"; else pass; fi
go 1 mean --set model.kind=mean --set screen.permutations=20
streamed 3 smean --set model.kind=mean --set screen.permutations=20
same_arrays "means need no order" mean/screen.h5ad smean/screen.h5ad

# Stopped in every step, within windows and at their ends, and told to go on on other numbers of ranks.
for np in 2 1 3 2; do
    launch $np run run.yaml --set output.dir=stops --set train.data=stream --set train.window=130 --max-hours 1e-9 >log 2>&1
    [ $? = 75 ] && pass || { fail "no stop at np $np"; show log; }
done
streamed 2 stops
grep -qF "4 steps are done" log && pass || { fail "stops: goes on from elsewhere"; show log; }
same_files s1 stops
launch 2 run run.yaml --set output.dir=other --set train.data=stream --max-hours 1e-9 >log 2>&1
expect "another window" 64 "train.window (65536, now 130)" 1 run run.yaml --set output.dir=other --set train.data=stream --set train.window=130
expect "from memory" 64 "train.data" 1 run run.yaml --set output.dir=other

# A model that was trained from either is asked by either.
for data in stream memory; do
    launch 2 screen run.yaml --set output.dir=s1 --set train.data=$data --set train.window=130 >log 2>&1
    check_ok "screen with data: $data" $? log
    launch 2 embed run.yaml --set output.dir=s1 --set train.data=$data --set train.window=130 >log 2>&1
    check_ok "embed with data: $data" $? log
    cp s1/latent.h5ad latent_$data.h5ad
done
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata
import numpy as np
a, b = (anndata.read_h5ad(f"latent_{d}.h5ad") for d in ("stream", "memory"))
assert (a.obs_names == b.obs_names).all() and np.abs(a.obsm["X_scgen"] - b.obsm["X_scgen"]).max() < 1e-4
P
check_ok "latent coordinates" $? log

# What cannot be streamed says what to do.
refuse() { expect "$1" 64 "$2" 2 run run.yaml --set output.dir=refused --set train.data=stream --set "$3"; }
refuse "components" "model.kind: pca needs all cells in memory; set train.data: memory" model.kind=pca
refuse "variable genes" "data.n_top_genes looks at all cells" data.n_top_genes=50
refuse "a median" "data.target_sum: median looks at all cells" data.target_sum=median
refuse "tests of predicted cells" "predicted cells are made from counts in memory" screen.de=true
expect "validate" 64 "validate needs the cells in memory: --set train.data=memory" 2 validate run.yaml --set train.data=stream

# More cells than are looked at before the first step, other forms of files, and what is wrong within them.
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse
rng = np.random.default_rng(1)
n, genes = 40000, 24
kind, condition = rng.integers(0, 3, n), rng.integers(0, 3, n)
x = rng.poisson(0.3 + (np.arange(genes) + kind[:, None]) % 5 + condition[:, None] * (np.arange(genes) % 7 == 0)).astype("f4")
x[:, 0] = 2
obs = pd.DataFrame({"cell_type": pd.Categorical([f"t{k}" for k in kind]), "keep": np.arange(n) % 8 != 0,
                    "condition": pd.Categorical(np.array(["control", "a", "b"])[condition])}, index=[f"c{i}" for i in range(n)])
var = pd.DataFrame(index=[f"g{j}" for j in range(genes)])

def write(name, rows, form=scipy.sparse.csr_matrix, change=None, **options):
    m = x[rows].copy()
    if change:
        m[change[0], change[1]] = change[2]
    anndata.AnnData(form(m), obs[rows].copy(), var).write_h5ad(f"{name}.h5ad", **options)

half, rest = slice(0, 22000), slice(22000, n)
write("one", half)
write("two", rest)
write("two_gzip", rest, compression="gzip")
write("two_dense", rest, np.asarray)
write("two_csc", rest, scipy.sparse.csc_matrix)
write("two_bad", rest, change=(9000, 5, -1))
write("two_logged", rest)
with h5py.File("two_logged.h5ad", "r+") as f:
    f["X/data"][...] = np.log1p(f["X/data"][...])
write("two_unlike", rest) # counts where it is looked at, a value that no count is between
with h5py.File("two_unlike.h5ad", "r+") as f:
    at = f["X/indptr"][(18000 // 64 * 3 // 256) * 64 + 70]
    f["X/data"][at] = 1.5
P
check_ok "files" $? log
cat >large.yaml <<'Y'
data: {inputs: [one.h5ad, two.h5ad]}
hold_out: [{cell_type: t1, condition: a}]
model: {hidden: 8, latent: 2}
train: {epochs: 2, batch: 2048, shards: 4, data: stream, window: 7000, validation: 0.02}
screen: {permutations: 0, shift: nearest}
Y
large() { # NP FOLDER ARGS...
    np=$1 folder=$2
    shift 2
    launch "$np" run large.yaml --set output.dir="$folder" "$@" >log 2>&1
    check_ok "large run in $folder" $? log
}
large 1 l1
large 3 l3
same_files l1 l3
for form in gzip dense; do
    large 2 "l$form" --set "data.inputs=[one.h5ad, two_$form.h5ad]"
    same_arrays "the same cells as $form" l1/model.h5 "l$form/model.h5" l1/screen.h5ad "l$form/screen.h5ad"
done
large 2 lmem --set train.data=memory --set model.kind=mean --set "data.filter=[{column: keep, in: [\"True\"]}]"
large 2 lfilter --set model.kind=mean --set "data.filter=[{column: keep, in: [\"True\"]}]"
same_arrays "filtered means" lmem/screen.h5ad lfilter/screen.h5ad
launch 2 check large.yaml --set check.trial=false >log 2>&1
check_ok "check" $? log
grep -qF "values read and sound; streamed in 6 windows of about 6667 cells" log && pass || { fail "check of a stream"; show log; }

bad() { # WHAT CODE WORDS FILE: the same line whether cells are in memory or streamed, and no model is written
    for data in memory stream; do
        for np in 1 3; do
            expect "$1, $data" "$2" "$3" $np run large.yaml --set output.dir=bad --set train.data=$data --set "data.inputs=[one.h5ad, $4]"
            grep '^scscreen: error: ' expect.log >"bad.$data.$np"
            [ ! -e bad/model.h5 ] && pass || fail "$1: a model was written"
        done
    done
    cmp -s bad.memory.1 bad.stream.1 && cmp -s bad.memory.1 bad.stream.3 && pass || { fail "$1: other words"; cat bad.*; }
    rm -rf bad
}
bad "a negative value" 65 "two_bad.h5ad: X: cell row 9000, gene g5 holds -1" two_bad.h5ad
expect "logged values beside counts" 65 "two_logged.h5ad" 2 run large.yaml --set output.dir=bad --set "data.inputs=[one.h5ad, two_logged.h5ad]"
expect "columns" 64 "two_csc.h5ad does not allow: X stands there gene by gene; store it by cells (CSR), or set train.data: memory" 2 run large.yaml --set "data.inputs=[one.h5ad, two_csc.h5ad]"
expect "no room" 64 "data.memory_per_rank: two windows of 40000 cells take about" 2 run large.yaml --set train.window=65536 --set data.memory_per_rank=1
grep -qF "for which 2 x 1 MiB have no room; set train.window to at most" expect.log && pass || { fail "no room: no advice"; cat expect.log; }

# A stop before all has been read and hashed; inputs that were written to since are not gone on with.
launch 2 run large.yaml --set output.dir=early --max-hours 1e-9 >log 2>&1
[ $? = 75 ] && pass || { fail "no early stop"; show log; }
cp -p two.h5ad kept.h5ad
touch two.h5ad
expect "a file written to after the stop" 65 "saw other data" 2 run large.yaml --set output.dir=early
mv kept.h5ad two.h5ad
large 3 early
grep -qF "1 steps are done" log && pass || { fail "early: begins anew"; show log; }
same_files l1 early
finish
