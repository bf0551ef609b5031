#include "src/state.h"
#include "src/clock.h"
#include "src/collective.h"
#include "src/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    SCS_TRY(scs_trainer_step(t->trainer, p->epoch, p->at, &loss));
    scs_loss_add(&loss, &p->sum);
    p->at++;
    p->step = t->trainer->step;
    t->advanced = true;
    report_progress(t);
    if (!t->trainer->wishes)
        return SCS_OK;
    SCS_TRY(scs_trainer_settle(t->trainer));
    return save(t, t->trainer->wishes);
}

static scs_status train_epoch(scs_training *t)
{
    SCS_TRY(scs_trainer_shuffle(t->trainer, t->position.epoch));
    while (t->position.at < t->trainer->steps)
        SCS_TRY(train_step(t));
    return scs_trainer_settle(t->trainer);
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

    SCS_TRY(scs_trainer_validate(t->trainer, &valid));
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
    SCS_GO(st, scs_trainer_create(config, model, shard, deal, team, &t.trainer));
    SCS_GO(st, open_training(&t));
    if (!resume && t.trainer->options.center)
        SCS_GO(st, scs_trainer_center(t.trainer));
    SCS_GO(st, resume ? scs_state_load(&t, resume) : scs_collective_ok());
    SCS_GO(st, run_epochs(&t));
    fill_outcome(&t, outcome);
    if (t.position.best_epoch && t.best)
        restore_best(&t);
done:
    free(t.best);
    scs_trainer_destroy(&t.trainer);
    return st;
}
