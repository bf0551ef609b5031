/* How the cells' values are kept changes no result: training, the latent atlas and the gene-space
 * half of it have the same bits from codes as from plain floats, on any number of ranks. */
#include "tests/mpi/fixture_shards.h"
#include "tests/unit/fixture_model.h"

#include "scscreen/config.h"
#include "scscreen/train.h"

#include <string.h>

enum { N_GENE = 120, N_CELL = 150, N_SHARD = 8, N_LATENT = 3 };

/* What a job makes of its cells. */
typedef struct job {
    dealt t;
    scs_model *model;
    scs_atlas *atlas;
    scs_real *z[N_SHARD];
    int64_t n_coded, n_row; /* of this rank's rows */
} job;

static void count_rows(job *j)
{
    for (int32_t s = 0; s < j->t.team.last - j->t.team.first; s++)
        for (int64_t i = 0; i < j->t.shard[s].x.n_row; i++, j->n_row++)
            j->n_coded += scs_packed_row(&j->t.shard[s].x, i).code != NULL;
}

static void make_atlas(job *j)
{
    CHECK_OK(scs_atlas_create(j->t.dataset, N_LATENT, &j->atlas));
    CHECK_OK(scs_atlas_encode(j->atlas, j->model, j->t.dataset, j->t.shard, &j->t.team, j->z));
    CHECK_OK(scs_atlas_genes(j->t.comm, j->atlas, j->t.dataset, j->t.deal, j->t.shard, &j->t.team));
}

static void open_job(formula_cells_fn cells, const scs_config *config, job *j)
{
    scs_arch arch = scs_model_arch_from_config(config, N_GENE);
    scs_outcome outcome;

    *j = (job){.t = open_dealt_of(cells, N_CELL, N_GENE, N_SHARD)};
    count_rows(j);
    CHECK_OK(scs_model_create(&arch, &j->model));
    scs_model_init(j->model, config->train.seed);
    CHECK_OK(scs_train(config, j->model, j->t.shard, j->t.deal, &j->t.team, NULL, NULL, &outcome));
    make_atlas(j);
}

static void close_job(job *j)
{
    for (int32_t s = 0; s < N_SHARD; s++)
        free(j->z[s]);
    scs_atlas_destroy(&j->atlas);
    scs_model_destroy(&j->model);
    close_dealt(&j->t);
}

static void check_same(const job *a, const job *b)
{
    size_t latent = (size_t)a->atlas->n_group * N_LATENT, genes;

    genes = (size_t)a->atlas->n_group * N_GENE;
    CU_ASSERT_FATAL(same_model(a->model, b->model));
    CU_ASSERT_EQUAL(memcmp(a->atlas->mean, b->atlas->mean, latent * sizeof(double)), 0);
    CU_ASSERT_EQUAL(memcmp(a->atlas->second, b->atlas->second, latent * N_LATENT * sizeof(double)),
                    0);
    CU_ASSERT_EQUAL(memcmp(a->atlas->gene_mean, b->atlas->gene_mean, genes * sizeof(float)), 0);
    CU_ASSERT_EQUAL(memcmp(a->atlas->gene_variance, b->atlas->gene_variance, genes * sizeof(float)),
                    0);
    for (int32_t s = 0; s < a->t.team.last - a->t.team.first; s++)
        CU_ASSERT_EQUAL(
            memcmp(a->z[s], b->z[s], (size_t)a->t.shard[s].x.n_row * N_LATENT * sizeof **a->z), 0);
}

static void check_ways(const char *set)
{
    const char *sets[] = {"model.hidden=12", "model.latent=3", "train.epochs=3", "train.batch=32",
                          set};
    scs_config *config = NULL;
    job coded, plain;

    CHECK_OK(scs_config_parse("", "", sets, sizeof sets / sizeof *sets, &config));
    open_job(formula_cells, config, &coded);
    open_job(formula_cells_plain, config, &plain);
    CU_ASSERT_EQUAL(coded.n_coded, coded.n_row);
    CU_ASSERT_EQUAL(plain.n_coded, 0);
    check_same(&coded, &plain);
    close_job(&coded);
    close_job(&plain);
    scs_config_destroy(&config);
}

static void the_tiled_output_layer(void)
{
    check_ways("train.output_layer=dense");
}

static void the_factored_output_layer(void)
{
    check_ways("train.output_layer=factored");
}

static const scs_test tests[] = {
    {"codes or floats, tile by tile: the same bits", the_tiled_output_layer},
    {"codes or floats, factored: the same bits", the_factored_output_layer},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("packed", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
