#include "src/order.h"
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

/* The first species keeps the genes' own order, the others' are shuffled. */
scs_status scs_sim_order(const scs_sim *sim, int32_t species, int32_t *order)
{
    scs_stream stream = scs_sim_stream(sim, SCS_SIM_ORDER, 0);
    int64_t *number = NULL, *position = NULL;
    scs_status st;

    for (int32_t g = 0; g < sim->n_own; g++)
        order[g] = g;
    if (species == 0)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(number, sim->n_own));
    SCS_GO(st, SCS_ALLOC(position, sim->n_own));
    for (int32_t g = 0; g < sim->n_own; g++)
        number[g] = (int64_t)species * sim->n_own + g;
    SCS_GO(st, scs_order_cells(&stream, number, sim->n_own, position));
    for (int32_t g = 0; g < sim->n_own; g++)
        order[g] = (int32_t)position[g];
done:
    free(position);
    free(number);
    return st;
}
