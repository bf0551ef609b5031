/* screen -> result */
#include "mpi/choose_blend.h"
#include "mpi/provenance.h"
#include "mpi/screen_permute.h"
#include "mpi/screen_rank.h"
#include "mpi/screen_rows.h"
#include "mpi/session.h"
#include "src/gene_space.h"
#include "src/text.h"

#include <stdlib.h>
#include <string.h>

/* What the screening phase holds. */
typedef struct screening {
    scs_method method;
    scs_plan *plan;
    int64_t *first;       /* [n_rank + 1] rows of each rank */
    scs_real **control_z; /* [n_group] */
    scs_result_rows rows; /* this rank's */
    double *p, *q;        /* [plan->n] or NULL */
    scs_gene_sets *sets;  /* or NULL */
    scs_gene_maps *maps;  /* on rank 0 */
    scs_row_numbers all;  /* on rank 0 */
    scs_provenance *provenance;
} screening;

static scs_status predict(const scs_session *s, screening *w)
{
    int64_t first = w->first[scs_comm_rank(s->comm)];
    int64_t last = w->first[scs_comm_rank(s->comm) + 1];

    scs_row_job job = {.session = s,
                       .method = &w->method,
                       .plan = w->plan,
                       .control_z = w->control_z,
                       .top_genes = s->config->output.top_genes,
                       .bootstrap = s->config->screen.bootstrap,
                       .gene_sets = w->sets,
                       .p_value = w->p,
                       .q_value = w->q};

    return scs_screen_rows(&job, first, last - first, &w->rows);
}

/* What the config leaves to the data: the same on every rank. */
static scs_status choose_shift(const scs_session *s, scs_method *method)
{
    double error[SCS_N_SHIFT];

    SCS_TRY(scs_choose_shift(s->atlas, method, &method->shift, error));
    for (int i = 0; i < SCS_N_SHIFT; i++)
        scs_session_say(s, "leave-one-type-out error of shift %s: %.4f%s", scs_shift_name(i),
                        error[i], i == method->shift ? " (taken)" : "");
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
    if (method->shift == SCS_SHIFT_AUTO)
        SCS_TRY(scs_agree(s->comm, choose_shift(s, method)));
    if (method->decode == SCS_DECODE_BLEND && method->blend == SCS_BLEND_AUTO)
        SCS_TRY(choose_blend(s, method));
    return SCS_OK;
}

/* The rows that the config asks for. @param groups the atlas, or one that has only the groups yet
 */
static scs_status select_rows(const scs_session *s, const scs_atlas *groups, scs_plan **plan)
{
    scs_arch plain = {.n_gene = groups->n_gene, .n_hidden = 1, .n_layer = 1, .n_latent = 1};

    return scs_plan_create(s->config, groups, s->model ? &s->model->arch : &plain, plan);
}

/* @param[out] sets NULL where the config names none */
static scs_status read_sets(const scs_session *s, scs_gene_sets **sets)
{
    const char *path = s->config->screen.gene_sets;

    *sets = NULL;
    return *path ? scs_gene_sets_read(path, &s->dataset->genes, sets) : SCS_OK;
}

/* What of the sets is not among the genes. */
static void report_sets(const scs_session *s, const scs_gene_sets *sets)
{
    int64_t known = sets->first[sets->name.n], empty = 0;
    char first[200] = "", name[120];

    for (int32_t k = 0; k < sets->name.n; k++)
        if (sets->first[k + 1] == sets->first[k] && empty++ == 0)
            snprintf(first, sizeof first, " (first: %s)",
                     scs_text_escape(sets->name.name[k], name, sizeof name));
    scs_session_say(
        s, "%s: %d gene sets, %lld of their genes are in the data; %lld sets have none%s",
        s->config->screen.gene_sets, sets->name.n, (long long)known, (long long)empty, first);
}

scs_status scs_session_check_screen(const scs_session *session)
{
    scs_atlas *groups = NULL;
    scs_plan *plan = NULL;
    scs_gene_sets *sets = NULL;
    scs_status status = scs_atlas_create(session->dataset, 1, &groups);

    if (status == SCS_OK)
        status = select_rows(session, groups, &plan);
    if (status == SCS_OK)
        status = read_sets(session, &sets);
    scs_gene_sets_destroy(&sets);
    scs_plan_destroy(&plan);
    scs_atlas_destroy(&groups);
    return scs_agree(session->comm, status);
}

static scs_status make_plan(const scs_session *s, screening *w)
{
    int32_t n_rank = scs_comm_size(s->comm);

    SCS_TRY(read_sets(s, &w->sets));
    SCS_TRY(select_rows(s, s->atlas, &w->plan));
    SCS_TRY(scs_plan_resolve(s->atlas, &w->method, w->plan));
    SCS_TRY(SCS_ALLOC(w->first, n_rank + 1));
    SCS_TRY(SCS_ALLOC(w->control_z, s->atlas->n_group));
    scs_plan_split(w->plan, n_rank, w->first);
    return SCS_OK;
}

static scs_status permute(const scs_session *s, screening *w)
{
    scs_status status;

    if (s->config->screen.permutations == 0)
        return SCS_OK;
    status = SCS_ALLOC(w->p, w->plan->n);
    if (status == SCS_OK)
        status = SCS_ALLOC(w->q, w->plan->n);
    SCS_TRY(scs_agree(s->comm, status));
    return scs_screen_permute(s, &w->method, w->plan, w->first, w->p, w->q);
}

static scs_status write_result(scs_session *s, screening *w)
{
    char path[4096];
    scs_result_head head = {.atlas = s->atlas,
                            .plan = w->plan,
                            .variance = s->config->screen.variance,
                            .bootstrap = s->config->screen.bootstrap > 0,
                            .top_genes = s->config->output.top_genes,
                            .permutations = w->p != NULL,
                            .gene_sets = w->sets,
                            .gene_maps = w->maps};

    if (w->provenance) {
        head.fact = w->provenance->fact;
        head.n_fact = w->provenance->n;
    }
    SCS_TRY(scs_agree(s->comm, scs_session_path(s, "screen.h5ad", path, sizeof path)));
    SCS_TRY(scs_result_write(s->comm, path, &head, &w->rows));
    scs_session_say(s, "wrote %s", path);
    return SCS_OK;
}

static void print_table(const scs_session *s, const screening *w)
{
    bool held_out = false;

    for (int64_t i = 0; i < w->plan->n; i++)
        held_out |= w->plan->item[i].held_out && w->plan->item[i].observed_group >= 0;
    printf("\n%s\n", held_out
                         ? "Held-out combinations (never seen in training), predicted v observed:"
                         : "No held-out combination was screened. Observed combinations, predicted "
                           "from the others:");
    scs_result_table(stdout, s->atlas, w->plan, w->all.score, held_out);
    fflush(stdout);
}

static scs_status answer(const scs_session *s, const screening *w)
{
    print_table(s, w);
    return scs_screen_rank(s, w->plan, &w->all);
}

static void clear(const scs_session *s, screening *w)
{
    for (int32_t g = 0; w->control_z && g < s->atlas->n_group; g++)
        free(w->control_z[g]);
    free(w->control_z);
    scs_row_numbers_clear(&w->all);
    free(w->p);
    free(w->q);
    free(w->first);
    scs_screen_rows_clear(&w->rows);
    scs_provenance_destroy(&w->provenance);
    scs_gene_sets_destroy(&w->sets);
    scs_gene_maps_destroy(&w->maps);
    scs_plan_destroy(&w->plan);
}

/* What made the result, on rank 0. */
static scs_status describe(const scs_session *s, screening *w)
{
    SCS_TRY(scs_provenance_create(s, &w->method, &w->provenance));
    return scs_gene_maps_create(s->config, s->dataset, (const scs_h5ad *const *)s->meta, &w->maps);
}

static scs_status screen(scs_session *s, screening *w)
{
    SCS_TRY(scs_session_method(s, s->config->screen.decode, &w->method));
    SCS_TRY(scs_agree(s->comm, make_plan(s, w)));
    scs_session_say(s, "screening %lld combination%s", (long long)w->plan->n,
                    w->plan->n > 1 ? "s" : "");
    if (w->sets)
        report_sets(s, w->sets);
    if (scs_session_has_latent(s)) {
        SCS_TRY(permute(s, w));
        SCS_TRY(scs_route_cells(s->comm, s->dataset, s->atlas, w->plan, false, w->first, s->shard,
                                &s->team, s->z, w->control_z));
    }
    SCS_TRY(scs_agree(s->comm, predict(s, w)));
    SCS_TRY(scs_agree(s->comm, scs_session_leads(s) ? describe(s, w) : SCS_OK));
    SCS_TRY(write_result(s, w));
    SCS_TRY(scs_row_numbers_gather(s->comm, w->first, &w->rows, &w->all));
    return scs_agree(s->comm, scs_session_leads(s) ? answer(s, w) : SCS_OK);
}

scs_status scs_session_screen(scs_session *session)
{
    screening work = {0};
    scs_status status = screen(session, &work);

    clear(session, &work);
    return status;
}
