/* train, screen and run: the same chain of steps, cut at model.h5.
 *
 *      data -> model -> train -> atlas -> model.h5 -> rows -> screen.h5ad
 *
 *  train goes to model.h5, screen starts from it, run does both. Models that are not trained (pca,
 *  mean) have no model.h5 and begin with screen. Every step is Collective and ends with the same
 *  status on all ranks, so SCS_TRY is all that a failure needs here. */
#include "mpi/cells/cell_tests.h"
#include "mpi/train/train_run.h"
#include "mpi/screen/screen_run.h"
#include "mpi/job/session_model.h"
#include "mpi/app/verbs.h"
#include "src/base/collective.h"
#include "mpi/app/installed.h"

/* Data and model: what all three begin with. Collective, as all here. */
static scs_status make_model(scs_session *session)
{
    SCS_TRY(scs_session_load_data(session));
    return scs_session_model_make(session);
}

/* All that would be refused in the end is refused here, before the hours of training; `check` stops
 * after it. What is not trained (pca, mean) is made later.
 * @param screens a screen follows */
static scs_status prepare(scs_session *session, bool screens)
{
    if (session->config->model.kind == SCS_MODEL_VAE) {
        SCS_TRY(make_model(session));
        SCS_TRY(scs_session_model_check(session));
        SCS_TRY(scs_train_run_check(session));
    } else {
        SCS_TRY(scs_session_load_data(session));
    }
    if (!screens)
        return scs_collective_ok();
    if (session->config->screen.de)
        SCS_TRY(scs_cell_tests_check(session));
    return scs_screen_run_check(session);
}

scs_status scs_verb_run_prepare(scs_session *session)
{
    return prepare(session, true);
}

/* @param screens a screen follows */
static scs_status train(scs_session *session, bool screens)
{
    if (session->config->model.kind != SCS_MODEL_VAE)
        return SCS_FAIL(SCS_EARG,
                        "%s: only model.kind: vae is trained and stored; use scscreen screen",
                        session->config->file);
    SCS_TRY(prepare(session, screens));
    SCS_TRY(scs_train_run(session));
    SCS_TRY(scs_session_model_make_atlas(session));
    return scs_session_model_save(session);
}

/* The state goes when model.h5 is there. */
static scs_status train_only(scs_session *session)
{
    SCS_TRY(train(session, false));
    return scs_train_run_drop_state(session);
}

/* With the tests that are asked for. */
static scs_status screen_rows(scs_session *session)
{
    return scs_screen_run(session, session->config->screen.de ? scs_cell_tests_run : NULL);
}

/* With a model that is loaded, or made without training. */
static scs_status screen(scs_session *session)
{
    SCS_TRY(make_model(session));
    if (session->config->screen.de)
        SCS_TRY(scs_cell_tests_check(session));
    SCS_TRY(scs_session_model_make_atlas(session));
    return screen_rows(session);
}

/* The state stays until the screen is written: a job that is killed in between does not train
 * again. */
static scs_status run(scs_session *session)
{
    char report[4096];

    if (session->config->model.kind != SCS_MODEL_VAE) {
        SCS_TRY(prepare(session, true));
        SCS_TRY(scs_session_model_make(session));
        SCS_TRY(scs_session_model_make_atlas(session));
        SCS_TRY(screen_rows(session));
    } else {
        SCS_TRY(train(session, true));
        SCS_TRY(screen_rows(session));
        SCS_TRY(scs_train_run_drop_state(session));
    }
    scs_session_say(session, "next: %s %s", scs_installed_report(report, sizeof report),
                    session->config->output.dir);
    return SCS_OK;
}

const scs_verb scs_verb_train = {
    .name = "train",
    .argument = "CONFIG.yaml",
    .summary = "train the model and store it with its latent atlas",
    .details =
        "Writes output.dir/model.h5 and events.jsonl. Asked to end (SIGTERM, SIGUSR1, SIGINT,\n"
        "--max-hours, the end of a Slurm job, a file STOP in output.dir), it saves its state\n"
        "and ends with exit code 75; the same command then goes on, on any number of ranks.",
    .needs = SCS_NEED_INPUTS | SCS_NEED_WEIGHTS | SCS_NEED_OUTPUT | SCS_NEED_STATE,
    .run = train_only,
};

const scs_verb scs_verb_screen = {
    .name = "screen",
    .argument = "CONFIG.yaml",
    .summary = "predict every combination with a trained model",
    .details = "Reads output.dir/model.h5 (or model.load) and writes output.dir/screen.h5ad.",
    .needs = SCS_NEED_INPUTS | SCS_NEED_MODEL | SCS_NEED_OUTPUT,
    .run = screen,
};

const scs_verb scs_verb_run = {
    .name = "run",
    .argument = "CONFIG.yaml",
    .summary = "train, screen and score the held-out combinations",
    .details =
        "Writes output.dir/model.h5, events.jsonl and screen.h5ad and prints the table of "
        "held-out\n"
        "combinations. Inputs that a `simulate` section describes are made first if missing. "
        "Interrupted,\nthe same command goes on where it was (see train).",
    .needs =
        SCS_NEED_INPUTS | SCS_NEED_WEIGHTS | SCS_NEED_OUTPUT | SCS_NEED_SIMULATED | SCS_NEED_STATE,
    .run = run,
};
