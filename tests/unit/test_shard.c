#include "tests/unit/suite.h"

#include "scscreen/shard.h"

#include <string.h>

enum { N_CELL = 1003, SEED = 7 };

/* A dataset that has roles only: every 5th cell unused, every 4th held out, every 3rd validation.
 */
static scs_dataset roles(uint8_t *role)
{
    for (int64_t c = 0; c < N_CELL; c++) {
        scs_role is = c % 5 == 0   ? SCS_ROLE_UNUSED
                      : c % 4 == 0 ? SCS_ROLE_HELD_OUT
                      : c % 3 == 0 ? SCS_ROLE_VALID
                                   : SCS_ROLE_TRAIN;

        role[c] = (uint8_t)is;
    }
    return (scs_dataset){.n_cell = N_CELL, .role = role};
}

static int role_at(const scs_deal *deal, int32_t shard, int64_t i)
{
    i -= deal->first[shard];
    return i < deal->n_train[shard]                          ? SCS_ROLE_TRAIN
           : i < deal->n_train[shard] + deal->n_valid[shard] ? SCS_ROLE_VALID
                                                             : SCS_ROLE_HELD_OUT;
}

static void every_used_cell_is_dealt_once_into_its_role(void)
{
    uint8_t role[N_CELL];
    scs_dataset dataset = roles(role);

    for (int32_t n_shard = 1; n_shard <= 2048; n_shard *= 2) {
        int seen[N_CELL] = {0};
        scs_deal *deal = NULL;

        CHECK_OK(scs_shard_deal_create(&dataset, SEED, n_shard, &deal));
        CU_ASSERT_EQUAL(deal->first[0], 0);
        for (int32_t s = 0; s < n_shard; s++)
            for (int64_t i = deal->first[s]; i < deal->first[s + 1]; i++) {
                int64_t cell = deal->cell[i];

                seen[cell]++;
                CU_ASSERT_EQUAL(role[cell], role_at(deal, s, i));
                CU_ASSERT_EQUAL(deal->shard_of_cell[cell], s);
            }
        for (int64_t c = 0; c < N_CELL; c++) {
            CU_ASSERT_EQUAL(seen[c], role[c] != SCS_ROLE_UNUSED);
            CU_ASSERT(seen[c] || deal->shard_of_cell[c] == -1);
        }
        scs_shard_deal_destroy(&deal);
        CU_ASSERT_PTR_NULL(deal);
    }
}

static void check_spread(const int64_t *n, int32_t n_shard)
{
    int64_t least = n[0], most = n[0];

    for (int32_t s = 1; s < n_shard; s++) {
        least = n[s] < least ? n[s] : least;
        most = n[s] > most ? n[s] : most;
    }
    CU_ASSERT(most - least <= 1);
}

static void shards_differ_by_at_most_one_cell_of_each_role(void)
{
    uint8_t role[N_CELL];
    scs_dataset dataset = roles(role);

    for (int32_t n_shard = 1; n_shard <= 2048; n_shard *= 2) {
        scs_deal *deal = NULL;
        int64_t held_out[2048];

        CHECK_OK(scs_shard_deal_create(&dataset, SEED, n_shard, &deal));
        for (int32_t s = 0; s < n_shard; s++)
            held_out[s] = deal->first[s + 1] - deal->first[s] - deal->n_train[s] - deal->n_valid[s];
        check_spread(deal->n_train, n_shard);
        check_spread(deal->n_valid, n_shard);
        check_spread(held_out, n_shard);
        scs_shard_deal_destroy(&deal);
    }
}

static void the_seed_decides_the_deal(void)
{
    uint8_t role[N_CELL];
    scs_dataset dataset = roles(role);
    scs_deal *a = NULL, *b = NULL, *c = NULL;
    size_t bytes;

    CHECK_OK(scs_shard_deal_create(&dataset, SEED, 8, &a));
    CHECK_OK(scs_shard_deal_create(&dataset, SEED, 8, &b));
    CHECK_OK(scs_shard_deal_create(&dataset, SEED + 1, 8, &c));
    bytes = (size_t)a->first[8] * sizeof *a->cell;
    CU_ASSERT_EQUAL(memcmp(a->cell, b->cell, bytes), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(a->cell, c->cell, bytes), 0);
    scs_shard_deal_destroy(&a);
    scs_shard_deal_destroy(&b);
    scs_shard_deal_destroy(&c);
}

static void no_cells_are_dealt_as_empty_shards(void)
{
    scs_dataset dataset = {.n_cell = 0};
    scs_deal *deal = NULL;

    CHECK_OK(scs_shard_deal_create(&dataset, SEED, 4, &deal));
    CU_ASSERT_EQUAL(deal->first[4], 0);
    scs_shard_deal_destroy(&deal);
}

static void automatic_shards_are_the_next_power_of_two(void)
{
    static const int32_t expected[] = {1, 2, 4, 4, 8, 8, 8, 8, 16};
    int32_t n = 0;

    for (int32_t n_rank = 1; n_rank <= 9; n_rank++) {
        CHECK_OK(scs_shard_count(0, n_rank, &n));
        CU_ASSERT_EQUAL(n, expected[n_rank - 1]);
    }
    CHECK_OK(scs_shard_count(4, 3, &n));
    CU_ASSERT_EQUAL(n, 4);
    CHECK_FAILS(scs_shard_count(4, 5, &n), SCS_EARG,
                "fewer than the 5 ranks; use at most 4 ranks or at least 8 shards");
    CHECK_FAILS(scs_shard_count(6, 2, &n), SCS_EARG, "power of two");
    CHECK_FAILS(scs_shard_count(-4, 2, &n), SCS_EARG, "power of two");
}

/* Ranks own contiguous, non-empty ranges that cover all shards and differ by at most one. */
static void every_rank_owns_a_range_of_shards(void)
{
    for (int32_t n_shard = 1; n_shard <= 64; n_shard *= 2)
        for (int32_t n_rank = 1; n_rank <= n_shard; n_rank++) {
            CU_ASSERT_EQUAL(scs_shard_first(n_shard, n_rank, 0), 0);
            CU_ASSERT_EQUAL(scs_shard_first(n_shard, n_rank, n_rank), n_shard);
            for (int32_t r = 0; r < n_rank; r++) {
                int32_t n =
                    scs_shard_first(n_shard, n_rank, r + 1) - scs_shard_first(n_shard, n_rank, r);

                CU_ASSERT(n == n_shard / n_rank || n == n_shard / n_rank + 1);
            }
        }
}

/* A permutation of the training rows; each epoch another; the same again for the same epoch. */
static void epoch_orders_are_permutations_that_change(void)
{
    enum { N = 50 };
    int64_t cell[N + 10], rows[3][N];
    scs_shard shard = {.n_train = N, .n_valid = 10, .cell = cell};

    for (int64_t i = 0; i < N + 10; i++)
        cell[i] = (i * 37) % 1000 + 5;
    CHECK_OK(scs_shard_epoch_order(&shard, SEED, 1, rows[0]));
    CHECK_OK(scs_shard_epoch_order(&shard, SEED, 1, rows[1]));
    CHECK_OK(scs_shard_epoch_order(&shard, SEED, 2, rows[2]));
    CU_ASSERT_EQUAL(memcmp(rows[0], rows[1], sizeof rows[0]), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(rows[0], rows[2], sizeof rows[0]), 0);
    for (int e = 0; e < 3; e++) {
        int seen[N] = {0};

        for (int i = 0; i < N; i++) {
            CU_ASSERT_FATAL(rows[e][i] >= 0 && rows[e][i] < N);
            seen[rows[e][i]]++;
        }
        for (int i = 0; i < N; i++)
            CU_ASSERT_EQUAL(seen[i], 1);
    }
}

/* The order of the cells does not depend on how the shard lists them. */
static void epoch_order_depends_on_cell_ids_alone(void)
{
    enum { N = 20 };
    int64_t forward[N], backward[N], a[N], b[N];
    scs_shard one = {.n_train = N, .cell = forward}, two = {.n_train = N, .cell = backward};

    for (int64_t i = 0; i < N; i++)
        forward[i] = backward[N - 1 - i] = 3 * i + 1;
    CHECK_OK(scs_shard_epoch_order(&one, SEED, 4, a));
    CHECK_OK(scs_shard_epoch_order(&two, SEED, 4, b));
    for (int i = 0; i < N; i++)
        CU_ASSERT_EQUAL(forward[a[i]], backward[b[i]]);
}

int main(void)
{
    static const scs_test tests[] = {
        {"every used cell is dealt once", every_used_cell_is_dealt_once_into_its_role},
        {"shards differ by at most one", shards_differ_by_at_most_one_cell_of_each_role},
        {"the seed decides the deal", the_seed_decides_the_deal},
        {"no cells", no_cells_are_dealt_as_empty_shards},
        {"automatic shards", automatic_shards_are_the_next_power_of_two},
        {"every rank owns a range", every_rank_owns_a_range_of_shards},
        {"epoch orders are permutations", epoch_orders_are_permutations_that_change},
        {"epoch order depends on ids", epoch_order_depends_on_cell_ids_alone},
    };

    return run_suite("shard", tests, sizeof tests / sizeof *tests);
}
