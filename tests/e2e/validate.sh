# A grid of held-out retrainings: the same bytes on any number of ranks and groups, the model that `run` would make,
# measures as scipy and scanpy give them, and a stopped grid that goes on where it was.
. "$SCS_SRCDIR/tests/lib.sh"
two_species 300 40 4 "$work/run.yaml"
cat >>"$work/run.yaml" <<Y
model: {hidden: 48, latent: 8}
train: {epochs: 3, shards: 4}
screen: {shift: nearest, blend: 0.5}
validate: {species: [species_a], cell_types: [type_1, type_2, type_3]}
Y
validate() { # NAME NP ARGS...
    name=$1 np=$2
    shift 2
    mkdir -p "$work/$name"
    (cd "$work/$name" && launch "$np" validate ../run.yaml "$@" >log 2>&1)
    check_ok "validate $name" $? "$work/$name/log"
}
same() { # NAME WHAT
    if cmp -s "$work/one/results/validation.tsv" "$work/$1/results/validation.tsv"; then pass; else fail "$2: other bytes than one rank"; fi
}
validate one 1
grep -q "DOES NOT BEAT\|network beats\|ADDS NOTHING" "$work/one/log"
check_ok "a verdict on the network" $? "$work/one/log"
# What it says in words is kept, as it is printed.
if grep -q "^no_change is beaten by .*mean_nearest (r2_all, r2_deg, mse)" "$work/one/results/validation.txt" &&
    grep -qF "$(tail -n 1 "$work/one/results/validation.txt")" "$work/one/log"; then pass; else fail "validation.txt"; cat "$work/one/log"; fi
validate three 3
same three "3 groups"
if cmp -s "$work/one/results/validation.txt" "$work/three/results/validation.txt"; then pass; else fail "validation.txt on 3 ranks"; fi
validate groups 3 --group-size 2
same groups "groups of 2 and 1 ranks"
validate four 4 --group-size 4
same four "one group of 4"
# Six models and four ranks: four models at a time, then two by two ranks each.
validate joined 4
same joined "groups that joined"
grep -q "6 models, 4 groups of ranks, which join for the last 2$" "$work/joined/log"
check_ok "6 models, 4 ranks: two groups for the last two" $? "$work/joined/log"
# One model's files gone and one damaged: only these are made again, and the bytes are the same.
(cd "$work/three/results/validation" && set -- *.tsv && rm "$1" && head -c 100 "$2" >cut && mv cut "$2")
validate three 2
same three "resumed"
if [ "$(grep -c 'recorded before' "$work/three/log")" = 4 ]; then pass; else fail "6 models, 2 of them damaged: not 4 taken as they were"; fi
# Killed in the middle, and gone on with on other ranks.
mkdir "$work/killed"
(cd "$work/killed" && OMP_NUM_THREADS=1 timeout -s KILL 1.5 "$scscreen" validate ../run.yaml >log 2>&1)
validate killed 2
same killed "killed and resumed"
# Another config's models are not mistaken for these.
validate four 1 --set train.seed=2
if cmp -s "$work/one/results/validation.tsv" "$work/four/results/validation.tsv"; then fail "another seed, the same results"; else pass; fi
# Run again with another key in a folder that holds rows: the bytes of a run that found none.
again() { # KEY=VALUE
    rm -rf "$work/fresh"
    validate fresh 1 --set "validate.cell_types=[type_1]" --set "$1"
    validate again 1 --set "validate.cell_types=[type_1]" --set "$1"
    if cmp -s "$work/fresh/results/validation.tsv" "$work/again/results/validation.tsv"; then pass; else fail "$1 beside other rows: other bytes"; fi
    if grep -q 'recorded before' "$work/again/log"; then fail "$1: rows of another config were taken"; else pass; fi
}
validate again 1 --set "validate.cell_types=[type_1]"
again screen.decode=decode
cp "$work/again/results/validation.tsv" "$work/decoded"
for set in screen.decode=edit screen.shift=regression screen.distance=latent screen.nearest_power=1 screen.ridge=3 screen.cross_species=mean \
    screen.blend=0.25 screen.magnitude=decoder screen.variance=false screen.products=blas validate.pca=true validate.cells=true data.target_sum=5000; do
    again "$set"
done
# The same name of a list, other genes in it.
printf 'gene_%04d\n' $(seq 1 250) >"$work/genes.txt"
again data.genes=../genes.txt
printf 'gene_%04d\n' $(seq 20 270) >"$work/genes.txt"
again data.genes=../genes.txt
# Keys that do not affect them: nothing is made anew.
for set in screen.permutations=9 screen.bootstrap=3 screen.rank_by=agreement "screen.perturbations=[drug_1]" output.rows=top output.top_genes=5 \
    train.max_hours=1 data.memory=99; do
    validate fresh 1 --set "validate.cell_types=[type_1]" --set data.genes=../genes.txt --set "$set"
    if cmp -s "$work/fresh/results/validation.tsv" "$work/again/results/validation.tsv" && [ "$(grep -c 'recorded before' "$work/fresh/log")" = 2 ]; then
        pass
    else
        fail "$set: not the rows that were there"
    fi
done
# Each model is the one that `run` makes with the same hold_out.
mkdir "$work/run"
(cd "$work/run" && launch 2 run ../run.yaml --set "hold_out=[{species: species_a, cell_type: type_2, condition: drug_1}]" >log 2>&1)
check_ok "run" $? "$work/run/log"
# Cells of a held-out combination: the same scores on any number of ranks, and those that score gives to what predict writes.
type_2='validate.cell_types=[type_2]'
validate cells 1 --cells true --set "$type_2"
validate cells_3 3 --cells true --set "validate.cell_types=[type_1, type_2]" # four models: the last by groups that joined
grep "type_1	drug" "$work/cells_3/results/validation.tsv" >"$work/type_1"
grep -v "type_1	drug" "$work/cells_3/results/validation.tsv" >"$work/type_2"
if [ -s "$work/type_1" ] && cmp -s "$work/cells/results/validation.tsv" "$work/type_2"; then pass; else fail "scores of cells: other bytes on 3 ranks"; fi
if grep -q "^Cells, by the real ones" "$work/cells/log"; then pass; else fail "no table of cells"; fi
(cd "$work/run" && launch 2 predict ../run.yaml --set "hold_out=[{species: species_a, cell_type: type_2, condition: drug_1}]" \
    --combination species_a,type_2,drug_1 >log 2>&1 &&
    "$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_cells_score.py" prepare results/cells.h5ad ../data/species_a.h5ad . &&
    launch 1 score results/cells.h5ad real.h5ad --condition-column condition --baseline no_change --splits 5 --seed 1 --output scores.tsv &&
    "$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_cells_score.py" compare ../cells/results/validation.tsv scores.tsv ../cells/results/validation_summary.tsv) >"$work/log" 2>&1
check_ok "cells of validate and those of predict" $? "$work/log"
printf 'data: {inputs: [run/logged.h5ad], normalize: none}\nmodel: {kind: mean}\n' >"$work/logged.yaml"
expect "cells of logarithms" 65 "holds no counts" 2 validate "$work/logged.yaml" --cells true
# The linear model beside the network: its rows come to the others, which stay as they are.
validate linear 3 --pca true --group-size 2
grep -v "	pca	" "$work/linear/results/validation.tsv" >"$work/without"
if cmp -s "$work/one/results/validation.tsv" "$work/without"; then pass; else fail "validate.pca changes other rows"; fi
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_validation.py" "$work/linear/results/validation.tsv" "$work/run/results/screen.h5ad" "$work/data" "$work/decoded" >"$work/log" 2>&1
check_ok "measures" $? "$work/log"
cat "$work/log"
validate folds 2 --folds 3
if [ "$(wc -l <"$work/folds/results/validation.tsv")" = 67 ] && [ "$(ls "$work/folds/results/validation" | wc -l)" = 2 ]; then pass; else fail "folds: 3 makes 2 models of 6 combinations"; fi
expect "nothing left to learn from" 64 "validate.folds" 2 validate "$work/run.yaml" --folds 16 --set validate.species=all --set validate.cell_types=all
expect "unknown type" 64 "validate.cell_types" 2 validate "$work/run.yaml" --set validate.cell_types=[type_9]
expect "weights given" 64 "model.load" 2 validate "$work/run.yaml" --set model.load=x.h5
finish
