/* The messages of a job on many ranks, without the arithmetic between them: for SimGrid's SMPI,
 * which runs all ranks in one process and says when each message would have arrived.
 *
 * What is simulated is the program's own code for messages (mpi/comm, src/data/team.c), with the
 * sizes and in the order of a training step (src/train/train.c, src/model/network_step.c), a round
 * of reading (mpi/data/redistribute.c), a part of the genes' statistics (mpi/data/gene_columns.c,
 * mpi/data/atlas_genes.c) and a claim of a block of the screen (mpi/comm/queue.h). Arithmetic is a
 * delay that the command line gives; a rank is a shard, and has a node of its own.
 *
 *     simulated_ranks train GENES HIDDEN LATENT DENSITY BATCH STEPS FORWARD OUTPUT BACKWARD ADAM
 * ADD simulated_ranks read BYTES_OF_A_RANK simulated_ranks genes GENES GROUPS CELLS_OF_A_RANK
 * VALUES_OF_A_RANK simulated_ranks claims BLOCKS SECONDS_OF_A_BLOCK
 *
 * sum, exchange, allgather: a piece of a step, of which there are too many messages at once for a
 * whole step of a thousand ranks (scripts/bench/messages.py). FORWARD, OUTPUT, BACKWARD: seconds of
 * a step on a rank; ADAM: of a parameter, ADD: of a value of a gradient that is added to another's.
 * Prints simulated seconds: of a step, a round, a part, of all claims. Large arrays are one block
 * of memory for all ranks (scripts/bench/scaling has the options of smpirun for that): their
 * content is not looked at. */
#include "mpi/comm/collectives.h"
#include "src/model/layout.h"
#include "src/model/output.h"
#include "scscreen/shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHARED = 1 << 16 }; /* bytes from which an array is the same memory on all ranks */

/* In place of scs_allocate (--wrap): the ranks' large arrays together would not fit here. */
void *__wrap_scs_allocate(int64_t n, uint64_t size);
void *__wrap_scs_allocate(int64_t n, uint64_t size)
{
    size_t bytes = (size_t)n * size;

    return bytes >= SHARED ? SMPI_SHARED_MALLOC(bytes) : calloc(bytes ? bytes : 1, 1);
}

/* A run, and how long its arithmetic takes. */
typedef struct job {
    scs_comm *comm;
    scs_team team;
    scs_arch arch;
    double density, forward, output, backward, adam, add;
    int64_t batch;
    bool factored, split;
    scs_layout layout;
    int64_t *bound[SCS_SEGMENTS], *rows; /* [n_shard + 1] */
    float *param, *grad, *wide;          /* [n_param] twice, [batch, n_hidden] */
    double *sums, *total;                /* as the largest sum wants */
    const void **out;                    /* [n_rank] as the team's exchange has them */
    void **in;
    int64_t *n_out, *n_in;
} job;

static double number(char **argv, int i)
{
    return strtod(argv[i], NULL);
}

/* Every failure ends the simulation. */
static void check(scs_status st)
{
    if (st == SCS_OK)
        return;
    fprintf(stderr, "simulated_ranks: %s\n", scs_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
}

#define NEW(p, n) check(SCS_ALLOC(p, n))

static void open_exchange(job *j)
{
    NEW(j->out, j->team.n_rank);
    NEW(j->in, j->team.n_rank);
    NEW(j->n_out, j->team.n_rank);
    NEW(j->n_in, j->team.n_rank);
}

/* Arithmetic. SMPI's nanosleep is in simulated time. */
static void work(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};

    nanosleep(&t, NULL);
}

/* As many bytes for every other rank. */
static void exchange(job *j, int64_t bytes)
{
    for (int32_t r = 0; r < j->team.n_rank; r++) {
        j->out[r] = j->grad;
        j->in[r] = j->wide;
        j->n_out[r] = j->n_in[r] = r == j->team.rank ? 0 : bytes;
    }
    check(j->team.exchange(j->team.ctx, j->out, j->n_out, j->in, j->n_in));
}

static void agree(job *j)
{
    check(j->team.agree(j->team.ctx, SCS_OK));
}

static void sum(job *j, int64_t len)
{
    check(j->team.sum(j->team.ctx, j->sums, len, j->total));
}

/* ---- a step of training ---- */

/* Upper triangle with the diagonal. */
static int64_t triangle(int64_t d)
{
    return d * (d + 1) / 2;
}

static void open_training(job *j, char **argv)
{
    int32_t n = j->team.n_shard;
    int64_t longest;

    j->arch = (scs_arch){.n_gene = (int32_t)number(argv, 2),
                         .n_hidden = (int32_t)number(argv, 3),
                         .n_layer = 2,
                         .n_latent = (int32_t)number(argv, 4),
                         .hidden_bias = true,
                         .last_block_bn = true};
    j->density = number(argv, 5);
    j->batch = (int64_t)number(argv, 6);
    j->forward = number(argv, 8);
    j->output = number(argv, 9);
    j->backward = number(argv, 10);
    j->adam = number(argv, 11);
    j->add = number(argv, 12);
    j->factored = scs_output_factors(&j->arch, (double)j->batch, j->density);
    j->split = scs_output_splits(&j->arch, j->batch) || !j->factored;
    scs_layout_build(&j->arch, &j->layout);
    for (int s = 0; s < SCS_SEGMENTS; s++) {
        NEW(j->bound[s], n + 1);
        scs_layout_cut(&j->layout, s, n, j->bound[s]);
    }
    NEW(j->rows, n + 1);
    for (int32_t v = 0; v <= n; v++)
        j->rows[v] = j->batch * v / n * j->arch.n_hidden;
    longest = triangle(j->arch.n_hidden) + j->arch.n_hidden + n;
    NEW(j->param, j->layout.n_param);
    NEW(j->grad, j->layout.n_param > j->rows[n] ? j->layout.n_param : j->rows[n]);
    NEW(j->wide, j->rows[n] > j->layout.n_param ? j->rows[n] : j->layout.n_param);
    NEW(j->sums, longest);
    NEW(j->total, longest);
}

/* Sizes, then columns and values of the entries of each rank's genes. */
static void fill_split(job *j)
{
    int64_t ranks = j->team.n_rank, cells = j->batch / ranks;
    double entries = (double)cells * j->arch.n_gene * j->density / (double)ranks;

    sum(j, j->team.n_shard);
    if (ranks > 1) {
        exchange(j, cells * (j->arch.n_gene / 128 + 1) / ranks + 1);
        agree(j);
        exchange(j, (int64_t)entries);
        exchange(j, 4 * (int64_t)entries);
    }
    agree(j);
}

static void gather_rows(job *j)
{
    check(j->team.gather_slices(j->team.ctx, j->wide, j->rows));
}

static int64_t slice_of(const job *j, const int64_t *bound)
{
    return bound[j->team.last] - bound[j->team.first];
}

/* Adam on this rank's slice, whose new weights then set out. */
static void update(job *j, int segment)
{
    work(j->adam * (double)slice_of(j, j->bound[segment]));
    check(j->team.gather_begin(j->team.ctx, j->param, j->bound[segment]));
}

/* The other ranks' values of this rank's slice are added up. */
static void add(const job *j, const int64_t *bound)
{
    work(j->add * (double)slice_of(j, bound) * (j->team.n_rank - 1));
}

/* The output layer's sums and, where it is split, its activations. */
static void output(job *j)
{
    int64_t d = j->arch.n_hidden;

    if (j->split)
        gather_rows(j);
    work(j->output);
    if (j->factored) {
        sum(j, triangle(d) + d);
        if (j->split)
            gather_rows(j);
        sum(j, triangle(d));
    } else {
        check(j->team.reduce_slice(j->team.ctx, &j->grad, j->rows, false, j->wide));
        add(j, j->rows);
    }
}

static void step(job *j, bool first)
{
    static const int order[] = {SCS_OUT_WEIGHT, SCS_OUT_BIAS, SCS_MIDDLE, SCS_FIRST_WEIGHT};
    scs_team *team = &j->team;

    agree(j);
    if (j->split)
        fill_split(j);
    if (!first)
        check(team->gather_end(team->ctx));
    for (int b = 0; b < j->layout.n_block; b++) {
        work(j->forward / j->layout.n_block);
        sum(j, 2 * j->arch.n_hidden);
    }
    output(j);
    sum(j, 6);
    if (j->split) {
        update(j, SCS_OUT_WEIGHT);
        update(j, SCS_OUT_BIAS);
    } else {
        check(team->reduce_begin(team->ctx, &j->grad, j->bound[SCS_OUT_WEIGHT], false));
    }
    for (int b = 0; b < j->layout.n_block; b++) {
        sum(j, 2 * j->arch.n_hidden);
        work(j->backward / j->layout.n_block);
    }
    if (j->split)
        gather_rows(j);
    for (int i = j->split ? 2 : 0; i < SCS_SEGMENTS; i++) {
        int64_t *bound = j->bound[order[i]];

        if (i == 0)
            check(
                team->reduce_end(team->ctx, &j->grad, bound, false, j->grad + bound[team->first]));
        else if (!j->split || order[i] != SCS_FIRST_WEIGHT)
            check(team->reduce_slice(team->ctx, &j->grad, bound, false,
                                     j->grad + bound[team->first]));
        if (!j->split || order[i] != SCS_FIRST_WEIGHT)
            add(j, bound);
        update(j, order[i]);
    }
}

static double train(job *j, char **argv)
{
    int n = (int)number(argv, 7);
    double begun;

    open_training(j, argv);
    open_exchange(j);
    step(j, true);
    check(j->team.gather_end(j->team.ctx));
    begun = MPI_Wtime();
    for (int i = 0; i < n; i++)
        step(j, i == 0);
    check(j->team.gather_end(j->team.ctx));
    return (MPI_Wtime() - begun) / n;
}

/* ---- pieces of a step ---- */

/* Each rank's share of so many bytes reaches all. */
static void gather_columns(job *j, int64_t bytes)
{
    for (int32_t r = 0; r <= j->team.n_rank; r++)
        j->comm->first[r] = bytes * r / j->team.n_rank;
    check(scs_comm_allgather(j->comm, j->wide, j->comm->first));
}

static double one_sum(job *j, char **argv)
{
    int64_t len = (int64_t)number(argv, 2) / (int64_t)sizeof *j->sums;
    double begun;

    NEW(j->sums, len);
    NEW(j->total, len);
    sum(j, len);
    begun = MPI_Wtime();
    sum(j, len);
    return MPI_Wtime() - begun;
}

static double one_exchange(job *j, char **argv)
{
    int64_t bytes = (int64_t)number(argv, 2) / j->team.n_rank;
    double begun;

    open_exchange(j);
    NEW(j->grad, bytes);
    NEW(j->wide, bytes);
    begun = MPI_Wtime();
    exchange(j, bytes);
    return MPI_Wtime() - begun;
}

static double one_allgather(job *j, char **argv)
{
    int64_t bytes = (int64_t)number(argv, 2);
    double begun;

    NEW(j->wide, bytes);
    begun = MPI_Wtime();
    gather_columns(j, bytes);
    return MPI_Wtime() - begun;
}

/* ---- a round of reading: each rank's rows to the shards of all ---- */

static double read_round(job *j, char **argv)
{
    int64_t bytes = (int64_t)number(argv, 2) / j->team.n_rank;
    int any = 1, more = 1;
    double begun;

    open_exchange(j);
    NEW(j->grad, bytes);
    NEW(j->wide, bytes);
    begun = MPI_Wtime();
    for (int32_t r = 0; r < j->team.n_rank; r++)
        j->n_out[r] = bytes;
    check(scs_comm_exchange_counts(j->comm, j->n_out, j->n_in));
    agree(j);
    exchange(j, bytes);
    agree(j);
    MPI_Allreduce(&more, &any, 1, MPI_INT, MPI_MAX, scs_comm_mpi(j->comm));
    return MPI_Wtime() - begun;
}

/* ---- one part of the genes' statistics ---- */

static double genes_part(job *j, char **argv)
{
    int64_t genes = (int64_t)number(argv, 2), groups = (int64_t)number(argv, 3);
    int64_t cells = (int64_t)number(argv, 4), values = (int64_t)number(argv, 5);
    int64_t bytes = 4 * cells + 6 * values / j->team.n_rank, all = 4 * groups * genes;
    double begun;

    open_exchange(j);
    NEW(j->grad, bytes * j->team.n_rank);
    NEW(j->wide, all > bytes * j->team.n_rank ? all : bytes * j->team.n_rank);
    for (int32_t r = 0; r < j->team.n_rank; r++)
        j->n_out[r] = j->n_in[r] = bytes;
    begun = MPI_Wtime();
    agree(j);
    check(scs_comm_exchange_counts(j->comm, j->n_out, j->n_in));
    agree(j);
    check(scs_comm_alltoallv(j->comm, j->grad, j->n_out, j->wide, j->n_out));
    agree(j);
    agree(j);
    gather_columns(j, all);
    gather_columns(j, all);
    return MPI_Wtime() - begun;
}

/* ---- blocks of the screen ---- */

/* Each rank takes the next number until there are none: one atomic operation on rank 0. */
static double claims(job *j, char **argv)
{
    int64_t n = (int64_t)number(argv, 2), one = 1, *next, mine;
    double seconds = number(argv, 3), begun;
    MPI_Win window;

    MPI_Win_allocate(j->team.rank == 0 ? (MPI_Aint)sizeof *next : 0, sizeof *next, MPI_INFO_NULL,
                     scs_comm_mpi(j->comm), &next, &window);
    if (j->team.rank == 0)
        *next = 0;
    MPI_Barrier(scs_comm_mpi(j->comm));
    begun = MPI_Wtime();
    for (;;) {
        MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
        MPI_Fetch_and_op(&one, &mine, MPI_INT64_T, 0, 0, MPI_SUM, window);
        MPI_Win_unlock(0, window);
        if (mine >= n)
            break;
        work(seconds);
    }
    agree(j);
    begun = MPI_Wtime() - begun;
    MPI_Win_free(&window);
    return begun;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        int n;
        double (*run)(job *j, char **argv);
    } parts[] = {{"train", 13, train},          {"sum", 3, one_sum},
                 {"exchange", 3, one_exchange}, {"allgather", 3, one_allgather},
                 {"read", 3, read_round},       {"genes", 6, genes_part},
                 {"claims", 4, claims}};
    double seconds, longest = 0;
    job j = {0};

    MPI_Init(&argc, &argv);
    check(scs_comm_create(MPI_COMM_WORLD, &j.comm));
    j.team = scs_comm_team(j.comm, scs_comm_size(j.comm));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (argc < 2 || strcmp(argv[1], parts[i].word) != 0)
            continue;
        if (argc != parts[i].n)
            check(SCS_FAIL(SCS_EARG, "%s takes %d numbers", argv[1], parts[i].n - 2));
        seconds = parts[i].run(&j, argv);
        MPI_Reduce(&seconds, &longest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
        if (scs_comm_rank(j.comm) == 0)
            printf("%.9g\n", longest);
    }
    MPI_Finalize();
    return 0;
}
