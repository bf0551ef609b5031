# data.normalize and the values: judged by size and wholeness for each input, said in one line, refused where they contradict.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/make_values.py" "$work" >py.log 2>&1
check_ok "making the files" $? py.log
cat >v.yaml <<Y
data: {inputs: [counts.h5ad]}
model: {kind: mean}
train: {shards: 4}
output: {dir: out}
Y

# judged NAME WORDS...: `auto` reads it and its line has the words
judged() {
    name=$1
    shift
    "$scscreen" check v.yaml --set "data.inputs=[$name.h5ad]" >log 2>&1
    check_ok "$name under auto" $? log
    grep '^  values  ' log >line
    for words in "$@"; do
        if grep -qF -- "$words" line; then pass; else fail "$name: '$words' is not in: $(cat line)"; fi
    done
}
# refused NAMES WORDS [--set ...]: on one rank each, without a launcher
refused() {
    names=$1 words=$2
    shift 2
    for name in $names; do
        "$scscreen" check v.yaml --set "data.inputs=[$name]" "$@" >log 2>&1
        got=$?
        if [ $got = 65 ] && grep '^scscreen: error: ' log | grep -qF -- "$words"; then pass; else fail "$name: exit $got, '$words'"; show log; fi
    done
}
counted="each cell is scaled to 10000, then log1p (data.normalize: auto)"
kept="taken as they are (data.normalize: auto)"
for each in counts counts_double counts_integer counts_dense counts_csc; do judged $each "raw counts: largest" "100 % whole" "$counted"; done
judged accessible "values of 0 and 1 alone: largest 1," "$counted"
if grep -q "note: accessible.h5ad: X holds 0 and 1 alone, as binarised counts do" log; then pass; else fail "0 and 1 alone are not noted"; show log; fi
judged few_counts "raw counts: largest 1," "$counted"
judged cut "logged already" "$kept"
if grep -q "note: cut.h5ad: [0-9]* values of X are 6, its largest: they were cut off there" log; then pass; else fail "a cut is not noted"; show log; fi
judged cpm "not logged" "cells sum to 1e+06" "$counted"
judged tens "not logged" "cells sum to 10000;" "$counted"
judged shares "not logged" "cells sum to 1;" "$counted"
judged corrected "not logged" "$counted"
judged counts_back "not logged" "$counted"
judged log "logged already" "cells sum to 10000 before the logarithm;" "$kept"
judged log_million "cells sum to 1e+06 before the logarithm;" "$kept"
judged log_median "logged already" "$kept"
judged log_chosen "logged already" " to " "$kept"
judged log_counts "logged already" "$kept"
judged log2_counts "logged already" "$kept"
judged log2_million "before the logarithm to base 2;" "$kept"
sums=$("$SCS_PYTHON" -c 'import anndata; x = anndata.read_h5ad("counts.h5ad").X.sum(1); print("%.5g to %.5g" % (x.min(), x.max()))')
judged counts "cells sum to $sums;"

for name in counts log; do
    for np in 2 3; do
        launch $np check v.yaml --set "data.inputs=[$name.h5ad]" >log 2>&1
        "$scscreen" check v.yaml --set "data.inputs=[$name.h5ad]" 2>&1 | grep '^  values  ' >line
        if [ -s line ] && grep -qFx -f line log; then pass; else fail "$name: other values at np $np"; show log; fi
    done
done

# no setting makes these right
refused log_twice.h5ad "logged twice"
refused pseudocount.h5ad "1 was added"
refused "corrected_small.h5ad counts_back_small.h5ad" "may be logged or not"
refused scaled.h5ad "scaled data cannot be used"
refused "scaled_gene.h5ad scaled_cut.h5ad scaled_half.h5ad scaled_zero.h5ad" "values that were scaled gene by gene: largest"
refused "roots.h5ad roots_scaled.h5ad roots_small.h5ad" "square roots of counts"
refused roots_scaled.h5ad "cells sum to 10000 once squared; take that back"
for set in auto none log1p; do refused "part_logged.h5ad part_counts.h5ad" "counts of some cells and logged values of others" --set data.normalize=$set; done
refused zero.h5ad "set data.matrix to what has values: raw, layers/counts"
refused zero_dense.h5ad "set data.matrix to what has values: layers/counts"
refused nothing.h5ad "nor was another matrix found"
# an explicit setting that contradicts the values; the evidence is there
unlogged="counts.h5ad counts_double.h5ad counts_dense.h5ad accessible.h5ad cpm.h5ad tens.h5ad shares.h5ad corrected.h5ad"
refused "$unlogged" "yet data.normalize is none: set it to log1p or auto" --set data.normalize=none
logged="log.h5ad log_million.h5ad log_median.h5ad log_chosen.h5ad log_counts.h5ad log2_million.h5ad"
refused "$logged" "yet data.normalize is log1p: set it to none or auto" --set data.normalize=log1p
refused counts.h5ad "100 % whole numbers, cells sum to $sums" --set data.normalize=none
# inputs that differ, whatever is set
for set in auto none; do refused "log.h5ad,counts.h5ad" "counts.h5ad" --set data.normalize=$set; done
refused "log.h5ad,counts.h5ad" "log.h5ad" --set data.normalize=log1p
refused "log.h5ad,log_million.h5ad" "log_million.h5ad holds"
refused "log_million.h5ad,log2_million.h5ad" "log2_million.h5ad holds"
refused "counts.h5ad,cpm.h5ad" "cpm.h5ad holds"
refused "counts.h5ad,accessible.h5ad" "accessible.h5ad holds values of 0 and 1 alone"
for verb in train validate; do expect "$verb" 65 "yet data.normalize is none" 2 $verb v.yaml --set data.normalize=none --set model.kind=vae; done
expect "screen" 65 "yet data.normalize is none" 3 screen v.yaml --set data.normalize=none
expect "pca" 65 "yet data.normalize is none" 2 pca v.yaml --set data.normalize=none --set model.latent=4

# trusted, or unclear and set: taken as said, and that is said
taken() {
    "$scscreen" check v.yaml "$@" >log 2>&1
    check_ok "taken: $*" $? log
}
taken --set 'data.inputs=[log.h5ad, counts.h5ad]' --set data.normalize=none --set data.trust_values=true
if grep -q '^  values .*taken as they are (data.normalize: none, data.trust_values)' log; then pass; else fail "trust is not said"; fi
taken --set 'data.inputs=[corrected_small.h5ad]' --set data.normalize=log1p
taken --set 'data.inputs=[corrected_small.h5ad]' --set data.normalize=none
taken --set 'data.inputs=[pseudocount.h5ad]' --set data.normalize=log1p --set data.trust_values=true
taken --set 'data.inputs=[log.h5ad, log_chosen.h5ad]'
for each in roots part_logged scaled_gene; do taken --set "data.inputs=[$each.h5ad]" --set data.normalize=none --set data.trust_values=true; done
refused "log.h5ad,counts.h5ad" "counts.h5ad" --set data.trust_values=true
refused zero.h5ad "no value above 0" --set data.normalize=none --set data.trust_values=true

# auto gives what the right setting gives, and the result says what was found and done
for set in auto log1p; do launch 1 run v.yaml --set data.normalize=$set --set output.dir=$set >log 2>&1; check_ok "run $set" $? log; done
for set in auto none; do launch 1 run v.yaml --set 'data.inputs=[log.h5ad]' --set data.normalize=$set --set output.dir=log_$set >log 2>&1; check_ok "run log $set" $? log; done
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, numpy as np
read = lambda d: anndata.read_h5ad(d + "/screen.h5ad")
for a, b, word in (("auto", "log1p", "raw counts"), ("log_auto", "log_none", "logged already")):
    x, y = read(a), read(b)
    assert np.array_equal(x.X, y.X) and np.array_equal(x.layers["control"], y.layers["control"])
    assert x.uns["scscreen"]["config"] == y.uns["scscreen"]["config"]  # what auto was found to be
    assert word in x.uns["scscreen"]["values"] and "data.normalize: auto" in x.uns["scscreen"]["values"], x.uns["scscreen"]["values"]
assert "normalize: log1p" in read("auto").uns["scscreen"]["config"] and "normalize: none" in read("log_auto").uns["scscreen"]["config"]
P
check_ok "auto is the right setting" $? py.log

# a stopped training goes on under auto
launch 2 train v.yaml --set model.kind=vae --set model.hidden=8 --set model.latent=3 --set train.epochs=6 --set train.checkpoint_steps=2 --max-hours 1e-9 >log 2>&1
[ $? = 75 ] && pass || { fail "the training does not stop"; show log; }
launch 2 train v.yaml --set model.kind=vae --set model.hidden=8 --set model.latent=3 --set train.epochs=6 >log 2>&1
check_ok "and goes on" $? log

# a file alone
"$scscreen" check zero.h5ad >log 2>&1
check_ok "check of a file without values" $? log
if grep -q 'none above 0; these hold some: raw, layers/counts' log; then pass; else fail "which matrices have values"; show log; fi
for name in cpm corrected shares counts; do
    "$scscreen" check $name.h5ad >log 2>&1
    if grep -q 'data.normalize: auto or log1p' log; then pass; else fail "check $name.h5ad"; show log; fi
done
"$scscreen" check log.h5ad >log 2>&1
if grep -q 'data.normalize: auto or none' log; then pass; else fail "check log.h5ad"; show log; fi
finish
