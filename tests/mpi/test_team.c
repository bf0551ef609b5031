/* Sums and slices have the bits of one process that owns all shards. Values mix magnitudes, so
 * another order shows. */
#include "tests/mpi/mpi_suite.h"

#include "src/base/random.h"

#include <math.h>

enum { MAX_LEN = 5003, MAX_SHARD = 16 };

/* Element i of shard s: magnitudes from 1e-6 to 1e6, both signs. */
static double value_of(int32_t shard, int64_t i)
{
    scs_stream stream = {
        .seed = 5, .purpose = SCS_RANDOM_SIMULATE, .epoch = (uint32_t)shard, .cell = (uint64_t)i};
    float u[2];

    scs_random_uniform(&stream, 2, u);
    return (u[0] - 0.5) * pow(10, 12 * u[1] - 6);
}

static double *double_parts(const scs_team *team, int64_t len)
{
    double *parts;

    CHECK_OK(SCS_ALLOC(parts, (team->last - team->first) * len));
    for (int32_t s = team->first; s < team->last; s++)
        for (int64_t i = 0; i < len; i++)
            parts[(s - team->first) * len + i] = value_of(s, i);
    return parts;
}

static float **float_parts(const scs_team *team, int64_t n)
{
    float **part;

    CHECK_OK(SCS_ALLOC(part, team->last - team->first));
    for (int32_t s = team->first; s < team->last; s++) {
        CHECK_OK(SCS_ALLOC(part[s - team->first], n));
        for (int64_t i = 0; i < n; i++)
            part[s - team->first][i] = (float)value_of(s, i);
    }
    return part;
}

static void free_parts(const scs_team *team, float **part)
{
    for (int32_t s = 0; s < team->last - team->first; s++)
        free(part[s]);
    free(part);
}

static void check_sum(const scs_team *team, int64_t len)
{
    scs_team alone = scs_team_alone(team->n_shard);
    double *mine = double_parts(team, len), *all = double_parts(&alone, len);
    double total[MAX_LEN] = {0}, expected[MAX_LEN];

    CHECK_OK(team->sum(team->ctx, mine, len, total));
    CHECK_OK(alone.sum(alone.ctx, all, len, expected));
    CU_ASSERT_EQUAL(memcmp(total, expected, (size_t)len * sizeof *total), 0);
    free(mine);
    free(all);
}

/* Slices of different lengths, one of them empty where they are short. @param[out] bound [n_shard +
 * 1] */
static void cut(const scs_team *team, int64_t n, int64_t *bound, int64_t *lo, int64_t *hi)
{
    for (int32_t v = 0; v <= team->n_shard; v++)
        bound[v] = n * v * v / ((int64_t)team->n_shard * team->n_shard);
    *lo = bound[team->first];
    *hi = bound[team->last];
}

static void check_reduce(const scs_team *team, int64_t n)
{
    scs_team alone = scs_team_alone(team->n_shard);
    float **mine = float_parts(team, n), **all = float_parts(&alone, n);
    float slice[MAX_LEN] = {0}, expected[MAX_LEN];
    int64_t bound[MAX_SHARD + 1], lo, hi;

    cut(team, n, bound, &lo, &hi);
    CHECK_OK(team->reduce_slice(team->ctx, mine, bound, false, slice));
    CHECK_OK(alone.reduce_slice(alone.ctx, all, bound, false, expected));
    CU_ASSERT_EQUAL(memcmp(slice, expected + lo, (size_t)(hi - lo) * sizeof *slice), 0);
    free_parts(team, mine);
    free_parts(&alone, all);
}

/* Each rank knows its own slice only; afterwards all know everything. */
static void check_gather(const scs_team *team, int64_t n)
{
    float values[MAX_LEN];
    int64_t bound[MAX_SHARD + 1], lo, hi, wrong = 0;

    cut(team, n, bound, &lo, &hi);
    for (int64_t i = 0; i < n; i++)
        values[i] = i >= lo && i < hi ? (float)value_of(0, i) : NAN;
    CHECK_OK(team->gather_slices(team->ctx, values, bound));
    for (int64_t i = 0; i < n; i++)
        wrong += values[i] != (float)value_of(0, i);
    CU_ASSERT_EQUAL(wrong, 0);
}

static void fill_parts(const scs_team *team, int64_t n, int32_t round, float **part)
{
    for (int32_t s = team->first; s < team->last; s++)
        for (int64_t i = 0; i < n; i++)
            part[s - team->first][i] = (float)value_of(s, i + round);
}

static void check_round(const scs_team *team, int64_t n, int32_t round, float **mine)
{
    scs_team alone = scs_team_alone(team->n_shard);
    float **all = float_parts(&alone, n), slice[MAX_LEN] = {0}, expected[MAX_LEN];
    int64_t bound[MAX_SHARD + 1], lo, hi;

    cut(team, n, bound, &lo, &hi);
    fill_parts(team, n, round, mine);
    fill_parts(&alone, n, round, all);
    if (round == 1) { /* other sums in between */
        CHECK_OK(team->reduce_begin(team->ctx, mine, bound, true));
        check_sum(team, n);
        check_reduce(team, n);
        CHECK_OK(team->reduce_end(team->ctx, mine, bound, true, slice));
    } else {
        CHECK_OK(team->reduce_slice(team->ctx, mine, bound, true, slice));
    }
    CHECK_OK(alone.reduce_slice(alone.ctx, all, bound, false, expected));
    CU_ASSERT_EQUAL(memcmp(slice, expected + lo, (size_t)(hi - lo) * sizeof *slice), 0);
    CHECK_OK(team->agree(team->ctx, SCS_OK));
    free_parts(&alone, all);
}

/* The team's own memory, used again, beside private memory of another length. */
static void check_open_parts(const scs_team *team, int64_t n)
{
    float *mine[MAX_SHARD];

    CHECK_OK(team->open_parts(team->ctx, n, mine));
    for (int32_t i = 0; i < team->last - team->first; i++)
        for (int64_t k = 0; k < n; k++)
            CU_ASSERT_EQUAL_FATAL(mine[i][k], 0);
    CHECK_OK(team->agree(team->ctx, SCS_OK));
    for (int32_t round = 0; round < 3; round++)
        check_round(team, n, round, mine);
    check_reduce(team, n + 1 < MAX_LEN ? n + 1 : n - 1);
    team->close_parts(team->ctx, mine);
}

static int64_t count_wrong(const float *values, int64_t n, int32_t round)
{
    int64_t wrong = 0;

    for (int64_t i = 0; i < n; i++)
        wrong += values[i] != (float)value_of(round, i);
    return wrong;
}

/* Each rank writes its own slice alone, as the optimiser does. */
static void check_share_values(const scs_team *team, int64_t n)
{
    float own[MAX_LEN], *values = own;
    int64_t bound[MAX_SHARD + 1], lo, hi;

    cut(team, n, bound, &lo, &hi);
    for (int64_t i = 0; i < n; i++)
        own[i] = (float)value_of(0, i);
    CHECK_OK(team->share_values(team->ctx, n, &values));
    for (int32_t round = 0; round < 3; round++) {
        CU_ASSERT_EQUAL(count_wrong(values, n, round), 0);
        CHECK_OK(team->agree(team->ctx, SCS_OK));
        for (int64_t i = lo; i < hi; i++)
            values[i] = (float)value_of(round + 1, i);
        CHECK_OK(team->gather_begin(team->ctx, values, bound));
        check_sum(team, n); /* other messages in between */
        check_gather(team, n);
        CHECK_OK(team->gather_end(team->ctx));
    }
    team->unshare_values(team->ctx, n, &values);
    CU_ASSERT_PTR_EQUAL(values, own);
    CU_ASSERT_EQUAL(count_wrong(own, n, 3), 0);
}

/* Rank a's bytes for rank b say so; their number differs, and is none for some. */
static void check_exchange(const scs_team *team, int64_t n)
{
    int32_t n_rank = team->n_rank, me = team->rank;
    const void **out;
    void **in;
    int64_t *n_out, *n_in;

    CHECK_OK(SCS_ALLOC(out, n_rank));
    CHECK_OK(SCS_ALLOC(in, n_rank));
    CHECK_OK(SCS_ALLOC(n_out, n_rank));
    CHECK_OK(SCS_ALLOC(n_in, n_rank));
    for (int32_t r = 0; r < n_rank; r++) {
        uint8_t *bytes;

        n_out[r] = (me + 2 * r) % 3 * n;
        n_in[r] = (r + 2 * me) % 3 * n;
        CHECK_OK(SCS_ALLOC(bytes, n_out[r] + 1));
        memset(bytes, 16 * me + r, (size_t)n_out[r]);
        out[r] = bytes;
        CHECK_OK(SCS_ALLOC(bytes, n_in[r] + 1));
        in[r] = bytes;
    }
    CHECK_OK(team->exchange(team->ctx, out, n_out, in, n_in));
    for (int32_t r = 0; r < n_rank; r++) {
        int64_t wrong = 0;

        for (int64_t i = 0; r != me && i < n_in[r]; i++)
            wrong += ((uint8_t *)in[r])[i] != 16 * r + me;
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_EQUAL(((uint8_t *)in[r])[n_in[r]], 0);
        free((void *)out[r]);
        free(in[r]);
    }
    free(out);
    free(in);
    free(n_out);
    free(n_in);
}

typedef void (*check_fn)(const scs_team *team, int64_t n);

/* Every number of shards (fewer than ranks, too), short and long arrays, large and small messages.
 */
static void for_all_teams(check_fn check)
{
    static const int64_t lengths[] = {1, 2, 3, 17, 1000, MAX_LEN};
    scs_comm *comm = open_world();

    for (int64_t piece = 48; piece <= 1 << 30; piece <<= 24) {
        comm->piece = piece;
        for (int32_t n_shard = 1; n_shard <= MAX_SHARD; n_shard *= 2) {
            scs_team team = scs_comm_team(comm, n_shard);

            for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
                check(&team, lengths[i]);
        }
    }
    scs_comm_destroy(&comm);
}

static void sums_have_the_bits_of_one_process(void)
{
    for_all_teams(check_sum);
}

/* As long sums are made: each rank adds up a slice. */
static void check_sliced_sum(const scs_team *team, int64_t len)
{
    scs_team_context *context = team->ctx;
    int64_t whole = context->comm->whole;

    context->comm->whole = 0;
    check_sum(team, len);
    context->comm->whole = whole;
}

static void sliced_sums_have_the_bits_of_one_process(void)
{
    for_all_teams(check_sliced_sum);
}

static void slices_have_the_bits_of_one_process(void)
{
    for_all_teams(check_reduce);
}

static void gathered_slices_are_whole(void)
{
    for_all_teams(check_gather);
}

static void exchanged_bytes_arrive(void)
{
    for_all_teams(check_exchange);
}

static void for_all_nodes(check_fn check)
{
    static const int64_t lengths[] = {2, 1000, MAX_LEN};
    scs_comm *comm = open_world();

    for (int32_t width = 1; width < 2 * comm->size; width *= 2) {
        split_nodes(comm, width);
        for (int32_t n_shard = 1; n_shard <= MAX_SHARD; n_shard *= 4) {
            scs_team team = scs_comm_team(comm, n_shard);

            for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
                check(&team, lengths[i]);
        }
    }
    scs_comm_destroy(&comm);
}

static void shared_parts_have_the_bits_of_one_process(void)
{
    for_all_nodes(check_open_parts);
}

static void shared_values_are_whole(void)
{
    for_all_nodes(check_share_values);
}

/* Ranks of one machine do share: the tests above have gone that way. */
static void ranks_of_a_node_see_each_other(void)
{
    scs_comm *comm = open_world();
    scs_shared_memory shared;
    int32_t *own;

    CHECK_OK(scs_shared_memory_create(comm, 1000 * (comm->rank + 1), &shared));
    CU_ASSERT_EQUAL(shared.together, comm->size > 1);
    own = shared.block[comm->rank];
    own[0] = comm->rank + 5;
    MPI_Barrier(MPI_COMM_WORLD);
    for (int32_t r = 0; r < comm->size; r++) {
        const int32_t *block = shared.block[r];

        CU_ASSERT_PTR_NOT_NULL_FATAL(block);
        CU_ASSERT_EQUAL(block[0], r + 5);
        CU_ASSERT_EQUAL(block[1], 0);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    scs_shared_memory_clear(&shared);
    scs_comm_destroy(&comm);
}

/* The test values can tell one order of additions from another. */
static void order_matters_for_these_values(void)
{
    int32_t differ = 0;

    for (int64_t i = 0; i < 100; i++) {
        double forwards = 0, backwards = 0;

        for (int32_t s = 0; s < 8; s++) {
            forwards += value_of(s, i);
            backwards += value_of(7 - s, i);
        }
        differ += forwards != backwards;
    }
    CU_ASSERT(differ > 20);
}

/* The slice may overwrite the first part, as training uses it. */
static void slice_may_lie_in_the_first_part(void)
{
    scs_comm *comm = open_world();
    scs_team team = scs_comm_team(comm, 8);
    float **apart = float_parts(&team, MAX_LEN), **within = float_parts(&team, MAX_LEN);
    float slice[MAX_LEN];
    int64_t bound[MAX_SHARD + 1], lo, hi;

    cut(&team, MAX_LEN, bound, &lo, &hi);
    CHECK_OK(team.reduce_slice(team.ctx, apart, bound, false, slice));
    CHECK_OK(team.reduce_slice(team.ctx, within, bound, false,
                               team.first < team.last ? within[0] : NULL));
    if (hi > lo)
        CU_ASSERT_EQUAL(memcmp(slice, within[0], (size_t)(hi - lo) * sizeof *slice), 0);
    free_parts(&team, apart);
    free_parts(&team, within);
    scs_comm_destroy(&comm);
}

/* Two teams of one communicator do not disturb each other, and work space is not allocated anew. */
static void teams_keep_their_work_space(void)
{
    scs_comm *comm = open_world();
    scs_team four = scs_comm_team(comm, 4), eight = scs_comm_team(comm, 8);
    const void *work;

    check_sum(&eight, MAX_LEN);
    work = comm->work;
    check_sum(&four, 100);
    check_reduce(&eight, 1000);
    check_sum(&eight, MAX_LEN);
    CU_ASSERT_PTR_EQUAL(comm->work, work);
    scs_comm_destroy(&comm);
}

static void team_agrees_and_shares(void)
{
    scs_comm *comm = open_world();
    scs_team team = scs_comm_team(comm, 4);
    double decision = team.rank == 0 ? 0.25 : 0;
    bool fails = team.rank == team.n_rank - 1;

    CHECK_OK(team.share(team.ctx, &decision, sizeof decision));
    CU_ASSERT_EQUAL(decision, 0.25);
    CHECK_FAILS(team.agree(team.ctx, fails ? SCS_FAIL(SCS_ENUMERIC, "step 7") : SCS_OK),
                SCS_ENUMERIC, "step 7");
    scs_comm_destroy(&comm);
}

static const scs_test tests[] = {
    {"order matters for these values", order_matters_for_these_values},
    {"sum: the bits of one process", sums_have_the_bits_of_one_process},
    {"sum in slices: the bits of one process", sliced_sums_have_the_bits_of_one_process},
    {"reduce_slice: the bits of one process", slices_have_the_bits_of_one_process},
    {"gather_slices: whole on every rank", gathered_slices_are_whole},
    {"exchange: each rank's bytes for another", exchanged_bytes_arrive},
    {"ranks of a node see each other's memory", ranks_of_a_node_see_each_other},
    {"shared parts: the bits of one process", shared_parts_have_the_bits_of_one_process},
    {"shared values: whole on every rank", shared_values_are_whole},
    {"the slice may lie in the first part", slice_may_lie_in_the_first_part},
    {"teams keep their work space", teams_keep_their_work_space},
    {"agree and share", team_agrees_and_shares},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("team", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
