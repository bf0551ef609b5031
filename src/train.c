#include "src/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A training run: the trainer, the best weights so far and what is known of the epochs. */
typedef struct run {
    scs_trainer *trainer;
    const scs_watch *watch;
    scs_real *best; /* [n_param + n_running] the best epoch's; NULL: the last weights stay */
    bool any_best;
    scs_outcome *outcome;
} run;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void keep_best(const run *r)
{
    const scs_model *model = r->trainer->model;

    memcpy(r->best, model->param, (size_t)model->n_param * sizeof *r->best);
    memcpy(r->best + model->n_param, model->running, (size_t)model->n_running * sizeof *r->best);
}

static void restore_best(const run *r)
{
    scs_model *model = r->trainer->model;

    memcpy(model->param, r->best, (size_t)model->n_param * sizeof *r->best);
    memcpy(model->running, r->best + model->n_param, (size_t)model->n_running * sizeof *r->best);
}

static void report_progress(const run *r, int64_t epoch, int64_t at, const scs_loss *so_far)
{
    int64_t epochs = r->trainer->config->train.epochs;

    if (r->trainer->team->rank == 0 && r->watch && r->watch->progress)
        r->watch->progress(
            r->watch->ctx, epoch, epochs, at + 1, r->trainer->steps, so_far->objective / so_far->n,
            (epoch - 1) * r->trainer->cells + (int64_t)so_far->n, epochs * r->trainer->cells);
}

static scs_status train_epoch(const run *r, int64_t epoch, scs_loss *sum)
{
    *sum = (scs_loss){0};
    SCS_TRY(scs_trainer_shuffle(r->trainer, epoch));
    for (int64_t at = 0; at < r->trainer->steps; at++) {
        scs_loss loss;

        SCS_TRY(scs_trainer_step(r->trainer, epoch, at, &loss));
        scs_loss_add(&loss, sum);
        report_progress(r, epoch, at, sum);
    }
    return SCS_OK;
}

/* The reference looks at SSE + unweighted KL; ours at the objective itself. */
static double monitored(const run *r, const scs_loss *loss)
{
    if (r->trainer->config->train.monitor == SCS_MONITOR_REFERENCE)
        return (loss->reconstruction + loss->kl) / loss->n;
    return loss->objective / loss->n;
}

static scs_status judge_epoch(run *r, const scs_loss *trained, scs_epoch *report)
{
    scs_loss valid;

    SCS_TRY(scs_trainer_validate(r->trainer, &valid));
    report->validation = valid.n > 0 ? valid.objective / valid.n : NAN;
    report->monitored = monitored(r, valid.n > 0 ? &valid : trained);
    SCS_REQUIRE(isfinite(report->monitored), SCS_ENUMERIC,
                "training diverged after step %lld (epoch %lld): the validation objective is %s; "
                "lower train.learning_rate or check the input values",
                (long long)report->step, (long long)report->epoch,
                isnan(report->monitored) ? "nan" : "infinite");
    report->best = !r->any_best || report->monitored < r->outcome->best;
    if (!report->best)
        return SCS_OK;
    r->any_best = true;
    r->outcome->best = report->monitored;
    r->outcome->best_epoch = report->epoch;
    if (r->best)
        keep_best(r);
    return SCS_OK;
}

static scs_status tell(const run *r, const scs_epoch *report)
{
    const scs_team *team = r->trainer->team;
    scs_status st = SCS_OK;

    if (r->watch && r->watch->epoch_end)
        st = r->watch->epoch_end(r->watch->ctx, report);
    return team->agree(team->ctx, st);
}

static scs_status run_epoch(run *r, int64_t epoch)
{
    const scs_team *team = r->trainer->team;
    scs_epoch report = {.epoch = epoch, .epochs = r->trainer->config->train.epochs};
    double start = now();
    scs_loss trained;

    SCS_TRY(train_epoch(r, epoch, &trained));
    report.step = r->trainer->step;
    report.objective = trained.objective / trained.n;
    report.reconstruction = trained.reconstruction / trained.n;
    report.kl = trained.kl / trained.n;
    report.cells = (int64_t)trained.n;
    SCS_TRY(judge_epoch(r, &trained, &report));
    report.seconds = now() - start;
    SCS_TRY(team->share(team->ctx, &report.seconds, sizeof report.seconds));
    r->outcome->epochs = epoch;
    r->outcome->steps = report.step;
    return tell(r, &report);
}

static scs_status run_epochs(run *r)
{
    const scs_config *config = r->trainer->config;

    for (int64_t epoch = 1; epoch <= config->train.epochs; epoch++) {
        SCS_TRY(run_epoch(r, epoch));
        if (epoch - r->outcome->best_epoch >= config->train.patience) {
            r->outcome->stopped_early = epoch < config->train.epochs;
            break;
        }
    }
    return SCS_OK;
}

static scs_status open_run(const scs_config *config, run *r)
{
    const scs_trainer *t = r->trainer;
    scs_status st = SCS_OK;

    if (config->train.monitor == SCS_MONITOR_OBJECTIVE)
        st = SCS_ALLOC(r->best, t->model->n_param + t->model->n_running);
    return t->team->agree(t->team->ctx, st);
}

scs_status scs_train(const scs_config *config, scs_model *model, const scs_shard *shard,
                     const scs_deal *deal, const scs_team *team, const scs_watch *watch,
                     scs_outcome *outcome)
{
    run r = {.watch = watch, .outcome = outcome};
    scs_status st;

    *outcome = (scs_outcome){0};
    SCS_GO(st, scs_trainer_create(config, model, shard, deal, team, &r.trainer));
    SCS_GO(st, open_run(config, &r));
    SCS_GO(st, run_epochs(&r));
    if (r.any_best && r.best)
        restore_best(&r);
done:
    free(r.best);
    scs_trainer_destroy(&r.trainer);
    return st;
}
