#include "src/base/clock.h"
#include "src/base/collective.h"
#include "src/data/packed.h"
#include "src/model/output.h"
#include "src/train/state.h"
#include "src/train/train_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_cell(scs_row cell, double *sum)
{
    for (int64_t k = 0; k < cell.n; k++)
        sum[scs_row_gene(&cell, k)] += scs_row_value(&cell, k);
}

/* Sums over each local shard's training cells. @param sum [n_local, n_gene] zeroed */
static void sum_genes(const scs_trainer *t, double *sum)
{
    for (int32_t i = 0; i < t->n_local; i++) {
        const scs_packed *x = &t->shard[i].x;

        for (int64_t r = 0; r < t->shard[i].n_train; r++)
            add_cell(scs_packed_row(x, r), sum + (int64_t)i * x->n_col);
    }
}

static scs_status trainer_center(scs_trainer *t)
{
    int32_t n_gene = t->model->arch.n_gene;
    double *sum, *total, n = 0;
    scs_real *bias = scs_model_data(t->model, scs_model_find(t->model, "decoder.linear_out.bias"));
    scs_status st = SCS_ALLOC(sum, ((int64_t)t->n_local + 1) * n_gene);

    SCS_GO(st, t->team->agree(t->team->ctx, st));
    sum_genes(t, sum);
    total = sum + (int64_t)t->n_local * n_gene;
    SCS_GO(st, t->team->sum(t->team->ctx, sum, n_gene, total));
    for (int32_t v = 0; v < t->deal->n_shard; v++)
        n += (double)t->deal->n_train[v];
    for (int32_t g = 0; g < n_gene; g++)
        bias[g] = (scs_real)(total[g] / n);
done:
    free(sum);
    return st;
}

/* One optimiser step: how its sums and its new weights travel while the ranks compute. */

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
    double rate = scs_profile_learning_rate(&t->options, t->step, t->options.epochs * t->steps);

    scs_adam_step(&t->model->arch, rate, t->step, t->model->param, own->lo, own->hi,
                  t->grad[0] + own->lo, t->m + own->at, t->v + own->at);
    t->travels = true;
    return t->team->gather_begin(t->team->ctx, t->model->param, own->bound);
}

static scs_status trainer_settle(scs_trainer *t)
{
    if (!t->travels)
        return scs_collective_ok();
    t->travels = false;
    return t->team->gather_end(t->team->ctx);
}

static void trainer_abandon(scs_trainer *t)
{
    const scs_team *team = t->team;
    int64_t *bound = t->own[SCS_OUT_WEIGHT].bound;

    if (t->reduces)
        (void)!team->reduce_end(team->ctx, t->grad, bound, true,
                                t->grad[0] + t->own[SCS_OUT_WEIGHT].lo);
    t->reduces = false;
    (void)!trainer_settle(t);
}

static scs_status before_weights(void *ctx)
{
    const making *m = ctx;

    return trainer_settle(m->t);
}

/* ---- sums over shards ---- */

static scs_status trainer_sum_losses(scs_trainer *t, scs_loss *loss)
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

/* The output layer's gradient, or its new weights, travel under the rest of the backward pass. */
static scs_status after_output(void *ctx)
{
    const making *m = ctx;
    scs_trainer *t = m->t;
    const int64_t *bound = t->own[SCS_OUT_WEIGHT].bound;

    SCS_TRY(trainer_sum_losses(t, m->loss));
    SCS_REQUIRE(isfinite(m->loss->objective), SCS_ENUMERIC,
                "training diverged at step %lld (epoch %lld): the objective is %s; lower "
                "train.learning_rate or check the input values",
                (long long)t->step + 1, (long long)m->step->epoch,
                isnan(m->loss->objective) ? "nan" : "infinite");
    t->step++;
    if (scs_layout_gradient_is_whole(m->step, SCS_OUT_WEIGHT)) {
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

    if (scs_layout_gradient_is_whole(step, segment))
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

    for (int i = scs_layout_gradient_is_whole(step, SCS_OUT_WEIGHT) ? 2 : 0; i < SCS_SEGMENTS;
         i++) {
        SCS_TRY(reduce(t, step, order[i]));
        SCS_TRY(update(t, order[i]));
    }
    return scs_collective_ok();
}

static int64_t trainer_cells(const scs_trainer *trainer, int64_t at)
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

static scs_status trainer_step(scs_trainer *t, int64_t epoch, int64_t at, scs_loss *loss)
{
    scs_step step = {.seed = t->options.seed,
                     .epoch = epoch,
                     .n_global = trainer_cells(t, at),
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

/* Cells of a block. */
enum { VALIDATION_BLOCK = 256 };

static void loss_add(const scs_loss *loss, scs_loss *sum)
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
        SCS_TRY(scs_model_evaluate(t->model, &batch, t->options.seed, &loss));
        loss_add(&loss, sum);
    }
    return SCS_OK;
}

static scs_status trainer_validate(scs_trainer *t, scs_loss *loss)
{
    int64_t rows[VALIDATION_BLOCK];
    scs_status st = SCS_OK;

    for (int32_t i = 0; st == SCS_OK && i < t->n_local; i++)
        st = validate_shard(t, i, rows);
    SCS_TRY(t->team->agree(t->team->ctx, st));
    t->wishes = 0;
    return trainer_sum_losses(t, loss);
}

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

static scs_status count_steps(scs_trainer *trainer)
{
    const scs_deal *deal = trainer->deal;
    int64_t most = 0, steps;

    for (int32_t v = 0; v < deal->n_shard; v++)
        most = deal->n_train[v] > most ? deal->n_train[v] : most;
    steps = (most + trainer->part - 1) / trainer->part;
    while (steps > 0 && trainer_cells(trainer, steps - 1) < MIN_BATCH)
        steps--;
    SCS_REQUIRE(steps > 0, SCS_EDATA, "training needs at least %d cells; there are fewer",
                MIN_BATCH);
    trainer->steps = steps;
    for (int64_t at = 0; at < steps; at++)
        trainer->cells += trainer_cells(trainer, at);
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

static void trainer_destroy(scs_trainer **trainer)
{
    scs_trainer *t = *trainer;

    if (!t)
        return;
    trainer_abandon(t);
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

static scs_status trainer_create(const scs_config *config, scs_model *model, const scs_shard *shard,
                                 const scs_deal *deal, const scs_team *team, scs_trainer **trainer)
{
    scs_trainer *t;
    scs_status st = SCS_ALLOC(*trainer, 1);

    if (st == SCS_OK) {
        t = *trainer;
        t->options = scs_profile_train_options(config);
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
    trainer_destroy(trainer);
    return st;
}

/* ---- epochs ---- */

static scs_status trainer_shuffle(scs_trainer *t, int64_t epoch)
{
    scs_status st = SCS_OK;

    for (int32_t i = 0; st == SCS_OK && i < t->n_local; i++)
        st = scs_shard_epoch_order(&t->shard[i], t->options.seed, epoch, t->order[i]);
    return t->team->agree(t->team->ctx, st);
}

static void keep_best(const scs_training *t)
{
    const scs_model *model = t->trainer->model;

    memcpy(t->best, model->param, (size_t)model->n_param * sizeof *t->best);
    memcpy(t->best + model->n_param, model->running, (size_t)model->n_running * sizeof *t->best);
}

static void restore_best(const scs_training *t)
{
    scs_model *model = t->trainer->model;

    memcpy(model->param, t->best, (size_t)model->n_param * sizeof *t->best);
    memcpy(model->running, t->best + model->n_param, (size_t)model->n_running * sizeof *t->best);
}

static void report_progress(const scs_training *t)
{
    const scs_trainer *trainer = t->trainer;
    const scs_position *p = &t->position;
    int64_t epochs = trainer->options.epochs;

    if (trainer->team->rank == 0 && t->watch && t->watch->progress)
        t->watch->progress(
            t->watch->ctx, p->epoch, epochs, p->at, trainer->steps, p->sum.objective / p->sum.n,
            (p->epoch - 1) * trainer->cells + (int64_t)p->sum.n, epochs * trainer->cells);
}

/* Hand the state over. @param wishes 0: training is over */
static scs_status save(scs_training *t, int wishes)
{
    const scs_keep *keep = t->watch ? &t->watch->keep : NULL;
    scs_position now = t->position;

    if (!keep || !keep->save)
        return SCS_OK;
    now.seconds += scs_clock() - t->clock;
    return keep->save(keep->ctx, t, &now, wishes);
}

static scs_status train_step(scs_training *t)
{
    const scs_keep *keep = t->watch ? &t->watch->keep : NULL;
    scs_position *p = &t->position;
    scs_loss loss;

    t->trainer->wishes = keep && keep->wish ? keep->wish(keep->ctx) : 0;
    SCS_TRY(trainer_step(t->trainer, p->epoch, p->at, &loss));
    loss_add(&loss, &p->sum);
    p->at++;
    p->step = t->trainer->step;
    t->advanced = true;
    report_progress(t);
    if (!t->trainer->wishes)
        return SCS_OK;
    SCS_TRY(trainer_settle(t->trainer));
    return save(t, t->trainer->wishes);
}

static scs_status train_epoch(scs_training *t)
{
    SCS_TRY(trainer_shuffle(t->trainer, t->position.epoch));
    while (t->position.at < t->trainer->steps)
        SCS_TRY(train_step(t));
    return trainer_settle(t->trainer);
}

/* The reference looks at SSE + unweighted KL; ours at the objective itself. */
static double monitored(const scs_training *t, const scs_loss *loss)
{
    if (t->trainer->options.monitor == SCS_MONITOR_REFERENCE)
        return (loss->reconstruction + loss->kl) / loss->n;
    return loss->objective / loss->n;
}

static scs_status judge_epoch(scs_training *t, scs_epoch *report)
{
    scs_position *p = &t->position;
    scs_loss valid;

    SCS_TRY(trainer_validate(t->trainer, &valid));
    report->validation = valid.n > 0 ? valid.objective / valid.n : NAN;
    report->monitored = monitored(t, valid.n > 0 ? &valid : &p->sum);
    SCS_REQUIRE(isfinite(report->monitored), SCS_ENUMERIC,
                "training diverged after step %lld (epoch %lld): the validation objective is %s; "
                "lower train.learning_rate or check the input values",
                (long long)report->step, (long long)report->epoch,
                isnan(report->monitored) ? "nan" : "infinite");
    report->best = p->best_epoch == 0 || report->monitored < p->best;
    if (!report->best)
        return SCS_OK;
    p->best = report->monitored;
    p->best_epoch = report->epoch;
    if (t->best)
        keep_best(t);
    return SCS_OK;
}

static scs_status tell(const scs_training *t, const scs_epoch *report)
{
    const scs_team *team = t->trainer->team;
    scs_status st = SCS_OK;

    if (t->watch && t->watch->epoch_end)
        st = t->watch->epoch_end(t->watch->ctx, report);
    return team->agree(team->ctx, st);
}

static void fill_report(const scs_training *t, scs_epoch *report)
{
    const scs_loss *sum = &t->position.sum;

    *report = (scs_epoch){.epoch = t->position.epoch,
                          .epochs = t->trainer->options.epochs,
                          .step = t->position.step,
                          .objective = sum->objective / sum->n,
                          .reconstruction = sum->reconstruction / sum->n,
                          .kl = sum->kl / sum->n,
                          .cells = (int64_t)sum->n};
}

static void begin_next_epoch(scs_training *t)
{
    scs_position *p = &t->position;

    p->epoch++;
    p->at = 0;
    p->sum = (scs_loss){0};
    p->seconds = 0;
    t->clock = scs_clock();
}

static scs_status run_epoch(scs_training *t)
{
    const scs_team *team = t->trainer->team;
    scs_epoch report;

    SCS_TRY(train_epoch(t));
    fill_report(t, &report);
    SCS_TRY(judge_epoch(t, &report));
    report.seconds = t->position.seconds + scs_clock() - t->clock;
    SCS_TRY(team->share(team->ctx, &report.seconds, sizeof report.seconds));
    SCS_TRY(tell(t, &report));
    begin_next_epoch(t);
    return SCS_OK;
}

static scs_status run_epochs(scs_training *t)
{
    const scs_train_options *options = &t->trainer->options;
    const scs_position *p = &t->position;

    t->clock = scs_clock();
    while (p->epoch <= options->epochs && p->epoch - 1 - p->best_epoch < options->patience)
        SCS_TRY(run_epoch(t));
    return t->advanced ? save(t, 0) : scs_collective_ok();
}

static void fill_outcome(const scs_training *t, scs_outcome *outcome)
{
    const scs_position *p = &t->position;

    *outcome = (scs_outcome){.epochs = p->epoch - 1,
                             .steps = p->step,
                             .best_epoch = p->best_epoch,
                             .best = p->best,
                             .stopped_early = p->epoch <= t->trainer->options.epochs};
}

static scs_status open_training(scs_training *t)
{
    const scs_trainer *trainer = t->trainer;
    scs_status st = SCS_OK;

    if (trainer->options.monitor == SCS_MONITOR_OBJECTIVE)
        st = SCS_ALLOC(t->best, trainer->model->n_param + trainer->model->n_running);
    return trainer->team->agree(trainer->team->ctx, st);
}

scs_status scs_train(const scs_config *config, scs_model *model, const scs_shard *shard,
                     const scs_deal *deal, const scs_team *team, const scs_watch *watch,
                     const scs_state *resume, scs_outcome *outcome)
{
    scs_training t = {.watch = watch, .position.epoch = 1};
    scs_status st;

    *outcome = (scs_outcome){0};
    SCS_GO(st, trainer_create(config, model, shard, deal, team, &t.trainer));
    SCS_GO(st, open_training(&t));
    if (!resume && t.trainer->options.center)
        SCS_GO(st, trainer_center(t.trainer));
    SCS_GO(st, resume ? scs_state_load(&t, resume) : scs_collective_ok());
    SCS_GO(st, run_epochs(&t));
    fill_outcome(&t, outcome);
    if (t.position.best_epoch && t.best)
        restore_best(&t);
done:
    free(t.best);
    trainer_destroy(&t.trainer);
    return st;
}
