/* What our reader finds in an .h5ad file, one tab-separated fact a line, as expected.py prints
 * them. usage: dump_h5ad FILE MATRIX PARTS [FIRST]     (the rows from FIRST on are read in PARTS
 * pieces) */
#include "src/data/h5ad_matrix.h"
#include "src/data/h5ad.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a over all names, each with its final NUL. */
static uint64_t hash_names(const scs_names *names)
{
    uint64_t hash = 14695981039346656037u;

    for (scs_lidx i = 0; i < names->n; i++)
        for (const char *c = names->name[i];; c++) {
            hash = (hash ^ (uint8_t)*c) * 1099511628211u;
            if (!*c)
                break;
        }
    return hash;
}

static void print_labels(const scs_labels *labels, int64_t n_obs)
{
    int64_t missing = 0, *count = calloc((size_t)labels->categories.n + 1, sizeof *count);
    uint64_t order = 0;

    for (int64_t i = 0; count && i < n_obs; i++) {
        order = order * 31 + (uint64_t)(int64_t)(labels->codes[i] + 1);
        if (labels->codes[i] < 0)
            missing++;
        else
            count[labels->codes[i]]++;
    }
    printf("obs\t%s\tmissing\t%" PRId64 "\torder\t%" PRIu64, labels->column, missing, order);
    for (scs_lidx i = 0; count && i < labels->categories.n; i++)
        printf("\t%s\t%" PRId64, labels->categories.name[i], count[i]);
    printf("\n");
    free(count);
}

static scs_status dump_column(const char *path, const char *matrix, const char *column)
{
    scs_h5ad_request want = {.matrix = matrix, .cell_type = column};
    scs_h5ad *meta = NULL;

    if (scs_h5ad_probe(path, &want, &meta) != SCS_OK) {
        printf("obs\t%s\trefused\t%s\n", column, scs_message());
        return SCS_OK;
    }
    print_labels(&meta->cell_type, meta->n_obs);
    scs_h5ad_destroy(&meta);
    return SCS_OK;
}

static scs_status check_sorted(const scs_csr *x)
{
    for (int64_t i = 0; i < x->n_row; i++)
        for (int64_t k = x->indptr[i] + 1; k < x->indptr[i + 1]; k++)
            SCS_REQUIRE(x->indices[k - 1] < x->indices[k], SCS_EINTERNAL, "columns do not ascend");
    return SCS_OK;
}

/* Each row: its number of values and the sum of (column + 1) * value. */
static void print_rows(const scs_csr *x, int64_t row0)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        double sum = 0;
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++)
            sum += (x->indices[k] + 1.0) * x->values[k];
        printf("row\t%" PRId64 "\t%" PRId64 "\t%.17g\n", row0 + i, x->indptr[i + 1] - x->indptr[i],
               sum);
    }
}

static scs_status dump_rows(const scs_h5ad *meta, int parts, int64_t first)
{
    int64_t n = meta->n_obs - first;

    for (int part = 0; part < parts; part++) {
        int64_t row0 = first + n * part / parts, row1 = first + n * (part + 1) / parts;
        scs_csr x;
        scs_status st;
        SCS_TRY(scs_h5ad_matrix_read_rows(meta, row0, row1, &x));
        st = check_sorted(&x);
        print_rows(&x, row0);
        scs_csr_clear(&x);
        SCS_TRY(st);
    }
    return SCS_OK;
}

static scs_status dump(const char *path, const char *matrix, int parts, int64_t first)
{
    scs_h5ad_request want = {.matrix = matrix};
    scs_h5ad *meta = NULL;
    scs_status st = SCS_OK;

    SCS_GO(st, scs_h5ad_probe(path, &want, &meta));
    printf("shape\t%" PRId64 "\t%" PRId32 "\n", meta->n_obs, meta->n_var);
    printf("genes\t%" PRIu64 "\n", hash_names(&meta->genes));
    printf("duplicates\t%" PRId64 "\n", meta->n_duplicate_obs_names);
    for (scs_lidx i = 0; i < meta->obs_columns.n; i++)
        SCS_GO(st, dump_column(path, matrix, meta->obs_columns.name[i]));
    SCS_GO(st, dump_rows(meta, parts, first));
done:
    scs_h5ad_destroy(&meta);
    return st;
}

int main(int argc, char **argv)
{
    scs_status st;

    if (argc != 4 && argc != 5)
        return 64;
    st = dump(argv[1], argv[2], atoi(argv[3]), argc == 5 ? atoll(argv[4]) : 0);
    if (st != SCS_OK)
        printf("refused\t%s\t%s\n", scs_status_name(st), scs_message());
    return scs_exit_code(st);
}
