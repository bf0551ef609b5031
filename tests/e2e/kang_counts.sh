# The files that configs/kang.yaml and configs/kang_counts.yaml tell how to get: counts of the same study, under pertpy's labels, run
# as they are; and what the Python lines in the head of kang.yaml make of them runs with kang.yaml. Some epochs of 30.
. "$SCS_SRCDIR/tests/lib.sh"
need_data data/kang_counts.h5ad data/kang_valid_legacy.h5ad
cd "$work" || exit 1
check() { "$SCS_PYTHON" -B "$SCS_SRCDIR/tests/e2e/check_kang_counts.py" "$@" >py.log 2>&1; }
mkdir data
check make "$SCS_SHARED/data/kang_counts.h5ad" data/kang_2018.h5ad
check_ok "counts under pertpy's labels" $? py.log
check recipe "$SCS_SRCDIR/configs/kang.yaml"
check_ok "the lines in the head of kang.yaml" $? py.log

# run_as CONFIG: a copy of the config beside data/, as in the project's folder.
run_as() {
    mkdir -p configs && cp "$SCS_SRCDIR/configs/$1.yaml" configs
    launch 2 run "configs/$1.yaml" --set train.epochs=8 --set screen.permutations=0 >log 2>&1
    check_ok "run configs/$1.yaml" $? log
    check score "results/$1/screen.h5ad"
    check_ok "$1: held-out cells are predicted better than by no change" $? py.log
    cat py.log
}
run_as kang_counts
run_as kang
# Cells of scGen's own tutorial, as its authors stored them.
launch 2 check configs/kang.yaml --set "data.inputs=[$SCS_SHARED/data/kang_valid_legacy.h5ad]" >log 2>&1
check_ok "kang.yaml with a file of scGen's authors" $? log
# Without the file one line names it.
rm data/kang.h5ad
expect "no file" 65 "configs/../data/kang.h5ad: cannot be read" 2 run configs/kang.yaml
finish
