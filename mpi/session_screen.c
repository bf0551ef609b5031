/* screen -> result */
#include "mpi/provenance.h"
#include "mpi/screen_blocks.h"
#include "mpi/screen_permute.h"
#include "mpi/screen_rank.h"
#include "mpi/session.h"
#include "mpi/signals.h"
#include "src/clock.h"
#include "src/collective.h"
#include "src/gene_sets.h"
#include "src/text.h"

#include <stdlib.h>
#include <string.h>

/* What the screening phase holds. */
typedef struct screening {
    scs_method method;
    scs_plan *plan;
    scs_real **control_z; /* [n_group] cells of controls, and of what this rank permutes */
    scs_permutations permutations;
    scs_gene_sets *sets; /* or NULL */
    scs_gene_maps *maps; /* on rank 0 */
    scs_provenance *provenance;
    scs_result_head head;
    scs_screen_store store;
    scs_screen_work work;
    double *p, *q; /* [plan->n] on rank 0, or NULL */
    scs_result_rows
        numbers; /* delta_norm, trust and score of all rows, on rank 0 where asked for */
} screening;

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

/* What made the result, on rank 0. */
static scs_status describe(const scs_session *s, screening *w)
{
    SCS_TRY(scs_provenance_create(s, &w->method, &w->provenance));
    return scs_gene_maps_create(s->config, s->dataset, (const scs_h5ad *const *)s->meta, &w->maps);
}

static scs_status make_plan(const scs_session *s, screening *w)
{
    SCS_TRY(read_sets(s, &w->sets));
    SCS_TRY(select_rows(s, s->atlas, &w->plan));
    SCS_TRY(scs_plan_resolve(s->atlas, &w->method, w->plan));
    SCS_TRY(SCS_ALLOC(w->control_z, s->atlas->n_group));
    SCS_TRY(scs_permutations_create(s, &w->method, w->plan, &w->permutations));
    return scs_session_leads(s) ? describe(s, w) : SCS_OK;
}

/* Cells of the controls that rows start from reach every rank: any rank may get any row. */
static scs_status route(const scs_session *s, const screening *w)
{
    int32_t n_rank = scs_comm_size(s->comm);
    int64_t n_group = s->atlas->n_group;
    uint8_t *needed;
    scs_status status;

    if (!scs_session_has_latent(s))
        return scs_collective_ok();
    SCS_TRY(scs_agree(s->comm, SCS_ALLOC(needed, n_rank * n_group)));
    scs_permutations_need(&w->permutations, needed);
    for (int64_t i = 0; i < w->plan->n; i++)
        for (int32_t r = 0; r < n_rank && w->plan->item[i].status == SCS_ROW_OK; r++)
            needed[r * n_group + w->plan->item[i].control_group] = 1;
    status = scs_route_groups(s->comm, s->dataset, s->atlas, needed, s->shard, &s->team, s->z,
                              w->control_z);
    free(needed);
    return status;
}

static scs_status open_store(const scs_session *s, screening *w)
{
    w->head = (scs_result_head){.atlas = s->atlas,
                                .plan = w->plan,
                                .dense = s->config->output.rows == SCS_ROWS_DENSE,
                                .variance = w->method.variance,
                                .bootstrap = s->config->screen.bootstrap > 0,
                                .top_genes = s->config->output.top_genes,
                                .permutations = w->permutations.n > 0,
                                .gene_sets = w->sets,
                                .gene_maps = w->maps};
    if (w->provenance) {
        w->head.fact = w->provenance->fact;
        w->head.n_fact = w->provenance->n;
    }
    SCS_TRY(
        scs_store_open(s, &w->head, w->permutations.unit_first, w->permutations.n_unit, &w->store));
    if (w->store.resumed)
        scs_session_say(s, "going on from %s: %lld of %lld blocks are done and compared",
                        w->store.part, (long long)w->store.n_done, (long long)w->store.n_block);
    return scs_work_open(s, w->plan, &w->store, &w->work);
}

/* What this rank does without the others. */
static scs_status work(const scs_session *s, screening *w)
{
    scs_row_job job = {.session = s,
                       .method = &w->method,
                       .plan = w->plan,
                       .control_z = w->control_z,
                       .top_genes = w->head.top_genes,
                       .bootstrap = s->config->screen.bootstrap,
                       .gene_sets = w->sets};
    double begun = scs_clock();
    scs_status status;

    status = scs_permutations_run(&w->permutations, w->control_z, w->store.map, scs_work_is_over,
                                  &w->work);
    if (status == SCS_OK)
        status = scs_work_blocks(&w->work, &job);
    else
        scs_work_abandon(&w->work);
    w->work.busy = scs_clock() - begun;
    return status;
}

static scs_status do_work(const scs_session *s, screening *w)
{
    scs_status status;

    scs_signals_catch();
    status = scs_agree(s->comm, work(s, w));
    scs_signals_release();
    SCS_TRY(status);
    return scs_work_end(&w->work, w->permutations.n_left);
}

static scs_status put_p_values(const scs_session *s, screening *w)
{
    scs_status status = SCS_OK;

    if (w->permutations.n == 0)
        return scs_collective_ok();
    if (scs_session_leads(s)) {
        status = SCS_ALLOC(w->p, w->plan->n);
        if (status == SCS_OK)
            status = SCS_ALLOC(w->q, w->plan->n);
    }
    SCS_TRY(scs_agree(s->comm, status));
    SCS_TRY(scs_permutations_finish(&w->permutations, w->p, w->q));
    if (scs_session_leads(s)) {
        status = scs_result_file_put_column(w->store.file, "obs/p_value", w->p);
        if (status == SCS_OK)
            status = scs_result_file_put_column(w->store.file, "obs/q_value", w->q);
    }
    return scs_agree(s->comm, status);
}

static bool is_observed(const scs_plan *plan)
{
    for (int64_t i = 0; i < plan->n; i++)
        if (plan->item[i].observed_group >= 0)
            return true;
    return false;
}

/* Room on rank 0 for what the tables show; a number that the file does not hold stays NaN. */
static scs_status want_numbers(const scs_session *s, screening *w)
{
    if (!scs_session_leads(s) ||
        (s->config->screen.rank_by == SCS_RANK_NONE && !is_observed(w->plan)))
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(w->numbers.delta_norm, w->plan->n));
    SCS_TRY(SCS_ALLOC(w->numbers.trust, w->plan->n));
    SCS_TRY(SCS_ALLOC(w->numbers.score, w->plan->n));
    for (int64_t i = 0; i < w->plan->n; i++) {
        w->numbers.trust[i] = scs_no_trust();
        w->numbers.score[i] = scs_no_scores();
    }
    w->numbers.n = w->plan->n;
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
    scs_result_table(stdout, s->atlas, w->plan, w->numbers.score, held_out);
    fflush(stdout);
}

static scs_status answer(const scs_session *s, const screening *w)
{
    if (w->numbers.n == 0)
        return SCS_OK;
    print_table(s, w);
    return scs_screen_rank(s, w->plan, &w->numbers);
}

static scs_status clear(const scs_session *s, screening *w, scs_status status)
{
    scs_status closed;

    scs_work_close(&w->work);
    closed = scs_store_close(&w->store);
    for (int32_t g = 0; w->control_z && g < s->atlas->n_group; g++)
        free(w->control_z[g]);
    free(w->control_z);
    free(w->numbers.delta_norm);
    free(w->numbers.trust);
    free(w->numbers.score);
    free(w->p);
    free(w->q);
    scs_permutations_clear(&w->permutations);
    scs_provenance_destroy(&w->provenance);
    scs_gene_sets_destroy(&w->sets);
    scs_gene_maps_destroy(&w->maps);
    scs_plan_destroy(&w->plan);
    return status != SCS_OK ? status : closed;
}

static scs_status screen(scs_session *s, screening *w)
{
    SCS_TRY(scs_session_method(s, s->config->screen.decode, &w->method));
    SCS_TRY(scs_agree(s->comm, make_plan(s, w)));
    scs_session_say(s, "screening %lld combination%s", (long long)w->plan->n,
                    w->plan->n > 1 ? "s" : "");
    if (w->sets)
        report_sets(s, w->sets);
    SCS_TRY(route(s, w));
    SCS_TRY(open_store(s, w));
    SCS_TRY(do_work(s, w));
    SCS_TRY(put_p_values(s, w));
    SCS_TRY(scs_agree(s->comm, want_numbers(s, w)));
    SCS_TRY(scs_store_commit(&w->store, w->numbers.n ? &w->numbers : NULL));
    scs_session_say(s, "wrote %s", w->store.path);
    return scs_agree(s->comm, scs_session_leads(s) ? answer(s, w) : SCS_OK);
}

scs_status scs_session_screen(scs_session *session)
{
    screening w = {0};

    return scs_agree(session->comm, clear(session, &w, screen(session, &w)));
}
