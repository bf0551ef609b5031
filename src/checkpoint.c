#include "src/checkpoint_parts.h"

#include "src/bytes.h"

#include <stdlib.h>

void scs_checkpoint_destroy(scs_checkpoint **checkpoint)
{
    scs_checkpoint *c = *checkpoint;

    if (!c)
        return;
    free(c->path);
    scs_names_clear(&c->genes);
    scs_names_clear(&c->species);
    scs_names_clear(&c->cell_types);
    scs_names_clear(&c->conditions);
    free(c->group);
    free(c->config);
    free(c);
    *checkpoint = NULL;
}

/* ---- as one block of bytes ---- */

static scs_status put_sizes(const scs_checkpoint *c, scs_bytes *b)
{
    SCS_TRY(scs_bytes_put_int(b, c->hidden));
    SCS_TRY(scs_bytes_put_int(b, c->layers));
    SCS_TRY(scs_bytes_put_int(b, c->latent));
    SCS_TRY(scs_bytes_put_int(b, c->has_atlas));
    SCS_TRY(scs_bytes_put_int(b, c->control));
    SCS_TRY(scs_bytes_put_int(b, c->profile));
    return scs_bytes_put_int(b, c->n_group);
}

static scs_status put_group(const scs_group *g, scs_bytes *b)
{
    SCS_TRY(scs_bytes_put_int(b, g->species));
    SCS_TRY(scs_bytes_put_int(b, g->cell_type));
    SCS_TRY(scs_bytes_put_int(b, g->condition));
    SCS_TRY(scs_bytes_put_int(b, g->held_out));
    return scs_bytes_put_int(b, g->count);
}

static scs_status put_all(const scs_checkpoint *c, scs_bytes *b)
{
    SCS_TRY(put_sizes(c, b));
    SCS_TRY(scs_bytes_put_text(b, c->path));
    SCS_TRY(scs_bytes_put_text(b, c->config));
    SCS_TRY(scs_bytes_put_names(b, &c->genes));
    SCS_TRY(scs_bytes_put_names(b, &c->species));
    SCS_TRY(scs_bytes_put_names(b, &c->cell_types));
    SCS_TRY(scs_bytes_put_names(b, &c->conditions));
    for (int32_t g = 0; g < c->n_group; g++)
        SCS_TRY(put_group(&c->group[g], b));
    return SCS_OK;
}

scs_status scs_checkpoint_pack(const scs_checkpoint *checkpoint, uint8_t **blob, int64_t *size)
{
    scs_bytes b = {0};

    return scs_bytes_take(&b, put_all(checkpoint, &b), blob, size);
}

static scs_status get_int32(scs_bytes *b, int64_t lo, int64_t hi, int32_t *value)
{
    int64_t wide;

    SCS_TRY(scs_bytes_get_within(b, lo, hi, &wide));
    *value = (int32_t)wide;
    return SCS_OK;
}

static scs_status get_bool(scs_bytes *b, bool *value)
{
    int64_t wide;

    SCS_TRY(scs_bytes_get_within(b, 0, 1, &wide));
    *value = wide;
    return SCS_OK;
}

static scs_status get_sizes(scs_bytes *b, scs_checkpoint *c)
{
    SCS_TRY(scs_bytes_get_within(b, 1, INT32_MAX, &c->hidden));
    SCS_TRY(scs_bytes_get_within(b, 1, SCS_LAYERS_MAX, &c->layers));
    SCS_TRY(scs_bytes_get_within(b, 1, INT32_MAX, &c->latent));
    SCS_TRY(get_bool(b, &c->has_atlas));
    SCS_TRY(get_int32(b, -1, INT32_MAX, &c->control));
    SCS_TRY(get_int32(b, SCS_PROFILE_SCGEN2, SCS_PROFILE_PAPER, &c->profile));
    return get_int32(b, 0, INT32_MAX, &c->n_group);
}

static scs_status get_group(scs_bytes *b, const scs_checkpoint *c, scs_group *g)
{
    SCS_TRY(get_int32(b, 0, c->species.n - 1, &g->species));
    SCS_TRY(get_int32(b, 0, c->cell_types.n - 1, &g->cell_type));
    SCS_TRY(get_int32(b, 0, c->conditions.n - 1, &g->condition));
    SCS_TRY(get_bool(b, &g->held_out));
    return scs_bytes_get_within(b, 1, INT64_MAX, &g->count);
}

static scs_status get_groups(scs_bytes *b, scs_checkpoint *c)
{
    SCS_REQUIRE(c->n_group <= (b->size - b->at) / (SCS_GROUP_COLUMNS * 8), SCS_EDATA,
                "a model file's summary claims %d groups", c->n_group);
    SCS_TRY(SCS_ALLOC(c->group, c->n_group));
    for (int32_t g = 0; g < c->n_group; g++)
        SCS_TRY(get_group(b, c, &c->group[g]));
    return SCS_OK;
}

static scs_status get_all(scs_bytes *b, scs_checkpoint *c)
{
    SCS_TRY(get_sizes(b, c));
    SCS_TRY(scs_bytes_get_text(b, &c->path));
    SCS_TRY(scs_bytes_get_text(b, &c->config));
    SCS_TRY(scs_bytes_get_names(b, &c->genes));
    SCS_TRY(scs_bytes_get_names(b, &c->species));
    SCS_TRY(scs_bytes_get_names(b, &c->cell_types));
    SCS_TRY(scs_bytes_get_names(b, &c->conditions));
    SCS_REQUIRE(c->path && c->config, SCS_EDATA, "a model file's summary lacks a text");
    SCS_REQUIRE(c->control < c->conditions.n && (c->control >= 0 || !c->has_atlas), SCS_EDATA,
                "a model file's summary names condition %d of %d as control", c->control,
                c->conditions.n);
    SCS_TRY(get_groups(b, c));
    SCS_REQUIRE(b->at == b->size, SCS_EDATA, "a model file's summary is %lld bytes too long",
                (long long)(b->size - b->at));
    return SCS_OK;
}

scs_status scs_checkpoint_unpack(const uint8_t *blob, int64_t size, scs_checkpoint **checkpoint)
{
    scs_bytes b = {.data = (uint8_t *)blob, .size = size}; /* only read */
    scs_status st;

    SCS_TRY(SCS_ALLOC(*checkpoint, 1));
    SCS_GO(st, get_all(&b, *checkpoint));
done:
    if (st != SCS_OK)
        scs_checkpoint_destroy(checkpoint);
    return st;
}

/* ---- numbers ---- */

static scs_status read_weights(const scs_h5 *h5, scs_model *model)
{
    for (int32_t i = 0; i < model->n_tensor; i++) {
        const scs_tensor *tensor = &model->tensor[i];
        float *values;
        scs_status st;

        SCS_TRY(SCS_ALLOC(values, scs_tensor_size(tensor)));
        st = scs_tensor_read(h5, tensor, values);
        if (st == SCS_OK)
            scs_tensor_import(model, tensor, values);
        free(values);
        SCS_TRY(st);
    }
    return SCS_OK;
}

static scs_status check_genes(const scs_h5 *h5, const scs_atlas *atlas)
{
    for (int64_t i = 0; i < (int64_t)atlas->n_group * SCS_N_DEG; i++)
        SCS_REQUIRE(atlas->deg[i] < atlas->n_gene, SCS_EDATA,
                    "%s: atlas/deg names gene %d of %d genes", h5->path, atlas->deg[i],
                    atlas->n_gene);
    return SCS_OK;
}

static scs_status read_atlas(const scs_h5 *h5, const scs_atlas *atlas)
{
    scs_atlas_array array[SCS_ATLAS_ARRAYS];

    scs_atlas_arrays(atlas, array);
    for (int i = 0; i < SCS_ATLAS_ARRAYS; i++)
        SCS_TRY(scs_atlas_array_read(h5, &array[i], array[i].data));
    return check_genes(h5, atlas);
}

scs_status scs_checkpoint_read(const scs_checkpoint *checkpoint, scs_model *model, scs_atlas *atlas)
{
    scs_h5 h5;
    scs_status st;

    SCS_TRY(scs_h5_open(checkpoint->path, 0, &h5));
    st = read_weights(&h5, model);
    if (st == SCS_OK && atlas && checkpoint->has_atlas)
        st = read_atlas(&h5, atlas);
    scs_h5_close(&h5);
    return st;
}
