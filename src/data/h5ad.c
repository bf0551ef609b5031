/* Metadata of an .h5ad file: read in a sandbox, sent to the parent as bytes, checked again there.
 *
 * HDF5 cannot be trusted with a hostile file: of 2,000 random mutants of a good one a plain
 * reader crashed on 6.4 % and hung on 3.8 %, all of them in the variable-length strings that
 * AnnData needs, and H5Fopen alone crashes on files of the public CVE corpus. So all strings and
 * all structure are read once, in a forked child with limits on memory and time, before MPI_Init.
 * The child answers with one block of bytes (src/base/bytes.h); the parent takes nothing in it
 * for granted, since a child that was overrun may write what it likes. Ranks then open the file
 * again for numeric datasets only (h5ad_matrix.c).
 *
 * The layout of the bytes is written down by put_meta and get_meta, field by field in the order
 * of the struct; it lives no longer than the job. All functions are Local.
 */
#include "src/data/h5ad.h"

#include "src/base/bytes.h"
#include "src/base/file.h"
#include "src/base/sandbox.h"
#include "src/base/text.h"
#include "src/data/csr.h"
#include "src/data/h5ad_internal.h"
#include "src/data/tenx_mtx.h"
#include "src/hdf5/h5read.h"
#include "src/hdf5/h5text.h"
#include "scscreen/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the struct ---- */

void scs_h5ad_forget_labels(scs_h5ad *meta)
{
    scs_labels *three[] = {&meta->cell_type, &meta->condition, &meta->species};

    for (int i = 0; i < 3; i++) {
        scs_h5ad_obs_labels_clear(three[i]);
        *three[i] = (scs_labels){0};
    }
    free(meta->dose_column);
    free(meta->dose);
    for (int32_t i = 0; meta->label && i < meta->n_label; i++)
        scs_h5ad_obs_labels_clear(&meta->label[i]);
    for (int32_t i = 0; meta->number && i < meta->n_number; i++) {
        free(meta->number[i].column);
        free(meta->number[i].value);
    }
    free(meta->label);
    free(meta->number);
    meta->dose_column = NULL;
    meta->dose = NULL;
    meta->label = NULL;
    meta->number = NULL;
    meta->n_label = meta->n_number = 0;
}

/* NULL, and what was made in part, are let through. */
void scs_h5ad_destroy(scs_h5ad **meta)
{
    scs_h5ad *m = *meta;

    if (!m)
        return;
    free(m->path);
    free(m->matrix);
    free(m->root);
    free(m->data);
    free(m->indices);
    free(m->indptr);
    free(m->gene);
    free(m->start);
    free(m->note);
    free(m->plugin);
    scs_names_clear(&m->genes);
    scs_names_clear(&m->obs_columns);
    scs_names_clear(&m->filled);
    scs_names_clear(&m->others);
    scs_h5ad_forget_labels(m);
    free(m->keep);
    free(m);
    *meta = NULL;
}

/* With a choice of rows they are counted: the name of a cell is asked for in messages alone. */
int64_t scs_h5ad_row(const scs_h5ad *meta, int64_t k)
{
    int64_t row = 0;

    if (!meta->keep)
        return k;
    for (; row < meta->n_row && (!meta->keep[row] || k-- > 0); row++) {
    }
    return row;
}

/* Linear in the further columns, of which a run asks for a few. */
const scs_labels *scs_h5ad_label(const scs_h5ad *meta, const char *column)
{
    for (int32_t i = 0; i < meta->n_label; i++)
        if (strcmp(meta->label[i].column, column) == 0)
            return &meta->label[i];
    return NULL;
}

const scs_numbers *scs_h5ad_number(const scs_h5ad *meta, const char *column)
{
    for (int32_t i = 0; i < meta->n_number; i++)
        if (strcmp(meta->number[i].column, column) == 0)
            return &meta->number[i];
    return NULL;
}

/* pandas keeps categories that no cell has any more; they are no labels here. O(cells). */
scs_status scs_h5ad_used_labels(const scs_h5ad *meta, const scs_labels *labels, scs_names *used)
{
    bool *is_used;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(is_used, labels->categories.n));
    for (int64_t c = 0; c < meta->n_obs; c++)
        if (labels->codes[c] >= 0)
            is_used[labels->codes[c]] = true;
    for (scs_lidx k = 0; k < labels->categories.n && st == SCS_OK; k++)
        if (is_used[k])
            st = scs_names_add(used, labels->categories.name[k]);
    free(is_used);
    return st;
}

/* ---- to bytes ---- */

/* The column's name; where it was asked for, its categories and [n_obs] codes behind it. */
static scs_status put_labels(scs_bytes *out, const scs_labels *labels, int64_t n_obs)
{
    SCS_TRY(scs_bytes_put_text(out, labels->column));
    if (!labels->column)
        return SCS_OK;
    SCS_TRY(scs_bytes_put_names(out, &labels->categories));
    return scs_bytes_put(out, labels->codes, n_obs * (int64_t)sizeof *labels->codes);
}

/* The column's name; where it was asked for, [n_obs] doubles behind it. */
static scs_status put_numbers(scs_bytes *out, const char *column, const double *value,
                              int64_t n_obs)
{
    SCS_TRY(scs_bytes_put_text(out, column));
    if (!column)
        return SCS_OK;
    return scs_bytes_put(out, value, n_obs * (int64_t)sizeof *value);
}

/* Which rows are taken: a byte each, after a count that is 0 where all are. */
static scs_status put_keep(scs_bytes *out, const scs_h5ad *meta)
{
    SCS_TRY(scs_bytes_put_int(out, meta->keep ? meta->n_row : 0));
    return meta->keep ? scs_bytes_put(out, meta->keep, meta->n_row) : SCS_OK;
}

/* The further columns: how many of each, then one after the other. */
static scs_status put_columns(scs_bytes *out, const scs_h5ad *meta)
{
    SCS_TRY(scs_bytes_put_int(out, meta->n_label));
    SCS_TRY(scs_bytes_put_int(out, meta->n_number));
    for (int32_t i = 0; i < meta->n_label; i++)
        SCS_TRY(put_labels(out, &meta->label[i], meta->n_obs));
    for (int32_t i = 0; i < meta->n_number; i++)
        SCS_TRY(put_numbers(out, meta->number[i].column, meta->number[i].value, meta->n_obs));
    return SCS_OK;
}

/* Which columns are genes, after a count that is 0 where all are. */
static scs_status put_columns_taken(scs_bytes *out, const scs_h5ad *meta)
{
    int64_t n = meta->gene ? meta->n_column : 0;

    SCS_TRY(scs_bytes_put_int(out, n));
    return n > 0 ? scs_bytes_put(out, meta->gene, n * (int64_t)sizeof *meta->gene) : SCS_OK;
}

/* Where cells begin in a text, after how many numbers that are. */
static scs_status put_starts(scs_bytes *out, const scs_h5ad *meta)
{
    int64_t n = meta->start ? meta->n_row + 1 : 0;

    SCS_TRY(scs_bytes_put_int(out, n));
    return n > 0 ? scs_bytes_put(out, meta->start, n * (int64_t)sizeof *meta->start) : SCS_OK;
}

/* Must name the same fields in the same order as get_meta. */
static scs_status put_meta(const scs_h5ad *meta, scs_bytes *out)
{
    SCS_TRY(scs_bytes_put_text(out, meta->path));
    SCS_TRY(scs_bytes_put_text(out, meta->matrix));
    SCS_TRY(scs_bytes_put_text(out, meta->root));
    SCS_TRY(scs_bytes_put_int(out, meta->kind));
    SCS_TRY(scs_bytes_put_int(out, meta->memory));
    SCS_TRY(scs_bytes_put_int(out, meta->n_row));
    SCS_TRY(scs_bytes_put_int(out, meta->n_obs));
    SCS_TRY(scs_bytes_put_int(out, meta->n_var));
    SCS_TRY(scs_bytes_put_int(out, meta->layout));
    SCS_TRY(scs_bytes_put_int(out, meta->nnz));
    SCS_TRY(scs_bytes_put_int(out, meta->chunk));
    SCS_TRY(scs_bytes_put_text(out, meta->data));
    SCS_TRY(scs_bytes_put_text(out, meta->indices));
    SCS_TRY(scs_bytes_put_text(out, meta->indptr));
    SCS_TRY(scs_bytes_put_names(out, &meta->genes));
    SCS_TRY(put_columns_taken(out, meta));
    SCS_TRY(put_starts(out, meta));
    SCS_TRY(scs_bytes_put_text(out, meta->note));
    SCS_TRY(scs_bytes_put_text(out, meta->plugin));
    SCS_TRY(scs_bytes_put_names(out, &meta->obs_columns));
    SCS_TRY(scs_bytes_put_names(out, &meta->filled));
    SCS_TRY(scs_bytes_put_names(out, &meta->others));
    SCS_TRY(scs_bytes_put_int(out, meta->n_duplicate_obs_names));
    SCS_TRY(put_labels(out, &meta->cell_type, meta->n_obs));
    SCS_TRY(put_labels(out, &meta->condition, meta->n_obs));
    SCS_TRY(put_labels(out, &meta->species, meta->n_obs));
    SCS_TRY(put_numbers(out, meta->dose_column, meta->dose, meta->n_obs));
    SCS_TRY(put_keep(out, meta));
    return put_columns(out, meta);
}

/* Bytes of one machine's own struct: they go through a pipe or a broadcast of one job, and never
 * into a file. */
scs_status scs_h5ad_pack(const scs_h5ad *meta, uint8_t **blob, int64_t *size)
{
    scs_bytes out = {0};

    return scs_bytes_take(&out, put_meta(meta, &out), blob, size);
}

/* ---- from bytes, which may be anything ---- */

/* The count is compared with what is left before it is multiplied or allocated, and codes are
 * checked against the categories: they index arrays from here on. */
static scs_status get_labels(scs_bytes *in, int64_t n_obs, scs_labels *labels)
{
    SCS_TRY(scs_bytes_get_text(in, &labels->column));
    if (!labels->column)
        return SCS_OK;
    SCS_TRY(scs_bytes_get_names(in, &labels->categories));
    SCS_REQUIRE(n_obs <= (in->size - in->at) / (int64_t)sizeof *labels->codes, SCS_EDATA,
                "codes of %lld cells do not fit", (long long)n_obs);
    SCS_TRY(SCS_ALLOC(labels->codes, n_obs));
    SCS_TRY(scs_bytes_get(in, labels->codes, n_obs * (int64_t)sizeof *labels->codes));
    for (int64_t i = 0; i < n_obs; i++)
        SCS_REQUIRE(labels->codes[i] >= -1 && labels->codes[i] < labels->categories.n, SCS_EDATA,
                    "a code out of range");
    return SCS_OK;
}

/* NaN and infinity are let through: data.dose is checked cell by cell where conditions are made
 * of it (dataset.c), with a message that names the row. */
static scs_status get_numbers_of(scs_bytes *in, int64_t n_obs, char **column, double **value)
{
    int64_t size = (int64_t)sizeof **value;

    SCS_TRY(scs_bytes_get_text(in, column));
    if (!*column)
        return SCS_OK;
    SCS_REQUIRE(n_obs <= (in->size - in->at) / size, SCS_EDATA, "numbers of %lld cells do not fit",
                (long long)n_obs);
    SCS_TRY(SCS_ALLOC(*value, n_obs));
    return scs_bytes_get(in, *value, n_obs * size);
}

/* As many rows are taken as there are cells. */
static scs_status get_keep(scs_bytes *in, scs_h5ad *meta)
{
    int64_t n = 0, kept = 0;

    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX - 1, &n));
    SCS_REQUIRE(n == 0 || n == meta->n_row, SCS_EDATA, "a choice among %lld of %lld rows",
                (long long)n, (long long)meta->n_row);
    SCS_REQUIRE(n > 0 || meta->n_obs == meta->n_row, SCS_EDATA, "%lld cells in %lld rows",
                (long long)meta->n_obs, (long long)meta->n_row);
    if (n == 0)
        return SCS_OK;
    SCS_REQUIRE(n <= in->size - in->at, SCS_EDATA, "a choice among %lld rows does not fit",
                (long long)n);
    SCS_TRY(SCS_ALLOC(meta->keep, n));
    SCS_TRY(scs_bytes_get(in, meta->keep, n));
    for (int64_t i = 0; i < n; i++) {
        SCS_REQUIRE(meta->keep[i] <= 1, SCS_EDATA, "a choice of neither 0 nor 1");
        kept += meta->keep[i];
    }
    SCS_REQUIRE(kept == meta->n_obs, SCS_EDATA, "%lld rows are taken for %lld cells",
                (long long)kept, (long long)meta->n_obs);
    return SCS_OK;
}

/* More columns than there are bytes left cannot be. */
static scs_status get_columns(scs_bytes *in, scs_h5ad *meta)
{
    int64_t n_label = 0, n_number = 0;

    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX, &n_label));
    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX, &n_number));
    SCS_REQUIRE(n_label <= in->size - in->at && n_number <= in->size - in->at, SCS_EDATA,
                "%lld columns do not fit", (long long)(n_label + n_number));
    SCS_TRY(SCS_ALLOC(meta->label, n_label));
    SCS_TRY(SCS_ALLOC(meta->number, n_number));
    meta->n_label = (int32_t)n_label;
    meta->n_number = (int32_t)n_number;
    for (int32_t i = 0; i < meta->n_label; i++) {
        SCS_TRY(get_labels(in, meta->n_obs, &meta->label[i]));
        SCS_REQUIRE(meta->label[i].column, SCS_EDATA, "a column without a name");
    }
    for (int32_t i = 0; i < meta->n_number; i++) {
        scs_numbers *number = &meta->number[i];

        SCS_TRY(get_numbers_of(in, meta->n_obs, &number->column, &number->value));
        SCS_REQUIRE(number->column, SCS_EDATA, "a column without a name");
    }
    return SCS_OK;
}

/* Cells and genes below INT32_MAX, so that n_obs + 1 and n_var + 1 cannot overflow. */
static scs_status get_numbers(scs_bytes *in, scs_h5ad *meta)
{
    int64_t kind = 0, n_var = 0, layout = 0;

    SCS_TRY(scs_bytes_get_within(in, 0, SCS_N_FILE - 1, &kind));
    SCS_TRY(scs_bytes_get_within(in, 0, INT64_MAX, &meta->memory));
    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX - 1, &meta->n_row));
    SCS_TRY(scs_bytes_get_within(in, 0, meta->n_row, &meta->n_obs));
    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX - 1, &n_var));
    SCS_TRY(scs_bytes_get_within(in, SCS_LAYOUT_CSR, SCS_N_LAYOUT - 1, &layout));
    SCS_TRY(scs_bytes_get_within(in, 0, INT64_MAX, &meta->nnz));
    SCS_TRY(scs_bytes_get_within(in, 0, INT64_MAX, &meta->chunk));
    meta->kind = (int)kind;
    meta->n_var = (int32_t)n_var;
    meta->layout = (int)layout;
    return SCS_OK;
}

/* The paths that the layout needs are there: a dense matrix has data alone. */
static scs_status get_matrix(scs_bytes *in, scs_h5ad *meta)
{
    SCS_TRY(scs_bytes_get_text(in, &meta->path));
    SCS_TRY(scs_bytes_get_text(in, &meta->matrix));
    SCS_TRY(scs_bytes_get_text(in, &meta->root));
    SCS_TRY(get_numbers(in, meta));
    SCS_TRY(scs_bytes_get_text(in, &meta->data));
    SCS_TRY(scs_bytes_get_text(in, &meta->indices));
    SCS_TRY(scs_bytes_get_text(in, &meta->indptr));
    SCS_REQUIRE(meta->path && meta->matrix && meta->data &&
                    (meta->layout >= SCS_LAYOUT_DENSE || (meta->indices && meta->indptr)),
                SCS_EDATA, "a path is absent");
    return SCS_OK;
}

/* Genes ascend along the columns that are taken, and each is one of them. */
static scs_status get_columns_taken(scs_bytes *in, scs_h5ad *meta)
{
    int64_t n = 0, size = (int64_t)sizeof *meta->gene;
    int32_t next = 0;

    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX - 1, &n));
    if (n == 0)
        return SCS_OK;
    SCS_REQUIRE(n <= (in->size - in->at) / size &&
                    (meta->layout == SCS_LAYOUT_CSR || meta->layout == SCS_LAYOUT_MTX),
                SCS_EDATA, "genes of %lld columns do not fit", (long long)n);
    SCS_TRY(SCS_ALLOC(meta->gene, n));
    SCS_TRY(scs_bytes_get(in, meta->gene, n * size));
    meta->n_column = (int32_t)n;
    for (int64_t j = 0; j < n; j++) {
        SCS_REQUIRE(meta->gene[j] == -1 || meta->gene[j] == next, SCS_EDATA, "a gene out of order");
        next += meta->gene[j] >= 0;
    }
    SCS_REQUIRE(next == meta->n_var, SCS_EDATA, "%d columns are taken for %d genes", next,
                meta->n_var);
    return SCS_OK;
}

/* They ascend. */
static scs_status get_starts(scs_bytes *in, scs_h5ad *meta)
{
    int64_t n = 0, size = (int64_t)sizeof *meta->start;

    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX, &n));
    if (n == 0)
        return SCS_OK;
    SCS_REQUIRE(n == meta->n_row + 1 && n <= (in->size - in->at) / size &&
                    meta->layout == SCS_LAYOUT_MTX,
                SCS_EDATA, "places of %lld cells do not fit", (long long)n - 1);
    SCS_TRY(SCS_ALLOC(meta->start, n));
    SCS_TRY(scs_bytes_get(in, meta->start, n * size));
    for (int64_t i = 0; i < n; i++)
        SCS_REQUIRE(meta->start[i] >= (i > 0 ? meta->start[i - 1] : 0), SCS_EDATA,
                    "a cell begins before another ends");
    return SCS_OK;
}

/* A block that is too long is refused as one that is too short is: the two sides disagree. */
static scs_status get_meta(scs_bytes *in, scs_h5ad *meta)
{
    SCS_TRY(get_matrix(in, meta));
    SCS_TRY(scs_bytes_get_names(in, &meta->genes));
    SCS_REQUIRE(meta->genes.n == meta->n_var, SCS_EDATA, "%d gene names for %d genes",
                meta->genes.n, meta->n_var);
    SCS_TRY(get_columns_taken(in, meta));
    SCS_TRY(get_starts(in, meta));
    SCS_TRY(scs_bytes_get_text(in, &meta->note));
    SCS_TRY(scs_bytes_get_text(in, &meta->plugin));
    SCS_TRY(scs_bytes_get_names(in, &meta->obs_columns));
    SCS_TRY(scs_bytes_get_names(in, &meta->filled));
    SCS_TRY(scs_bytes_get_names(in, &meta->others));
    SCS_TRY(scs_bytes_get_within(in, 0, meta->n_row, &meta->n_duplicate_obs_names));
    SCS_TRY(get_labels(in, meta->n_obs, &meta->cell_type));
    SCS_TRY(get_labels(in, meta->n_obs, &meta->condition));
    SCS_TRY(get_labels(in, meta->n_obs, &meta->species));
    SCS_TRY(get_numbers_of(in, meta->n_obs, &meta->dose_column, &meta->dose));
    SCS_TRY(get_keep(in, meta));
    SCS_TRY(get_columns(in, meta));
    SCS_REQUIRE(in->at == in->size, SCS_EDATA, "%lld bytes too many",
                (long long)(in->size - in->at));
    return SCS_OK;
}

/* A failure here means that the child was overrun or that the two sides disagree: the message
 * says what did not fit. */
scs_status scs_h5ad_unpack(const uint8_t *blob, int64_t size, scs_h5ad **meta)
{
    scs_bytes in = {.data = (uint8_t *)(uintptr_t)blob, .size = size}; /* only read */
    scs_status st;

    *meta = NULL;
    SCS_REQUIRE(size >= 0, SCS_EDATA, "a description of %lld bytes", (long long)size);
    SCS_TRY(SCS_ALLOC(*meta, 1));
    st = get_meta(&in, *meta);
    if (st == SCS_OK)
        return SCS_OK;
    scs_h5ad_destroy(meta);
    return scs_context(st, "the description of an input file is damaged: ");
}

/* ---- reading, in the sandbox ---- */

/* The refusal, with what the file holds instead. */
static scs_status not_anndata(const scs_h5 *h5)
{
    char list[SCS_MESSAGE_MAX / 2];
    scs_names members = {0};
    scs_status st = SCS_OK;

    SCS_GO(st, scs_h5_members(h5, "", &members));
    scs_names_list(&members, 10, list, sizeof list);
    st = scs_h5_exists(h5, "assays") && scs_h5_exists(h5, "cell.names")
             ? SCS_FAIL(SCS_EDATA,
                        "%s: is an h5Seurat file, not .h5ad; convert it in R: "
                        "SeuratDisk::Convert(\"...\", dest = \"h5ad\")",
                        h5->path)
             : SCS_FAIL(SCS_EDATA, "%s: is no AnnData file: it lacks obs or var; it holds: %s",
                        h5->path, members.n ? list : "nothing");
done:
    scs_names_clear(&members);
    return st;
}

/* obs and var are what makes a file an AnnData file; X may be absent, when data.matrix is a
 * layer. */
static scs_status check_anndata(const scs_h5 *h5)
{
    bool obs, var;

    SCS_TRY(scs_h5_look(h5, "obs", &obs));
    SCS_TRY(scs_h5_look(h5, "var", &var));
    return obs && var ? SCS_OK : not_anndata(h5);
}

/* @param var frame that names the matrix's genes: raw has its own, longer one */
static scs_status read_genes(const scs_h5 *h5, const char *var, const char *column, scs_h5ad *meta)
{
    SCS_TRY(column && *column ? scs_h5ad_obs_gene_names(h5, var, column, &meta->genes)
                              : scs_h5ad_obs_index(h5, var, &meta->genes));
    SCS_REQUIRE(meta->genes.n == meta->n_var, SCS_EDATA,
                "%s: %s names %d genes but %s has %d columns; the file is damaged", h5->path, var,
                meta->genes.n, meta->matrix, meta->n_var);
    return SCS_OK;
}

/* @param[out] n names that another one before them has: AnnData allows it for cells, and warns */
static scs_status count_duplicates(const scs_names *names, int64_t *n)
{
    scs_index index;

    SCS_TRY(scs_names_index_create(names, &index));
    *n = 0;
    for (scs_lidx i = 1; i < names->n; i++)
        *n += strcmp(names->name[index.order[i - 1]], names->name[index.order[i]]) == 0;
    scs_names_index_clear(&index);
    return SCS_OK;
}

static scs_status locate_anndata(const scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta)
{
    const char *var;

    SCS_TRY(check_anndata(h5));
    /* CELLxGENE's counts are in raw, unless they are all that there is. */
    if (want->source == SCS_SOURCE_CELLXGENE && strcmp(meta->matrix, "raw") == 0 &&
        !scs_h5_exists(h5, "raw/X")) {
        free(meta->matrix);
        meta->matrix = NULL;
        SCS_TRY(scs_text_copy("X", &meta->matrix));
    }
    SCS_TRY(scs_h5ad_matrix_locate(h5, meta, &var));
    SCS_TRY(scs_h5ad_matrix_others(h5, meta));
    SCS_TRY(scs_h5ad_matrix_filled(h5, meta));
    return read_genes(h5, var, want->gene_column, meta);
}

static scs_status name_anndata(const scs_h5 *h5, scs_names *names)
{
    return scs_h5ad_obs_index(h5, "obs", names);
}

/* What is of no other format; it is judged by its obs and var. */
static bool is_any(const scs_h5 *h5)
{
    (void)h5;
    return true;
}

/* ---- MuData: an AnnData for each modality below mod ---- */

static bool is_mudata(const scs_h5 *h5)
{
    return scs_h5_is_group(h5, "mod") && !scs_h5_exists(h5, "X");
}

/* SCS_EDATA with the names that there are, and one of them spelt as data.inputs wants it. */
static scs_status no_modality(const scs_h5 *h5, const char *part)
{
    char list[SCS_MESSAGE_MAX / 2];
    scs_names members = {0};
    scs_status st = SCS_OK;
    size_t length = strlen(h5->path) - (part ? strlen(part) + 1 : 0);

    SCS_GO(st, scs_h5_members(h5, "mod", &members));
    scs_names_list(&members, 10, list, sizeof list);
    st =
        members.n == 0
            ? SCS_FAIL(SCS_EDATA, "%s: is a MuData file without a modality", h5->path)
            : SCS_FAIL(SCS_EDATA,
                       "%s: is a MuData file (.h5mu) without a modality %s; it has: %s; name one: "
                       "%.*s:%s",
                       h5->path, part ? part : "rna", list, (int)length, h5->path, members.name[0]);
done:
    scs_names_clear(&members);
    return st;
}

/* mod/rna where none is named, as muon calls what holds gene expression. */
static scs_status modality(const scs_h5 *h5, const char *part, char **root)
{
    bool found;

    SCS_TRY(scs_h5_path(root, "mod/%s", part ? part : "rna"));
    SCS_TRY(scs_h5_look(h5, *root, &found)); /* a link says that it is one */
    return found && scs_h5_is_group(h5, *root) ? SCS_OK : no_modality(h5, part);
}

/* ---- what the format is ---- */

static const scs_h5ad_format mudata = {.kind = SCS_FILE_H5MU,
                                       .frame = "obs",
                                       .is = is_mudata,
                                       .root = modality,
                                       .locate = locate_anndata,
                                       .cells = name_anndata};
static const scs_h5ad_format anndata = {.kind = SCS_FILE_H5AD,
                                        .frame = "obs",
                                        .is = is_any,
                                        .locate = locate_anndata,
                                        .cells = name_anndata};

/* The last takes what the others do not. */
static const scs_h5ad_format *const formats[] = {&mudata, &scs_loom_format, &scs_tenx_h5_format,
                                                 &anndata};

const char *scs_h5ad_kind_name(int kind)
{
    static const char *const name[] = {
        [SCS_FILE_H5AD] = "h5ad",       [SCS_FILE_H5MU] = "h5mu",          [SCS_FILE_LOOM] = "loom",
        [SCS_FILE_10X_H5] = "10x HDF5", [SCS_FILE_10X_MTX] = "10x folder",
    };

    return name[kind];
}

/* Where labels of cells stand. */
static const char *frame_of(const scs_h5ad *meta)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->kind == meta->kind && formats[i]->frame)
            return formats[i]->frame;
    return "obs";
}

/* Find the format, and let paths start from where the cells that the path names stand.
 *  @param[out] root malloc'ed, or NULL */
static scs_status enter(scs_h5 *h5, const scs_h5ad_format **format, char **root)
{
    const char *part;
    char *file = NULL;
    scs_status st;

    *root = NULL;
    *format = formats[0];
    for (int i = 0; !(*format)->is(h5); i++)
        *format = formats[i + 1];
    SCS_GO(st, scs_file_split_part(h5->path, &file, &part));
    if ((*format)->root)
        SCS_GO(st, (*format)->root(h5, part, root));
    else if (part)
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: only MuData (.h5mu) and 10x files have parts; name %s",
                            h5->path, file));
    if (*root)
        SCS_GO(st, scs_h5_enter(h5, *root));
done:
    free(file);
    return st;
}

/* Cell names are counted, not kept: only predicted cells name theirs (scs_h5ad_probe_cells), and
 * they would be the larger part of what has to reach the parent. */
static scs_status read_cells(const scs_h5 *h5, const scs_h5ad_format *format, scs_h5ad *meta)
{
    scs_names cells = {0};
    scs_status st = SCS_OK;

    SCS_GO(st, format->cells(h5, &cells));
    if (cells.n != meta->n_obs)
        SCS_GO(st, SCS_FAIL(SCS_EDATA,
                            "%s: %s names %d cells but %s has %lld rows; the file is damaged",
                            h5->path, format->frame ? format->frame : "barcodes", cells.n,
                            meta->matrix, (long long)meta->n_obs));
    SCS_GO(st, count_duplicates(&cells, &meta->n_duplicate_obs_names));
    if (format->frame)
        SCS_GO(st, scs_h5ad_obs_columns(h5, format->frame, &meta->obs_columns));
done:
    scs_names_clear(&cells);
    return st;
}

/* As pandas renames columns: all at once. */
scs_status scs_h5ad_column_named(const scs_names *columns, const scs_column_name *rename,
                                 int32_t n_rename, const char *name, const char *where,
                                 const char **column)
{
    *column = NULL;
    for (scs_lidx i = 0; i < columns->n; i++) {
        const char *called = columns->name[i];

        for (int32_t r = 0; r < n_rename; r++)
            if (strcmp(rename[r].from, columns->name[i]) == 0)
                called = rename[r].to;
        if (strcmp(called, name) != 0)
            continue;
        SCS_REQUIRE(!*column, SCS_EDATA,
                    "%s: two columns are called %s after data.rename: %s and %s; give one of them "
                    "another name",
                    where, name, *column, columns->name[i]);
        *column = columns->name[i];
    }
    return SCS_OK;
}

/* A column by the name that the config has for it; one that obs lacks is refused further down.
 * @param[out] column borrowed from what there is, or from the config */
static scs_status find_column(const scs_h5 *h5, const scs_h5ad_request *want, const scs_h5ad *meta,
                              const char *name, const char **column)
{
    *column = name;
    if (!name || !*name || want->n_rename == 0)
        return SCS_OK;
    SCS_TRY(scs_h5ad_column_named(&meta->obs_columns, want->rename, want->n_rename, name, h5->path,
                                  column));
    SCS_REQUIRE(*column || scs_names_find(&meta->obs_columns, name) < 0, SCS_EDATA,
                "%s: data.rename calls the column %s otherwise, yet the config asks for it by that "
                "name",
                h5->path, name);
    if (!*column)
        *column = name;
    return SCS_OK;
}

/* Labels are known by the config's name for them. */
static scs_status read_column(const scs_h5 *h5, const scs_h5ad_request *want, const scs_h5ad *meta,
                              const char *name, scs_labels *labels)
{
    const char *column;

    SCS_TRY(find_column(h5, want, meta, name, &column));
    SCS_TRY(
        scs_h5ad_obs_labels(h5, frame_of(meta), column, meta->n_obs, &meta->obs_columns, labels));
    if (!labels->column || strcmp(labels->column, name) == 0)
        return SCS_OK;
    free(labels->column);
    labels->column = NULL;
    return scs_text_copy(name, &labels->column);
}

/* The further ones. */
static scs_status read_columns(const scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta)
{
    const scs_names *columns = &meta->obs_columns;
    scs_lidx n_label = want->labels ? want->labels->n : 0;
    scs_lidx n_number = want->numbers ? want->numbers->n : 0;

    SCS_TRY(SCS_ALLOC(meta->label, n_label));
    SCS_TRY(SCS_ALLOC(meta->number, n_number));
    for (; meta->n_label < n_label; meta->n_label++)
        SCS_TRY(read_column(h5, want, meta, want->labels->name[meta->n_label],
                            &meta->label[meta->n_label]));
    for (; meta->n_number < n_number; meta->n_number++) {
        scs_numbers *number = &meta->number[meta->n_number];
        const char *column;

        SCS_TRY(find_column(h5, want, meta, want->numbers->name[meta->n_number], &column));
        SCS_TRY(scs_text_copy(want->numbers->name[meta->n_number], &number->column));
        SCS_TRY(scs_h5ad_obs_numbers(h5, frame_of(meta), column, "number", meta->n_obs, columns,
                                     &number->value));
    }
    return SCS_OK;
}

/* CELLxGENE's organism: a column of obs up to schema 5, one text of uns from schema 6 on. */
static scs_status read_organism(const scs_h5 *h5, scs_h5ad *meta)
{
    scs_labels *labels = &meta->species;
    bool found;

    SCS_TRY(scs_h5_look(h5, "uns/organism", &found));
    SCS_REQUIRE(found, SCS_EDATA,
                "%s: has no organism, neither in obs (CELLxGENE's schema 5) nor in uns (6 and 7); "
                "give data.inputs a species: {path: ..., species: ...}",
                h5->path);
    SCS_TRY(scs_h5_read_strings(h5, "uns/organism", &labels->categories));
    SCS_REQUIRE(labels->categories.n == 1, SCS_EDATA, "%s: uns/organism has %d texts, not one",
                h5->path, labels->categories.n);
    SCS_TRY(scs_text_copy("organism", &labels->column));
    return SCS_ALLOC(labels->codes, meta->n_obs);
}

static scs_status read_species(const scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta)
{
    bool organism = want->source == SCS_SOURCE_CELLXGENE && want->species &&
                    strcmp(want->species, "organism") == 0 &&
                    scs_names_find(&meta->obs_columns, "organism") < 0;

    return organism ? read_organism(h5, meta)
                    : read_column(h5, want, meta, want->species, &meta->species);
}

/* Each column that the request names; a name that obs lacks is refused with the list. */
static scs_status read_labels(const scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta)
{
    const scs_names *columns = &meta->obs_columns;

    SCS_TRY(read_column(h5, want, meta, want->cell_type, &meta->cell_type));
    SCS_TRY(read_column(h5, want, meta, want->condition, &meta->condition));
    SCS_TRY(read_species(h5, want, meta));
    if (want->dose && *want->dose) {
        const char *column;

        SCS_TRY(find_column(h5, want, meta, want->dose, &column));
        SCS_TRY(scs_text_copy(want->dose, &meta->dose_column));
        SCS_TRY(scs_h5ad_obs_numbers(h5, frame_of(meta), column, "dose", meta->n_obs, columns,
                                     &meta->dose));
    }
    return read_columns(h5, want, meta);
}

/* The results of this program are files of cells, too, and lie where inputs lie. */
static scs_status read_own(const scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta)
{
    scs_status st = read_labels(h5, want, meta);

    if (st == SCS_EDATA)
        return scs_context(st, "%s is a result of scscreen, no input: ", h5->path);
    SCS_TRY(st);
    return scs_text_copy("was written by scscreen: its cells are no measured ones; leave it out of "
                         "data.inputs if they were not meant",
                         &meta->note);
}

/* The matrix first, since it gives the shape that names and labels are checked against. */
static scs_status read_meta(scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta)
{
    const scs_h5ad_format *format;

    SCS_TRY(enter(h5, &format, &meta->root));
    meta->kind = format->kind;
    SCS_TRY(format->locate(h5, want, meta));
    SCS_TRY(read_cells(h5, format, meta));
    if (format == &anndata && scs_h5_exists(h5, "uns/scscreen"))
        return read_own(h5, want, meta);
    return read_labels(h5, want, meta);
}

/* A folder of texts, which hold no labels: a wanted one is refused as one that obs lacks. */
static scs_status read_texts(const scs_h5ad_request *want, scs_h5ad *meta)
{
    scs_h5 nothing = {.path = meta->path};
    scs_names cells = {0};
    scs_status st;

    meta->kind = SCS_FILE_10X_MTX;
    SCS_GO(st, scs_tenx_mtx_locate(want, meta));
    SCS_GO(st, scs_tenx_mtx_cells(meta->path, &cells));
    SCS_GO(st, count_duplicates(&cells, &meta->n_duplicate_obs_names));
    SCS_GO(st, read_labels(&nothing, want, meta));
done:
    scs_names_clear(&cells);
    return st;
}

/* What a child may need beyond the bytes of one dataset: HDF5 itself, the names as a list. */
static const int64_t SLACK = (int64_t)1 << 30;

typedef struct probe_task {
    const char *path;
    scs_h5ad_request request;
} probe_task;

/* The part that runs in the sandbox: fills a struct and puts it into `out`.
 *  @param arg a probe_task */
static scs_status describe(void *arg, scs_bytes *out)
{
    const probe_task *t = arg;
    const char *plugin = NULL;
    scs_h5 h5 = {0};
    scs_h5ad *meta = NULL;
    scs_status st = SCS_OK;

    SCS_GO(st, SCS_ALLOC(meta, 1));
    SCS_GO(st, scs_text_copy(t->path, &meta->path));
    SCS_GO(st, scs_text_copy(t->request.matrix ? t->request.matrix : "X", &meta->matrix));
    /* Ranks read rows under the same limit. */
    meta->memory = t->request.memory;
    if (scs_tenx_mtx_is(t->path))
        SCS_GO(st, read_texts(&t->request, meta));
    else {
        SCS_GO(st, scs_h5_open(t->path, t->request.memory, &h5));
        h5.plugin = &plugin;
        SCS_GO(st, read_meta(&h5, &t->request, meta));
    }
    if (plugin)
        SCS_GO(st, scs_text_copy(plugin, &meta->plugin));
    SCS_GO(st, put_meta(meta, out));
done:
    scs_h5_close(&h5);
    scs_h5ad_destroy(&meta);
    return st;
}

/* Bytes that the child may take: the configured limit, or what the whole file would inflate to at
 * 1000 : 1 where that is less, plus SLACK. Without the second bound a text of a damaged file that
 * claims 4 GiB would get them. */
static int64_t memory_for(int64_t stored, int64_t memory)
{
    const int64_t most_inflated = 1000;
    int64_t all;

    if (stored > 0 && !__builtin_mul_overflow(stored, most_inflated, &all) && all < memory)
        memory = all;
    return memory + SLACK;
}

/* A path that names a part of a file stands for the whole file. */
scs_status scs_h5ad_files(const char *path, scs_names *files)
{
    const char *part;
    char *file = NULL;
    scs_status st;

    if (scs_tenx_mtx_is(path))
        return scs_tenx_mtx_files(path, files);
    SCS_GO(st, scs_file_split_part(path, &file, &part));
    SCS_GO(st, scs_names_add(files, file));
done:
    free(file);
    return st;
}

/* 0 where that cannot be told: the reader says what is wrong. SCS_ENOMEM. */
static scs_status stored_bytes(const char *path, int64_t *all)
{
    scs_names files = {0};
    scs_status st;

    *all = 0;
    SCS_GO(st, scs_h5ad_files(path, &files));
    for (scs_lidx i = 0; i < files.n; i++) {
        struct stat info;

        if (stat(files.name[i], &info) == 0)
            *all += (int64_t)info.st_size;
    }
done:
    scs_names_clear(&files);
    if (st == SCS_ENOMEM)
        return st;
    scs_message_clear();
    return SCS_OK;
}

/* Run in the sandbox, with the limits that a file of its size needs. */
static scs_status run(scs_sandbox_fn fn, probe_task *t, scs_bytes *out)
{
    scs_sandbox_limits limits = {0};

    SCS_TRY(stored_bytes(t->path, &limits.size));
    if (t->request.memory <= 0)
        t->request.memory = (int64_t)16 << 30;
    limits.memory = memory_for(limits.size, t->request.memory);
    return scs_sandbox_run(t->path, fn, t, &limits, out);
}

/* In the sandbox. @param arg a probe_task */
static scs_status name_cells(void *arg, scs_bytes *out)
{
    const probe_task *t = arg;
    const scs_h5ad_format *format;
    scs_names names = {0};
    scs_h5 h5 = {0};
    char *root = NULL;
    scs_status st;

    if (scs_tenx_mtx_is(t->path))
        SCS_GO(st, scs_tenx_mtx_cells(t->path, &names));
    else {
        SCS_GO(st, scs_h5_open(t->path, t->request.memory, &h5));
        SCS_GO(st, enter(&h5, &format, &root));
        SCS_GO(st, format->cells(&h5, &names));
    }
    SCS_GO(st, scs_bytes_put_names(out, &names));
done:
    scs_h5_close(&h5);
    scs_names_clear(&names);
    free(root);
    return st;
}

scs_status scs_h5ad_probe_cells(const char *path, int64_t memory, scs_names *names)
{
    probe_task t = {path, {.memory = memory}};
    scs_bytes out = {0};
    scs_status st;

    SCS_GO(st, run(name_cells, &t, &out));
    SCS_GO(st, scs_bytes_get_names(&out, names));
done:
    scs_bytes_clear(&out);
    return st;
}

/* One that cannot be read is left out: nothing of a run depends on it. @param left appended */
static scs_status read_kept(const scs_h5 *h5, const char *frame, const scs_names *columns,
                            scs_obs_table *table, scs_names *left)
{
    SCS_TRY(SCS_ALLOC(table->column, columns->n));
    for (scs_lidx i = 0; i < columns->n; i++) {
        scs_obs_column *to = &table->column[table->n_column];
        scs_status st =
            scs_h5ad_obs_column(h5, frame, columns->name[i], table->index.n, columns, to);

        if (st == SCS_OK) {
            table->n_column++;
            continue;
        }
        scs_obs_table_clear_column(to);
        if (st != SCS_EDATA)
            return st;
        scs_message_clear();
        SCS_TRY(scs_names_add(left, columns->name[i]));
    }
    return SCS_OK;
}

/* In the sandbox. @param arg a probe_task */
static scs_status read_obs(void *arg, scs_bytes *out)
{
    const probe_task *t = arg;
    const scs_h5ad_format *format = NULL;
    scs_obs_table table = {0};
    scs_names columns = {0}, left = {0};
    scs_h5 h5 = {0};
    char *root = NULL;
    scs_status st;

    if (scs_tenx_mtx_is(t->path))
        SCS_GO(st, scs_tenx_mtx_cells(t->path, &table.index));
    else {
        SCS_GO(st, scs_h5_open(t->path, t->request.memory, &h5));
        SCS_GO(st, enter(&h5, &format, &root));
        SCS_GO(st, format->cells(&h5, &table.index));
        if (format->frame) {
            SCS_GO(st, scs_h5ad_obs_columns(&h5, format->frame, &columns));
            SCS_GO(st, read_kept(&h5, format->frame, &columns, &table, &left));
        }
    }
    SCS_GO(st, scs_obs_table_put(&table, out));
    SCS_GO(st, scs_bytes_put_names(out, &left));
done:
    scs_h5_close(&h5);
    scs_obs_table_clear(&table);
    scs_names_clear(&columns);
    scs_names_clear(&left);
    free(root);
    return st;
}

scs_status scs_h5ad_probe_obs(const char *path, int64_t memory, scs_obs_table *table,
                              scs_names *left)
{
    probe_task t = {path, {.memory = memory}};
    scs_bytes out = {0};
    scs_status st;

    SCS_GO(st, run(read_obs, &t, &out));
    SCS_GO(st, scs_obs_table_get(&out, table));
    SCS_GO(st, scs_bytes_get_names(&out, left));
done:
    scs_bytes_clear(&out);
    return st;
}

/* The one entry for metadata: the only place where a file of which nothing is known is opened. */
scs_status scs_h5ad_probe(const char *path, const scs_h5ad_request *request, scs_h5ad **meta)
{
    probe_task t = {path, *request};
    scs_bytes out = {0};
    scs_status st = SCS_OK;

    *meta = NULL;
    SCS_GO(st, run(describe, &t, &out));
    SCS_GO(st, scs_h5ad_unpack(out.data, out.size, meta));
done:
    scs_bytes_clear(&out);
    return st;
}
