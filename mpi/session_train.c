/* train, from the start or from where an earlier job stood */
#include "mpi/keeper.h"
#include "mpi/session.h"
#include "mpi/signals.h"
#include "mpi/state_files.h"
#include "src/collective.h"

#include <omp.h>

static void say_how_it_went(const scs_session *session, const scs_outcome *o)
{
    scs_session_say(session, "trained %lld epochs (%lld steps)%s; best epoch %lld, %.3f",
                    (long long)o->epochs, (long long)o->steps,
                    o->stopped_early ? ", stopped early" : "", (long long)o->best_epoch, o->best);
}

static scs_status train(scs_session *session, scs_journal *journal, scs_keeper *keeper)
{
    scs_watch watch = scs_journal_watch(journal);
    scs_outcome outcome;
    scs_status status;

    watch.keep = scs_keeper_hooks(keeper);
    scs_signals_catch();
    status = scs_train(session->config, session->model, session->shard, session->deal,
                       &session->team, &watch, session->state, &outcome);
    scs_signals_release();
    SCS_TRY(status);
    say_how_it_went(session, &outcome);
    return SCS_OK;
}

static scs_status train_and_watch(scs_session *session)
{
    scs_journal *journal = NULL;
    scs_keeper *keeper = NULL;
    scs_status status, closed;

    SCS_TRY(scs_journal_create(session, &journal));
    status = scs_keeper_create(session, journal, &keeper);
    if (status == SCS_OK)
        status = train(session, journal, keeper);
    scs_keeper_destroy(&keeper);
    closed = scs_journal_close(&journal);
    return status != SCS_OK ? status : closed;
}

static void say_what_comes(const scs_session *session)
{
    const scs_team *team = &session->team;
    const scs_state *state = session->state;
    int threads = omp_get_max_threads();

    scs_session_say(session,
                    "training %.2f M parameters on %d rank%s x %d thread%s, %d shard%s, seed %lld",
                    1e-6 * (double)session->model->n_param, team->n_rank,
                    team->n_rank > 1 ? "s" : "", threads, threads > 1 ? "s" : "", team->n_shard,
                    team->n_shard > 1 ? "s" : "", (long long)session->config->train.seed);
    if (state)
        scs_session_say(session,
                        "going on from %s: %lld steps are done, %lld of them in epoch %lld",
                        state->path, (long long)state->position.step, (long long)state->position.at,
                        (long long)state->position.epoch);
}

scs_status scs_session_train(scs_session *session)
{
    if (session->checkpoint) {
        scs_session_say(session, "weights from %s, no training", session->checkpoint->path);
        return scs_collective_ok();
    }
    say_what_comes(session);
    return train_and_watch(session);
}

scs_status scs_session_drop_state(scs_session *session)
{
    if (session->checkpoint)
        return scs_collective_ok();
    return scs_agree(session->comm,
                     scs_session_leads(session) ? scs_state_files_remove(session->config) : SCS_OK);
}
