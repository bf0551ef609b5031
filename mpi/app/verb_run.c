/* train, screen and run: the same chain of steps, cut at model.h5. */
#include "mpi/app/verb.h"

static scs_status make_model(scs_session *session)
{
    SCS_TRY(scs_session_load_data(session));
    return scs_session_make_model(session);
}

/* @param screens a screen follows: what it asks for is checked before the hours of training */
static scs_status train(scs_session *session, bool screens)
{
    if (session->config->model.kind != SCS_MODEL_VAE)
        return SCS_FAIL(SCS_EARG,
                        "%s: only model.kind: vae is trained and stored; use scscreen screen",
                        session->config->file);
    SCS_TRY(make_model(session));
    if (screens)
        SCS_TRY(scs_session_check_screen(session));
    SCS_TRY(scs_session_train(session));
    SCS_TRY(scs_session_make_atlas(session));
    return scs_session_save_model(session);
}

scs_status scs_verb_train(scs_session *session)
{
    SCS_TRY(train(session, false));
    return scs_session_drop_state(session);
}

scs_status scs_verb_screen(scs_session *session)
{
    SCS_TRY(make_model(session));
    SCS_TRY(scs_session_make_atlas(session));
    return scs_session_screen(session);
}

scs_status scs_verb_run(scs_session *session)
{
    if (session->config->model.kind != SCS_MODEL_VAE)
        return scs_verb_screen(session);
    SCS_TRY(train(session, true));
    SCS_TRY(scs_session_screen(session));
    return scs_session_drop_state(session);
}
