# The command line: help, version, effective config, --set, unknown words.
. "$SCS_SRCDIR/tests/lib.sh"
kang=$SCS_SRCDIR/configs/kang.yaml

says() { # WHAT WORDS COMMAND...
    what=$1 words=$2
    shift 2
    if "$@" 2>&1 | grep -qF -- "$words"; then pass; else fail "$what: no \"$words\" in the output of $*"; fi
}
says "help lists verbs" "simulate" "$scscreen" --help
says "help lists keys" "learning_rate" "$scscreen" --help
for verb in simulate check train screen run predict validate score embed decode interpolate integrate pca inspect; do
    says "help of $verb" "scscreen $verb" "$scscreen" "$verb" --help
done
case $(mpi_name) in
openmpi) mpi="Open MPI v" ;;
mpich) mpi="MPICH Version" ;;
*) mpi="MPI   " ;;
esac
says "version has MPI" "$mpi" "$scscreen" --version
says "version has HDF5" "HDF5  1." "$scscreen" --version
says "version has BLAS" "OpenBLAS" "$scscreen" --version
says "version has the commit" "commit" "$scscreen" --version
says "effective config" "batch: 77" "$scscreen" run "$kang" --set train.batch=77 --print-config
"$scscreen" run "$kang" --print-config >"$work/a.yaml" 2>&1
"$scscreen" run "$work/a.yaml" --print-config >"$work/b.yaml" 2>&1
if [ -s "$work/a.yaml" ] && cmp -s "$work/a.yaml" "$work/b.yaml"; then pass; else fail "print-config does not parse back"; fi
{ printf '\357\273\277' && cat "$work/a.yaml"; } >"$work/mark.yaml"
"$scscreen" run "$work/mark.yaml" --print-config >"$work/b.yaml" 2>&1
if cmp -s "$work/a.yaml" "$work/b.yaml"; then pass; else fail "a config with a byte order mark"; fi
# The man page knows every key and every option.
man=$SCS_BUILDDIR/doc/scscreen.1
for section in data model train screen validate predict score output simulate; do
    if grep -q "^\.SS $section\$" "$man"; then pass; else fail "man page: no section $section"; fi
done
"$scscreen" --help | sed -n '/^options:/,/^exit codes/s/^  \(--[a-z-]*\).*/\1/p' >"$work/options"
while read -r option; do
    if grep -qF -- "$(echo "$option" | sed 's/-/\\-/g')" "$man"; then pass; else fail "man page: no $option"; fi
done <"$work/options"
if [ "$(grep -c '; default' "$man")" = "$("$scscreen" --help | grep -c '; default')" ]; then pass; else fail "man page: not the keys of --help"; fi
expect "unknown verb" 64 "did you mean train" 1 trian "$kang"
expect "unknown option" 64 "--print-config" 1 run "$kang" --print-confg
expect "a key as an option" 64 "unknown option --epochs; did you mean --set train.epochs=VALUE?" 1 run "$kang" --epochs 3
expect "a key as an option, in one word" 64 "unknown option --epochs=3; did you mean --set train.epochs=3?" 1 run "$kang" --epochs=3
expect "an option in one word" 64 "unknown option --bananas=3; an option and its value are two words" 1 run "$kang" --bananas=3
expect "no file" 64 "CONFIG.yaml" 1 run
expect "unknown key" 64 "train.batch" 3 run "$kang" --set train.bach=3
printf 'data:\n  inputs: [x.h5ad]\ntrain:\n  bach: 3\n' >"$work/typo.yaml"
expect "unknown key with its line" 64 "typo.yaml:4" 3 run "$work/typo.yaml"
expect "missing config" 64 "none.yaml" 3 run "$work/none.yaml"

# srun without PMIx starts as many programs that know nothing of each other: refused by all, said by the first. Slurm is not needed.
two_species 30 4 2 "$work/run.yaml"
echo "output: {dir: $work/results}" >>"$work/run.yaml"
task() { # TASK TASKS COMMAND...
    at=$1 tasks=$2
    shift 2
    SLURM_PROCID=$at SLURM_STEP_NUM_TASKS=$tasks SLURM_NTASKS=$tasks OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" "$@" >"$work/task.$at" 2>&1
}
for at in 0 1 2; do
    task $at 3 "$scscreen" run "$work/run.yaml"
    code=$?
    if [ "$code" = 64 ]; then pass; else fail "task $at of an srun without PMIx: exit $code"; fi
done
line="scscreen: error: srun started 3 tasks, but MPI does not join them: use srun --mpi=pmix, or mpirun in its place"
if [ "$(cat "$work"/task.[012])" = "$line" ]; then pass; else fail "an srun without PMIx says: $(cat "$work"/task.[012])"; fi
if [ -z "$(ls "$work/results" 2>/dev/null)" ]; then pass; else fail "an srun without PMIx leaves $(ls "$work/results")"; fi
# So do programs that another MPI's launcher starts: its variables tell, each launcher's in its own words.
other() { # WORDS CODE VARIABLE...
    words=$1
    shift
    env "$@" OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" "$scscreen" run "$work/run.yaml" >"$work/log" 2>&1
    code=$?
    if [ "$code" = 64 ]; then pass; else fail "$*: exit $code"; show "$work/log"; fi
    if [ "$(grep -cF -- "$words" "$work/log")" = "$(wc -l <"$work/log")" ]; then pass; else fail "$* says:"; show "$work/log"; fi
}
words="error: the launcher of another MPI started 3 programs of one rank each: this scscreen is built with"
other "$words" PMI_RANK=0 PMI_SIZE=3
other "$words" MV2_COMM_WORLD_RANK=0 MV2_COMM_WORLD_SIZE=3
for at in 1 2; do
    other "nothing is said" PMI_RANK=$at PMI_SIZE=3
done
if [ -z "$(ls "$work/results" 2>/dev/null)" ]; then pass; else fail "another MPI's launcher leaves $(ls "$work/results")"; fi
# check FILE: also with its ending in capitals, and of files that are none of ours
for file in x.h5mu x.LOOM x.zarr x.h5seurat; do
    printf 'no HDF5\n' >"$work/$file"
    expect "check $file" 65 "$file: is not an HDF5 file" 1 check "$work/$file"
done
printf '%%%%MatrixMarket matrix coordinate\n' >"$work/spliced.mtx"
expect "check of a matrix alone" 65 "spliced.mtx: is a matrix in the form of Matrix Market, not HDF5; one of features x cells" 1 check "$work/spliced.mtx"
printf 'PK\003\004' >"$work/x.zarr.zip"
expect "check of a zip file" 65 "of a zarr store, call scripts/zarr-to-h5ad on it" 1 check "$work/x.zarr.zip"
env PMI_RANK=0 PMI_SIZE=1 "$scscreen" check "$work/run.yaml" >"$work/log" 2>&1
check_ok "one program of another MPI's launcher" $? "$work/log"
task 0 1 "$scscreen" check "$work/run.yaml"
check_ok "an srun of one task" $? "$work/task.0"
task 0 3 mpirun -n 2 "$scscreen" check "$work/run.yaml"
check_ok "mpirun in a step of Slurm" $? "$work/task.0"
# A data file where the config belongs, a model, a folder: what it is, and what to do.
cp "$work/data/species_a.h5ad" "$work/x.h5ad"
for verb in run train screen validate pca predict simulate; do
    expect "$verb of a data file" 64 "x.h5ad: is an HDF5 file, and a config (YAML) belongs here" 1 $verb "$work/x.h5ad"
done
expect "run of a data file" 64 "data: {inputs: [FILE.h5ad]}" 3 run "$work/x.h5ad"
expect "check of a folder" 64 "data: is a folder, and a config (YAML) belongs here" 2 check "$work/data"
# An option that stands for a key is named as it was written.
expect "hours below 0" 64 "--max-hours: train.max_hours is '-1'" 2 run "$work/run.yaml" --max-hours -1
expect "folds of 0" 64 "--folds: validate.folds is '0'" 1 validate "$work/run.yaml" --folds 0
expect "a misspelt option" 64 "--gens: unknown key simulate.gens; did you mean simulate.genes?" 1 simulate --gens 5
# A batch that the cells do not fill, and gene sets of other names, are told before any training, and not only as progress.
note() { # WORDS ARGS...
    words=$1
    shift
    launch 2 "$@" >"$work/log" 2>&1
    check_ok "$*" $? "$work/log"
    if [ "$(grep -cF -- "$words" "$work/log")" = 1 ]; then pass; else fail "$*: does not say \"$words\" once"; show "$work/log"; fi
}
small="--set model.hidden=8 --set model.latent=4 --set train.epochs=1 --set train.shards=2"
note "note: train.batch 1000 is more than the 43 training cells" check "$work/run.yaml" --set train.batch=1000
note "note: train.batch 1000 is more than the 43 training cells" train "$work/run.yaml" $small --set train.batch=1000
if launch 2 check "$work/run.yaml" --set train.batch=42 2>&1 | grep -q "note: train.batch"; then fail "a batch that the cells fill is noted"; else pass; fi
printf 'known\tx\tgene_0001\ttnf\nother\tx\ttnf\n' >"$work/sets.gmt"
note "sets.gmt: 1 of 2 gene sets (first: other) have no gene in the data" check "$work/run.yaml" -q --set "screen.gene_sets=$work/sets.gmt"
note "sets.gmt: 1 of 2 gene sets (first: other) have no gene in the data" run "$work/run.yaml" -q $small --set "screen.gene_sets=$work/sets.gmt"
printf 'other\tx\ttnf\n' >"$work/sets.gmt"
expect "gene sets of other names" 65 "sets.gmt: none of the genes of its 1 set is in the data: it lists tnf" 3 run "$work/run.yaml" --set "screen.gene_sets=$work/sets.gmt"
printf 'cell_type,perturbation,species\n' >"$work/rows.csv"
expect "a list of no rows" 64 "rows.csv: holds titles and no rows" 2 check "$work/run.yaml" --set "screen.combinations=$work/rows.csv"
# What a run would refuse before it trains, check refuses, too.
expect "check of gene sets" 65 "none.gmt" 2 check "$work/run.yaml" --set screen.gene_sets=none.gmt
expect "check of a list of rows" 65 "none.csv" 2 check "$work/run.yaml" --set screen.combinations=none.csv
expect "check of a glob" 64 "nothing*" 2 check "$work/run.yaml" --set 'screen.cell_types=[nothing*]'
finish
