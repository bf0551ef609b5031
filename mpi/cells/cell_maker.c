/* Who does what: rank 0 decodes the combination's mean (one row of a screen) and sends the change
 * to all, so that processors that round otherwise make the same cells; every rank finds sources and
 * donors for itself, which are group means that all have. Counts of the cells that a combination
 * needs are gathered on every rank, and kept for the next one where it needs them too: rows are
 * ordered by species and type, so controls stay.
 *
 *  Weights of the mixed model, and of several rules, are over all groups of either sign; donors are
 * then those that `nearest` weighs, as for p-values.
 *
 *  A cell depends on its combination, its number and how many there are, not on rank, round or
 * other combinations. */
#include "mpi/cells/cell_maker.h"

#include "mpi/cells/cell_values.h"
#include "src/base/collective.h"
#include "src/cells/calibrate.h"
#include "src/cells/draw.h"
#include "src/cells/target_mean.h"
#include "src/cells/templates.h"
#include "src/screen/plan.h"
#include "src/screen/shift.h"
#include "scscreen/comm.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = SCS_CELL_MAKER_MOST, TILE = SCS_CELL_VALUES_TILE };

/* ---- before there are cells ---- */

scs_status scs_cell_maker_create(const scs_session *session, const scs_method *method,
                                 scs_cell_maker **maker)
{
    SCS_TRY(SCS_ALLOC(*maker, 1));
    **maker = (scs_cell_maker){.session = session,
                               .method = method,
                               .closeness = scs_choose_shift_typewise(method, session->config),
                               .observed = session->config->predict.mean == SCS_CELL_MEAN_OBSERVED,
                               .own_group = {.group = -1}};
    return scs_shift_sources_create(session->atlas, &(*maker)->sources);
}

scs_status scs_cell_maker_donors(scs_cell_maker *m, const scs_combination *item, scs_donors *donors)
{
    const scs_atlas *a = m->session->atlas;

    *donors = (scs_donors){0};
    SCS_TRY(scs_shift_sources_find(a, &m->closeness, item, m->sources));
    if (m->observed && item->observed_group < 0)
        return SCS_OK;
    return scs_donors_find(a, &m->closeness, item, m->sources, donors);
}

/* Buffers of one row, one round of cells, and on rank 0 the decoder. Local. */
static scs_status open_rows(scs_cell_maker *m, scs_real *const *control_z)
{
    m->job = (scs_row_job){
        .session = m->session, .method = m->method, .plan = m->plan, .control_z = control_z};
    m->rows.n = 1;
    SCS_TRY(scs_row_results_alloc(&m->job, &m->rows));
    SCS_TRY(scs_recipe_block_make(MOST, &m->cells));
    SCS_TRY(SCS_ALLOC(m->own_mean, m->session->atlas->n_gene));
    return scs_session_leads(m->session) ? scs_row_block_make(&m->job, 1, &m->block) : SCS_OK;
}

scs_status scs_cell_maker_open(scs_cell_maker *m, const scs_plan *plan, scs_real *const *control_z,
                               const scs_counts *counts)
{
    m->plan = plan;
    m->borrowed = counts != NULL;
    if (counts)
        m->counts = *counts;
    else
        SCS_TRY(scs_counts_read(m->session, &m->counts));
    if (m->session->from)
        SCS_TRY(scs_own_cells_read(m->session, &m->own));
    return scs_comm_agree(m->session->comm, open_rows(m, control_z));
}

/* Whose cells a combination starts from. */
static scs_status find_controls(const scs_cell_maker *m, const scs_combination *item,
                                const scs_counts **from, int32_t *group)
{
    *from = m->session->from ? &m->own.counts : &m->counts;
    *group = item->control_group;
    return m->session->from ? scs_own_cells_group(&m->own, item->cell_type, group) : SCS_OK;
}

scs_status scs_cell_maker_row(const scs_cell_maker *m, int64_t i, scs_cell_row *row)
{
    const scs_session *s = m->session;
    const scs_atlas *a = s->atlas;
    const scs_combination *c = &m->plan->item[i];
    const scs_counts *from;
    int32_t group;

    *row = (scs_cell_row){.at = i,
                          .item = c,
                          .key = scs_draw_key(s->config->train.seed, a->species.name[c->species],
                                              a->cell_types.name[c->cell_type],
                                              scs_plan_perturbation_label(a, &m->plan->pairs, c),
                                              c->dose)};
    SCS_TRY(find_controls(m, c, &from, &group));
    SCS_TRY(scs_counts_cells(from, group, &row->control, &row->n_control));
    row->n = s->config->predict.cells > 0 ? s->config->predict.cells : row->n_control;
    return SCS_OK;
}

/* ---- counts in hand ---- */

/* Borrowed; NULL: not in hand. */
static scs_count_group *find_kept(const scs_cell_maker *m, int32_t group)
{
    for (int32_t i = 0; i < m->n_kept; i++)
        if (m->kept[i].group == group)
            return &m->kept[i];
    return NULL;
}

/* Groups become those that are kept, in their order: those that are there already stay, others are
 * dropped, then the rest is read. Collective.
 *  @param group [n] each once */
static scs_status gather(scs_cell_maker *m, const int32_t *group, int32_t n)
{
    scs_count_group *kept;
    scs_status st = SCS_OK;

    SCS_TRY(scs_comm_agree(m->session->comm, SCS_ALLOC(kept, n)));
    for (int32_t i = 0; i < n; i++) {
        scs_count_group *old = find_kept(m, group[i]);

        kept[i] = (scs_count_group){.group = -1};
        if (old) {
            kept[i] = *old;
            *old = (scs_count_group){.group = -1};
        }
    }
    for (int32_t i = 0; i < m->n_kept; i++)
        scs_count_group_clear(&m->kept[i]);
    free(m->kept);
    m->kept = kept;
    m->n_kept = n;
    for (int32_t i = 0; i < n && st == SCS_OK; i++)
        if (kept[i].group < 0)
            st = scs_counts_gather(&m->counts, group[i], &kept[i]);
    return st;
}

/* Of predict.from: the type's cells and their mean, which stay for the next combination of the
 * type. Collective. */
static scs_status gather_own(scs_cell_maker *m, const scs_cell_row *row)
{
    scs_comm *comm = m->session->comm;
    int32_t group;

    SCS_TRY(scs_comm_agree(comm, scs_own_cells_group(&m->own, row->item->cell_type, &group)));
    if (m->own_group.group == group)
        return scs_collective_ok();
    scs_count_group_clear(&m->own_group);
    SCS_TRY(scs_counts_gather(&m->own.counts, group, &m->own_group));
    return scs_comm_agree(comm,
                          scs_own_cells_mean(&m->own, &m->own_group, row->control, m->own_mean));
}

/* The screen's row of this combination: rows.shift on all ranks. Collective. */
static scs_status predict_shift(scs_cell_maker *m, int64_t i)
{
    scs_comm *comm = m->session->comm;
    scs_status st = SCS_OK;

    m->rows.first = i;
    m->rows.n = 1;
    if (scs_session_leads(m->session))
        st = scs_row_make_all(&m->block, &m->rows);
    SCS_TRY(scs_comm_agree(comm, st));
    return scs_comm_broadcast(comm, m->rows.shift,
                              m->session->atlas->n_gene * (int64_t)sizeof *m->rows.shift);
}

/* ---- one combination ---- */

/* Zeroed is let through. The recipe first: it borrows the donors. */
static void clear_parts(scs_cell_parts *c)
{
    scs_recipe_destroy(&c->recipe);
    scs_donors_clear(&c->donors);
    free(c->group);
    free(c->counts);
    free(c->cpm);
    free(c->control_cpm);
    free(c->mean);
    free(c->made_with);
    free(c->sum);
    *c = (scs_cell_parts){0};
}

/* Local, alike on all ranks. */
static scs_status open_parts(scs_cell_maker *m, scs_cell_parts *c)
{
    const scs_atlas *a = m->session->atlas;
    const scs_combination *item = c->row->item;

    SCS_TRY(scs_cell_maker_donors(m, item, &c->donors));
    SCS_TRY(SCS_ALLOC(c->group, c->donors.n + 1));
    SCS_TRY(SCS_ALLOC(c->counts, c->donors.n));
    SCS_TRY(SCS_ALLOC(c->cpm, 2 * c->donors.n));
    SCS_TRY(SCS_ALLOC(c->control_cpm, c->donors.n * (int64_t)a->n_gene));
    for (int32_t i = 0; i < c->donors.n; i++)
        c->group[i] = c->donors.group[i];
    c->group[c->donors.n] = item->control_group;
    SCS_TRY(SCS_ALLOC(c->mean, a->n_gene));
    SCS_TRY(SCS_ALLOC(c->made_with, a->n_gene));
    return SCS_ALLOC(c->sum, a->n_gene + 1);
}

/* From c->made_with. Local. */
static scs_status make_recipe(scs_cell_maker *m, scs_cell_parts *c)
{
    scs_recipe_parts parts = {.control = c->control,
                              .donor = c->counts,
                              .donors = &c->donors,
                              .mean = c->made_with,
                              .library_factor =
                                  scs_donors_library_factor(&c->donors, m->counts.library),
                              .key = c->row->key};

    scs_recipe_destroy(&c->recipe);
    return scs_recipe_create(&parts, &c->recipe);
}

/* Of donors' controls, whose cells themselves are not needed. Collective. */
static scs_status find_control_means(scs_cell_maker *m, scs_cell_parts *c)
{
    int32_t n = c->donors.n, n_gene = m->session->atlas->n_gene;

    for (int32_t i = 0; i < n; i++) {
        double *cpm = c->control_cpm + (int64_t)i * n_gene;

        c->counts[i] = &m->kept[i];
        c->cpm[i] = m->kept[i].cpm;
        if (c->donors.control[i] < 0)
            continue;
        SCS_TRY(scs_counts_cpm(&m->counts, c->donors.control[i], cpm));
        c->cpm[n + i] = cpm;
    }
    return scs_collective_ok();
}

/* Mean log expression of the cells that are started from. */
static const float *control_mean(const scs_cell_maker *m, const scs_cell_parts *c)
{
    return m->session->from
               ? m->own_mean
               : scs_atlas_group_gene_mean(m->session->atlas, c->row->item->control_group);
}

/* predict.mean: observed: what the combination's own cells came to. Collective. */
static scs_status find_observed_mean(scs_cell_maker *m, scs_cell_parts *c)
{
    return m->observed ? scs_counts_cpm(&m->counts, c->row->item->observed_group, c->mean)
                       : scs_collective_ok();
}

/* Counts are there. Local. */
static scs_status find_mean(scs_cell_maker *m, scs_cell_parts *c)
{
    const scs_atlas *a = m->session->atlas;
    const scs_mean_parts parts = {.atlas = a,
                                  .sources = m->sources,
                                  .donors = &c->donors,
                                  .shift = m->rows.shift,
                                  .control = control_mean(m, c),
                                  .cpm = c->control->cpm,
                                  .absent = m->own.absent,
                                  .donor_cpm = c->cpm,
                                  .donor_control_cpm = c->cpm + c->donors.n,
                                  .total = m->session->scaled_to};

    if (!m->observed)
        SCS_TRY(scs_target_mean(&parts, c->mean));
    memcpy(c->made_with, c->mean, (size_t)a->n_gene * sizeof *c->mean);
    return make_recipe(m, c);
}

/* Where a rank's part of a round of n cells begins: at a whole tile. */
static int64_t part_begin(int64_t n, int64_t rank, int64_t n_rank)
{
    int64_t begin = (n + TILE - 1) / TILE * rank / n_rank * TILE;

    return begin < n ? begin : n;
}

scs_status scs_cell_maker_make(scs_cell_maker *m, int64_t first, int64_t n)
{
    const scs_cell_row *row = m->now.row;

    m->cells.first = first;
    m->cells.n = n;
    SCS_TRY(scs_templates_pick(row->key, row->control, row->n_control, first, n, m->cells.control));
    return scs_recipe_make(m->now.recipe, &m->cells);
}

scs_status scs_cell_maker_share(scs_cell_maker *m, int64_t at, int64_t n)
{
    int64_t rank = scs_comm_rank(m->session->comm), n_rank = scs_comm_size(m->session->comm);
    int64_t first = part_begin(n, rank, n_rank);

    return scs_cell_maker_make(m, at + first, part_begin(n, rank + 1, n_rank) - first);
}

/* All of the combination's cells on trial. Local. */
static scs_status add_trial(scs_cell_maker *m, scs_cell_parts *c)
{
    int32_t n_gene = m->session->atlas->n_gene;

    memset(c->sum, 0, ((size_t)n_gene + 1) * sizeof *c->sum);
    for (int64_t at = 0; at < c->row->n; at += MOST) {
        int64_t left = c->row->n - at;

        SCS_TRY(scs_cell_maker_share(m, at, left < MOST ? left : MOST));
        scs_calibrate_add(&m->cells, c->sum);
        for (int64_t i = 0; i < m->cells.n; i++)
            c->sum[n_gene] += m->cells.library[i];
    }
    return SCS_OK;
}

/* Until the cells' mean is the one that is wanted. Collective. */
static scs_status calibrate(scs_cell_maker *m, scs_cell_parts *c)
{
    scs_comm *comm = m->session->comm;
    int32_t n_gene = m->session->atlas->n_gene;

    for (int k = 0; k < SCS_CALIBRATE_PASSES && c->row->n <= SCS_CALIBRATE_CELLS; k++) {
        SCS_TRY(scs_comm_agree(comm, add_trial(m, c)));
        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, c->sum, n_gene + 1, MPI_INT64_T, MPI_SUM,
                              scs_comm_mpi(comm)));
        scs_calibrate_correct(c->mean, c->sum, c->row->n, c->sum[n_gene], n_gene, c->made_with);
        SCS_TRY(scs_comm_agree(comm, make_recipe(m, c)));
    }
    return scs_collective_ok();
}

scs_status scs_cell_maker_prepare(scs_cell_maker *m, const scs_cell_row *row)
{
    scs_comm *comm = m->session->comm;
    scs_cell_parts *c = &m->now;

    clear_parts(c);
    c->row = row;
    SCS_TRY(predict_shift(m, row->at));
    SCS_TRY(scs_comm_agree(comm, open_parts(m, c)));
    SCS_TRY(gather(m, c->group, c->donors.n + !m->session->from));
    if (m->session->from)
        SCS_TRY(gather_own(m, row));
    c->control = m->session->from ? &m->own_group : &m->kept[c->donors.n];
    SCS_TRY(find_control_means(m, c));
    SCS_TRY(find_observed_mean(m, c));
    SCS_TRY(scs_comm_agree(comm, find_mean(m, c)));
    return calibrate(m, c);
}

void scs_cell_maker_destroy(scs_cell_maker **maker)
{
    scs_cell_maker *m = *maker;

    if (!m)
        return;
    clear_parts(&m->now);
    scs_row_block_clear(&m->block);
    scs_row_results_clear(&m->rows);
    scs_shift_sources_destroy(&m->sources);
    for (int32_t i = 0; i < m->n_kept; i++)
        scs_count_group_clear(&m->kept[i]);
    free(m->kept);
    scs_count_group_clear(&m->own_group);
    free(m->own_mean);
    scs_own_cells_clear(&m->own);
    scs_recipe_block_clear(&m->cells);
    if (!m->borrowed)
        scs_counts_clear(&m->counts);
    free(m);
    *maker = NULL;
}
