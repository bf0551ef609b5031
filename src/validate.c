#include "src/encode.h"
#include "src/latent_head.h"
#include "src/output.h"
#include "src/output_dense.h"

#include "src/random.h"

#include <stdlib.h>

/* Some cells in evaluation mode. */
typedef struct evaluation {
    const scs_model *model;
    const scs_batch *batch;
    scs_nonzeros x;
    scs_real *mean, *head, *variance, *z; /* [n, n_latent] */
    scs_real *hidden;                     /* [n, n_hidden] */
    double *noise;                        /* [n_latent] of the cell in hand */
    scs_tiled *output;
} evaluation;

static scs_status open_evaluation(evaluation *e)
{
    const scs_arch *arch = &e->model->arch;
    int32_t n = e->batch->n;
    int64_t latent = (int64_t)n * arch->n_latent;

    SCS_TRY(scs_nonzeros_reserve(&e->x, e->batch->x, e->batch->rows, 0, n, false));
    SCS_TRY(SCS_ALLOC(e->mean, latent));
    SCS_TRY(SCS_ALLOC(e->head, latent));
    SCS_TRY(SCS_ALLOC(e->variance, latent));
    SCS_TRY(SCS_ALLOC(e->z, latent));
    SCS_TRY(SCS_ALLOC(e->hidden, (int64_t)n * arch->n_hidden));
    SCS_TRY(SCS_ALLOC(e->noise, arch->n_latent));
    return scs_tiled_create(arch, 1, 1, n, &e->output);
}

static void close_evaluation(evaluation *e)
{
    scs_nonzeros_clear(&e->x);
    scs_tiled_destroy(&e->output);
    free(e->mean);
    free(e->head);
    free(e->variance);
    free(e->z);
    free(e->hidden);
    free(e->noise);
}

/* z of every cell, with the same noise in every epoch. @return sum of KL */
static double draw_latent(const evaluation *e, int64_t seed)
{
    int32_t n_latent = e->model->arch.n_latent;
    double kl = 0;

    for (int64_t i = 0; i < e->batch->n; i++) {
        uint64_t id = (uint64_t)e->batch->cell[e->batch->rows[i]];
        scs_stream stream = {(uint64_t)seed, SCS_RANDOM_VALIDATE, 0, id};
        int64_t at = i * n_latent;
        scs_posterior cell = {e->mean + at, e->head + at, e->variance + at, e->z + at, e->noise};

        scs_random_normal(&stream, n_latent, e->noise);
        kl += scs_posterior_forward(&e->model->arch, &cell);
    }
    return kl;
}

static scs_status run_evaluation(evaluation *e, int64_t seed, scs_loss *loss)
{
    const scs_model *model = e->model;
    const scs_batch *batch = e->batch;
    int64_t first_row[] = {0, batch->n};
    scs_gene_split all = {.n_shard = 1,
                          .last = 1,
                          .n_all = model->arch.n_gene,
                          .n_gene = model->arch.n_gene,
                          .first_row = first_row,
                          .part = &e->x.by_cell,
                          .rows = e->hidden};
    double kl;

    scs_nonzeros_fill(&e->x, batch->x, batch->rows, 0, false);
    SCS_TRY(scs_encode_heads(model, &e->x, batch->n, e->mean, e->head));
    kl = draw_latent(e, seed);
    SCS_TRY(scs_model_decode_hidden(model, e->z, batch->n, e->hidden));
    scs_tiled_step(e->output, model->param, 0, &all, NULL);
    *loss = scs_loss_of(&model->arch, scs_tiled_error(e->output, 0), kl, batch->n);
    return SCS_OK;
}

scs_status scs_model_validate(const scs_model *model, const scs_batch *batch, int64_t seed,
                              scs_loss *loss)
{
    evaluation e = {.model = model, .batch = batch};
    scs_status st;

    *loss = (scs_loss){0};
    if (batch->n == 0)
        return SCS_OK;
    SCS_GO(st, open_evaluation(&e));
    SCS_GO(st, run_evaluation(&e, seed, loss));
done:
    close_evaluation(&e);
    return st;
}
