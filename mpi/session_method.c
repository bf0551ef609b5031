/* How rows are predicted, with every `auto` resolved. */
#include "mpi/choose_blend.h"
#include "mpi/session.h"
#include "src/collective.h"
#include "src/estimate.h"
#include "src/gene_space.h"
#include "src/predict.h"

/* What the config leaves to the data: the same on every rank. */
static scs_status choose_shift(const scs_session *s, scs_method *method)
{
    double error[SCS_N_SHIFT];

    SCS_TRY(scs_choose_shift(s->atlas, method, &method->shift, error));
    for (int i = 0; i < SCS_N_SHIFT; i++)
        if (scs_shift_rule_at(i)->tried_by_auto)
            scs_session_say(s, "leave-one-type-out error of shift %s: %.4f%s",
                            scs_shift_rule_at(i)->name, error[i],
                            i == method->shift ? " (taken)" : "");
    return SCS_OK;
}

static scs_status choose_power(const scs_session *s, scs_method *method)
{
    double error[SCS_N_POWER];
    int chosen;

    SCS_TRY(scs_choose_power(s->atlas, method, &chosen, error));
    for (int i = 0; i < SCS_N_POWER; i++)
        scs_session_say(s, "leave-one-type-out error of nearest_power %g: %.4f%s",
                        scs_power_tried(i), error[i], i == chosen ? " (taken)" : "");
    method->power = scs_power_tried(chosen);
    return SCS_OK;
}

static scs_status choose_blend(const scs_session *s, scs_method *method)
{
    int64_t n;

    SCS_TRY(scs_choose_blend(s, method, &method->blend, &n));
    scs_session_say(s, "blend %.4f, by leaving out %lld groups in turn", method->blend,
                    (long long)n);
    return SCS_OK;
}

scs_status scs_session_method(const scs_session *s, int decode, scs_method *method)
{
    *method = scs_method_from_config(s->config);
    method->decode = decode;
    if (!scs_session_has_latent(s))
        *method = scs_gene_space_method(*method);
    if (method->power == SCS_POWER_AUTO &&
        (method->shift == SCS_SHIFT_AUTO || scs_shift_rule_at(method->shift)->uses_power))
        SCS_TRY(scs_agree(s->comm, choose_power(s, method)));
    if (method->shift == SCS_SHIFT_AUTO)
        SCS_TRY(scs_agree(s->comm, choose_shift(s, method)));
    if (scs_decode_mode_at(method->decode)->uses_share && method->blend == SCS_BLEND_AUTO)
        SCS_TRY(choose_blend(s, method));
    return scs_collective_ok();
}
