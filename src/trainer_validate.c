#include "src/trainer.h"

/* Cells of a block. */
enum { VALIDATION_BLOCK = 256 };

void scs_loss_add(const scs_loss *loss, scs_loss *sum)
{
    sum->objective += loss->objective;
    sum->reconstruction += loss->reconstruction;
    sum->kl += loss->kl;
    sum->n += loss->n;
}

/* One shard's validation cells in blocks of a fixed size. @param rows [VALIDATION_BLOCK] scratch */
static scs_status validate_shard(const scs_trainer *t, int32_t i, int64_t *rows)
{
    const scs_shard *shard = &t->shard[i];
    scs_loss *sum = &t->loss[i];

    *sum = (scs_loss){0};
    for (int64_t at = 0; at < shard->n_valid; at += VALIDATION_BLOCK) {
        int64_t left = shard->n_valid - at;
        scs_batch batch = {.x = &shard->x,
                           .cell = shard->cell,
                           .rows = rows,
                           .n = left < VALIDATION_BLOCK ? (int32_t)left : VALIDATION_BLOCK};
        scs_loss loss;

        for (int32_t k = 0; k < batch.n; k++)
            rows[k] = shard->n_train + at + k;
        SCS_TRY(scs_model_validate(t->model, &batch, t->options.seed, &loss));
        scs_loss_add(&loss, sum);
    }
    return SCS_OK;
}

scs_status scs_trainer_validate(scs_trainer *t, scs_loss *loss)
{
    int64_t rows[VALIDATION_BLOCK];
    scs_status st = SCS_OK;

    for (int32_t i = 0; st == SCS_OK && i < t->n_local; i++)
        st = validate_shard(t, i, rows);
    SCS_TRY(t->team->agree(t->team->ctx, st));
    t->wishes = 0;
    return scs_trainer_sum_losses(t, loss);
}
