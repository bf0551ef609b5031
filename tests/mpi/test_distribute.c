/* Cells to shards, shards to gene slices, latent rows to where they are screened: nothing lost,
 * nothing twice, all in order. */
#include "src/screen/plan.h"
#include "tests/mpi/fixture_shards.h"

#include "scscreen/screen.h"

typedef struct size {
    int64_t n_cell;
    int32_t n_gene, n_shard;
} size;

/* More ranks than cells, than genes, than shards; one gene; no cell at all; genes whose numbers do
 * not fit 16 bits. */
static const size sizes[] = {{97, 23, 8}, {97, 23, 2}, {3, 5, 8},    {1, 1, 1},
                             {0, 4, 4},   {60, 2, 16}, {9, 66000, 8}};
enum { N_SIZE = sizeof sizes / sizeof *sizes };

static void check_row(const scs_packed *x, int64_t i, int64_t cell)
{
    scs_row row = scs_packed_row(x, i);
    int64_t k = 0;

    for (int32_t g = 0; g < x->n_col; g++) {
        if (formula_value(cell, g) <= 0)
            continue;
        CU_ASSERT_FATAL(k < row.n);
        CU_ASSERT_EQUAL(scs_row_gene(&row, k), g);
        CU_ASSERT_EQUAL(scs_row_value(&row, k), formula_value(cell, g));
        k++;
    }
    CU_ASSERT_EQUAL(k, row.n);
}

static void check_shard(const dealt *t, int32_t id, const scs_shard *shard)
{
    const scs_deal *deal = t->deal;

    CU_ASSERT_EQUAL(shard->id, id);
    CU_ASSERT_EQUAL(shard->x.n_col, t->dataset->n_gene);
    CU_ASSERT_EQUAL_FATAL(shard->x.n_row, deal->first[id + 1] - deal->first[id]);
    CU_ASSERT_EQUAL(shard->n_train, deal->n_train[id]);
    CU_ASSERT_EQUAL(shard->n_valid, deal->n_valid[id]);
    CU_ASSERT_EQUAL(shard->n_train + shard->n_valid + shard->n_held_out, shard->x.n_row);
    for (int64_t i = 0; i < shard->x.n_row; i++) {
        CU_ASSERT_EQUAL(shard->cell[i], deal->cell[deal->first[id] + i]);
        check_row(&shard->x, i, shard->cell[i]);
    }
}

static void every_cell_arrives_once_in_its_shard(void)
{
    for (int i = 0; i < N_SIZE; i++) {
        dealt t = open_dealt(sizes[i].n_cell, sizes[i].n_gene, sizes[i].n_shard);
        int64_t mine = 0, all = 0;

        for (int32_t s = t.team.first; s < t.team.last; s++) {
            check_shard(&t, s, &t.shard[s - t.team.first]);
            mine += t.shard[s - t.team.first].x.n_row;
        }
        MPI_Allreduce(&mine, &all, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
        CU_ASSERT_EQUAL(all, sizes[i].n_cell - sizes[i].n_cell / 7);
        close_dealt(&t);
    }
}

/* Dealt again by another seed, from cells that stay as they are. */
static void cells_can_be_dealt_again(void)
{
    dealt t = open_dealt(97, 23, 8);
    int64_t rank = scs_comm_rank(t.comm), n_rank = scs_comm_size(t.comm),
            first = 97 * rank / n_rank;
    scs_packed x = formula_cells(first, 97 * (rank + 1) / n_rank, 23);

    for (int64_t seed = 4; seed < 6; seed++) {
        scs_redistribute_clear(&t.shard, t.team.last - t.team.first);
        scs_shard_deal_destroy(&t.deal);
        CHECK_OK(scs_shard_deal_create(t.dataset, seed, 8, &t.deal));
        CHECK_OK(scs_redistribute_copy(t.comm, t.deal, &t.team, first, &x, &t.shard));
        for (int32_t s = t.team.first; s < t.team.last; s++)
            check_shard(&t, s, &t.shard[s - t.team.first]);
        for (int64_t i = 0; i < x.n_row; i++)
            check_row(&x, i, first + i);
    }
    scs_packed_clear(&x);
    close_dealt(&t);
}

enum { N_LATENT = 3 };

static scs_real latent_of(int64_t cell, int32_t unit)
{
    return (scs_real)(cell * 10 + unit);
}

static scs_real **formula_latent(const dealt *t)
{
    scs_real **z;

    CHECK_OK(SCS_ALLOC(z, t->team.last - t->team.first));
    for (int32_t s = 0; s < t->team.last - t->team.first; s++) {
        CHECK_OK(SCS_ALLOC(z[s], t->shard[s].x.n_row * N_LATENT));
        for (int64_t i = 0; i < t->shard[s].x.n_row * N_LATENT; i++)
            z[s][i] = latent_of(t->shard[s].cell[i / N_LATENT], (int32_t)(i % N_LATENT));
    }
    return z;
}

/* Groups of rank's rows come whole and in ascending cell order, others not at all. */
static void check_controls(const dealt *t, const scs_atlas *atlas, const bool *needed,
                           scs_real *const *control_z)
{
    for (int32_t g = 0; g < atlas->n_group; g++) {
        const scs_group *group = &atlas->group[g];
        const scs_real *at = control_z[g];

        CU_ASSERT_EQUAL(control_z[g] != NULL, needed[g]);
        for (int64_t c = 0; at && c < t->dataset->n_cell; c++) {
            if (t->dataset->role[c] == SCS_ROLE_UNUSED ||
                t->dataset->cell_type[c] != group->cell_type ||
                t->dataset->cell_condition[c] != group->condition)
                continue;
            for (int32_t j = 0; j < N_LATENT; j++)
                CU_ASSERT_EQUAL(*at++, latent_of(c, j));
        }
        CU_ASSERT(!at || at == control_z[g] + group->count * N_LATENT);
    }
}

/* A plan of all perturbations of all types; rank r has rows [first[r], first[r + 1]). */
static void make_plan(const scs_atlas *atlas, scs_plan *plan)
{
    CHECK_OK(SCS_ALLOC(plan->item, atlas->n_group));
    for (int32_t g = 0; g < atlas->n_group; g++) {
        const scs_group *group = &atlas->group[g];

        if (group->condition != atlas->control)
            plan->item[plan->n++] = (scs_combination){
                .species = 0,
                .cell_type = group->cell_type,
                .condition = group->condition,
                .control_group = scs_atlas_group(atlas, 0, group->cell_type, atlas->control),
                .observed_group = g};
    }
}

static void check_route(bool observed)
{
    dealt t = open_dealt(97, 5, 8);
    int32_t n_rank = scs_comm_size(t.comm), rank = scs_comm_rank(t.comm);
    bool needed[FORMULA_TYPES * FORMULA_CONDITIONS] = {false};
    scs_real **z = formula_latent(&t), *control_z[FORMULA_TYPES * FORMULA_CONDITIONS];
    int64_t first[65] = {0};
    scs_plan plan = {0};
    scs_atlas *atlas;

    CHECK_OK(scs_atlas_create(t.dataset, N_LATENT, &atlas));
    make_plan(atlas, &plan);
    for (int32_t r = 0; r < n_rank; r++)
        first[r + 1] = plan.n * (r + 1) / n_rank;
    for (int64_t i = first[rank]; i < first[rank + 1]; i++)
        needed[plan.item[i].control_group] = needed[plan.item[i].observed_group] = observed;
    for (int64_t i = first[rank]; i < first[rank + 1]; i++)
        needed[plan.item[i].control_group] = true;
    CHECK_OK(scs_redistribute_cells(t.comm, t.dataset, atlas, &plan, observed, first, t.shard,
                                    &t.team, z, control_z));
    check_controls(&t, atlas, needed, control_z);
    for (int32_t g = 0; g < atlas->n_group; g++)
        free(control_z[g]);
    for (int32_t s = 0; s < t.team.last - t.team.first; s++)
        free(z[s]);
    free(z);
    scs_plan_clear(&plan);
    scs_atlas_destroy(&atlas);
    close_dealt(&t);
}

static void cells_reach_the_ranks_that_need_them(void)
{
    check_route(false);
    check_route(true);
}

static const scs_test tests[] = {
    {"every cell arrives once, in its shard", every_cell_arrives_once_in_its_shard},
    {"cells can be dealt again", cells_can_be_dealt_again},
    {"cells reach the ranks that need them", cells_reach_the_ranks_that_need_them},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("distribute", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
