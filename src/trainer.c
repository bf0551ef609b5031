#include "src/trainer.h"

#include "src/packed.h"

#include <stdlib.h>

/* A batch of fewer cells is left out: batch norm has nothing to go by. */
enum { MIN_BATCH = 3 };

/* ---- create and destroy ---- */

static scs_status check_batch(int64_t batch, int32_t n_shard)
{
    int64_t nearest = (batch + n_shard / 2) / n_shard * n_shard;

    if (nearest < n_shard)
        nearest = n_shard;
    SCS_REQUIRE(
        batch % n_shard == 0, SCS_EARG,
        "train.batch: %lld is not a multiple of the %d shards; the nearest that fits is %lld",
        (long long)batch, n_shard, (long long)nearest);
    return SCS_OK;
}

int64_t scs_trainer_cells(const scs_trainer *trainer, int64_t at)
{
    const scs_deal *deal = trainer->deal;
    int64_t n = 0;

    for (int32_t v = 0; v < deal->n_shard; v++) {
        int64_t left = deal->n_train[v] - at * trainer->part;

        if (left > 0)
            n += left < trainer->part ? left : trainer->part;
    }
    return n;
}

static scs_status count_steps(scs_trainer *trainer)
{
    const scs_deal *deal = trainer->deal;
    int64_t most = 0, steps;

    for (int32_t v = 0; v < deal->n_shard; v++)
        most = deal->n_train[v] > most ? deal->n_train[v] : most;
    steps = (most + trainer->part - 1) / trainer->part;
    while (steps > 0 && scs_trainer_cells(trainer, steps - 1) < MIN_BATCH)
        steps--;
    SCS_REQUIRE(steps > 0, SCS_EDATA, "training needs at least %d cells; there are fewer",
                MIN_BATCH);
    trainer->steps = steps;
    for (int64_t at = 0; at < steps; at++)
        trainer->cells += scs_trainer_cells(trainer, at);
    return SCS_OK;
}

/* This rank's slices, and their moments. */
static scs_status cut_parameters(scs_trainer *t)
{
    const scs_team *team = t->team;
    int64_t n = 0;
    scs_layout layout;

    scs_layout_build(&t->model->arch, &layout);
    for (int s = 0; s < SCS_SEGMENTS; s++) {
        scs_own *own = &t->own[s];

        SCS_TRY(SCS_ALLOC(own->bound, team->n_shard + 1));
        scs_layout_cut(&layout, s, team->n_shard, own->bound);
        own->lo = own->bound[team->first];
        own->hi = own->bound[team->last];
        own->at = n;
        n += own->hi - own->lo;
    }
    SCS_TRY(SCS_ALLOC(t->m, n));
    return SCS_ALLOC(t->v, n);
}

static scs_status allocate(scs_trainer *t)
{
    SCS_TRY(cut_parameters(t));
    SCS_TRY(SCS_ALLOC(t->grad, t->n_local));
    SCS_TRY(SCS_ALLOC(t->order, t->n_local));
    SCS_TRY(SCS_ALLOC(t->batch, t->n_local));
    SCS_TRY(SCS_ALLOC(t->loss, t->n_local));
    SCS_TRY(SCS_ALLOC(t->parts, SCS_STEP_SUMS * (int64_t)t->n_local));
    for (int32_t i = 0; i < t->n_local; i++)
        SCS_TRY(SCS_ALLOC(t->order[i], t->shard[i].n_train));
    return scs_network_create(&t->model->arch, t->n_local, t->part, &t->net);
}

static scs_status fill_trainer(scs_trainer *trainer)
{
    int64_t batch = trainer->options.batch;

    SCS_TRY(check_batch(batch, trainer->team->n_shard));
    trainer->part = (int32_t)(batch / trainer->team->n_shard);
    SCS_TRY(count_steps(trainer));
    return allocate(trainer);
}

static scs_status share_memory(scs_trainer *t)
{
    const scs_team *team = t->team;

    SCS_TRY(team->open_parts(team->ctx, t->model->n_param, t->grad));
    SCS_TRY(team->share_values(team->ctx, t->model->n_param, &t->model->param));
    t->shares = true;
    return SCS_OK;
}

/* The share of non-zeros of all shards' cells. */
static scs_status find_density(scs_trainer *t)
{
    double total[2];

    for (int32_t i = 0; i < t->n_local; i++) {
        const scs_packed *x = &t->shard[i].x;

        t->parts[2 * i] = (double)scs_packed_nnz(x);
        t->parts[2 * i + 1] = (double)x->n_row * x->n_col;
    }
    SCS_TRY(t->team->sum(t->team->ctx, t->parts, 2, total));
    t->density = total[0] / total[1];
    return SCS_OK;
}

scs_status scs_trainer_create(const scs_config *config, scs_model *model, const scs_shard *shard,
                              const scs_deal *deal, const scs_team *team, scs_trainer **trainer)
{
    scs_trainer *t;
    scs_status st = SCS_ALLOC(*trainer, 1);

    if (st == SCS_OK) {
        t = *trainer;
        t->options = scs_train_options_from_config(config);
        t->model = model;
        t->shard = shard;
        t->deal = deal;
        t->team = team;
        t->n_local = team->last - team->first;
        st = fill_trainer(t);
    }
    SCS_GO(st, team->agree(team->ctx, st));
    SCS_GO(st, share_memory(*trainer));
    SCS_GO(st, find_density(*trainer));
    return SCS_OK;
done:
    scs_trainer_destroy(trainer);
    return st;
}

void scs_trainer_destroy(scs_trainer **trainer)
{
    scs_trainer *t = *trainer;

    if (!t)
        return;
    scs_trainer_abandon(t);
    if (t->shares)
        t->team->unshare_values(t->team->ctx, t->model->n_param, &t->model->param);
    if (t->grad)
        t->team->close_parts(t->team->ctx, t->grad);
    for (int32_t i = 0; t->order && i < t->n_local; i++)
        free(t->order[i]);
    scs_network_destroy(&t->net);
    for (int s = 0; s < SCS_SEGMENTS; s++)
        free(t->own[s].bound);
    free(t->m);
    free(t->v);
    free(t->grad);
    free(t->order);
    free(t->batch);
    free(t->loss);
    free(t->parts);
    free(t);
    *trainer = NULL;
}

/* ---- epochs ---- */

scs_status scs_trainer_shuffle(scs_trainer *t, int64_t epoch)
{
    scs_status st = SCS_OK;

    for (int32_t i = 0; st == SCS_OK && i < t->n_local; i++)
        st = scs_shard_epoch_order(&t->shard[i], t->options.seed, epoch, t->order[i]);
    return t->team->agree(t->team->ctx, st);
}

/* ---- sums over shards ---- */

scs_status scs_trainer_sum_losses(scs_trainer *t, scs_loss *loss)
{
    double total[SCS_STEP_SUMS];

    for (int32_t i = 0; i < t->n_local; i++) {
        double *part = t->parts + SCS_STEP_SUMS * (int64_t)i;

        part[0] = t->loss[i].objective;
        part[1] = t->loss[i].reconstruction;
        part[2] = t->loss[i].kl;
        part[3] = t->loss[i].n;
        part[4] = i == 0 && (t->wishes & SCS_WISH_SAVE);
        part[5] = i == 0 && (t->wishes & SCS_WISH_STOP);
    }
    SCS_TRY(t->team->sum(t->team->ctx, t->parts, SCS_STEP_SUMS, total));
    *loss = (scs_loss){total[0], total[1], total[2], total[3]};
    t->wishes = (total[4] > 0 ? SCS_WISH_SAVE : 0) | (total[5] > 0 ? SCS_WISH_STOP : 0);
    return SCS_OK;
}
