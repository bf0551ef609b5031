/* A 10x folder's matrix: refused, or read whole and in parts with the same entries. */
#include "src/data/h5ad_matrix.h"
#include "src/data/tenx_mtx.h"
#include "tests/fuzz/target.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CELLS = 4, FEATURES = 5 };

static void put(const char *where, const char *name, const void *data, size_t size)
{
    char at[FUZZ_PATH + 64];
    FILE *file;

    snprintf(at, sizeof at, "%s/%s", where, name);
    file = fopen(at, "wb");
    HOLDS(file && fwrite(data, 1, size, file) == size);
    HOLDS(fclose(file) == 0);
}

static int matrix; /* what stands in for matrix.mtx */
static char path[] = "/tmp/scscreen-fuzz.XXXXXX";

static void remove_folder(void)
{
    static const char *const names[] = {"barcodes.tsv", "features.tsv", "matrix.mtx"};
    char file[FUZZ_PATH + 64];

    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        unlink(file);
    }
    rmdir(path);
}

/* Made once; what a sanitizer stops is left there. */
static const char *folder(void)
{
    static const char barcodes[] = "AAAC-1\nAAAG-1\nAAAT-1\nAACA-1\n";
    static const char features[] = "E1\tTNF\tGene Expression\nE2\tIL6\tGene Expression\n"
                                   "C3\tCD3\tAntibody Capture\nE4\tKISS1\tGene Expression\n"
                                   "E5\tA\tGene Expression\n";
    static bool made;
    char target[FUZZ_PATH], at[FUZZ_PATH + 64];

    if (!made) {
        HOLDS(mkdtemp(path) && atexit(remove_folder) == 0);
        put(path, "barcodes.tsv", barcodes, sizeof barcodes - 1);
        put(path, "features.tsv", features, sizeof features - 1);
        matrix = memfd_create("matrix", MFD_CLOEXEC);
        snprintf(target, sizeof target, "/proc/self/fd/%d", matrix);
        snprintf(at, sizeof at, "%s/matrix.mtx", path);
        HOLDS(matrix >= 0 && symlink(target, at) == 0);
        made = true;
    }
    return path;
}

/* @return values in rows [row0, row1), or -1 where they are refused */
static int64_t count(const scs_h5ad *meta, int64_t row0, int64_t row1)
{
    scs_csr x;
    int64_t n;

    if (scs_h5ad_matrix_read_rows(meta, row0, row1, &x) != SCS_OK)
        return -1;
    HOLDS(x.n_row == row1 - row0 && x.n_col == FEATURES - 1);
    n = x.indptr[x.n_row];
    for (int64_t k = 0; k < n; k++)
        HOLDS(x.indices[k] >= 0 && x.indices[k] < FEATURES - 1 && x.values[k] > 0);
    scs_csr_clear(&x);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const scs_h5ad_request want = {0};
    scs_h5ad *meta = scs_allocate(1, sizeof *meta);
    int64_t all, first, last;

    HOLDS(meta);
    meta->path = strdup(folder());
    meta->matrix = strdup("X");
    HOLDS(ftruncate(matrix, 0) == 0 && pwrite(matrix, data, size, 0) == (ssize_t)size);
    if (fuzz_accepts(scs_tenx_mtx_locate(&want, meta))) {
        HOLDS(meta->n_obs == CELLS && meta->n_var == FEATURES - 1 && meta->genes.n == meta->n_var);
        all = count(meta, 0, CELLS);
        first = count(meta, 0, 2);
        last = count(meta, 2, CELLS);
        HOLDS(all < 0 ? first < 0 || last < 0 : first >= 0 && last >= 0 && first + last == all);
    }
    scs_h5ad_destroy(&meta);
    return 0;
}
