# What validate holds out together: contexts, doses, perturbations. The same bytes on any ranks, the rows of `run` with the same hold_out,
# and a prediction only where something is known.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --genes 120 --cells 20 --cell_types 4 --perturbations 3 --pairs 1 --species 2 --dir data >log 2>&1
check_ok simulate $? log
"$scscreen" simulate --genes 100 --cells 20 --cell_types 3 --perturbations 2 --species 1 --dir dosed --set 'simulate.doses=[1, 3, 10]' >log 2>&1
check_ok "simulate doses" $? log
cat >run.yaml <<Y
data:
  inputs: [{path: data/species_a.h5ad, species: a}, {path: data/species_b.h5ad, species: b, orthologs: data/species_b.orthologs.tsv}]
  normalize: log1p
model: {kind: mean}
screen: {order: 2}
validate: {protocol: context}
Y
cat >doses.yaml <<Y
data: {inputs: [dosed/species_a.h5ad], dose: dose, normalize: log1p}
model: {kind: mean}
validate: {protocol: dose}
Y
validate() { # NAME NP CONFIG ARGS...
    name=$1 np=$2 config=$3
    shift 3
    launch "$np" validate "$config" --set "output.dir=$name" "$@" >"$name.log" 2>&1
    check_ok "validate $name" $? "$name.log"
}
same() { if cmp -s "$1/validation.tsv" "$2/validation.tsv"; then pass; else fail "$2: other bytes than $1"; fi; }
validate types 1 run.yaml
validate types3 3 run.yaml --group-size 2
same types types3
validate species 1 run.yaml --set validate.context=species
validate perturbations 1 run.yaml --protocol perturbation
validate perturbations2 2 run.yaml --protocol perturbation
same perturbations perturbations2
if grep -q '^model 1/.*: r2_all  no_change 0\.[0-9]*  mean -$' perturbations.log && ! grep -w nan perturbations.log; then pass; else fail "what no model can predict has a dash"; fi
validate doses 1 doses.yaml
validate doses2 2 doses.yaml
same doses doses2
# Of a context that is held out as a whole, one perturbation may be scored: the rows that it has among all.
validate some 1 run.yaml --set 'validate.perturbations=[drug_2]' --set 'validate.cell_types=[type_1]'
# Gone on with: no model is made anew.
validate types 2 run.yaml
if [ "$(grep -c 'recorded before' types.log)" = 8 ]; then pass; else fail "8 contexts: not all of them were taken as they were"; fi
# A context is the run that holds all of it out.
hold=$(for what in drug_1 drug_2 drug_3 drug_1+drug_2; do printf '{species: a, cell_type: type_2, condition: %s}, ' $what; done)
launch 2 run run.yaml --set "hold_out=[${hold%, }]" --set output.dir=run >log 2>&1
check_ok run $? log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_protocols.py" >log 2>&1
check_ok "rows of every protocol" $? log
cat log
expect "doses without data.dose" 64 "data.dose" 2 validate run.yaml --protocol dose
expect "folds of contexts" 64 "validate.folds" 2 validate run.yaml --folds 2
expect "an unknown protocol" 64 "validate.protocol" 2 validate run.yaml --protocol contexts
finish
