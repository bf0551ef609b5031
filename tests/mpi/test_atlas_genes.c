/* The gene-space half of the atlas and the normalisation are those of one process that holds all
 * cells. */
#include "mpi/data/atlas_genes.h"
#include "tests/mpi/fixture_shards.h"

#include <math.h>

/* Genes [0, n_gene) of all used cells, made without communication. */
static scs_gene_slice whole_slice(const scs_dataset *d)
{
    scs_gene_slice slice = {.gene1 = d->n_gene};
    int64_t k = 0;

    CHECK_OK(SCS_ALLOC(slice.first, d->n_gene + 1));
    CHECK_OK(SCS_ALLOC(slice.cell, d->n_cell * d->n_gene));
    CHECK_OK(SCS_ALLOC(slice.value, d->n_cell * d->n_gene));
    for (int32_t g = 0; g < d->n_gene; g++) {
        for (int64_t c = 0; c < d->n_cell; c++) {
            if (d->role[c] != SCS_ROLE_UNUSED && formula_value(c, g) > 0) {
                slice.cell[k] = c;
                slice.value[k++] = formula_value(c, g);
            }
        }
        slice.first[g + 1] = k;
    }
    return slice;
}

/* gene_mean, gene_variance and deg from one slice of everything. */
static scs_atlas *expected_atlas(const scs_dataset *d)
{
    scs_gene_slice slice = whole_slice(d);
    double score[SCS_N_DEG], *z;
    scs_atlas *a;

    CHECK_OK(scs_atlas_create(d, 2, &a));
    CHECK_OK(SCS_ALLOC(z, d->n_gene));
    CHECK_OK(scs_gene_moments(a, d, &slice));
    for (int32_t g = 0; g < a->n_group; g++) {
        int32_t control = scs_atlas_group(a, 0, a->group[g].cell_type, a->control);

        if (a->group[g].condition == a->control || control < 0)
            continue;
        CHECK_OK(scs_deg_wilcoxon(a, d, &slice, g, control, z));
        CHECK_OK(scs_deg_top_genes(z, d->n_gene, 0, SCS_N_DEG, a->deg + g * SCS_N_DEG, score));
    }
    free(z);
    scs_gene_moments_slice_clear(&slice);
    return a;
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
            CHECK_OK(scs_atlas_genes_in_parts(t.comm, atlas, t.dataset, t.shard, &t.team, n_part));
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
    CHECK_OK(scs_atlas_genes(t.comm, atlas, t.dataset, t.shard, &t.team));
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
    double *totals, scaled_to;

    CHECK_OK(SCS_ALLOC(totals, last - first));
    for (int64_t c = first; c < last; c++)
        totals[c - first] = total_of(c);
    CHECK_OK(scs_read_cells_normalize(comm, config, d, first, &x, totals, &scaled_to));
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
    double totals[1] = {0}, scaled_to;

    config.data.normalize = SCS_NORMALIZE_LOG1P;
    CHECK_FAILS(scs_read_cells_normalize(comm, &config, d, 0, &x, totals, &scaled_to), SCS_EDATA,
                "every cell's counts are 0");
    scs_packed_clear(&x);
    scs_dataset_destroy(&d);
    scs_comm_destroy(&comm);
}

static const scs_test tests[] = {
    {"gene moments and top genes are those of one process", atlas_is_that_of_one_process},
    {"a type without controls has no list", a_type_without_controls_has_no_list},
    {"normalisation uses the median of all ranks", normalization_uses_the_median_of_all_ranks},
    {"nothing to normalise is refused", nothing_to_normalize_is_refused},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("atlas_genes", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
