# Sourced by the fault tests: a small config, good files of every verb, and what a run with a fault may leave.
verbs="run train screen predict validate pca simulate"
runs=0 refused=0

# words VERB FOLDER: how the verb is told to write there.
words() {
    if [ "$1" = simulate ]; then
        echo "simulate --dir $2 --genes 100 --cells 5 --cell_types 2 --perturbations 2 --species 1"
    elif [ "$1" = screen ] || [ "$1" = predict ]; then
        echo "$1 run.yaml --set output.dir=$2 --set model.load=$work/whole/run/model.h5"
    else
        echo "$1 run.yaml --set output.dir=$2"
    fi
}

# What a verb writes.
results() {
    case $1 in
    run) echo model.h5 screen.h5ad ;;
    train) echo model.h5 ;;
    screen) echo screen.h5ad ;;
    predict) echo cells.h5ad ;;
    validate) echo validation.tsv validation_summary.tsv validation.txt ;;
    pca) echo pca.h5ad ;;
    simulate) echo species_a.h5ad truth.h5ad ;;
    esac
}

# make_good: in $work, older/ with good files of an earlier run, and whole/VERB/ with what each verb makes without a fault.
make_good() {
    small_atlas
    sed -i 's/epochs: 3/epochs: 2, checkpoint_steps: 7/; s/hidden: 48/hidden: 16/' "$work/run.yaml"
    echo 'validate: {cell_types: [type_2], perturbations: [drug_2], species: [species_a]}' >>"$work/run.yaml"
    cd "$work" || exit 1
    for verb in run predict validate pca; do
        launch 1 $verb run.yaml -q --set train.seed=2 --set model.latent=7 --set output.dir=older >log 2>&1
        check_ok "an older $verb" $? log
    done
    rm -rf older/validation
    launch 1 simulate --dir "$work/older" --seed 2 --genes 100 --cells 5 --cell_types 2 --perturbations 2 --species 1 >log 2>&1
    check_ok "an older simulate" $? log
    for verb in $verbs; do
        make_whole "$verb" 1
    done
}

# make_whole VERB NP: whole/VERB/ as that many ranks make it (pca's components have the same digits, not the same bits, on each number).
make_whole() {
    rm -rf "whole/$1"
    mkdir -p "whole/$1"
    # shellcheck disable=SC2046
    launch "$2" $(words "$1" "$work/whole/$1") -q >log 2>&1
    check_ok "$1 without faults" $? log
    for file in $(results "$1"); do
        if [ -s "whole/$1/$file" ] && ! cmp -s "whole/$1/$file" "older/$file"; then pass; else fail "$1: $file is not new"; fi
    done
}

# set_out FOLDER: a folder as an earlier run left it.
set_out() {
    mkdir -p "$1"
    cp -r older/. "$1"
}

# try_on NP WORDS...: leaves the exit code in `code`. One rank needs no mpirun, which would only cost time.
try_on() {
    np=$1
    shift
    [ "$np" = 1 ] || set -- mpirun -n "$np" "$@"
    OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" "$@" >log 2>&1
    code=$?
    runs=$((runs + 1))
}

# judge WHAT VERB FOLDER: what the run left is right, or it says that it failed.
judge() {
    case $code in
    0) ;;
    65 | 70 | 73 | 74)
        refused=$((refused + 1))
        [ "$(grep -c '^scscreen: error: ' log)" = 1 ] || fail "$1: exit $code without one error line"
        ! grep '^scscreen: error: .*\.\(tmp\.[0-9]\|part\)' log || fail "$1: the error line does not name the file by the name that it will have"
        ;;
    124) fail "$1: hangs" ;;
    139) fail "$1: crashes" ;;
    *)
        fail "$1: exit $code"
        tail -n 3 log
        ;;
    esac
    for file in $(results "$2"); do
        cmp -s "$3/$file" "whole/$2/$file" && continue
        [ "$code" != 0 ] || fail "$1: exit 0 with another $file"
        cmp -s "$3/$file" "older/$file" || fail "$1: exit $code, and $file is neither the old nor the new one"
    done
    for file in model.h5 screen.h5ad validation.tsv pca.h5ad truth.h5ad; do
        case " $(results "$2") " in *" $file "*) continue ;; esac
        cmp -s "$3/$file" "older/$file" || fail "$1: changed $file"
    done
    case $code$2 in
    0run | 0train) [ "$(wc -l <"$3/events.jsonl")" = "$(wc -l <"whole/$2/events.jsonl")" ] || fail "$1: exit 0 with another events.jsonl" ;;
    esac
    if find "$3" | grep -q '\.tmp\|writable'; then fail "$1: left $(find "$3" | grep '\.tmp\|writable')"; fi
}
