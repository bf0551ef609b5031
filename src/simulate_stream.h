/** The streams of random numbers that a simulated atlas is made of. */
#ifndef SCS_SIMULATE_STREAM_H
#define SCS_SIMULATE_STREAM_H

#include "src/simulate_model.h"

/* What a stream is for; cells of group i use SCS_SIM_FIRST_GROUP + i. */
typedef enum scs_sim_what {
    SCS_SIM_BASE = 1,
    SCS_SIM_LOADING,
    SCS_SIM_MARKER,
    SCS_SIM_LINEAGE,
    SCS_SIM_OFFSET,
    SCS_SIM_SPECIES_EFFECT,
    SCS_SIM_RESPONDS,
    SCS_SIM_SHARED,
    SCS_SIM_DIRECTION,
    SCS_SIM_PHASE,
    SCS_SIM_SPECIES_RESPONSE,
    SCS_SIM_ORDER,
    SCS_SIM_FIRST_GROUP = 64
} scs_sim_what;

static inline scs_stream scs_sim_stream(const scs_sim *sim, uint32_t what, int64_t index)
{
    return (scs_stream){sim->seed, SCS_RANDOM_SIMULATE, what, (uint64_t)index};
}

static inline void scs_sim_normals(const scs_sim *sim, scs_sim_what what, int64_t index, int64_t n,
                                   double *out)
{
    scs_stream stream = scs_sim_stream(sim, what, index);

    scs_random_normal(&stream, n, out);
}

static inline void scs_sim_uniforms(const scs_sim *sim, scs_sim_what what, int64_t index, int64_t n,
                                    float *out)
{
    scs_stream stream = scs_sim_stream(sim, what, index);

    scs_random_uniform(&stream, n, out);
}

#endif
