# score: predicted cells by the real ones; every number against its definition in numpy, the same table on any number of ranks.
. "$SCS_SRCDIR/tests/lib.sh"
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/make_scores.py" "$work" >"$work/log" 2>&1
check_ok "making the files" $? "$work/log"
cd "$work" || exit 1

# score NAME ARGS...: of the pair NAME, on one rank without a launcher
score() {
    name=$1
    shift
    OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" "$scscreen" score "$name.predicted.h5ad" "$name.real.h5ad" --condition-column target \
        --output "$name.tsv" "$@" >log 2>&1
}
for name in plain tied few weak deep unnamed wide many; do
    score $name
    check_ok "score of $name" $? log
    "$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_scores.py" . $name $name.tsv >log 2>&1
    check_ok "numbers of $name" $? log
done

# The same table on any number of ranks and threads, also with more ranks than a gene's share or a perturbation each.
score plain --baseline mean --splits 2 --seed 5
check_ok "score with baseline and replicate" $? log
cp plain.tsv alone.tsv
for np in 2 3 7; do
    launch $np score plain.predicted.h5ad plain.real.h5ad --condition-column target --output plain.tsv --baseline mean --splits 2 --seed 5 >log 2>&1
    check_ok "score on $np ranks" $? log
    if cmp -s plain.tsv alone.tsv; then pass; else fail "another table on $np ranks"; fi
done
OMP_NUM_THREADS=3 "$scscreen" score plain.predicted.h5ad plain.real.h5ad --condition-column target --output plain.tsv --baseline mean --splits 2 \
    --seed 5 >log 2>&1
if cmp -s plain.tsv alone.tsv; then pass; else fail "another table on 3 threads"; fi

# column MEASURE COLUMN [FILE]: of all perturbations together
column() { awk -F'\t' -v m="$1" -v c="$2" '$2 == "*" && $3 == m {print $c}' "${3:-alone.tsv}"; }
# holds WHAT EXPRESSION
holds() {
    if awk "BEGIN {exit !($2)}"; then pass; else fail "$1: $2"; fi
}
# A repeat of the experiment is ahead of the baseline, and the scaled score lies between 0 and 1 where the value lies between the two.
for measure in pds_cosine sig_jaccard direction_fidelity des; do
    holds "replicate of $measure" "$(column $measure 6) > $(column $measure 5)"
    holds "scaled $measure" "$(column $measure 7) == ($(column $measure 4) - $(column $measure 5)) / ($(column $measure 6) - $(column $measure 5))"
done
# Controls in place of a prediction: no gene is significant, no fold change is predicted, every perturbation is as near.
score plain --baseline no_change
check_ok "score with no change" $? log
holds "genes of no change" "$(column deg_predicted 5 plain.tsv) == 0"
holds "fold changes of no change" "$(column lfc_nmae 5 plain.tsv) == 1"
holds "discrimination of no change" "$(column pds_cosine 5 plain.tsv) == 0.5"
# The real cells as their own prediction.
"$scscreen" score plain.real.h5ad plain.real.h5ad --condition-column target --output self.tsv >log 2>&1
check_ok "score of the real cells" $? log
for measure in pds_cosine sig_jaccard direction_fidelity direction_reach des pds_l1 delta_pearson r2_mean r2_variance; do
    holds "$measure of the real cells" "$(column $measure 4 self.tsv) > 1 - 1e-12"
done
holds "lfc_nmae of the real cells" "$(column lfc_nmae 4 self.tsv) == 0"

# Populations of cells: the controls are farther from the perturbed cells than a repeat is; without components they are not compared.
for measure in e_distance energy_distance mmd2; do
    holds "$measure of no change" "$(column $measure 5 plain.tsv) > $(column $measure 6)"
    holds "$measure of the real cells" "$(column $measure 4 self.tsv) < 0" # less their sampling noise
done
if grep -qF "in 50 principal components (" log && grep -qF "of 693 of the 693 real cells" log; then pass; else fail "the space is not described"; fi
score few --components 3
if grep -qF "in 3 principal components (" log; then pass; else fail "--components 3"; fi
score few --components 0
if [ "$(column e_distance 4 few.tsv)" = nan ] && ! grep -q "principal" log; then pass; else fail "--components 0"; fi

# Genes in another order, predictions without controls, types by themselves.
score few
"$scscreen" score turned_genes.h5ad few.real.h5ad --condition-column target --output turned.tsv >log 2>&1
check_ok "genes in another order" $? log
if cmp -s few.tsv turned.tsv; then pass; else fail "the order of genes changes the table"; fi
"$scscreen" score no_control.h5ad few.real.h5ad --condition-column target --output none.tsv >log 2>&1
check_ok "a prediction without controls" $? log
grep -vE '	(des|pds_l1)	' few.tsv >a && grep -vE '	(des|pds_l1)	' none.tsv >b # these two take the prediction's own controls
"$SCS_PYTHON" - <<'P' || fail "predicted controls change more than the scores that take them"
import pandas as pd
a, b = (pd.read_csv(f, sep="\t") for f in "ab")
used = a.measure != "mae"  # the median total is of all cells of the file
assert (a[used].value.fillna(-9) - b[used].value.fillna(-9)).abs().max() < 1e-12
P
"$scscreen" score unlabelled.h5ad few.real.h5ad --condition-column target --output unlabelled.tsv >log 2>&1
check_ok "cells without a label" $? log
if grep -q "unlabelled.h5ad: 7 of 69 cells have no label" log; then pass; else fail "cells without a label are not told of: $(head -3 log)"; fi
grep -vE '	mae	' few.tsv | grep -vE '	(des|pds_l1)	' >a && grep -vE '	(mae|des|pds_l1)	' unlabelled.tsv >b # the median total is of all cells
if cmp -s a b; then pass; else fail "cells without a label change the table"; fi
"$scscreen" score types.predicted.h5ad types.real.h5ad --condition-column target --cell-type-column type --output types.tsv >log 2>&1
check_ok "two cell types" $? log
cut -f2- few.tsv | tail -n +2 >alone
for type in B T; do
    awk -F'\t' -v t=$type '$1 == t' types.tsv | cut -f2- >of_type
    if cmp -s alone of_type; then pass; else fail "type $type has another score than its cells alone"; fi
done

"$scscreen" score spaced.h5ad spaced_real.h5ad --condition-column target >log 2>&1
check_ok "labels that look alike in both files" $? log
if grep -q "note: spaced.h5ad: column target: 'g109' .* and 'g109 ' .* differ only in case" log; then pass; else fail "labels that look alike are not told of"; show log; fi

# Refused with one line.
# refused WORDS CODE ARGS...
refused() {
    words=$1 code=$2
    shift 2
    launch 2 score "$@" --output refused.tsv >log 2>&1
    got=$?
    if [ $got = "$code" ] && [ "$(grep -c '^scscreen: error: ' log)" = 1 ] && grep '^scscreen: error: ' log | grep -qF -- "$words" && [ ! -f refused.tsv ]; then
        pass
    else
        fail "exit $got, expected $code and '$words'"
        show log
    fi
}
column="--condition-column target"
refused "do not have the same genes: 5 of 150 only in the latter" 65 fewer_genes.h5ad few.real.h5ad $column
refused "do not have the same perturbations: 1 of 5 only in the latter: g109" 65 fewer_perturbations.h5ad few.real.h5ad $column
refused "do not have the same cell types: 1 of 2 only in the latter: T" 65 one_type.h5ad types.real.h5ad $column --cell-type-column type
refused 'no controls: obs/target has no "control"' 65 few.predicted.h5ad real_without_control.h5ad $column
refused 'did you mean "g109"' 65 few.predicted.h5ad few.real.h5ad $column --control g109x
refused "logged.h5ad: X holds no counts" 65 logged.h5ad few.real.h5ad $column
refused "'g109 ' and 'g109' differ only in case or spaces" 65 spaced.h5ad few.real.h5ad $column
refused 'predicted controls, where there are any, are "control", too' 65 other_control.h5ad few.real.h5ad $column
refused "the controls have no counts" 65 few.predicted.h5ad empty_controls.h5ad $column
refused "no cell has a label in obs/target" 65 few.predicted.h5ad no_label.h5ad $column
refused "condition" 65 few.predicted.h5ad few.real.h5ad
refused "score needs PRED.h5ad REAL.h5ad" 64 few.predicted.h5ad
refused "two files at a time" 64 few.predicted.h5ad few.real.h5ad few.real.h5ad
refused "data.inputs" 64 few.predicted.h5ad few.real.h5ad --set "data.inputs=[few.real.h5ad]"
refused "score.splits" 64 few.predicted.h5ad few.real.h5ad $column --split 3
refused "none.h5ad" 65 none.h5ad few.real.h5ad $column
"$scscreen" score few.predicted.h5ad few.real.h5ad $column --output no/such/folder/x.tsv >log 2>&1
if [ $? = 73 ]; then pass; else fail "a folder that is not there"; fi
finish
