/* The gene-space half of the atlas and the normalisation are those of one process that holds all
 * cells. */
#include "mpi/data/atlas_genes.h"
#include "mpi/data/gene_columns.h"
#include "src/atlas/atlas.h"
#include "tests/mpi/fixture_shards.h"

#include <math.h>

/* Genes [gene0, gene1) of all used cells, made without communication. */
static scs_gene_slice slice_of(const scs_dataset *d, const scs_atlas *a, int32_t gene0,
                               int32_t gene1)
{
    scs_gene_slice slice = {.gene0 = gene0, .gene1 = gene1, .n_group = a->n_group};
    int64_t k = 0, list = 0;
    int32_t *group;

    CHECK_OK(scs_atlas_cell_groups(a, d, &group));
    CHECK_OK(SCS_ALLOC(slice.first, (int64_t)(gene1 - gene0) * a->n_group + 1));
    CHECK_OK(SCS_ALLOC(slice.value, d->n_cell * (gene1 - gene0)));
    for (int32_t j = gene0; j < gene1; j++)
        for (int32_t g = 0; g < a->n_group; g++) {
            for (int64_t c = 0; c < d->n_cell; c++)
                if (group[c] == g && formula_value(c, j) > 0)
                    slice.value[k++] = formula_value(c, j);
            slice.first[++list] = k;
        }
    free(group);
    return slice;
}

/* gene_mean, gene_variance and deg from one slice of everything. */
static scs_atlas *expected_atlas(const scs_dataset *d)
{
    scs_gene_slice slice;
    double score[SCS_N_DEG], *z;
    int32_t *control;
    scs_atlas *a;

    CHECK_OK(scs_atlas_create(d, 2, &a));
    CHECK_OK(SCS_ALLOC(z, (int64_t)a->n_group * d->n_gene));
    CHECK_OK(SCS_ALLOC(control, a->n_group));
    slice = slice_of(d, a, 0, d->n_gene);
    CHECK_OK(scs_gene_moments(a, &slice));
    for (int32_t g = 0; g < a->n_group; g++) {
        control[g] = scs_atlas_group(a, 0, a->group[g].cell_type, a->control);
        control[g] = a->group[g].condition == a->control ? -1 : control[g];
    }
    CHECK_OK(scs_deg_wilcoxon(a, &slice, control, z));
    for (int32_t g = 0; g < a->n_group; g++)
        if (control[g] >= 0)
            CHECK_OK(scs_deg_top_genes(z + (int64_t)g * d->n_gene, d->n_gene, 0, SCS_N_DEG,
                                       a->deg + g * SCS_N_DEG, score));
    free(z);
    free(control);
    scs_gene_moments_slice_clear(&slice);
    return a;
}

/* Parts of any width, from ranks' rows to their genes. */
static void columns_are_the_transpose(void)
{
    static const int32_t ends[] = {1, 2, 30, 31, 40};
    dealt t = open_dealt(97, 40, 8);
    scs_gene_columns columns;
    scs_atlas *atlas;
    int32_t mine = 0, all = 0;

    CHECK_OK(scs_atlas_create(t.dataset, 2, &atlas));
    CHECK_OK(scs_gene_columns_open(t.comm, atlas, t.dataset, t.deal, t.shard, &t.team, &columns));
    for (int i = 0; i < 5; i++) {
        scs_gene_slice slice, expected;
        int64_t lists;

        CHECK_OK(scs_gene_columns_next(&columns, ends[i], &slice));
        expected = slice_of(t.dataset, atlas, slice.gene0, slice.gene1);
        lists = (int64_t)(slice.gene1 - slice.gene0) * atlas->n_group;
        CU_ASSERT_EQUAL(memcmp(slice.first, expected.first, (size_t)(lists + 1) * 8), 0);
        CU_ASSERT_EQUAL(memcmp(slice.value, expected.value, (size_t)expected.first[lists] * 4), 0);
        mine += slice.gene1 - slice.gene0;
        scs_gene_moments_slice_clear(&slice);
        scs_gene_moments_slice_clear(&expected);
    }
    MPI_Allreduce(&mine, &all, 1, MPI_INT32_T, MPI_SUM, MPI_COMM_WORLD);
    CU_ASSERT_EQUAL(all, 40);
    scs_gene_columns_close(&columns);
    scs_atlas_destroy(&atlas);
    close_dealt(&t);
}

static void check_equal(const scs_atlas *a, const scs_atlas *b)
{
    size_t genes = (size_t)a->n_group * (size_t)a->n_gene;

    CU_ASSERT_EQUAL_FATAL(a->n_group, b->n_group);
    CU_ASSERT_EQUAL(memcmp(a->gene_mean, b->gene_mean, genes * sizeof(float)), 0);
    CU_ASSERT_EQUAL(memcmp(a->gene_variance, b->gene_variance, genes * sizeof(float)), 0);
    CU_ASSERT_EQUAL(memcmp(a->deg, b->deg, (size_t)a->n_group * SCS_N_DEG * sizeof(int32_t)), 0);
}

/* More genes than a list holds, fewer, and fewer than ranks or parts. */
static void atlas_is_that_of_one_process(void)
{
    static const int32_t n_gene[] = {230, 40, 2};

    for (int i = 0; i < 3; i++) {
        dealt t = open_dealt(80, n_gene[i], 8);
        scs_atlas *expected = expected_atlas(t.dataset), *atlas;

        for (int32_t n_part = 1; n_part < 8; n_part++) {
            CHECK_OK(scs_atlas_create(t.dataset, 2, &atlas));
            CHECK_OK(scs_atlas_genes_in_parts(t.comm, atlas, t.dataset, t.deal, t.shard, &t.team,
                                              n_part));
            check_equal(atlas, expected);
            scs_atlas_destroy(&atlas);
        }
        scs_atlas_destroy(&expected);
        close_dealt(&t);
    }
}

static void a_type_without_controls_has_no_list(void)
{
    dealt t = open_dealt(80, 12, 8);
    scs_atlas *atlas;

    for (int64_t i = 0; i < t.dataset->n_cell; i++)
        if (t.dataset->cell_type[i] == 1 && t.dataset->cell_condition[i] == 0)
            t.dataset->cell_condition[i] = 1;
    CHECK_OK(scs_atlas_create(t.dataset, 2, &atlas));
    CHECK_OK(scs_atlas_genes(t.comm, atlas, t.dataset, t.deal, t.shard, &t.team));
    for (int32_t g = 0; g < atlas->n_group; g++) {
        bool listed = atlas->group[g].cell_type == 0 && atlas->group[g].condition != 0;

        CU_ASSERT_EQUAL(atlas->deg[g * SCS_N_DEG] >= 0, listed);
    }
    scs_atlas_destroy(&atlas);
    close_dealt(&t);
}

static double total_of(int64_t cell)
{
    return cell % 11 == 0 ? 0 : (double)(1000 + (cell * 37) % 101);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* numpy's median over used cells with counts. */
static double expected_median(const scs_dataset *d)
{
    double *used;
    int64_t n = 0;
    double middle;

    CHECK_OK(SCS_ALLOC(used, d->n_cell));
    for (int64_t i = 0; i < d->n_cell; i++)
        if (d->role[i] != SCS_ROLE_UNUSED && total_of(i) > 0)
            used[n++] = total_of(i);
    qsort(used, (size_t)n, sizeof *used, ascending);
    middle = (used[(n - 1) / 2] + used[n / 2]) / 2;
    free(used);
    return middle;
}

/* @param target what the cells should have been scaled to */
static void check_normalized(scs_comm *comm, const scs_config *config, const scs_dataset *d,
                             double target)
{
    int64_t rank = scs_comm_rank(comm), n_rank = scs_comm_size(comm);
    int64_t first = d->n_cell * rank / n_rank, last = d->n_cell * (rank + 1) / n_rank;
    scs_packed x = formula_cells(first, last, d->n_gene);
    scs_cell_part part = {.x = &x, .first = first};
    double *totals, scaled_to;

    CHECK_OK(SCS_ALLOC(totals, last - first));
    for (int64_t c = first; c < last; c++)
        totals[c - first] = total_of(c);
    CHECK_OK(scs_read_cells_normalize(comm, config, d, false, &part, 1, totals, &scaled_to));
    CU_ASSERT_EQUAL(scaled_to, target);
    for (int64_t c = first; c < last; c++) {
        scs_row row = scs_packed_row(&x, c - first);

        for (int64_t k = 0; k < row.n; k++) {
            double raw = formula_value(c, scs_row_gene(&row, k));
            double scaled = total_of(c) > 0 ? log1p(raw * (target / total_of(c))) : 0;

            CU_ASSERT_DOUBLE_EQUAL(scs_row_value(&row, k), target > 0 ? scaled : raw, 1e-6);
        }
    }
    free(totals);
    scs_packed_clear(&x);
}

static void normalization_uses_the_median_of_all_ranks(void)
{
    scs_comm *comm = open_world();
    scs_config config = {0};

    for (int64_t n_cell = 40; n_cell <= 41; n_cell++) {
        scs_dataset *d = formula_dataset(n_cell, 6);

        config.data.normalize = SCS_NORMALIZE_LOG1P;
        config.data.target_sum = 0;
        check_normalized(comm, &config, d, expected_median(d));
        config.data.target_sum = 10000;
        check_normalized(comm, &config, d, 10000);
        config.data.normalize = SCS_NORMALIZE_NONE;
        check_normalized(comm, &config, d, 0);
        scs_dataset_destroy(&d);
    }
    scs_comm_destroy(&comm);
}

/* Without a single count there is no median: refused alike on all ranks. */
static void nothing_to_normalize_is_refused(void)
{
    scs_comm *comm = open_world();
    scs_dataset *d = formula_dataset(0, 3);
    scs_packed x = formula_cells(0, 0, 3);
    scs_config config = {0};
    scs_cell_part part = {.x = &x};
    double totals[1] = {0}, scaled_to;

    config.data.normalize = SCS_NORMALIZE_LOG1P;
    CHECK_FAILS(scs_read_cells_normalize(comm, &config, d, false, &part, 1, totals, &scaled_to),
                SCS_EDATA, "every cell's counts are 0");
    scs_packed_clear(&x);
    scs_dataset_destroy(&d);
    scs_comm_destroy(&comm);
}

static const scs_test tests[] = {
    {"columns are the transpose of the rows", columns_are_the_transpose},
    {"gene moments and top genes are those of one process", atlas_is_that_of_one_process},
    {"a type without controls has no list", a_type_without_controls_has_no_list},
    {"normalisation uses the median of all ranks", normalization_uses_the_median_of_all_ranks},
    {"nothing to normalise is refused", nothing_to_normalize_is_refused},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("atlas_genes", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
