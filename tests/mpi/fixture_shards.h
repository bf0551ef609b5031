/** The atlas of fixture_formula.h, dealt to shards and distributed over all ranks. */
#ifndef SCS_TESTS_FIXTURE_SHARDS_H
#define SCS_TESTS_FIXTURE_SHARDS_H

#include "tests/mpi/mpi_suite.h"
#include "tests/mpi/fixture_formula.h"

typedef struct dealt {
    scs_comm *comm;
    scs_dataset *dataset;
    scs_deal *deal;
    scs_team team;
    scs_shard *shard; /* [team.last - team.first] */
} dealt;

typedef scs_packed (*formula_cells_fn)(int64_t cell0, int64_t cell1, int32_t n_gene);

static inline dealt open_dealt_of(formula_cells_fn cells, int64_t n_cell, int32_t n_gene,
                                  int32_t n_shard)
{
    dealt t = {.comm = open_world(), .dataset = formula_dataset(n_cell, n_gene)};
    int64_t rank = scs_comm_rank(t.comm), n_rank = scs_comm_size(t.comm);
    int64_t first = n_cell * rank / n_rank;
    scs_packed x = cells(first, n_cell * (rank + 1) / n_rank, n_gene);

    CHECK_OK(scs_shard_deal_create(t.dataset, 3, n_shard, &t.deal));
    t.team = scs_comm_team(t.comm, n_shard);
    CHECK_OK(scs_redistribute_copy(t.comm, t.deal, &t.team, first, &x, &t.shard));
    scs_packed_clear(&x);
    return t;
}

static inline dealt open_dealt(int64_t n_cell, int32_t n_gene, int32_t n_shard)
{
    return open_dealt_of(formula_cells, n_cell, n_gene, n_shard);
}

static inline void close_dealt(dealt *t)
{
    scs_redistribute_clear(&t->shard, t->team.last - t->team.first);
    scs_shard_deal_destroy(&t->deal);
    scs_dataset_destroy(&t->dataset);
    scs_comm_destroy(&t->comm);
}

#endif
