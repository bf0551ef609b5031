/* Agreement, broadcasts and exchanges, with pieces far smaller than the blocks. */
#include "config.h"
#include "tests/mpi/mpi_suite.h"

#include "mpi/comm/collectives.h"

/* Byte i of what rank `from` sends to rank `to`. */
static uint8_t byte_of(int32_t from, int32_t to, int64_t i)
{
    return (uint8_t)(31 * from + 7 * to + 3 * i + i / 251);
}

/* Sizes with empty blocks among them; some need many pieces. */
static int64_t size_of(int32_t from, int32_t to)
{
    return (from + 2 * to) % 3 == 0 ? 0 : 1 + (from * 37 + to * 101) % 400;
}

static void lowest_failing_rank_speaks_for_all(void)
{
    scs_comm *comm = open_world();
    int32_t rank = scs_comm_rank(comm), size = scs_comm_size(comm);
    char words[64];

    for (int32_t low = 0; low < size; low++) {
        scs_status mine = SCS_OK;

        snprintf(words, sizeof words, "message of rank %d", low);
        if (rank >= low)
            mine = SCS_FAIL(rank == low ? SCS_EDATA : SCS_EIO, "message of rank %d", rank);
        CHECK_FAILS(scs_comm_agree(comm, mine), SCS_EDATA, words);
    }
    scs_comm_destroy(&comm);
    CU_ASSERT_PTR_NULL(comm);
}

static void agreement_of_all_is_ok(void)
{
    scs_comm *comm = open_world();

    CHECK_OK(scs_comm_agree(comm, SCS_OK));
    scs_comm_destroy(&comm);
}

/* One rank alone fails: the others, who have no message, get its own. */
static void a_single_failing_rank_is_heard(void)
{
    scs_comm *comm = open_world();
    int32_t last = scs_comm_size(comm) - 1;
    bool fails = scs_comm_rank(comm) == last;

    scs_message_clear();
    CHECK_FAILS(scs_comm_agree(comm, fails ? SCS_FAIL(SCS_ENOMEM, "no room here") : SCS_OK),
                SCS_ENOMEM, "no room here");
    scs_comm_destroy(&comm);
}

static void broadcast_reaches_all_in_pieces(void)
{
    scs_comm *comm = open_world();
    uint8_t bytes[1000];

    comm->piece = 64;
    for (int64_t size = 0; size <= 1000; size += 125) {
        for (int64_t i = 0; i < 1000; i++)
            bytes[i] = scs_comm_rank(comm) == 0 ? byte_of(0, 0, i) : 0;
        CHECK_OK(scs_comm_broadcast(comm, bytes, size));
        for (int64_t i = 0; i < size; i++)
            CU_ASSERT_EQUAL_FATAL(bytes[i], byte_of(0, 0, i));
    }
    scs_comm_destroy(&comm);
}

static void blob_reaches_all(void)
{
    scs_comm *comm = open_world();

    comm->piece = 100;
    for (int64_t n = 0; n <= 777; n += 777) {
        bool first = scs_comm_rank(comm) == 0;
        int64_t size = first ? n : -1;
        uint8_t *blob = first ? malloc(1000) : NULL;

        for (int64_t i = 0; first && i < n; i++)
            blob[i] = byte_of(1, 2, i);
        CHECK_OK(scs_comm_broadcast_blob(comm, &blob, &size));
        CU_ASSERT_EQUAL_FATAL(size, n);
        CU_ASSERT_PTR_NOT_NULL_FATAL(blob);
        for (int64_t i = 0; i < n; i++)
            CU_ASSERT_EQUAL_FATAL(blob[i], byte_of(1, 2, i));
        free(blob);
    }
    scs_comm_destroy(&comm);
}

/* Every rank's message to every other, sizes exchanged first. */
static void exchange_all(scs_comm *comm)
{
    int32_t me = scs_comm_rank(comm), n = scs_comm_size(comm);
    int64_t out[64], in[64], n_out = 0, n_in = 0, at = 0;
    uint8_t *send, *recv;

    for (int32_t r = 0; r < n; r++)
        n_out += out[r] = size_of(me, r);
    CHECK_OK(scs_comm_exchange_counts(comm, out, in));
    for (int32_t r = 0; r < n; r++) {
        CU_ASSERT_EQUAL_FATAL(in[r], size_of(r, me));
        n_in += in[r];
    }
    CHECK_OK(SCS_ALLOC(send, n_out));
    CHECK_OK(SCS_ALLOC(recv, n_in));
    for (int32_t r = 0; r < n; r++)
        for (int64_t i = 0; i < out[r]; i++)
            send[at++] = byte_of(me, r, i);
    CHECK_OK(scs_comm_alltoallv(comm, send, out, recv, in));
    at = 0;
    for (int32_t r = 0; r < n; r++)
        for (int64_t i = 0; i < in[r]; i++)
            CU_ASSERT_EQUAL_FATAL(recv[at++], byte_of(r, me, i));
    free(send);
    free(recv);
}

static void alltoallv_delivers_every_byte(void)
{
    static const int64_t pieces[] = {1 << 20, 64, 7};
    scs_comm *comm = open_world();

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        comm->piece = pieces[i];
        exchange_all(comm);
    }
    scs_comm_destroy(&comm);
}

static void nothing_to_exchange_is_fine(void)
{
    scs_comm *comm = open_world();
    int64_t none[64] = {0};

    CHECK_OK(scs_comm_alltoallv(comm, NULL, none, NULL, none));
    scs_comm_destroy(&comm);
}

/* Both ways of gathering, MPI's own and the ring, with empty blocks. */
static void gather_fills_every_block(void)
{
    scs_comm *comm = open_world();
    int32_t me = scs_comm_rank(comm), n = scs_comm_size(comm);
    int64_t first[65] = {0};
    uint8_t *bytes;

    for (int32_t r = 0; r < n; r++)
        first[r + 1] = first[r] + size_of(r, 1);
    for (int64_t piece = 16; piece <= 1 << 20; piece <<= 16) {
        comm->piece = piece;
        CHECK_OK(SCS_ALLOC(bytes, first[n]));
        for (int64_t i = 0; i < first[me + 1] - first[me]; i++)
            bytes[first[me] + i] = byte_of(me, 1, i);
        CHECK_OK(scs_comm_allgather(comm, bytes, first));
        for (int32_t r = 0; r < n; r++)
            for (int64_t i = 0; i < first[r + 1] - first[r]; i++)
                CU_ASSERT_EQUAL_FATAL(bytes[first[r] + i], byte_of(r, 1, i));
        free(bytes);
    }
    scs_comm_destroy(&comm);
}

/* A failing MPI call comes back as a status with MPI's words; it does not end the job. */
static void mpi_errors_come_back(void)
{
    scs_comm *comm = open_world();
    int value = 0;

    CHECK_FAILS(scs_comm_mpi_status(MPI_Bcast(&value, 1, MPI_INT, 1000, scs_comm_mpi(comm)),
                                    "MPI_Bcast(&value)"),
                SCS_EIO,
                strcmp(SCS_MPI_NAME, "mpich") == 0 ? "failed in MPI_Bcast: Invalid root"
                                                   : "failed in MPI_Bcast: MPI_ERR_ROOT");
    scs_comm_destroy(&comm);
}

static const scs_test tests[] = {
    {"the lowest failing rank's status and message on all ranks",
     lowest_failing_rank_speaks_for_all},
    {"agreement of all is OK", agreement_of_all_is_ok},
    {"a single failing rank is heard", a_single_failing_rank_is_heard},
    {"broadcast in pieces", broadcast_reaches_all_in_pieces},
    {"blob of any size", blob_reaches_all},
    {"alltoallv delivers every byte, whatever the pieces", alltoallv_delivers_every_byte},
    {"nothing to exchange", nothing_to_exchange_is_fine},
    {"allgather, small and as a ring", gather_fills_every_block},
    {"MPI's errors come back as a status", mpi_errors_come_back},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("comm", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
