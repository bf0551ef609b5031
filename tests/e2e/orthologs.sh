# A real BioMart export: human cells and the same cells under mouse symbols. What becomes of each gene agrees with a count made from
# the table by pandas, the names stand in the result, and the mouse, never stimulated, is predicted as the human is.
. "$SCS_SRCDIR/tests/lib.sh"
need_data data/kang_ifnb.h5ad data/orthologs/human_mouse_biomart.csv
table=$SCS_SHARED/data/orthologs/human_mouse_biomart.csv
cd "$work" || exit 1
check() { "$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_orthologs.py" "$@" >py.log 2>&1; }
check make "$SCS_SHARED/data/kang_ifnb.h5ad" "$table"
check_ok "cells under mouse symbols" $? py.log
for by in symbol id; do
    cat >$by.yaml <<Y
data:
  inputs:
    - {path: human.h5ad, species: human}
    - {path: mouse_$by.h5ad, species: mouse, orthologs: $table}
  normalize: none
model: {kind: mean}
screen: {permutations: 0}
output: {dir: $by}
Y
    launch 2 run $by.yaml >$by.log 2>&1
    check_ok "run with genes by $by" $? $by.log
    check fates $by "$table"
    check_ok "genes by $by" $? py.log
    cat py.log
done
grep -q "one_to_many\|one-to-many" symbol.log
check_ok "the log counts them" $? symbol.log
finish
