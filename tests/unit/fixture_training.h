/** A small made-up data set and a model: what a training run is given. */
#ifndef SCS_TESTS_FIXTURE_TRAINING_H
#define SCS_TESTS_FIXTURE_TRAINING_H

#include "scscreen/train.h"
#include "tests/unit/packing.h"
#include "tests/unit/fixture_model.h"

#include <string.h>

enum { N_GENE = 200, MAX_SHARD = 4 };

/* Cells dealt to shards, a config and a model: what a training run is given. */
typedef struct training_data {
    scs_config config;
    scs_deal deal;
    scs_shard shard[MAX_SHARD];
    scs_team team;
    scs_model *model;
} training_data;

static inline void fill_shard(training_data *s, int32_t v, int64_t n_train, int64_t n_valid)
{
    scs_shard *shard = &s->shard[v];
    scs_csr x;

    shard->id = v;
    shard->n_train = s->deal.n_train[v] = n_train;
    shard->n_valid = s->deal.n_valid[v] = n_valid;
    shard->cell = number_range(1000 * (int64_t)v, n_train + n_valid);
    CHECK_OK(random_cells(n_train + n_valid, N_GENE, 0.2, (uint64_t)v + 1, &x));
    shard->x = packed_away(&x);
}

static inline void open_training(int32_t n_shard, int64_t n_train, int64_t n_valid,
                                 training_data *s)
{
    scs_arch arch = dropout_arch(SCS_PROFILE_SCGEN2, N_GENE, 16, 4);

    memset(s, 0, sizeof *s);
    s->config.model.profile = SCS_PROFILE_SCGEN2;
    s->config.train.batch = 16;
    s->config.train.epochs = 6;
    s->config.train.seed = 5;
    s->config.train.learning_rate = 1e-3;
    s->config.train.patience = 100;
    s->deal.n_shard = n_shard;
    CHECK_OK(SCS_ALLOC(s->deal.n_train, n_shard));
    CHECK_OK(SCS_ALLOC(s->deal.n_valid, n_shard));
    for (int32_t v = 0; v < n_shard; v++)
        fill_shard(s, v, n_train / n_shard + (v < n_train % n_shard), n_valid / n_shard);
    s->team = scs_team_alone(n_shard);
    CHECK_OK(scs_model_create(&arch, &s->model));
    scs_model_init(s->model, 5);
}

static inline void close_training(training_data *s)
{
    for (int32_t v = 0; v < s->deal.n_shard; v++) {
        scs_packed_clear(&s->shard[v].x);
        free((void *)(uintptr_t)s->shard[v].cell);
    }
    free(s->deal.n_train);
    free(s->deal.n_valid);
    scs_model_destroy(&s->model);
}

#endif
