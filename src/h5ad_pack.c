/* scs_h5ad as one block of bytes, and back. */
#include "src/h5ad_parts.h"

#include "src/bytes.h"

#include <stdlib.h>

static scs_status put_labels(scs_bytes *out, const scs_labels *labels, int64_t n_obs)
{
    SCS_TRY(scs_bytes_put_text(out, labels->column));
    if (!labels->column)
        return SCS_OK;
    SCS_TRY(scs_bytes_put_names(out, &labels->categories));
    return scs_bytes_put(out, labels->codes, n_obs * (int64_t)sizeof *labels->codes);
}

static scs_status put_doses(scs_bytes *out, const scs_h5ad *meta)
{
    SCS_TRY(scs_bytes_put_text(out, meta->dose_column));
    if (!meta->dose_column)
        return SCS_OK;
    return scs_bytes_put(out, meta->dose, meta->n_obs * (int64_t)sizeof *meta->dose);
}

scs_status scs_h5ad_put(const scs_h5ad *meta, scs_bytes *out)
{
    SCS_TRY(scs_bytes_put_text(out, meta->path));
    SCS_TRY(scs_bytes_put_text(out, meta->matrix));
    SCS_TRY(scs_bytes_put_int(out, meta->memory));
    SCS_TRY(scs_bytes_put_int(out, meta->n_obs));
    SCS_TRY(scs_bytes_put_int(out, meta->n_var));
    SCS_TRY(scs_bytes_put_int(out, meta->layout));
    SCS_TRY(scs_bytes_put_int(out, meta->nnz));
    SCS_TRY(scs_bytes_put_int(out, meta->chunk));
    SCS_TRY(scs_bytes_put_text(out, meta->data));
    SCS_TRY(scs_bytes_put_text(out, meta->indices));
    SCS_TRY(scs_bytes_put_text(out, meta->indptr));
    SCS_TRY(scs_bytes_put_names(out, &meta->genes));
    SCS_TRY(scs_bytes_put_names(out, &meta->obs_columns));
    SCS_TRY(scs_bytes_put_int(out, meta->n_duplicate_obs_names));
    SCS_TRY(put_labels(out, &meta->cell_type, meta->n_obs));
    SCS_TRY(put_labels(out, &meta->condition, meta->n_obs));
    SCS_TRY(put_labels(out, &meta->species, meta->n_obs));
    return put_doses(out, meta);
}

scs_status scs_h5ad_pack(const scs_h5ad *meta, uint8_t **blob, int64_t *size)
{
    scs_bytes out = {0};

    return scs_bytes_take(&out, scs_h5ad_put(meta, &out), blob, size);
}

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

static scs_status get_doses(scs_bytes *in, scs_h5ad *meta)
{
    int64_t size = (int64_t)sizeof *meta->dose;

    SCS_TRY(scs_bytes_get_text(in, &meta->dose_column));
    if (!meta->dose_column)
        return SCS_OK;
    SCS_REQUIRE(meta->n_obs <= (in->size - in->at) / size, SCS_EDATA,
                "doses of %lld cells do not fit", (long long)meta->n_obs);
    SCS_TRY(SCS_ALLOC(meta->dose, meta->n_obs));
    return scs_bytes_get(in, meta->dose, meta->n_obs * size);
}

static scs_status get_numbers(scs_bytes *in, scs_h5ad *meta)
{
    int64_t n_var = 0, layout = 0;

    SCS_TRY(scs_bytes_get_within(in, 0, INT64_MAX, &meta->memory));
    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX - 1, &meta->n_obs));
    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX - 1, &n_var));
    SCS_TRY(scs_bytes_get_within(in, SCS_LAYOUT_CSR, SCS_LAYOUT_DENSE, &layout));
    SCS_TRY(scs_bytes_get_within(in, 0, INT64_MAX, &meta->nnz));
    SCS_TRY(scs_bytes_get_within(in, 0, INT64_MAX, &meta->chunk));
    meta->n_var = (int32_t)n_var;
    meta->layout = (int)layout;
    return SCS_OK;
}

static scs_status get_matrix(scs_bytes *in, scs_h5ad *meta)
{
    SCS_TRY(scs_bytes_get_text(in, &meta->path));
    SCS_TRY(scs_bytes_get_text(in, &meta->matrix));
    SCS_TRY(get_numbers(in, meta));
    SCS_TRY(scs_bytes_get_text(in, &meta->data));
    SCS_TRY(scs_bytes_get_text(in, &meta->indices));
    SCS_TRY(scs_bytes_get_text(in, &meta->indptr));
    SCS_REQUIRE(meta->path && meta->matrix && meta->data &&
                    (meta->layout == SCS_LAYOUT_DENSE || (meta->indices && meta->indptr)),
                SCS_EDATA, "a path is absent");
    return SCS_OK;
}

static scs_status get_meta(scs_bytes *in, scs_h5ad *meta)
{
    SCS_TRY(get_matrix(in, meta));
    SCS_TRY(scs_bytes_get_names(in, &meta->genes));
    SCS_REQUIRE(meta->genes.n == meta->n_var, SCS_EDATA, "%d gene names for %d genes",
                meta->genes.n, meta->n_var);
    SCS_TRY(scs_bytes_get_names(in, &meta->obs_columns));
    SCS_TRY(scs_bytes_get_within(in, 0, meta->n_obs, &meta->n_duplicate_obs_names));
    SCS_TRY(get_labels(in, meta->n_obs, &meta->cell_type));
    SCS_TRY(get_labels(in, meta->n_obs, &meta->condition));
    SCS_TRY(get_labels(in, meta->n_obs, &meta->species));
    SCS_TRY(get_doses(in, meta));
    SCS_REQUIRE(in->at == in->size, SCS_EDATA, "%lld bytes too many",
                (long long)(in->size - in->at));
    return SCS_OK;
}

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
