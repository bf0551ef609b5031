#include "src/simulate_stream.h"

#include <math.h>
#include <stdlib.h>

scs_sampler scs_sim_cell(const scs_sim *sim, scs_sim_group group, int64_t cell)
{
    int32_t number =
        (group.species * sim->n_type + group.type) * sim->n_condition + group.condition;
    scs_stream stream = scs_sim_stream(sim, SCS_SIM_FIRST_GROUP + (uint32_t)number, cell);

    return scs_sampler_start(&stream);
}

double scs_sim_library(const scs_sim *sim, scs_sampler *sampler)
{
    const double sd = SCS_SIM_LIBRARY_SD;

    return sim->counts * exp(sd * scs_sample_normal(sampler) - 0.5 * sd * sd);
}

typedef struct keyed {
    uint64_t key;
    int32_t gene;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

scs_status scs_sim_order(const scs_sim *sim, int32_t species, int32_t *order)
{
    keyed *keys = NULL;

    SCS_TRY(SCS_ALLOC(keys, sim->n_own));
    for (int32_t g = 0; g < sim->n_own; g++) {
        int64_t index = (int64_t)species * sim->n_own + g;
        scs_stream stream = scs_sim_stream(sim, SCS_SIM_ORDER, index);

        keys[g] = (keyed){species ? scs_random_key(&stream) : 0, g};
    }
    qsort(keys, (size_t)sim->n_own, sizeof *keys, by_key);
    for (int32_t g = 0; g < sim->n_own; g++)
        order[g] = keys[g].gene;
    free(keys);
    return SCS_OK;
}
