#include "mpi/runs.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE = 4 }; /* bytes */
_Static_assert(sizeof(float) == VALUE && sizeof(int32_t) == VALUE, "values of 4 bytes");

scs_status scs_runs_create(scs_comm *comm, int32_t n_plane, scs_runs *runs)
{
    int32_t n_rank = scs_comm_size(comm);

    *runs = (scs_runs){.comm = comm, .n_plane = n_plane};
    SCS_TRY(SCS_ALLOC(runs->plane, n_plane));
    SCS_TRY(SCS_ALLOC(runs->out_of, n_rank));
    SCS_TRY(SCS_ALLOC(runs->in_of, n_rank));
    SCS_TRY(SCS_ALLOC(runs->to, n_rank));
    return SCS_ALLOC(runs->from, n_rank);
}

void scs_runs_clear(scs_runs *runs)
{
    free(runs->plane);
    free(runs->out);
    free(runs->in);
    free(runs->out_of);
    free(runs->in_of);
    free(runs->to);
    free(runs->from);
    *runs = (scs_runs){0};
}

scs_status scs_runs_add(scs_runs *runs, int32_t to, scs_run run)
{
    if (runs->n_out == runs->capacity) {
        int64_t more = 2 * runs->capacity + 1024;
        scs_run *bigger = scs_reallocate(runs->out, more, sizeof *bigger);

        SCS_REQUIRE(bigger, SCS_ENOMEM, "out of memory: %lld runs of values to send",
                    (long long)more);
        runs->out = bigger;
        runs->capacity = more;
    }
    runs->out[runs->n_out++] = run;
    runs->to[to] += (int64_t)sizeof run;
    runs->out_of[to] += (int64_t)run.count * VALUE;
    return SCS_OK;
}

static int64_t total_bytes(const scs_runs *runs, const int64_t *bytes)
{
    int64_t sum = 0;

    for (int32_t r = 0; r < scs_comm_size(runs->comm); r++)
        sum += bytes[r];
    return sum;
}

static int by_cell(const void *a, const void *b)
{
    const scs_run *x = a, *y = b;

    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* Values arrive in the order of the runs as they were sent; only afterwards are the runs sorted. */
static void place_arrivals(scs_runs *runs)
{
    runs->n_values = 0;
    for (int64_t i = 0; i < runs->n_in; i++) {
        runs->in[i].at = runs->n_values;
        runs->n_values += runs->in[i].count;
    }
    qsort(runs->in, (size_t)runs->n_in, sizeof *runs->in, by_cell);
}

scs_status scs_runs_announce(scs_runs *runs, scs_status mine)
{
    scs_comm *comm = runs->comm;

    SCS_TRY(scs_agree(comm, mine));
    SCS_TRY(scs_exchange_counts(comm, runs->to, runs->from));
    SCS_TRY(scs_exchange_counts(comm, runs->out_of, runs->in_of));
    runs->n_in = total_bytes(runs, runs->from) / (int64_t)sizeof *runs->in;
    SCS_TRY(scs_agree(comm, SCS_ALLOC(runs->in, runs->n_in)));
    SCS_TRY(scs_alltoallv(comm, runs->out, runs->to, runs->in, runs->from));
    place_arrivals(runs);
    return SCS_OK;
}

static void pack(const scs_runs *runs, char *packed)
{
    for (int64_t i = 0; i < runs->n_out; i++) {
        const scs_run *run = &runs->out[i];

        memcpy(packed, (const char *)runs->plane[run->plane] + run->at * VALUE,
               (size_t)run->count * VALUE);
        packed += (int64_t)run->count * VALUE;
    }
}

void scs_runs_release(scs_runs *runs)
{
    for (int32_t i = 0; i < runs->n_plane; i++) {
        free(runs->plane[i]);
        runs->plane[i] = NULL;
    }
}

scs_status scs_runs_send(scs_runs *runs, bool release, void **arrived)
{
    scs_comm *comm = runs->comm;
    char *packed = NULL, *in = NULL;
    scs_status st, local = SCS_ALLOC(packed, total_bytes(runs, runs->out_of));

    if (local == SCS_OK)
        pack(runs, packed);
    if (release)
        scs_runs_release(runs);
    if (local == SCS_OK)
        local = SCS_ALLOC(in, runs->n_values * VALUE);
    SCS_GO(st, scs_agree(comm, local));
    SCS_GO(st, scs_alltoallv(comm, packed, runs->out_of, in, runs->in_of));
    *arrived = in;
    in = NULL;
done:
    free(packed);
    free(in);
    return st;
}

const scs_run *scs_runs_find(const scs_runs *runs, int64_t cell)
{
    scs_run key = {.cell = cell};

    return bsearch(&key, runs->in, (size_t)runs->n_in, sizeof *runs->in, by_cell);
}
