/* Training over these ranks gives the bytes that one process gives which owns all shards. */
#include "tests/mpi/fixture_shards.h"
#include "tests/unit/fixture_model.h"

#include "scscreen/train.h"
#include "src/base/checksum.h"

#include <math.h>

/* Several blocks, which ranks share; a batch of more than half of them is not split by genes. */
static int32_t n_gene = 1000;
static int32_t node_width = 1 << 20; /* ranks of a node at most */

static scs_config *make_config(const char *const *sets, int n_set)
{
    static const char text[] = "data:\n  inputs:\n    - path: formula.h5ad\n"
                               "model: {hidden: 12, layers: 2, latent: 4}\n"
                               "train: {batch: 16, epochs: 3, seed: 7, patience: 2}\n";
    scs_config *config = NULL;

    CHECK_OK(scs_config_parse("toy.yaml", text, sets, n_set, &config));
    return config;
}

/* @return the model after training  @param[out] outcome */
static scs_model *train(const scs_config *config, const scs_shard *shard, const scs_deal *deal,
                        const scs_team *team, scs_outcome *outcome)
{
    scs_arch arch = scs_model_arch_from_config(config, n_gene);
    scs_model *model = NULL;

    CHECK_OK(scs_model_create(&arch, &model));
    scs_model_init(model, config->train.seed);
    CHECK_OK(scs_train(config, model, shard, deal, team, NULL, NULL, outcome));
    return model;
}

/* One shard's rows in its order. */
static scs_packed gather_rows(const int64_t *cell, int64_t n)
{
    scs_packed x;

    CHECK_OK(scs_packed_alloc(n, n_gene, n * 2 * (n_gene + 1), &x));
    for (int64_t i = 0; i < n; i++) {
        scs_packed row = formula_cells(cell[i], cell[i] + 1, n_gene);

        scs_packed_put(&x, i, row.word, row.first[1]);
        scs_packed_clear(&row);
    }
    return x;
}

/* All shards in this process. */
static scs_shard *all_shards(const scs_deal *deal)
{
    scs_shard *shard;

    CHECK_OK(SCS_ALLOC(shard, deal->n_shard));
    for (int32_t s = 0; s < deal->n_shard; s++) {
        const int64_t *cell = deal->cell + deal->first[s];
        int64_t n = deal->first[s + 1] - deal->first[s];

        shard[s] = (scs_shard){.id = s,
                               .n_train = deal->n_train[s],
                               .n_valid = deal->n_valid[s],
                               .n_held_out = n - deal->n_train[s] - deal->n_valid[s],
                               .cell = cell,
                               .x = gather_rows(cell, n)};
    }
    return shard;
}

/* So that runs at other numbers of ranks can be compared from outside. */
static void print_checksum(const dealt *t, const scs_model *model)
{
    char sum[SCS_CHECKSUM_MAX];

    scs_checksum_bytes(model->param, model->n_param * (int64_t)sizeof *model->param, sum);
    if (t->team.rank == 0)
        printf("\n    %lld cells, %d shards: %s", (long long)t->dataset->n_cell, t->team.n_shard,
               sum);
}

static void check_training(int64_t n_cell, int32_t n_shard, const char *const *sets, int n_set)
{
    scs_config *config = make_config(sets, n_set);
    dealt t = open_dealt(n_cell, n_gene, n_shard);
    scs_team alone = scs_team_alone(n_shard);
    scs_shard *all = all_shards(t.deal);
    scs_outcome outcome, expected_outcome;
    scs_model *model, *expected;

    split_nodes(t.comm, node_width);
    model = train(config, t.shard, t.deal, &t.team, &outcome);
    expected = train(config, all, t.deal, &alone, &expected_outcome);

    CU_ASSERT(same_model(model, expected));
    CU_ASSERT_EQUAL(outcome.steps, expected_outcome.steps);
    CU_ASSERT_EQUAL(outcome.best, expected_outcome.best);
    CU_ASSERT_EQUAL(outcome.best_epoch, expected_outcome.best_epoch);
    print_checksum(&t, model);
    scs_model_destroy(&model);
    scs_model_destroy(&expected);
    scs_redistribute_clear(&all, n_shard);
    scs_config_destroy(&config);
    close_dealt(&t);
}

/* At np 7 there are more ranks than shards, which is refused before anything is dealt. */
static void four_shards(void)
{
    int32_t n_rank, n_shard;

    MPI_Comm_size(MPI_COMM_WORLD, &n_rank);
    if (n_rank <= 4)
        check_training(150, 4, NULL, 0);
    else
        CHECK_FAILS(scs_shard_count(4, n_rank, &n_shard), SCS_EARG, "fewer than the 7 ranks");
}

static void eight_shards(void)
{
    check_training(150, 8, NULL, 0);
}

static void batch_norm_by_shard(void)
{
    static const char *const sets[] = {"train.batch_norm=shard"};

    check_training(150, 8, sets, 1);
}

static void paper_profile(void)
{
    static const char *const sets[] = {"model.profile=paper", "train.monitor=reference"};

    check_training(150, 8, sets, 2);
}

/* Pieces of n_gene d^2 products are dealt to the ranks. */
static void factored_output(void)
{
    static const char *const sets[] = {"train.output_layer=factored"};

    check_training(150, 8, sets, 1);
    check_training(9, 16, sets, 1);
    n_gene = 30;
    check_training(150, 8, sets, 1);
    check_training(9, 16, sets, 1);
    n_gene = 1000;
}

/* Nothing is shared by ranks of different nodes: gradients and weights travel. */
static void several_nodes(void)
{
    static const char *const dense[] = {"train.output_layer=dense"};
    static const char *const factored[] = {"train.output_layer=factored"};

    for (node_width = 1; node_width <= 2; node_width++)
        for (n_gene = 30; n_gene <= 1000; n_gene += 970) {
            check_training(150, 8, dense, 1);
            check_training(150, 8, factored, 1);
        }
    n_gene = 1000;
    node_width = 1 << 20;
}

/* Most shards, and most ranks at np 7, have at most one cell. */
static void fewer_cells_than_shards(void)
{
    check_training(9, 16, NULL, 0);
}

/* One bad number, seen by one rank only, stops all ranks alike. */
static void nan_stops_all_ranks(void)
{
    scs_config *config = make_config(NULL, 0);
    dealt t = open_dealt(150, n_gene, 8);
    scs_arch arch = scs_model_arch_from_config(config, n_gene);
    scs_model *model = NULL;
    scs_outcome outcome;

    if (t.team.last == t.team.n_shard)
        set_value(&t.shard[t.team.last - t.team.first - 1].x, 0, NAN);
    CHECK_OK(scs_model_create(&arch, &model));
    scs_model_init(model, 7);
    CHECK_FAILS(scs_train(config, model, t.shard, t.deal, &t.team, NULL, NULL, &outcome),
                SCS_ENUMERIC, "step");
    scs_model_destroy(&model);
    scs_config_destroy(&config);
    close_dealt(&t);
}

static const scs_test tests[] = {
    {"4 shards: the bytes of one process", four_shards},
    {"8 shards: the bytes of one process", eight_shards},
    {"batch norm by shard", batch_norm_by_shard},
    {"several nodes", several_nodes},
    {"the paper's profile", paper_profile},
    {"factored output layer", factored_output},
    {"fewer cells than shards", fewer_cells_than_shards},
    {"NaN stops all ranks", nan_stops_all_ranks},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("train_ranks", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
