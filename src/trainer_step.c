/* One optimiser step: how its sums and its new weights travel while the ranks compute. */
#include "src/collective.h"
#include "src/output_model.h"
#include "src/trainer.h"

#include <math.h>

/* The output layer's way in a step of so many cells; an epoch's last step may have few. */
static bool is_factored(const scs_trainer *t, int64_t n_global)
{
    int wanted = t->options.output_layer;

    return wanted == SCS_OUTPUT_FACTORED ||
           (wanted == SCS_OUTPUT_AUTO &&
            scs_output_factors(&t->model->arch, (double)n_global, t->density));
}

/* Each shard's rows of this step. */
static void cut_batch(scs_trainer *t, int64_t at)
{
    for (int32_t i = 0; i < t->n_local; i++) {
        int64_t first = at * t->part, left = t->shard[i].n_train - first;

        if (left < 0)
            left = 0;
        t->batch[i] = (scs_batch){.x = &t->shard[i].x,
                                  .cell = t->shard[i].cell,
                                  .rows = left ? t->order[i] + first : NULL,
                                  .n = (int32_t)(left < t->part ? left : t->part)};
    }
}

/* A step in the making. */
typedef struct making {
    scs_trainer *t;
    const scs_step *step;
    scs_loss *loss;
} making;

/* Adam on this rank's slice of a segment; then its new weights set out for the other ranks. */
static scs_status update(scs_trainer *t, int segment)
{
    const scs_own *own = &t->own[segment];
    double rate = scs_learning_rate(&t->options, t->step, t->options.epochs * t->steps);

    scs_adam_step(&t->model->arch, rate, t->step, t->model->param, own->lo, own->hi,
                  t->grad[0] + own->lo, t->m + own->at, t->v + own->at);
    t->travels = true;
    return t->team->gather_begin(t->team->ctx, t->model->param, own->bound);
}

scs_status scs_trainer_settle(scs_trainer *t)
{
    if (!t->travels)
        return scs_collective_ok();
    t->travels = false;
    return t->team->gather_end(t->team->ctx);
}

void scs_trainer_abandon(scs_trainer *t)
{
    const scs_team *team = t->team;
    int64_t *bound = t->own[SCS_OUT_WEIGHT].bound;

    if (t->reduces)
        (void)!team->reduce_end(team->ctx, t->grad, bound, true,
                                t->grad[0] + t->own[SCS_OUT_WEIGHT].lo);
    t->reduces = false;
    (void)!scs_trainer_settle(t);
}

static scs_status before_weights(void *ctx)
{
    const making *m = ctx;

    return scs_trainer_settle(m->t);
}

/* The output layer's gradient, or its new weights, travel under the rest of the backward pass. */
static scs_status after_output(void *ctx)
{
    const making *m = ctx;
    scs_trainer *t = m->t;
    const int64_t *bound = t->own[SCS_OUT_WEIGHT].bound;

    SCS_TRY(scs_trainer_sum_losses(t, m->loss));
    SCS_REQUIRE(isfinite(m->loss->objective), SCS_ENUMERIC,
                "training diverged at step %lld (epoch %lld): the objective is %s; lower "
                "train.learning_rate or check the input values",
                (long long)t->step + 1, (long long)m->step->epoch,
                isnan(m->loss->objective) ? "nan" : "infinite");
    t->step++;
    if (scs_gradient_is_whole(m->step, SCS_OUT_WEIGHT)) {
        SCS_TRY(update(t, SCS_OUT_WEIGHT));
        return update(t, SCS_OUT_BIAS);
    }
    SCS_TRY(t->team->reduce_begin(t->team->ctx, t->grad, bound, true));
    t->reduces = true;
    return scs_collective_ok();
}

/* The gradient of a segment is summed, if that has not been done. */
static scs_status reduce(scs_trainer *t, const scs_step *step, int segment)
{
    const scs_team *team = t->team;
    const scs_own *own = &t->own[segment];
    scs_real *slice = t->grad[0] + own->lo;

    if (scs_gradient_is_whole(step, segment))
        return scs_collective_ok();
    if (segment != SCS_OUT_WEIGHT)
        return team->reduce_slice(team->ctx, t->grad, own->bound, true, slice);
    t->reduces = false;
    return team->reduce_end(team->ctx, t->grad, own->bound, true, slice);
}

/* The output layer first, whose sums have been under way for longest. */
static scs_status finish_step(scs_trainer *t, const scs_step *step)
{
    static const int order[SCS_SEGMENTS] = {SCS_OUT_WEIGHT, SCS_OUT_BIAS, SCS_MIDDLE,
                                            SCS_FIRST_WEIGHT};

    for (int i = scs_gradient_is_whole(step, SCS_OUT_WEIGHT) ? 2 : 0; i < SCS_SEGMENTS; i++) {
        SCS_TRY(reduce(t, step, order[i]));
        SCS_TRY(update(t, order[i]));
    }
    return scs_collective_ok();
}

scs_status scs_trainer_step(scs_trainer *t, int64_t epoch, int64_t at, scs_loss *loss)
{
    scs_step step = {.seed = t->options.seed,
                     .epoch = epoch,
                     .n_global = scs_trainer_cells(t, at),
                     .dropout = true,
                     .batch_norm = t->options.batch_norm};
    making m = {t, &step, loss};
    scs_step_hooks hooks = {&m, before_weights, after_output};

    step.factored = is_factored(t, step.n_global);
    step.split = scs_output_splits(&t->model->arch, step.n_global);
    step.hooks = &hooks;
    cut_batch(t, at);
    SCS_TRY(scs_network_step(t->net, t->model, t->batch, &step, t->team, t->grad, t->loss));
    return finish_step(t, &step);
}
