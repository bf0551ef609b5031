/* Training: steps, epochs, early stopping. Exported: scs_train (Collective); the state of a run
 * is in train_internal.h.
 *
 * One step, on V shards of which this rank owns some:
 *   1. each shard's part of the batch goes forward and backward by itself (model/network_step.c);
 *   2. after the output layer, losses are summed over shards in tree order: one message, which
 *      also carries what ranks ask for (save, stop), so that all decide alike;
 *   3. gradients are summed slice by slice in the same tree order, each rank updates its slices by
 *      Adam, and the new weights set out for the other ranks. Of layers that are split by genes
 *      the gradient needs no sum: where it can, a step updates their weights itself, row by row
 *      as the gradient is made, and it never exists as a whole.
 *
 * New weights travel while the next batch is gathered: a step waits for them only where it first
 * reads a weight (before_weights). So everything that reads weights outside a step calls
 * trainer_settle first.
 *
 * The bits do not depend on the number of ranks: a shard's partial sums are made alone, added in
 * the order of one binary tree over the shards, and every decision is taken from numbers that all
 * ranks have alike. A failure between gather_begin and gather_end leaves messages under way;
 * trainer_abandon takes them in, so that ranks that fail together also end together.
 *
 * What travels in a step, by segment of the parameters (layout.h), in this order:
 *     losses and requests    6 doubles a shard, after the output layer
 *     output layer           summed under the rest of the backward pass, or (split by genes) not
 *                            at all; its new weights while the other segments are summed
 *     middle layers          summed after the backward pass
 *     first layer            likewise, or not at all where split by genes
 *     new weights            a gather a segment, waited for in the next step
 */
#include "src/base/clock.h"
#include "src/base/collective.h"
#include "src/data/packed.h"
#include "src/kernels/adam.h"
#include "src/model/output.h"
#include "src/train/state.h"
#include "src/train/train_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIN_BATCH = 3,         /* cells of the last step of an epoch; a smaller one is left out, as
                              batch norm has too little to go by */
    EVALUATION_BLOCK = 256 /* cells that validation takes at once: fixed shapes of BLAS calls */
};

/* ---- messages under way ---- */

/* Waits until the new weights are there: to be called before others than the next step read
 * them. Collective. */
static scs_status trainer_settle(scs_trainer *t)
{
    if (!t->gathering)
        return scs_collective_ok();
    t->gathering = false;
    return t->team->gather_end(t->team->ctx);
}

/* Takes in what a step that failed has left under way. Collective. */
static void trainer_abandon(scs_trainer *t)
{
    const scs_team *team = t->team;
    int64_t *bound = t->own[SCS_OUT_WEIGHT].bound;

    if (t->reducing)
        (void)!team->reduce_end(team->ctx, t->grad, bound, true,
                                t->grad[0] + t->own[SCS_OUT_WEIGHT].lo);
    t->reducing = false;
    (void)!trainer_settle(t);
}

/* ---- sums over shards ---- */

/* sum += loss, member by member: both are sums over cells. */
static void loss_add(const scs_loss *loss, scs_loss *sum)
{
    sum->objective += loss->objective;
    sum->reconstruction += loss->reconstruction;
    sum->kl += loss->kl;
    sum->n += loss->n;
}

/* Sums over all shards of t->loss, the same bits on every rank. What the ranks ask for
 * (t->requests) travels as two more numbers, the count of ranks that ask: afterwards all know it.
 * Collective.
 * @param[out] loss sums over all shards */
static scs_status trainer_sum_losses(scs_trainer *t, scs_loss *loss)
{
    double total[SCS_STEP_SUMS];

    for (int32_t i = 0; i < t->n_local; i++) {
        double *sums = t->partial + SCS_STEP_SUMS * (int64_t)i;

        sums[0] = t->loss[i].objective;
        sums[1] = t->loss[i].reconstruction;
        sums[2] = t->loss[i].kl;
        sums[3] = t->loss[i].n;
        sums[4] = i == 0 && (t->requests & SCS_REQUEST_SAVE);
        sums[5] = i == 0 && (t->requests & SCS_REQUEST_STOP);
    }
    SCS_TRY(t->team->sum(t->team->ctx, t->partial, SCS_STEP_SUMS, total));
    *loss = (scs_loss){total[0], total[1], total[2], total[3]};
    t->requests = (total[4] > 0 ? SCS_REQUEST_SAVE : 0) | (total[5] > 0 ? SCS_REQUEST_STOP : 0);
    return SCS_OK;
}

/* ---- one step ---- */

/* What the hooks of a step in hand see; borrowed. */
typedef struct step_in_hand {
    scs_trainer *t;
    const scs_step *step;
    scs_loss *loss; /* out: sums over all shards */
} step_in_hand;

/* Whether the output layer is factored (output_factored.h) in a step of so many cells; by all
 * shards' cells and density, never by this rank's. An epoch's last step may be short, and
 * differ. */
static bool is_factored(const scs_trainer *t, int64_t n_global)
{
    int wanted = t->options.output_layer;

    return wanted == SCS_OUTPUT_FACTORED ||
           (wanted == SCS_OUTPUT_AUTO &&
            scs_output_factors(&t->model->arch, (double)n_global, t->density));
}

/* Rows [at, at + 1) cells_per_shard of each shard's order; a shard that is used up gives none.
 * Collective where they come from a feed. */
static scs_status cut_batch(scs_trainer *t, int64_t at)
{
    if (t->feed)
        return t->feed->batch(t->feed->ctx, at, t->batch);
    for (int32_t i = 0; i < t->n_local; i++) {
        int64_t first = at * t->cells_per_shard, left = t->shard[i].n_train - first;

        if (left < 0)
            left = 0;
        t->batch[i] =
            (scs_batch){.x = &t->shard[i].x,
                        .cell = t->shard[i].cell,
                        .rows = left ? t->order[i] + first : NULL,
                        .n = (int32_t)(left < t->cells_per_shard ? left : t->cells_per_shard)};
    }
    return scs_collective_ok();
}

/* Adam's constants of the step that follows those so far. */
static scs_adam next_adam(const scs_trainer *t)
{
    const scs_arch *arch = &t->model->arch;
    scs_adam_rule rule = {arch->weight_decay, arch->beta1, arch->beta2, arch->adam_epsilon};
    int64_t next = t->step + 1;

    return scs_adam_at(
        &rule, scs_profile_learning_rate(&t->options, next, t->options.epochs * t->steps), next);
}

/* Adam on this rank's slices of a segment, by the gradient summed into grad[0], unless the step has
 * made it; then their new weights set out for the other ranks. Collective. */
static scs_status update(scs_trainer *t, const scs_step *step, int segment)
{
    const scs_slices *own = &t->own[segment];
    scs_adam_state state = {t->model->param + own->lo, t->m + own->at, t->v + own->at};

    if (!scs_layout_step_updates(step, segment))
        scs_adam_step(step->hooks->adam, own->hi - own->lo, &state, t->grad[0] + own->lo);
    t->gathering = true;
    return t->team->gather_begin(t->team->ctx, t->model->param, own->bound);
}

/* Where the moments of a parameter of this rank are, of a layer that touches genes. */
static int64_t moment_of(const scs_trainer *t, int64_t param)
{
    bool is_first = param < t->own[SCS_FIRST_WEIGHT].hi;
    const scs_slices *own = &t->own[is_first ? SCS_FIRST_WEIGHT : SCS_OUT_WEIGHT];

    return own->at + param - own->lo;
}

/* Hook. */
static void locate_moments(void *ctx, int64_t lo, scs_real **m, scs_real **v)
{
    const step_in_hand *in_hand = ctx;
    int64_t at = moment_of(in_hand->t, lo);

    *m = in_hand->t->m + at;
    *v = in_hand->t->v + at;
}

/* Hook: the step is about to read the first weight. */
static scs_status before_weights(void *ctx)
{
    const step_in_hand *m = ctx;

    return trainer_settle(m->t);
}

/* Hook: the output layer's backward pass is done. Its summed gradient, or (where the layer is
 * split by genes and its gradient whole) its new weights, travel under the rest of the pass.
 * A NaN or Inf ends training here: nothing keeps the weights that the step may have changed.
 * SCS_ENUMERIC on all ranks. */
static scs_status after_output(void *ctx)
{
    const step_in_hand *m = ctx;
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
        SCS_TRY(update(t, m->step, SCS_OUT_WEIGHT));
        return update(t, m->step, SCS_OUT_BIAS);
    }
    SCS_TRY(t->team->reduce_begin(t->team->ctx, t->grad, bound, true));
    t->reducing = true;
    return scs_collective_ok();
}

/* Sums the gradient of a segment over shards into grad[0] at own->lo. Nothing to do where a
 * split by genes has made it whole; the output layer's sum has been under way since
 * after_output. */
static scs_status reduce(scs_trainer *t, const scs_step *step, int segment)
{
    const scs_team *team = t->team;
    const scs_slices *own = &t->own[segment];
    scs_real *slice = t->grad[0] + own->lo;

    if (scs_layout_gradient_is_whole(step, segment))
        return scs_collective_ok();
    if (segment != SCS_OUT_WEIGHT)
        return team->reduce_slice(team->ctx, t->grad, own->bound, true, slice);
    t->reducing = false;
    return team->reduce_end(team->ctx, t->grad, own->bound, true, slice);
}

/* Sums and updates the segments that after_output has not; the output layer first, as its sums
 * have been under way for longest. */
static scs_status finish_step(scs_trainer *t, const scs_step *step)
{
    static const int order[SCS_SEGMENTS] = {SCS_OUT_WEIGHT, SCS_OUT_BIAS, SCS_MIDDLE,
                                            SCS_FIRST_WEIGHT};

    for (int i = scs_layout_gradient_is_whole(step, SCS_OUT_WEIGHT) ? 2 : 0; i < SCS_SEGMENTS;
         i++) {
        SCS_TRY(reduce(t, step, order[i]));
        SCS_TRY(update(t, step, order[i]));
    }
    return scs_collective_ok();
}

/* Cells of step `at`, all shards: from the deal, which every rank has as a whole, without a
 * message. Local. */
static int64_t trainer_cells(const scs_trainer *trainer, int64_t at)
{
    const scs_deal *deal = trainer->deal;
    int64_t n = 0;

    for (int32_t v = 0; v < deal->n_shard; v++) {
        int64_t left = deal->n_train[v] - at * trainer->cells_per_shard;

        if (left > 0)
            n += left < trainer->cells_per_shard ? left : trainer->cells_per_shard;
    }
    return n;
}

/* One optimiser step. Afterwards the new weights are on their way (trainer_settle). Collective.
 * @param at 0 <= at < steps  @param[out] loss sums over all shards */
static scs_status trainer_step(scs_trainer *t, int64_t epoch, int64_t at, scs_loss *loss)
{
    scs_step step = {.seed = t->options.seed,
                     .epoch = epoch,
                     .n_global = trainer_cells(t, at),
                     .dropout = true,
                     .batch_norm = t->options.batch_norm};
    step_in_hand m = {t, &step, loss};
    scs_adam adam = next_adam(t);
    scs_step_hooks hooks = {&m, before_weights, after_output, &adam, locate_moments};

    step.factored = is_factored(t, step.n_global);
    step.split = scs_output_splits(&t->model->arch, step.n_global);
    step.hooks = &hooks;
    SCS_TRY(cut_batch(t, at));
    SCS_TRY(scs_network_step(t->net, t->model, t->batch, &step, t->team, t->grad, t->loss));
    return finish_step(t, &step);
}

/* ---- the validation cells ---- */

/* Validation cells of one shard, in blocks of a fixed size counted from the first: the shapes of
 * BLAS calls, and so the bits, do not depend on anything but the cells.
 * @param first row of x  @param cell [x->n_row]  @param[in,out] sum of their losses */
static scs_status evaluate_rows(const scs_trainer *t, const scs_packed *x, const int64_t *cell,
                                int64_t first, int64_t n, scs_loss *sum)
{
    int64_t rows[EVALUATION_BLOCK];

    for (int64_t at = 0; at < n; at += EVALUATION_BLOCK) {
        scs_batch batch = {.x = x,
                           .cell = cell,
                           .rows = rows,
                           .n = n - at < EVALUATION_BLOCK ? (int32_t)(n - at) : EVALUATION_BLOCK};
        scs_loss loss;

        for (int32_t k = 0; k < batch.n; k++)
            rows[k] = first + at + k;
        SCS_TRY(scs_model_evaluate(t->model, &batch, t->options.seed, &loss));
        loss_add(&loss, sum);
    }
    return SCS_OK;
}

/* Those of all local shards, which are in memory. Local. */
static scs_status evaluate_shards(const scs_trainer *t)
{
    for (int32_t i = 0; i < t->n_local; i++)
        SCS_TRY(evaluate_rows(t, &t->shard[i].x, t->shard[i].cell, t->shard[i].n_train,
                              t->shard[i].n_valid, &t->loss[i]));
    return SCS_OK;
}

/* Some of the feed's. Local. @param rows [n_local] */
static scs_status evaluate_part(const scs_trainer *t, const scs_feed_rows *rows)
{
    for (int32_t i = 0; i < t->n_local; i++)
        SCS_TRY(evaluate_rows(t, rows[i].x, rows[i].cell, 0, rows[i].n, &t->loss[i]));
    return SCS_OK;
}

/* Those of a feed, as they come. Collective. */
static scs_status evaluate_feed(const scs_trainer *t)
{
    const scs_feed *feed = t->feed;
    bool more;

    SCS_TRY(feed->begin(feed->ctx, SCS_FEED_VALID, 0, 0));
    for (;;) {
        SCS_TRY(feed->next(feed->ctx, t->rows, &more));
        if (!more)
            return feed->end(feed->ctx);
        SCS_TRY(t->team->agree(t->team->ctx, evaluate_part(t, t->rows)));
    }
}

/* Whether there are any, of whichever shard. */
static bool has_validation(const scs_trainer *t)
{
    for (int32_t v = 0; v < t->deal->n_shard; v++)
        if (t->deal->n_valid[v] > 0)
            return true;
    return false;
}

/* Objective over all validation cells, by running batch norm, without dropout. Nobody can ask
 * for a save here: the ranks' requests are those of steps. Collective.
 * @param[out] loss sums over all shards; n is 0 without validation cells */
static scs_status trainer_evaluate(scs_trainer *t, scs_loss *loss)
{
    for (int32_t i = 0; i < t->n_local; i++)
        t->loss[i] = (scs_loss){0};
    if (!t->feed)
        SCS_TRY(t->team->agree(t->team->ctx, evaluate_shards(t)));
    else if (has_validation(t))
        SCS_TRY(evaluate_feed(t));
    t->requests = 0;
    return trainer_sum_losses(t, loss);
}

/* ---- the trainer ---- */

/* Each shard gives the same number of cells to a batch. SCS_EARG names the nearest that fits. */
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

/* Steps of an epoch: until the fullest shard is used up, less last ones of fewer than MIN_BATCH
 * cells over all shards. Sets steps and cells. SCS_EDATA where none is left. */
static scs_status count_steps(scs_trainer *trainer)
{
    const scs_deal *deal = trainer->deal;
    int64_t most = 0, steps;

    for (int32_t v = 0; v < deal->n_shard; v++)
        most = deal->n_train[v] > most ? deal->n_train[v] : most;
    steps = (most + trainer->cells_per_shard - 1) / trainer->cells_per_shard;
    while (steps > 0 && trainer_cells(trainer, steps - 1) < MIN_BATCH)
        steps--;
    SCS_REQUIRE(steps > 0, SCS_EDATA, "training needs at least %d cells; there are fewer",
                MIN_BATCH);
    trainer->steps = steps;
    for (int64_t at = 0; at < steps; at++)
        trainer->cells += trainer_cells(trainer, at);
    return SCS_OK;
}

/* What the data and the batch say of training, before anything is allocated for it. */
scs_status scs_train_plan(const scs_train_options *options, const scs_deal *deal, int64_t *steps)
{
    scs_trainer t = {.options = *options, .deal = deal};

    SCS_TRY(check_batch(options->batch, deal->n_shard));
    t.cells_per_shard = (int32_t)(options->batch / deal->n_shard);
    SCS_TRY(count_steps(&t));
    *steps = t.steps;
    return SCS_OK;
}

/* This rank's slices of every segment, side by side, and zeroed moments for them: 8 bytes a
 * parameter over all ranks together. */
static scs_status cut_parameters(scs_trainer *t)
{
    const scs_team *team = t->team;
    int64_t n = 0;
    scs_layout layout;

    scs_layout_build(&t->model->arch, &layout);
    for (int s = 0; s < SCS_SEGMENTS; s++) {
        scs_slices *own = &t->own[s];

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

/* All that is this rank's own; what the team lends comes in share_memory. */
static scs_status allocate(scs_trainer *t)
{
    SCS_TRY(cut_parameters(t));
    SCS_TRY(SCS_ALLOC(t->grad, t->n_local));
    SCS_TRY(SCS_ALLOC(t->order, t->n_local));
    SCS_TRY(SCS_ALLOC(t->rows, t->n_local));
    SCS_TRY(SCS_ALLOC(t->batch, t->n_local));
    SCS_TRY(SCS_ALLOC(t->loss, t->n_local));
    SCS_TRY(SCS_ALLOC(t->partial, SCS_STEP_SUMS * (int64_t)t->n_local));
    for (int32_t i = 0; !t->feed && i < t->n_local; i++)
        SCS_TRY(SCS_ALLOC(t->order[i], t->shard[i].n_train));
    return scs_network_create(&t->model->arch, t->n_local, t->cells_per_shard, &t->net);
}

/* What one rank can check and allocate alone; the ranks agree afterwards, so that a rank
 * without memory stops all of them. */
static scs_status fill_trainer(scs_trainer *trainer)
{
    int64_t batch = trainer->options.batch;

    SCS_TRY(check_batch(batch, trainer->team->n_shard));
    trainer->cells_per_shard = (int32_t)(batch / trainer->team->n_shard);
    SCS_TRY(count_steps(trainer));
    return allocate(trainer);
}

/* Gradients go where the ranks of a node can read them, and the weights become the node's one
 * copy: after this the model's buffer is not this rank's own until unshare_values. Collective. */
static scs_status share_memory(scs_trainer *t)
{
    const scs_team *team = t->team;

    SCS_TRY(team->open_parts(team->ctx, t->model->n_param, t->grad));
    SCS_TRY(team->share_values(team->ctx, t->model->n_param, &t->model->param));
    t->shared = true;
    return SCS_OK;
}

/* The cells that training is set out from into t->rows: all, or a feed's sample, which stays until
 * the feed is asked again. Collective. */
static scs_status open_sample(const scs_trainer *t)
{
    bool more;

    if (t->feed) {
        SCS_TRY(t->feed->begin(t->feed->ctx, SCS_FEED_SAMPLE, 1, 0));
        return t->feed->next(t->feed->ctx, t->rows, &more);
    }
    for (int32_t i = 0; i < t->n_local; i++)
        t->rows[i] = (scs_feed_rows){
            .x = &t->shard[i].x, .cell = t->shard[i].cell, .n = t->shard[i].x.n_row};
    return scs_collective_ok();
}

/* Collective. */
static scs_status close_sample(const scs_trainer *t)
{
    return t->feed ? t->feed->end(t->feed->ctx) : scs_collective_ok();
}

/* The share of non-zeros of the sample's cells. Collective. */
static scs_status find_density(scs_trainer *t)
{
    double total[2];

    for (int32_t i = 0; i < t->n_local; i++) {
        const scs_packed *x = t->rows[i].x;

        t->partial[2 * i] = (double)scs_packed_nnz(x);
        t->partial[2 * i + 1] = (double)x->n_row * x->n_col;
    }
    SCS_TRY(t->team->sum(t->team->ctx, t->partial, 2, total));
    t->density = total[0] / total[1];
    return SCS_OK;
}

/* Takes in messages that are under way, and gives the weights' memory back to the model, which
 * outlives the trainer. Collective. *trainer may be NULL, or made half. */
static void trainer_destroy(scs_trainer **trainer)
{
    scs_trainer *t = *trainer;

    if (!t)
        return;
    trainer_abandon(t);
    if (t->shared)
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
    free(t->rows);
    free(t->batch);
    free(t->loss);
    free(t->partial);
    free(t);
    *trainer = NULL;
}

/* Checks the batch against the shards and allocates. SCS_EARG, SCS_EDATA, SCS_ENOMEM, alike on
 * all ranks. Collective.  @param[out] trainer destroyed by trainer_destroy; NULL after a
 * failure */
static scs_status trainer_create(const scs_config *config, scs_model *model, const scs_feed *feed,
                                 const scs_shard *shard, const scs_deal *deal, const scs_team *team,
                                 scs_trainer **trainer)
{
    scs_trainer *t;
    scs_status st = SCS_ALLOC(*trainer, 1);

    if (st == SCS_OK) {
        t = *trainer;
        t->options = scs_profile_train_options(config);
        t->model = model;
        t->feed = feed;
        t->shard = shard;
        t->deal = deal;
        t->team = team;
        t->n_local = team->last - team->first;
        st = fill_trainer(t);
    }
    SCS_GO(st, team->agree(team->ctx, st));
    SCS_GO(st, share_memory(*trainer));
    SCS_GO(st, open_sample(*trainer));
    SCS_GO(st, find_density(*trainer));
    return SCS_OK;
done:
    trainer_destroy(trainer);
    return st;
}

/* ---- biases at the genes' means ---- */

/* sum += the cell's values by gene. @param sum [n_gene] */
static void add_cell(scs_row cell, double *sum)
{
    for (int64_t k = 0; k < cell.n; k++)
        sum[scs_row_gene(&cell, k)] += scs_row_value(&cell, k);
}

/* Training cells come first among the sample's cells of a shard. */
static int64_t count_training(const scs_trainer *t, int32_t i)
{
    const scs_feed_rows *rows = &t->rows[i];
    int64_t n = 0;

    if (!rows->row)
        return t->shard[i].n_train;
    while (n < rows->n && rows->row[n] < t->shard[i].n_train)
        n++;
    return n;
}

/* Sums over each local shard's training cells, and their number behind it.
 * @param sum [n_local, n_gene + 1] zeroed */
static void sum_genes(const scs_trainer *t, double *sum)
{
    int32_t n_gene = t->model->arch.n_gene;

    for (int32_t i = 0; i < t->n_local; i++) {
        double *of = sum + (int64_t)i * (n_gene + 1);
        int64_t n = count_training(t, i);

        for (int64_t r = 0; r < n; r++)
            add_cell(scs_packed_row(t->rows[i].x, r), of);
        of[n_gene] = (double)n;
    }
}

/* Sets the output layer's biases to the genes' means over the sample's training cells, so that the
 * first steps need not learn them (train.output_bias; scGen draws them). Collective. */
static scs_status trainer_center(const scs_trainer *t)
{
    int32_t n_gene = t->model->arch.n_gene;
    double *sum, *total;
    scs_real *bias = scs_model_data(t->model, scs_model_find(t->model, "decoder.linear_out.bias"));
    scs_status st = SCS_ALLOC(sum, ((int64_t)t->n_local + 1) * (n_gene + 1));

    SCS_GO(st, t->team->agree(t->team->ctx, st));
    sum_genes(t, sum);
    total = sum + (int64_t)t->n_local * (n_gene + 1);
    SCS_GO(st, t->team->sum(t->team->ctx, sum, n_gene + 1, total));
    for (int32_t g = 0; g < n_gene && total[n_gene] > 0; g++)
        bias[g] = (scs_real)(total[g] / total[n_gene]);
done:
    free(sum);
    return st;
}

/* ---- epochs ---- */

/* The order of the cells in an epoch: f(seed, epoch, cell), so that a run that goes on within
 * an epoch has the same order without having stored it. Collective. */
static scs_status trainer_shuffle(scs_trainer *t, int64_t epoch)
{
    scs_status st = SCS_OK;

    if (t->feed)
        return t->feed->begin(t->feed->ctx, SCS_FEED_TRAIN, epoch, t->cells_per_shard);
    for (int32_t i = 0; st == SCS_OK && i < t->n_local; i++)
        st = scs_shard_epoch_order(&t->shard[i], t->options.seed, epoch, t->order[i]);
    return t->team->agree(t->team->ctx, st);
}

/* Copies the weights and running statistics of now. Every rank keeps all of them. */
static void keep_best(const scs_training *t)
{
    const scs_model *model = t->trainer->model;

    memcpy(t->best, model->param, (size_t)model->n_param * sizeof *t->best);
    memcpy(t->best + model->n_param, model->running, (size_t)model->n_running * sizeof *t->best);
}

/* The reverse, when training is over: weights and running statistics belong together. */
static void restore_best(const scs_training *t)
{
    scs_model *model = t->trainer->model;

    memcpy(model->param, t->best, (size_t)model->n_param * sizeof *t->best);
    memcpy(model->running, t->best + model->n_param, (size_t)model->n_running * sizeof *t->best);
}

/* On rank 0 alone, and Local: nothing that the other ranks wait for may happen here. The mean
 * is over the epoch so far, the counts of cells over all epochs, for an estimate of the time
 * that is left. */
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

/* Hands the state over to whoever keeps it; `seconds` of the epoch so far are brought up to
 * now. Collective.  @param requests SCS_REQUEST_ bits, or 0: training is over */
static scs_status save(scs_training *t, int requests)
{
    const scs_keep *keep = t->watch ? &t->watch->keep : NULL;
    scs_position now = t->position;

    if (!keep || !keep->save)
        return SCS_OK;
    if (t->trainer->feed)
        t->trainer->feed->rest(t->trainer->feed->ctx);
    now.seconds += scs_clock() - t->clock;
    return keep->save(keep->ctx, t, &now, requests);
}

/* A step, its part of the epoch's sums, and a save where some rank asked for one: new weights
 * have to be there before they are saved. Collective. */
static scs_status train_step(scs_training *t)
{
    const scs_keep *keep = t->watch ? &t->watch->keep : NULL;
    scs_position *p = &t->position;
    scs_loss loss = {0};

    t->trainer->requests = keep && keep->request ? keep->request(keep->ctx) : 0;
    SCS_TRY(trainer_step(t->trainer, p->epoch, p->at, &loss));
    loss_add(&loss, &p->sum);
    p->at++;
    p->step = t->trainer->step;
    t->advanced = true;
    report_progress(t);
    if (!t->trainer->requests)
        return SCS_OK;
    SCS_TRY(trainer_settle(t->trainer));
    return save(t, t->trainer->requests);
}

/* The rest of the epoch: all of it, or what a run that was stopped within it had left. */
static scs_status train_epoch(scs_training *t)
{
    const scs_feed *feed = t->trainer->feed;

    SCS_TRY(trainer_shuffle(t->trainer, t->position.epoch));
    while (t->position.at < t->trainer->steps)
        SCS_TRY(train_step(t));
    SCS_TRY(trainer_settle(t->trainer));
    return feed ? feed->end(feed->ctx) : scs_collective_ok();
}

/* What early stopping looks at, a cell. The reference (scGen 2.x) monitors SSE + unweighted KL
 * and keeps the last weights; here it is the objective itself, and the best weights are
 * restored. */
static double monitored(const scs_training *t, const scs_loss *loss)
{
    if (t->trainer->options.monitor == SCS_MONITOR_REFERENCE)
        return (loss->reconstruction + loss->kl) / loss->n;
    return loss->objective / loss->n;
}

/* Evaluates the epoch and keeps its weights if it is the best so far. Without validation cells
 * the training objective is judged. SCS_ENUMERIC on all ranks. Collective. */
static scs_status judge_epoch(scs_training *t, scs_epoch *report)
{
    scs_position *p = &t->position;
    scs_loss valid;

    SCS_TRY(trainer_evaluate(t->trainer, &valid));
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

/* The watcher may fail on one rank alone: the ranks agree. Collective. */
static scs_status tell(const scs_training *t, const scs_epoch *report)
{
    const scs_team *team = t->trainer->team;
    scs_status st = SCS_OK;

    if (t->watch && t->watch->epoch_end)
        st = t->watch->epoch_end(t->watch->ctx, report);
    return team->agree(team->ctx, st);
}

/* Means a cell over the epoch; what judge_epoch and the clock add is left open. */
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

/* The sums and the clock begin anew; an epoch is counted from 1. */
static void begin_next_epoch(scs_training *t)
{
    scs_position *p = &t->position;

    p->epoch++;
    p->at = 0;
    p->sum = (scs_loss){0};
    p->seconds = 0;
    t->clock = scs_clock();
}

/* The clock of the report is rank 0's: reports are the same on all ranks. Collective. */
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

/* Until the last epoch, or until `patience` epochs have passed since the best. The finished
 * state is saved once more, so that the same command knows that training is over. Collective. */
static scs_status run_epochs(scs_training *t)
{
    const scs_train_options *options = &t->trainer->options;
    const scs_position *p = &t->position;

    t->clock = scs_clock();
    while (p->epoch <= options->epochs && p->epoch - 1 - p->best_epoch < options->patience)
        SCS_TRY(run_epoch(t));
    return t->advanced ? save(t, 0) : scs_collective_ok();
}

/* After the last epoch: position.epoch is one past it. */
static void fill_outcome(const scs_training *t, scs_outcome *outcome)
{
    const scs_position *p = &t->position;

    *outcome = (scs_outcome){.epochs = p->epoch - 1,
                             .steps = p->step,
                             .best_epoch = p->best_epoch,
                             .best = p->best,
                             .stopped_early = p->epoch <= t->trainer->options.epochs};
}

/* Room for the best epoch's weights, where they will be restored; the ranks agree on it.
 * Collective. */
static scs_status open_training(scs_training *t)
{
    const scs_trainer *trainer = t->trainer;
    scs_status st = SCS_OK;

    if (trainer->options.monitor == SCS_MONITOR_OBJECTIVE)
        st = SCS_ALLOC(t->best, trainer->model->n_param + trainer->model->n_running);
    return trainer->team->agree(trainer->team->ctx, st);
}

/* A run that goes on takes everything from the state, biases included. On any failure the
 * trainer takes in what is under way before it returns: no rank leaves another one waiting. */
static scs_status train(const scs_config *config, scs_model *model, const scs_feed *feed,
                        const scs_shard *shard, const scs_deal *deal, const scs_team *team,
                        const scs_watch *watch, const scs_state *resume, scs_outcome *outcome)
{
    scs_training t = {.watch = watch, .position.epoch = 1};
    scs_status st;

    *outcome = (scs_outcome){0};
    SCS_GO(st, trainer_create(config, model, feed, shard, deal, team, &t.trainer));
    SCS_GO(st, open_training(&t));
    if (!resume && t.trainer->options.center)
        SCS_GO(st, trainer_center(t.trainer));
    SCS_GO(st, close_sample(t.trainer));
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

scs_status scs_train(const scs_config *config, scs_model *model, const scs_shard *shard,
                     const scs_deal *deal, const scs_team *team, const scs_watch *watch,
                     const scs_state *resume, scs_outcome *outcome)
{
    return train(config, model, NULL, shard, deal, team, watch, resume, outcome);
}

scs_status scs_train_streamed(const scs_config *config, scs_model *model, const scs_feed *feed,
                              const scs_shard *shard, const scs_deal *deal, const scs_team *team,
                              const scs_watch *watch, const scs_state *resume, scs_outcome *outcome)
{
    return train(config, model, feed, shard, deal, team, watch, resume, outcome);
}
