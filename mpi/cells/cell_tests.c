/* The rows of one test are the controls, then the predicted cells. Ranks have equal parts of them,
 * which are turned over so that each has all cells of some genes (mpi/score/gene_share.h); p and
 * means go to all ranks, which is little, and rank 0 writes them. */
#include "mpi/cells/cell_tests.h"

#include "mpi/cells/cell_maker.h"
#include "mpi/comm/collectives.h"
#include "mpi/score/gene_share.h"
#include "src/base/collective.h"
#include "src/score/deg_set.h"
#include "src/score/gene_stats.h"
#include "scscreen/comm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the contrast's groups. */
enum { CELLS, CONTROLS, GROUPS };

/* One row's test, in the order in which it comes to be. */
typedef struct test {
    scs_cell_row row;
    int64_t n;      /* cells: controls, then predicted ones */
    scs_packed x;   /* this rank's cells, all genes */
    double *total;  /* [n] counts of each */
    double *target; /* [n] of the logarithms that nobody looks at */
    scs_packed share;
    int64_t *gene0; /* [ranks + 1] */
    scs_levels levels;
    scs_contrast contrast;
    scs_gene_stats stats;
    double *p, *cpm, *control_cpm; /* [n_gene] */
    scs_deg_set set;
} test;

/* Everything that stays from row to row. */
typedef struct tests {
    const scs_session *session;
    const scs_screen_late *late;
    scs_cell_maker *maker;
    float *log2fc; /* [n_gene] of a row, as the next two */
    double *p, *q;
    int64_t without; /* rows that have no cells */
} tests;

scs_status scs_cell_tests_check(const scs_session *session)
{
    SCS_REQUIRE(session->config->output.rows == SCS_ROWS_DENSE, SCS_EARG,
                "%s: screen.de writes layers, which output.rows: top leaves out; set output.rows: "
                "dense",
                session->config->file);
    return scs_counts_check(session);
}

static void clear_test(test *t)
{
    free(t->row.control);
    scs_packed_clear(&t->x);
    scs_packed_clear(&t->share);
    scs_levels_clear(&t->levels);
    scs_contrast_clear(&t->contrast);
    scs_gene_stats_clear(&t->stats);
    scs_deg_set_clear(&t->set);
    free(t->total);
    free(t->target);
    free(t->gene0);
    free(t->p);
    free(t->cpm);
    free(t->control_cpm);
}

/* ---- this rank's cells ---- */

/* Controls [first, end), as they lie in the maker's hand. */
static scs_status put_controls(const scs_cell_maker *m, int64_t first, int64_t end, int64_t n,
                               test *t)
{
    const scs_packed *from = &m->now.control->x;
    int64_t words = 0;

    for (int64_t i = first; i < end; i++)
        words += scs_packed_row_words(from, i);
    SCS_TRY(scs_packed_alloc(n, from->n_col, words, &t->x));
    for (int64_t i = first; i < end; i++)
        scs_packed_copy(&t->x, i - first, from, i);
    return SCS_OK;
}

/* The maker's block as the next rows. @param row that they begin with */
static scs_status put_block(const scs_cell_block *b, int64_t row, test *t)
{
    scs_csr part = {.n_row = b->n, .n_col = t->x.n_col, .indptr = b->indptr, .indices = b->gene};
    int64_t nnz = b->indptr[b->n];
    scs_status st;

    SCS_TRY(SCS_ALLOC(part.values, nnz));
    for (int64_t k = 0; k < nnz; k++)
        part.values[k] = (float)b->count[k];
    st = scs_packed_append(&t->x, row, &part);
    free(part.values);
    return st;
}

/* Predicted cells [first, end). @param row of x that they begin with */
static scs_status put_cells(scs_cell_maker *m, int64_t first, int64_t end, int64_t row, test *t)
{
    for (int64_t at = first; at < end; at += SCS_CELL_MAKER_MOST) {
        int64_t left = end - at;

        SCS_TRY(
            scs_cell_maker_make(m, at, left < SCS_CELL_MAKER_MOST ? left : SCS_CELL_MAKER_MOST));
        SCS_TRY(put_block(&m->cells, row + at - first, t));
        for (int64_t i = 0; i < m->cells.n; i++)
            t->total[t->row.n_control + at + i] = (double)m->cells.library[i];
    }
    return SCS_OK;
}

/* Local. */
static scs_status make_cells(scs_cell_maker *m, test *t)
{
    int64_t rank = scs_comm_rank(m->session->comm), n_rank = scs_comm_size(m->session->comm);
    int64_t n_control = t->row.n_control, first = t->n * rank / n_rank;
    int64_t end = t->n * (rank + 1) / n_rank;
    int64_t controls = end < n_control ? end : n_control;

    SCS_TRY(SCS_ALLOC(t->total, t->n));
    SCS_TRY(SCS_ALLOC(t->target, t->n));
    for (int64_t i = 0; i < t->n; i++)
        t->target[i] = 1e4;
    for (int64_t i = 0; i < n_control; i++)
        t->total[i] = m->now.control->library[i];
    SCS_TRY(put_controls(m, first < controls ? first : controls, controls, end - first, t));
    if (end > n_control) {
        int64_t from = first > n_control ? first - n_control : 0;

        SCS_TRY(put_cells(m, from, end - n_control, from + n_control - first, t));
    }
    return scs_packed_trim(&t->x);
}

/* Totals of predicted cells are known to who made them. Collective. */
static scs_status gather_totals(scs_comm *comm, test *t)
{
    int64_t n_rank = scs_comm_size(comm), *first = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(first, n_rank + 1)));
    for (int64_t r = 0; r <= n_rank; r++)
        first[r] = t->n * r / n_rank * (int64_t)sizeof *t->total;
    SCS_GO(st, scs_comm_allgather(comm, t->total, first));
done:
    free(first);
    return st;
}

/* ---- the test ---- */

static scs_status make_contrast(test *t)
{
    scs_contrast *c = &t->contrast;

    *c = (scs_contrast){.n_cell = t->n, .n = 1};
    for (int side = 0; side < SCS_N_SIDE; side++) {
        SCS_TRY(SCS_ALLOC(c->group[side], t->n));
        SCS_TRY(SCS_ALLOC(c->count[side], GROUPS));
    }
    for (int64_t i = 0; i < t->n; i++) {
        bool is_control = i < t->row.n_control;

        c->group[SCS_PREDICTED][i] = is_control ? -1 : CELLS;
        c->group[SCS_REAL][i] = is_control ? CONTROLS : -1;
    }
    c->count[SCS_PREDICTED][CELLS] = t->row.n;
    c->count[SCS_REAL][CONTROLS] = t->row.n_control;
    return SCS_OK;
}

/* Of this rank's genes. Local. */
static scs_status measure(int32_t n_gene, int64_t gene, test *t)
{
    SCS_TRY(make_contrast(t));
    SCS_TRY(scs_levels_make(&t->share, t->total, t->target, &t->levels));
    SCS_TRY(scs_gene_stats_make(&t->contrast, &t->share, &t->levels, t->total, &t->stats));
    SCS_TRY(SCS_ALLOC(t->p, n_gene));
    SCS_TRY(SCS_ALLOC(t->cpm, n_gene));
    SCS_TRY(SCS_ALLOC(t->control_cpm, n_gene));
    for (int32_t g = 0; g < t->stats.n_gene; g++) {
        t->p[gene + g] = scs_gene_stats_row(&t->stats, SCS_PREDICTED, SCS_STAT_P, CELLS)[g];
        t->cpm[gene + g] = scs_gene_stats_row(&t->stats, SCS_PREDICTED, SCS_STAT_CPM, CELLS)[g];
        t->control_cpm[gene + g] =
            scs_gene_stats_row(&t->stats, SCS_REAL, SCS_STAT_CPM, CONTROLS)[g];
    }
    return SCS_OK;
}

/* Each rank's genes to all. Collective. */
static scs_status gather_genes(scs_comm *comm, test *t)
{
    int64_t n_rank = scs_comm_size(comm), *first = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(first, n_rank + 1)));
    for (int64_t r = 0; r <= n_rank; r++)
        first[r] = t->gene0[r] * (int64_t)sizeof(double);
    SCS_GO(st, scs_comm_allgather(comm, t->p, first));
    SCS_GO(st, scs_comm_allgather(comm, t->cpm, first));
    SCS_GO(st, scs_comm_allgather(comm, t->control_cpm, first));
done:
    free(first);
    return st;
}

/* A row into the file. Rank 0. */
static scs_status put_row(tests *all, int64_t at)
{
    scs_result_rows row = {
        .first = at, .n = 1, .log2fc = all->log2fc, .p_de = all->p, .q_de = all->q};

    return all->late->put(all->late->ctx, &row);
}

/* Local; only rank 0 has a file. */
static scs_status finish(tests *all, test *t)
{
    int32_t n_gene = all->session->atlas->n_gene;

    SCS_TRY(scs_deg_set_make(t->p, t->cpm, t->control_cpm, n_gene, -1, -1, &t->set));
    for (int32_t g = 0; g < n_gene; g++) {
        all->log2fc[g] = (float)t->set.lfc[g];
        all->p[g] = t->p[g];
        all->q[g] = t->set.q[g];
    }
    return scs_session_leads(all->session) ? put_row(all, t->row.at) : SCS_OK;
}

/* Collective. */
static scs_status test_row(tests *all, int64_t at)
{
    scs_comm *comm = all->session->comm;
    test t = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, scs_cell_maker_row(all->maker, at, &t.row)));
    SCS_GO(st, scs_cell_maker_prepare(all->maker, &t.row));
    t.n = t.row.n_control + t.row.n;
    SCS_GO(st, scs_comm_agree(comm, make_cells(all->maker, &t)));
    SCS_GO(st, gather_totals(comm, &t));
    SCS_GO(st, scs_gene_share_make(comm, &t.x, t.n, &t.share, &t.gene0));
    SCS_GO(st, scs_comm_agree(
                   comm, measure(all->session->atlas->n_gene, t.gene0[scs_comm_rank(comm)], &t)));
    SCS_GO(st, gather_genes(comm, &t));
    SCS_GO(st, scs_comm_agree(comm, finish(all, &t)));
done:
    clear_test(&t);
    return st;
}

/* ---- all rows ---- */

/* @param[out] some whether there are cells to take from. Local, alike on all ranks. */
static scs_status has_cells(tests *all, const scs_combination *item, bool *some)
{
    scs_donors donors = {0};
    scs_status st = SCS_OK;

    if (item->status == SCS_ROW_OK)
        st = scs_cell_maker_donors(all->maker, item, &donors);
    *some = donors.n > 0;
    scs_donors_clear(&donors);
    return st;
}

static scs_status put_nothing(tests *all, int64_t at)
{
    for (int32_t g = 0; g < all->session->atlas->n_gene; g++) {
        all->log2fc[g] = NAN;
        all->p[g] = all->q[g] = NAN;
    }
    all->without++;
    return scs_session_leads(all->session) ? put_row(all, at) : SCS_OK;
}

/* Collective. */
static scs_status test_rows(tests *all)
{
    const scs_plan *plan = all->late->plan;
    scs_comm *comm = all->session->comm;

    for (int64_t i = 0; i < plan->n; i++) {
        bool some;

        SCS_TRY(scs_comm_agree(comm, has_cells(all, &plan->item[i], &some)));
        if (some)
            SCS_TRY(test_row(all, i));
        else
            SCS_TRY(scs_comm_agree(comm, put_nothing(all, i)));
    }
    return scs_collective_ok();
}

/* Local. */
static scs_status open_tests(tests *all)
{
    int32_t n_gene = all->session->atlas->n_gene;

    SCS_TRY(SCS_ALLOC(all->log2fc, n_gene));
    SCS_TRY(SCS_ALLOC(all->p, n_gene));
    SCS_TRY(SCS_ALLOC(all->q, n_gene));
    return scs_cell_maker_create(all->session, all->late->method, &all->maker);
}

scs_status scs_cell_tests_run(const scs_session *session, const scs_screen_late *late)
{
    tests all = {.session = session, .late = late};
    scs_status st;

    SCS_GO(st, scs_comm_agree(session->comm, open_tests(&all)));
    SCS_GO(st, scs_cell_maker_open(all.maker, late->plan, late->control_z, NULL));
    scs_session_say(session, "testing predicted cells of %lld combinations",
                    (long long)late->plan->n);
    SCS_GO(st, test_rows(&all));
    if (all.without)
        scs_session_say(session, "warning: %lld of them have no cells to take counts from: NaN",
                        (long long)all.without);
done:
    scs_cell_maker_destroy(&all.maker);
    free(all.log2fc);
    free(all.p);
    free(all.q);
    return st;
}
