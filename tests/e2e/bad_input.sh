# Bad input: one clear line, the documented exit code, the same on every rank, no hang, nothing lost. At np 1 and np 3.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/make_bad_inputs.py" "$work" >py.log 2>&1
check_ok "making the files" $? py.log

# config NAME [EXTRA YAML]: a small run on good.h5ad.
cat >good.yaml <<Y
data: {inputs: [good.h5ad]}
model: {hidden: 16, latent: 4}
train: {epochs: 2, batch: 16, shards: 4}
output: {dir: out}
Y
launch 3 run good.yaml >log 2>&1
check_ok "the good file runs" $? log
cp out/screen.h5ad before.h5ad

for np in 1 3; do
    bad() { expect "$1" "$2" "$3" "$np" run good.yaml --set "data.inputs=[$4]"; }
    with() { what=$1 code=$2 words=$3; shift 3; expect "$what" "$code" "$words" "$np" run good.yaml "$@"; }
    bad "missing file" 65 "nowhere.h5ad" nowhere.h5ad
    bad "not HDF5" 65 "text.h5ad" text.h5ad
    bad "truncated" 65 "truncated.h5ad" truncated.h5ad
    bad "text without an end" 65 "endless.h5ad: damaged" endless.h5ad
    bad "NaN" 65 "gene_3" nan.h5ad
    bad "infinity" 65 "gene_3" inf.h5ad
    bad "negative values" 65 "gene_3" negative.h5ad
    bad "duplicate genes" 65 "gene_1" duplicate_genes.h5ad
    bad "bad column index" 65 "bad_index.h5ad" bad_index.h5ad
    with "wrong obs column" 65 "cell_type, condition" --set data.cell_type=celltype
    with "unknown control" 65 "control, stimulated" --set data.control=ctrl
    with "hold-out that does not exist" 65 "A, B, C" --set 'hold_out=[{cell_type: Z, condition: stimulated}]'
    with "everything held out" 65 "stimulated" --set 'hold_out=[{cell_type: A, condition: stimulated}, {cell_type: B, condition: stimulated}, {cell_type: C, condition: stimulated}]'
    with "unknown screen name" 64 "stimulated" --set 'screen.perturbations=[stimulate]'
    with "missing layer" 65 "layers/counts" --set data.matrix=layers/counts
    with "no raw" 65 "raw" --set data.matrix=raw
    touch afile
    with "output folder that cannot be made" 73 "afile" --set output.dir=afile/out
    with "shards not a power of two" 64 "power of two" --set train.shards=6
    with "batch that shards do not divide" 64 "train.batch" --set train.batch=18
    with "model.load that is no model" 65 "good.h5ad" --set model.load=good.h5ad
    expect "screen without a model" 65 "scscreen train" "$np" screen good.yaml --set output.dir=fresh
    bad "only controls" 65 "control" only_controls.h5ad
    bad "no cells" 65 "no_cells.h5ad" no_cells.h5ad
    # not errors: a type without control cells is left out and said so, a type with one cell and tiny data run
    launch "$np" run good.yaml --set 'data.inputs=[one_type_uncontrolled.h5ad]' --set output.dir=o1 >log 2>&1
    check_ok "a type without control cells, np $np" $? log
    if grep -q "no control cells" log; then pass; else fail "a type without control cells is not mentioned"; fi
    launch "$np" run good.yaml --set 'data.inputs=[one_cell_type.h5ad]' --set output.dir=o2 >log 2>&1
    check_ok "a type with one cell, np $np" $? log
done
expect "fewer shards than ranks" 64 "train.shards" 3 run good.yaml --set train.shards=2
launch 7 run good.yaml --set 'data.inputs=[five_cells.h5ad]' --set train.shards=auto --set output.dir=o3 >log 2>&1
check_ok "more ranks than cells" $? log
if cmp -s out/screen.h5ad before.h5ad; then pass; else fail "a refused run changed the earlier result"; fi
if ls -A out | grep -qE 'tmp|writable'; then fail "refused runs left files: $(ls -A out)"; else pass; fi

# One rank of four cannot read the data: all four stop with its message.
cat >one_rank.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
static int refuses(const char *path)
{
    const char *rank = getenv(getenv("PMI_RANK") ? "PMI_RANK" : "OMPI_COMM_WORLD_RANK");
    size_t n = strlen(path);
    return rank && !strcmp(rank, "2") && n > 5 && !strcmp(path + n - 5, ".h5ad");
}
#define WRAP(name) \
    int name(const char *path, int flags, ...) \
    { \
        int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        va_list a; int mode; \
        va_start(a, flags); mode = flags & O_CREAT ? va_arg(a, int) : 0; va_end(a); \
        if (refuses(path)) { errno = EIO; return -1; } \
        return real(path, flags, mode); \
    }
WRAP(open)
WRAP(open64)
C
${CC:-cc} -shared -fPIC -w -o one_rank.so one_rank.c -ldl || fail "the shim does not build"
OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" mpirun -n 4 env LD_PRELOAD="${SCS_PRELOAD:+$SCS_PRELOAD:}$work/one_rank.so" "$scscreen" run good.yaml >log 2>&1
code=$?
if [ $code = 65 ] || [ $code = 74 ]; then pass; else fail "one rank of four failing: exit $code"; show log; fi
if [ "$(grep -c '^scscreen: error: ' log)" = 1 ]; then pass; else fail "one rank of four failing: not one error line"; show log; fi
finish
