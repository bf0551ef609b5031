# check refuses whatever run would refuse before it trains: the same line, the same exit code; and it writes nothing. What it tells of
# rows, time and memory.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
two_species 150 14 3 run.yaml
cat >>run.yaml <<Y
hold_out:
  - {cell_type: type_1, condition: drug_1}
model: {hidden: 24, latent: 4}
train: {epochs: 2, batch: 16, shards: 4}
screen: {permutations: 0}
Y
cat >doses.yaml <<Y
data: {inputs: [doses/species_a.h5ad], dose: dose}
model: {kind: mean}
Y
"$scscreen" simulate --dir doses --genes 100 --cells 12 --cell_types 3 --perturbations 2 --species 1 --set 'simulate.doses=[1, 10]' >log 2>&1
check_ok "doses" $? log
cat >large.yaml <<Y
data: {inputs: [large/species_a.h5ad]}
model: {kind: mean}
Y
"$scscreen" simulate --dir large --genes 2000 --cells 125 --cell_types 3 --perturbations 2 --species 1 >log 2>&1
check_ok "cells of two MiB" $? log
printf 'cell_type,perturbation,species\ntype_9,drug_1,species_a\n' >unknown.csv
printf 'cell_type,dose\ntype_1,1\n' >titles.csv
printf 'cell_type,perturbation,species\ntype_1,control,species_a\n' >control.csv
printf 'A\tx\tgene_0001\nA\tx\tgene_0002\n' >twice.gmt
printf 'not a model' >text.h5
printf 'species_a.gene_0001\n' >gene.txt
touch file
launch 2 run run.yaml --set output.dir=other >log 2>&1
check_ok "a run" $? log
mkdir stopped && touch stopped/STOP
launch 2 run run.yaml --set output.dir=stopped >log 2>&1
[ $? = 75 ] && pass || fail "it did not stop"

# both WHAT CODE WORDS NP CONFIG ARGS...: run and check end with the same code and line
both() {
    what=$1 code=$2 words=$3 np=$4
    shift 4
    rm -rf out
    for verb in run check; do
        if [ "$np" = 1 ]; then "$scscreen" $verb "$@" >$verb.log 2>&1; else launch "$np" $verb "$@" >$verb.log 2>&1; fi
        echo $? >$verb.line
        grep '^scscreen: error: ' $verb.log >>$verb.line
        [ $verb = run ] && rm -rf out
    done
    if [ "$(head -1 run.line)" != "$code" ] || ! grep -qF -- "$words" run.line; then
        fail "$what: run: $(cat run.line); expected $code, '$words'"
    elif ! cmp -s run.line check.line; then
        fail "$what: check says otherwise: $(cat check.line); run: $(cat run.line)"
    elif grep -q '^epoch\|^trained' run.log; then
        fail "$what: refused after training"
    elif [ -e out ]; then
        fail "$what: check wrote something"
    else
        pass
    fi
}
# same WHAT CODE WORDS --set...: of run.yaml on one process
same() {
    what=$1 code=$2 words=$3
    shift 3
    both "$what" "$code" "$words" 1 run.yaml --set output.dir=out "$@"
}
same "an unknown key" 64 "did you mean train.batch?" --set train.bach=3
same "a key as others call it" 64 "unknown key train.lr; did you mean train.learning_rate?" --set train.lr=1
same "a missing input" 65 "none.h5ad: cannot be read" --set 'data.inputs=[none.h5ad]'
same "a glob without a file" 65 "data.inputs: no file matches data/x*.h5ad" --set 'data.inputs=["data/x*.h5ad"]'
same "a missing column" 65 "obs has no column celltype (did you mean cell_type?)" --set data.cell_type=celltype
same "another control" 65 "data.control: no cell has the condition 'ctrl'" --set data.control=ctrl
same "a matrix that is not there" 65 "counts" --set data.matrix=layers/counts
same "values and setting" 65 "yet data.normalize is none" --set data.normalize=none
same "no ortholog table" 65 "orthologs" --set 'data.inputs=[data/species_a.h5ad, data/species_b.h5ad]' --set data.genes=gene.txt
same "an unknown hold-out" 65 "no cell has the cell type 'type_9'" --set 'hold_out={cell_type: type_9, condition: drug_1}'
same "a perturbation held out whole" 65 "has no cells left to learn from" --set 'hold_out={cell_type: "*", condition: drug_1}'
same "a filter that leaves nothing" 64 'there is no cell_type "none"' --set 'data.filter={column: cell_type, in: none}'
same "an unknown cell type" 64 'there is no cell type "type_9"; did you mean' --set 'screen.cell_types=[type_9]'
same "a glob that matches nothing" 64 'no condition is like "x*"' --set 'screen.perturbations=[x*]'
same "the control as perturbation" 64 '"control" is the control' --set 'screen.perturbations=[control]'
same "an unknown species" 64 'there is no species "rat"' --set 'screen.species=[rat]'
same "a table of rows with an unknown type" 64 'unknown.csv:2: there is no cell type "type_9"' --set screen.combinations=unknown.csv
same "a table without a column" 64 "titles.csv:1: no column perturbation" --set screen.combinations=titles.csv
same "a table with the control" 64 "control.csv:2" --set screen.combinations=control.csv
same "no table" 65 "none.csv" --set screen.combinations=none.csv
same "a table and lists" 64 "screen.combinations names the rows one by one" --set screen.combinations=control.csv --set 'screen.cell_types=[type_1]'
same "gene sets twice" 65 "twice.gmt: set 'A' stands there twice" --set screen.gene_sets=twice.gmt
same "no gene sets" 65 "none.gmt" --set screen.gene_sets=none.gmt
same "doses without data.dose" 64 "screen.doses: the data have no doses" --set 'screen.doses=[3]'
same "batch and shards" 64 "train.batch: 18 is not a multiple of the 4 shards; the nearest that fits is 20" --set train.batch=18
same "no power of two" 64 "train.shards is '3'" --set train.shards=3
same "no model" 65 "none.h5" --set model.load=none.h5
same "no model file" 65 "text.h5" --set model.load=text.h5
same "another model's scale" 64 "data.target_sum (10000, now 5000)" --set model.load=other/model.h5 --set data.target_sum=5000
same "another model's hold_out" 64 "hold_out" --set model.load=other/model.h5 --set hold_out=
same "another model's inputs" 64 "another configuration: data.inputs" --set model.load=other/model.h5 --set 'data.inputs=[data/species_a.h5ad]'
same "a folder that is a file" 73 "file" --set output.dir=file
same "a folder below a file" 73 "file/out" --set output.dir=file/out
same "a ranking without p-values" 64 "screen.permutations is 0" --set screen.rank_by=p_value
same "pca: an unknown type" 64 'there is no cell type "type_9"' --set model.kind=pca --set 'screen.cell_types=[type_9]'
same "mean: no gene sets" 65 "none.gmt" --set model.kind=mean --set screen.gene_sets=none.gmt
same "a state of another run" 64 "train.epochs (2, now 3)" --set output.dir=stopped --set train.epochs=3
both "fewer shards than ranks" 64 "train.shards is 1, fewer than the 2 ranks" 2 run.yaml --set output.dir=out --set train.shards=1
both "cells without room" 64 "no room; start 3 ranks (mpirun -n 3), or more" 1 large.yaml --set output.dir=out --set data.memory_per_rank=1
both "cells without room at np 2" 64 "for which 2 x 1 MiB have no room; start 3 ranks" 2 large.yaml --set output.dir=out --set data.memory_per_rank=1
launch 2 check large.yaml --set data.memory_per_rank=2 >log 2>&1
check_ok "cells with room" $? log
both "a table at np 3" 64 "titles.csv:1" 3 run.yaml --set output.dir=out --set screen.combinations=titles.csv
both "batch and shards at np 2" 64 "train.batch: 18" 2 run.yaml --set output.dir=out --set train.batch=18
both "a dose that is none" 64 "'much' is no dose" 1 doses.yaml --set output.dir=out --set 'screen.doses=[much]'

# what a run takes, and its rows
for np in 1 2; do
    launch $np check run.yaml --set output.dir=out >log 2>log2
    check_ok "check at np $np" $? log2
    for words in "^12 rows to predict" "^[0-9]* cells x [0-9]* genes in 18 groups: 2 species, 3 cell types, 3 conditions" "^[0-9]* values read and sound, .* on the one that has most" "^time .* in all, .* of it for reading, as just now; without" "^time .* steps an epoch; about .* for 2 epochs, at .* measured on" "^time .* for the screen: .* before its rows, .* for permutations and .* for rows" "^memory .* MiB a rank on $np ranks"; do
        if grep -q "$words" log; then pass; else fail "np $np: no '$words'"; show log; fi
    done
    if grep -q "have no prediction" log; then fail "np $np: rows without a prediction"; else pass; fi
    [ -e out ] && fail "check wrote something" || pass
done
# of a model that has hardly learnt nothing is told but its time
launch 1 check run.yaml --set check.trial=false --set output.dir=out >log 2>&1
check_ok "check without a trial" $? log
if grep -q "^time\|^memory" log; then fail "check without a trial tells of time"; show log; else pass; fi
launch 2 check run.yaml --set screen.permutations=20 --set screen.bootstrap=2 --set output.dir=out >log 2>&1
check_ok "check of a screen with permutations" $? log
if grep -q "blend\|mixed model\|errors" log; then fail "check tells of an untrained model"; show log; else pass; fi
[ -e out ] && fail "check wrote something" || pass

# inputs that a run would make first: check does not, and does not refuse them; what else is wrong is found
sim() { # WORDS WHAT CODE VERB SET
    "$scscreen" $4 sim/sim.yaml ${5:+--set "$5"} --set output.dir=out >log 2>&1
    code=$?
    if [ $code = "$3" ] && [ "$(wc -l <log)" = 1 ] && grep -qF -- "$1" log; then pass; else fail "$2: exit $code"; show log; fi
    [ "$(ls sim)" = sim.yaml ] && pass || fail "$2: it made $(ls sim)"
}
mkdir sim
printf 'simulate: {dir: data, genes: 60, cells: 8, cell_types: 2, perturbations: 2, species: 1}\ndata: {inputs: [data/species_a.h5ad]}\n' >sim/sim.yaml
for np in 1 2; do
    launch $np check sim/sim.yaml --set output.dir=out >log 2>&1
    check_ok "simulated inputs at np $np" $? log
    if grep -q "^sim/sim.yaml is sound; its inputs are not made yet: scscreen simulate sim/sim.yaml makes them" log; then pass; else fail "np $np"; show log; fi
done
sim "its inputs are not made yet" "simulated inputs" 0 check
sim "simulate.pairs is 5, but" "what simulate refuses" 64 check simulate.pairs=5
sim "none.h5: cannot be read" "a model beside them" 65 check model.load=none.h5
for verb in train screen predict embed; do
    sim "sim/data/species_a.h5ad: there is no such file yet; scscreen simulate sim/sim.yaml makes it" "$verb" 65 $verb
    rm -rf out
done
rm -rf sim

launch 2 check doses.yaml --set 'screen.doses=[observed, 5, 20]' >log 2>&1
check_ok "doses" $? log
grep '^[0-9]* of 24 rows have no prediction, because the dose is above the largest that shows the perturbation (10)' log >line
if grep -q '^6 of' line; then pass; else fail "rows without a neighbouring dose"; show log; fi
# as many as the screen then has
launch 2 run doses.yaml --set 'screen.doses=[observed, 5, 20]' --set output.dir=d >log 2>&1
check_ok "their run" $? log
"$SCS_PYTHON" -c 'import anndata; o = anndata.read_h5ad("d/screen.h5ad").obs; assert (o.status != "ok").sum() == 6 and len(o) == 24, o.status' >log 2>&1
check_ok "rows as foretold" $? log
# Paths as a shell would have them, had it seen the config; all ranks take rank 0's.
mkdir -p home/atlas && cp data/species_a.h5ad home/atlas/
cat >home.yaml <<'Y'
data:
  inputs:
    - ~/atlas/${SCS_NAME}.h5ad
model: {kind: mean}
screen: {permutations: 0}
Y
HOME=$work/home SCS_NAME=species_a launch 2 run home.yaml --set 'output.dir=~/out_$SCS_NAME' >log 2>&1
code=$?
if [ "$code" = 0 ] && [ -s home/out_species_a/screen.h5ad ] && [ ! -e '~' ]; then pass; else fail "paths with ~ and \$: exit $code"; show log; fi
HOME=$work/home OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" mpirun -n 1 env SCS_NAME=species_a "$scscreen" check home.yaml --set check.trial=false : \
    -n 1 env -u HOME SCS_NAME=none "$scscreen" check home.yaml --set check.trial=false >log 2>&1
check_ok "ranks of other variables" $? log
both "a variable that is not set" 64 "home.yaml:3: data.inputs is '~/atlas/\${SCS_NAME}.h5ad', but the environment has no SCS_NAME" 2 home.yaml --set output.dir=out
finish
