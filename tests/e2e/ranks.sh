# The same bytes on any number of ranks: model and result at np 1, 2, 3 and 4 with 4 shards have one sha256.
. "$SCS_SRCDIR/tests/lib.sh"
small_atlas
for np in 1 2 3 4; do
    mkdir "$work/$np"
    (cd "$work/$np" && launch "$np" run ../run.yaml >log 2>&1)
    check_ok "run at np $np" $? "$work/$np/log"
    (cd "$work/$np/results" && sha256sum model.h5 screen.h5ad) >"$work/$np.sha" 2>&1
    if cmp -s "$work/1.sha" "$work/$np.sha"; then pass; else fail "np $np: other bytes than np 1"; cat "$work/1.sha" "$work/$np.sha"; fi
done
# Threads do not matter either.
mkdir "$work/threads"
(cd "$work/threads" && OMP_NUM_THREADS=3 launch 1 run ../run.yaml >log 2>&1)
(cd "$work/threads/results" && sha256sum model.h5 screen.h5ad) >"$work/threads.sha" 2>&1
if cmp -s "$work/1.sha" "$work/threads.sha"; then pass; else fail "3 threads: other bytes than 1"; fi
# train and screen as two jobs give what run gives.
mkdir "$work/two"
(cd "$work/two" && launch 2 train ../run.yaml >log 2>&1 && launch 3 screen ../run.yaml >>log 2>&1)
check_ok "train, then screen" $? "$work/two/log"
if cmp -s "$work/1/results/model.h5" "$work/two/results/model.h5"; then pass; else fail "train gives another model than run"; fi
"$SCS_PYTHON" - "$work/1/results/screen.h5ad" "$work/two/results/screen.h5ad" <<'P'
import sys, anndata, numpy as np
a, b = map(anndata.read_h5ad, sys.argv[1:])
assert a.obs.equals(b.obs) and np.array_equal(a.X, b.X), "screen after train differs from run"
P
if [ $? = 0 ]; then pass; else fail "screen after train differs from run"; fi
finish
