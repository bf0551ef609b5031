/* The latent atlas: groups, moments that equal direct sums, and the same bits however shards are
 * spread. */
#include "src/data/team.h"
#include "tests/unit/fixture_atlas.h"

#include <omp.h>

enum { N_CELL = 2400, N_GENE = 30, N_LATENT = 5, N_SHARD = 4 };

typedef struct setup {
    test_atlas s;
    scs_atlas *atlas;
    scs_model *model;
    scs_deal deal;
    scs_shard shard[N_SHARD];
} setup;

/* Cell i to shard i % N_SHARD; roles do not matter to the atlas. */
static void deal_cells(setup *t)
{
    const scs_packed *all = &t->s.packed;
    int64_t at = 0;

    CHECK_OK(SCS_ALLOC(t->deal.cell, N_CELL));
    for (int32_t v = 0; v < N_SHARD; v++) {
        scs_shard *shard = &t->shard[v];
        int64_t n = 0;

        *shard = (scs_shard){.id = v, .cell = t->deal.cell + at};
        CHECK_OK(scs_packed_alloc(N_CELL / N_SHARD, N_GENE, all->first[N_CELL], &shard->x));
        for (int64_t i = v; i < N_CELL; i += N_SHARD) {
            scs_packed_put(&shard->x, n++, all->word + 4 * all->first[i],
                           all->first[i + 1] - all->first[i]);
            t->deal.cell[at++] = i;
        }
    }
}

static void begin(setup *t)
{
    scs_arch arch = plain_arch(SCS_PROFILE_SCGEN2, N_GENE, 12, N_LATENT);

    *t = (setup){0};
    test_atlas_create(&t->s, N_CELL, N_GENE, 2, 3, 3, 11);
    CHECK_OK(scs_atlas_create(&t->s.d, N_LATENT, &t->atlas));
    untrained_model(&arch, 5, &t->model);
    deal_cells(t);
}

static void end(setup *t)
{
    for (int32_t v = 0; v < N_SHARD; v++)
        scs_packed_clear(&t->shard[v].x);
    free(t->deal.cell);
    scs_model_destroy(&t->model);
    scs_atlas_destroy(&t->atlas);
    CU_ASSERT_PTR_NULL(t->atlas);
    test_atlas_destroy(&t->s);
}

static void groups_are_those_of_the_cells(void)
{
    setup t;
    int64_t cells = 0, used = 0;

    begin(&t);
    CU_ASSERT_EQUAL(t.atlas->n_group, 18);
    for (int32_t g = 0; g < t.atlas->n_group; g++) {
        const scs_group *group = &t.atlas->group[g];
        int64_t n = 0;

        for (int64_t i = 0; i < N_CELL; i++)
            n += test_atlas_in_group(&t.s, group, i);
        CU_ASSERT_EQUAL(group->count, n);
        CU_ASSERT_EQUAL(group->held_out,
                        group->species == 0 && group->cell_type == 1 && group->condition == 1);
        CU_ASSERT_EQUAL(
            scs_atlas_group(t.atlas, group->species, group->cell_type, group->condition), g);
        cells += n;
    }
    for (int64_t i = 0; i < N_CELL; i++)
        used += t.s.d.role[i] != SCS_ROLE_UNUSED;
    CU_ASSERT_EQUAL(cells, used);
    CU_ASSERT_EQUAL(scs_atlas_group(t.atlas, 0, 3, 0), -1);
    CU_ASSERT_EQUAL(scs_atlas_group(t.atlas, -1, 0, 0), -1);
    end(&t);
}

static void groups_from_a_file_are_checked(void)
{
    scs_group group[] = {{0, 0, 0, false, 3}, {0, 0, 1, false, 4}};
    scs_names one = {0}, two = {0};
    scs_atlas *atlas = NULL;

    name_list(&one, "a", 1);
    name_list(&two, "b", 2);
    CHECK_OK(scs_atlas_create_from(&one, &one, &two, &one, 0, group, 2, 3, &atlas));
    CU_ASSERT_EQUAL(atlas->group_of[1], 1);
    scs_atlas_destroy(&atlas);
    CHECK_FAILS(scs_atlas_create_from(&one, &one, &two, &one, 2, group, 2, 3, &atlas), SCS_EDATA,
                "control");
    CHECK_FAILS(scs_atlas_create_from(&one, &one, &one, &one, 0, group, 2, 3, &atlas), SCS_EDATA,
                "out of range");
    group[1].condition = 0;
    CHECK_FAILS(scs_atlas_create_from(&one, &one, &two, &one, 0, group, 2, 3, &atlas), SCS_EDATA,
                "out of order");
    CU_ASSERT_PTR_NULL(atlas);
    scs_names_clear(&one);
    scs_names_clear(&two);
}

static void encode(setup *t, scs_real **z)
{
    scs_team team = scs_team_alone(N_SHARD);

    CHECK_OK(scs_atlas_encode(t->atlas, t->model, &t->s.d, t->shard, &team, z));
}

/* Moments of a group from every cell encoded alone. @param second [N_LATENT, N_LATENT] */
static void direct_moments(const setup *t, const scs_group *group, double *mean, double *second)
{
    for (int i = 0; i < N_LATENT * N_LATENT; i++)
        second[i] = mean[i % N_LATENT] = 0;
    for (int64_t c = 0; c < N_CELL; c++) {
        scs_real z[N_LATENT];

        if (!test_atlas_in_group(&t->s, group, c))
            continue;
        CHECK_OK(scs_model_encode(t->model, &t->s.packed, c, 1, z, NULL));
        for (int j = 0; j < N_LATENT; j++)
            mean[j] += (double)z[j] / (double)group->count;
        for (int i = 0; i < N_LATENT * N_LATENT; i++)
            second[i] += (double)z[i / N_LATENT] * z[i % N_LATENT] / (double)group->count;
    }
}

static void moments_equal_direct_sums(void)
{
    setup t;

    begin(&t);
    encode(&t, NULL);
    for (int32_t g = 0; g < t.atlas->n_group; g++) {
        double mean[N_LATENT], second[N_LATENT * N_LATENT];
        bool held_out = t.atlas->group[g].held_out;

        direct_moments(&t, &t.atlas->group[g], mean, second);
        for (int j = 0; j < N_LATENT; j++)
            CU_ASSERT_DOUBLE_EQUAL(t.atlas->mean[g * N_LATENT + j], held_out ? 0 : mean[j], 1e-6);
        for (int i = 0; i < N_LATENT * N_LATENT; i++)
            CU_ASSERT_DOUBLE_EQUAL(t.atlas->second[g * N_LATENT * N_LATENT + i],
                                   held_out ? 0 : second[i], 1e-6);
    }
    end(&t);
}

/* What ranks would exchange, played by one process: first every rank's subtree sums are recorded,
 * then each rank is given the tree sum of all. */
typedef struct play {
    double *part[N_SHARD];
    scs_subtree subtree[N_SHARD];
    int n_part;
    int64_t len;
    int32_t first, last;
    bool record;
} play;

static scs_status played_sum(void *ctx, double *parts, int64_t len, double *total)
{
    play *p = ctx;
    scs_subtree found[SCS_SUBTREE_MAX];
    double *leaf[N_SHARD];
    int n;

    for (int32_t v = 0; v < p->last - p->first; v++)
        leaf[v] = parts + v * len;
    if (!p->record) {
        memcpy(total, p->part[0], sizeof *total * (size_t)len);
        return SCS_OK;
    }
    memset(total, 0, sizeof *total * (size_t)len);
    n = scs_team_tree_fold_double(leaf, p->first, p->last, N_SHARD, len, found);
    for (int i = 0; i < n; i++) {
        p->subtree[p->n_part] = found[i];
        SCS_TRY(SCS_ALLOC(p->part[p->n_part], len));
        memcpy(p->part[p->n_part++], leaf[found[i].first - p->first], sizeof **leaf * (size_t)len);
    }
    p->len = len;
    return SCS_OK;
}

static void run_rank(setup *t, play *p, int32_t first, int32_t last, scs_real **z)
{
    scs_team team = scs_team_alone(N_SHARD);

    p->first = team.first = first;
    p->last = team.last = last;
    team.sum = played_sum;
    team.ctx = p;
    CHECK_OK(scs_atlas_encode(t->atlas, t->model, &t->s.d, t->shard + first, &team, z));
}

static void free_latent(scs_real **z)
{
    for (int32_t v = 0; v < N_SHARD; v++)
        free(z[v]);
}

/* @param cut [n_rank + 1] first shard of each rank */
static void check_cut(setup *t, const int32_t *cut, int n_rank, const double *mean,
                      const double *second, scs_real *const *z)
{
    size_t n = (size_t)t->atlas->n_group * N_LATENT;
    play p = {.record = true};
    scs_real *mine[N_SHARD];

    for (int r = 0; r < n_rank; r++)
        run_rank(t, &p, cut[r], cut[r + 1], NULL);
    scs_team_tree_sum_double(p.part, p.subtree, p.n_part, 0, p.len);
    p.record = false;
    for (int r = 0; r < n_rank; r++) {
        run_rank(t, &p, cut[r], cut[r + 1], mine + cut[r]);
        CU_ASSERT(memcmp(t->atlas->mean, mean, n * sizeof *mean) == 0);
        CU_ASSERT(memcmp(t->atlas->second, second, n * N_LATENT * sizeof *second) == 0);
    }
    for (int32_t v = 0; v < N_SHARD; v++)
        CU_ASSERT(memcmp(mine[v], z[v], sizeof **z * (size_t)(t->shard[v].x.n_row * N_LATENT)) ==
                  0);
    free_latent(mine);
    for (int i = 0; i < p.n_part; i++)
        free(p.part[i]);
}

static void same_bits_however_shards_are_spread(void)
{
    static const int32_t cut[][5] = {{0, 4}, {0, 2, 4}, {0, 1, 4}, {0, 1, 2, 4}, {0, 1, 2, 3, 4}};
    static const int n_rank[] = {1, 2, 2, 3, 4};
    setup t;
    scs_real *z[N_SHARD];
    double mean[18 * N_LATENT], second[18 * N_LATENT * N_LATENT];

    begin(&t);
    encode(&t, z);
    memcpy(mean, t.atlas->mean, sizeof mean);
    memcpy(second, t.atlas->second, sizeof second);
    for (int i = 0; i < 5; i++)
        check_cut(&t, cut[i], n_rank[i], mean, second, z);
    free_latent(z);
    end(&t);
}

static void same_bits_with_any_threads(void)
{
    setup t;
    double mean[18 * N_LATENT];
    int threads = omp_get_max_threads();

    begin(&t);
    omp_set_num_threads(1);
    encode(&t, NULL);
    memcpy(mean, t.atlas->mean, sizeof mean);
    omp_set_num_threads(3);
    encode(&t, NULL);
    CU_ASSERT(memcmp(mean, t.atlas->mean, sizeof mean) == 0);
    omp_set_num_threads(threads);
    end(&t);
}

static void check_gene(const setup *t, int32_t g, int32_t gene)
{
    const scs_group *group = &t->atlas->group[g];
    double sum = 0, squares = 0, n = (double)group->count;

    for (int64_t i = 0; i < N_CELL; i++)
        if (test_atlas_in_group(&t->s, group, i)) {
            double x = test_atlas_value(&t->s, i, gene);

            sum += x;
            squares += x * x;
        }
    CU_ASSERT_DOUBLE_EQUAL(t->atlas->gene_mean[g * N_GENE + gene], sum / n, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(t->atlas->gene_variance[g * N_GENE + gene],
                           squares / n - (sum / n) * (sum / n), 1e-6);
}

static void gene_moments_equal_direct_sums(void)
{
    setup t;

    begin(&t);
    for (int32_t gene = 0; gene < N_GENE; gene += 10) { /* in three slices */
        scs_gene_slice slice;

        test_atlas_slice(&t.s, t.atlas, gene, gene + 10, &slice);
        CHECK_OK(scs_gene_moments(t.atlas, &slice));
        scs_gene_moments_slice_clear(&slice);
    }
    for (int32_t g = 0; g < t.atlas->n_group; g++)
        for (int32_t gene = 0; gene < N_GENE; gene++)
            check_gene(&t, g, gene);
    end(&t);
}

int main(void)
{
    static const scs_test tests[] = {
        {"groups are those of the cells", groups_are_those_of_the_cells},
        {"groups from a file are checked", groups_from_a_file_are_checked},
        {"moments equal direct sums", moments_equal_direct_sums},
        {"same bits however shards are spread", same_bits_however_shards_are_spread},
        {"same bits with any threads", same_bits_with_any_threads},
        {"gene moments equal direct sums", gene_moments_equal_direct_sums}};

    return run_suite("latent", tests, sizeof tests / sizeof *tests);
}
