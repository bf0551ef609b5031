# Doses and pairs of a simulated atlas with known truth: unseen and held-out doses, sums of two perturbations, bad doses.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
simulate="simulate --genes 300 --cell_types 3 --perturbations 2 --pairs 1 --species 1 --counts 6000"
"$scscreen" $simulate --cells 60 --dir "$work/data" --set 'simulate.doses=[1, 3, 10, 30]' >log 2>&1
check_ok simulate $? log
"$scscreen" $simulate --cells 1 --dir "$work/more" --set 'simulate.doses=[1, 3, 5, 10, 30]' >log 2>&1
check_ok "the truth at dose 5 too" $? log
cat >run.yaml <<Y
data:
  inputs: [data/species_a.h5ad]
  species: species
  dose: dose
  normalize: log1p
hold_out:
  - {cell_type: type_1, condition: drug_1, dose: 3}      # nobody shows drug_1 at 3: from 1 and 10
  - {cell_type: type_2, condition: drug_1, dose: 3.0}
  - {cell_type: type_3, condition: drug_1, dose: "3"}
  - {cell_type: type_3, condition: drug_2}               # all of its doses: from the other types
model: {hidden: 64, latent: 16}
train: {epochs: 15, shards: 2}
screen: {distance: latent, order: 2, doses: [observed, 5, 50], permutations: 99, bootstrap: 10, shift: nearest,
  decode: blend, blend: 0.5}
Y
for np in 1 2; do
    launch $np run run.yaml --rank-by p_value --set output.dir=np$np >log 2>&1
    check_ok "run on $np" $? log
done
if cmp -s np1/screen.h5ad np2/screen.h5ad && cmp -s np1/model.h5 np2/model.h5; then pass; else fail "np 2 gives other bytes than np 1"; fi
launch 1 screen run.yaml --set "model.load=$work/np1/model.h5" --set output.dir=again >log 2>&1
check_ok "screen of the stored model" $? log
launch 2 screen run.yaml --set model.kind=pca --set screen.decode=edit --set output.dir=pca >log 2>&1
check_ok "screen by principal components" $? log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_dose.py" >py.log 2>&1
check_ok "rows, shifts and truth" $? py.log
cat py.log

# wanted rows: one dose, every dose of screen.doses, a pair in either order
printf 'cell_type,perturbation,dose\ntype_1,drug_1,7.5\ntype_2,drug_2+drug_1,3\ntype_3,drug_2,\n' >wanted.csv
launch 2 screen run.yaml --set model.kind=mean --set "screen.combinations=$work/wanted.csv" --set screen.doses=30 \
    --set screen.shift=limited --set output.dir=wanted >log 2>&1
check_ok "wanted rows" $? log
if grep -q "shift limited is mixed here: there are no limits with doses" log; then pass; else fail "limits with doses"; fi
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata
names = list(anndata.read_h5ad("wanted/screen.h5ad").obs_names)
assert names == ["species_a|type_1|drug_1|7.5", "species_a|type_2|drug_1+drug_2|3", "species_a|type_3|drug_2|30"], names
P
check_ok "their names" $? py.log
[ "$failed" = 0 ] || cat py.log
launch 2 validate run.yaml --set model.kind=mean --set 'validate.perturbations=["drug_1", "*+*"]' --set 'validate.cell_types=[type_1]' \
    --set output.dir=grid >log 2>&1
check_ok validate $? log
cut -f3 grid/validation.tsv | sort -u | tr '\n' ' ' >seen
[ "$(cat seen)" = "drug_1+drug_2@1 drug_1+drug_2@10 drug_1+drug_2@3 drug_1+drug_2@30 drug_1@1 drug_1@10 drug_1@3 drug_1@30 perturbation " ]
check_ok "validate holds out doses and pairs: $(cat seen)" $? log

# refusals name the file, the column and the row, or the key
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/make_doses.py" data/species_a.h5ad >log 2>&1
check_ok "files with other doses" $? log
for np in 1 2; do
    bad() { expect "$1" "$2" "$3" $np check run.yaml --set "data.inputs=[$work/$4.h5ad]" --set hold_out=[]; }
    bad "negative dose" 65 "negative.h5ad: obs column dose, cell row 200 ('drug_1'): the dose is negative" negative
    bad "no dose" 65 "missing.h5ad: obs column dose, cell row 299 ('drug_1'): the dose is missing" missing
    bad "infinite dose" 65 "infinite.h5ad: obs column dose, cell row 61 ('drug_1'): the dose is infinite" infinite
    bad "dose in words" 65 "words.h5ad: obs column dose, cell row 5: 'high' is no dose" words
    bad "dosed control" 65 "dosed_control.h5ad: obs column dose, cell row 7 ('control'): the dose is above 0, yet the cell is a control" dosed_control
    bad "perturbed at 0" 65 "zero.h5ad: obs column dose, cell row 90 ('drug_1'): the dose is 0, yet the cell is no control" zero
    bad "a measurement" 65 "different doses, at most 1000" measured
    expect "no such column" 65 "obs has no column dosis (did you mean dose?)" $np check run.yaml --set data.dose=dosis
    expect "unseen dose held out" 65 "no cell shows drug_1 at dose 4; there are 1, 3, 10, 30" $np check run.yaml --set 'hold_out=[{cell_type: type_1, condition: drug_1, dose: 4}]'
    expect "dose without data.dose" 65 "the data have none" $np check run.yaml --set data.dose=
    expect "bad screen.doses" 64 "screen.doses: '-3' is no dose" $np screen run.yaml --set model.kind=mean --set 'screen.doses=[-3]'
    printf 'cell_type,perturbation,dose\ntype_1,drug_1,0\n' >wanted.csv
    expect "bad dose in the file" 64 "wanted.csv:2: column dose: '0' is no dose" $np screen run.yaml --set model.kind=mean --set "screen.combinations=$work/wanted.csv"
done
# the same doses in every form that obs may have them in
for form in float32 integers text categories categories_of_text nullable; do
    # each stream on its own: mpirun forwards the two in no order
    launch 1 check run.yaml --set "data.inputs=[$work/$form.h5ad]" >all.out 2>$form.log
    check_ok "doses as $form" $? $form.log
    grep -v -e '^time ' -e '^memory ' all.out >$form.out # what is measured differs from run to run
    if [ -s $form.out ] && cmp -s float32.out $form.out && cmp -s float32.log $form.log; then pass; else
        fail "doses as $form are read otherwise"
        diff float32.out $form.out
        diff float32.log $form.log
    fi
done
finish
