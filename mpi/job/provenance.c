/* The entries of uns/scscreen. Those of the method are written only where the method uses them
 * (its row in the tables of shift rules and decode modes says so): a key that had no effect would
 * suggest that it had.
 *
 * What a result does not depend on is not here: ranks, threads, host, date, user, folder. Two runs
 * of the same config on the same inputs have the same bytes, and `cmp` shows whether they do. */
#include "mpi/job/provenance.h"

#include "mpi/job/session_model.h"
#include "config.h"
#include "src/base/checksum.h"
#include "src/result/ranking.h"
#include "src/config/rule.h"
#include "src/screen/predict.h"
#include "src/screen/correction.h"
#include "src/screen/shift.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An entry too many is dropped: the limit is far above what there is. */
static void add_text(scs_provenance *p, const char *key, const char *text)
{
    if (p->n < SCS_FACTS)
        p->fact[p->n++] = (scs_fact){.key = key, .text = text};
}

/* Written as a double. */
static void add_number(scs_provenance *p, const char *key, double number)
{
    if (p->n < SCS_FACTS)
        p->fact[p->n++] = (scs_fact){.key = key, .number = number};
}

/* One checksum a line, in the order of data.inputs. @return malloc'ed; NULL: no memory */
static char *join_checksums(const scs_session *s)
{
    size_t size = (size_t)s->config->data.n_input * SCS_CHECKSUM_MAX + 1;
    char *all = scs_allocate((int64_t)size, 1);

    for (int32_t i = 0; all && i < s->config->data.n_input; i++) {
        strncat(all, s->input_checksum[i], size - strlen(all) - 1);
        if (i + 1 < s->config->data.n_input)
            strncat(all, "\n", size - strlen(all) - 1);
    }
    return all;
}

/* Those that can change numbers or bytes: this program and HDF5. */
static void add_versions(scs_provenance *p)
{
    unsigned major, minor, release;

    H5get_libversion(&major, &minor, &release);
    snprintf(p->text[0], sizeof p->text[0], "%u.%u.%u", major, minor, release);
    add_text(p, "version", PACKAGE_VERSION);
    add_text(p, "commit", SCS_COMMIT);
    add_text(p, "hdf5_version", p->text[0]);
}

/* Which model file the rows belong to: the one that this job wrote, or else read. */
static scs_status add_model(scs_provenance *p, const scs_session *s)
{
    char path[4096];

    add_text(p, "weights",
             s->pca          ? "principal components"
             : !s->model     ? "none"
             : s->checkpoint ? s->checkpoint->path
                             : "trained");
    if (!s->model)
        return SCS_OK;
    SCS_TRY(scs_session_path(s, SCS_MODEL_FILE, path, sizeof path));
    SCS_TRY(scs_checksum_file_identity(
        s->model_stored || !s->checkpoint ? path : s->checkpoint->path, p->text[2]));
    add_text(p, "model_checksum", p->text[2]);
    return SCS_OK;
}

/* Append "name number" to a list. */
static void list_number(char *list, size_t size, const char *name, double number)
{
    size_t used = strlen(list);

    snprintf(list + used, size - used, "%s%s %.6g", used ? "; " : "", name, number);
}

/* What shifts are estimated by, and how that was chosen. */
static void add_shift(scs_provenance *p, const scs_session *session, const scs_method *method)
{
    const scs_rule_shift *rule = scs_rule_shift_at(method->shift);
    bool tried = session->config->screen.shift == SCS_SHIFT_AUTO;
    bool power = false, mixed = false;
    const double *convergence;
    int32_t least, most;

    for (int i = 0; i < SCS_N_SHIFT; i++) {
        double share = scs_shift_rule_share(method, i);

        if (share > 0)
            list_number(p->text[3], sizeof p->text[3], scs_rule_shift_at(i)->word.text, share);
        if (tried && !isnan(method->error[i]))
            list_number(p->text[4], sizeof p->text[4], scs_rule_shift_at(i)->word.text,
                        method->error[i]);
        power |= share > 0 && scs_rule_shift_at(i)->uses_power;
        mixed |= share > 0 && scs_rule_shift_at(i)->needs_mixed;
    }
    add_text(p, "shift", rule ? rule->word.text : "several");
    add_text(p, "shift_weights", p->text[3]);
    if (*p->text[4])
        add_text(p, "shift_errors", p->text[4]);
    if (tried && method->stacked > 0)
        add_number(p, "shift_several_error", method->stacked);
    if (power)
        add_number(p, "nearest_power", method->power);
    if (rule && rule->uses_convergence)
        add_number(p, "convergence", method->convergence);
    if (method->correction)
        add_number(p, "correction", method->correction->share);
    if (!mixed || !method->mixed)
        return;
    for (int i = 0; i < SCS_MIXED_TERMS; i++)
        if (scs_mixed_atlas_hyper(method->mixed)->variance[i] > 0)
            list_number(p->text[5], sizeof p->text[5], scs_mixed_term_name(i),
                        scs_mixed_atlas_hyper(method->mixed)->variance[i]);
    add_text(p, "shift_variances", p->text[5]);
    add_number(p, "convergence", scs_mixed_atlas_hyper(method->mixed)->beta);
    scs_mixed_atlas_convergence(method->mixed, &least, &most, &convergence);
    if (least != most) {
        add_number(p, "convergence_least", convergence[least]);
        add_number(p, "convergence_most", convergence[most]);
    }
}

/* The order here is the order in the file; doc/result-format.md lists the keys. */
scs_status scs_provenance_create(const scs_session *session, const scs_method *method,
                                 const scs_plan *plan, int64_t permutations,
                                 scs_provenance **provenance)
{
    const scs_rule_decode *mode = scs_rule_decode_at(method->decode);
    scs_provenance *p;
    scs_status status = SCS_ALLOC(p, 1);

    *provenance = p;
    SCS_TRY(status);
    SCS_TRY(scs_config_print_affecting(session->config, SCS_AFFECTS_RESULT, &p->yaml));
    SCS_REQUIRE((p->checksums = join_checksums(session)) != NULL, SCS_ENOMEM,
                "out of memory: provenance");
    scs_checksum_bytes(p->yaml, (int64_t)strlen(p->yaml), p->text[1]);
    add_versions(p);
    add_text(p, "config", p->yaml);
    add_text(p, "config_checksum", p->text[1]);
    add_text(p, "input_checksums", p->checksums);
    add_text(p, "values", session->dataset->values);
    if (session->dataset->filtered)
        add_text(p, "filter", session->dataset->filtered);
    if (session->dataset->variable)
        add_text(p, "variable_genes", session->dataset->variable);
    SCS_TRY(add_model(p, session));
    add_shift(p, session, method);
    if (mode->uses_share)
        add_number(p, "blend", method->blend);
    if (mode->uses_magnitude && scs_session_model_has_latent(session))
        add_text(p, "magnitude",
                 scs_key_choice_text(scs_key_find("screen.magnitude"), method->magnitude));
    add_number(p, "seed", (double)session->config->train.seed);
    add_number(p, "shards", session->team.n_shard);
    if (session->model)
        add_number(p, "hidden", session->model->arch.n_hidden);
    add_number(p, "latent", session->atlas->n_latent);
    add_number(p, "self_rows", (double)scs_ranking_count_self(plan));
    if (permutations > 0)
        add_number(p, "p_value_floor", scs_ranking_floor(permutations));
    return SCS_OK;
}

/* Texts that were borrowed stay with their owners. */
void scs_provenance_destroy(scs_provenance **provenance)
{
    if (!*provenance)
        return;
    free((*provenance)->yaml);
    free((*provenance)->checksums);
    free(*provenance);
    *provenance = NULL;
}
