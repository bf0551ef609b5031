# Real cells, 2 ranks: held-out stimulated CD4T reaches the published range, and anndata and scanpy open the result.
. "$SCS_SRCDIR/tests/lib.sh"
need_data data/kang_ifnb.h5ad
cd "$work" || exit 1
SCS_TIMEOUT=1200 launch 2 run "$SCS_SRCDIR/configs/kang.yaml" \
    --set "data.inputs=[{path: $SCS_SHARED/data/kang_ifnb.h5ad}]" --set output.dir=kang >log 2>&1
check_ok "run configs/kang.yaml on 2 ranks" $? log
grep -A8 Held-out log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_kang.py" kang/screen.h5ad kang/events.jsonl "$SCS_SHARED/data/kang_ifnb.h5ad" >py.log 2>&1
check_ok "scores and contents" $? py.log
cat py.log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/formats/check_result.py" kang/screen.h5ad >py.log 2>&1
check_ok "every column, layer and unstructured entry" $? py.log
"$scscreen" inspect kang/model.h5 >inspect.log 2>&1 && grep -q 6671 inspect.log
check_ok "inspect model.h5" $? inspect.log
"$scscreen" inspect kang/screen.h5ad >inspect.log 2>&1 && grep -q combinations inspect.log
check_ok "inspect screen.h5ad" $? inspect.log
finish
