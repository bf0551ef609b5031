/* Elementwise loops: the compiler's vectors are enough, as memory holds them back. */
#include "src/kernels/adam.h"

#include "src/base/simd.h"

#include <math.h>

#ifdef SCS_DOUBLE
#define ROOT sqrt
#else
#define ROOT sqrtf
#endif

/* Elements that one thread updates at a time. */
enum { PIECE = 65536 };

/* Powers of beta are taken in double: 1 - 0.999^t loses digits in float while t is small. */
scs_adam scs_adam_at(const scs_adam_rule *rule, double learning_rate, int64_t t)
{
    double correction1 = 1.0 - pow(rule->beta1, (double)t);
    double correction2 = 1.0 - pow(rule->beta2, (double)t);

    return (scs_adam){.decay = (scs_real)rule->decay,
                      .beta1 = (scs_real)rule->beta1,
                      .beta2 = (scs_real)rule->beta2,
                      .rest1 = (scs_real)(1.0 - rule->beta1),
                      .rest2 = (scs_real)(1.0 - rule->beta2),
                      .step_size = (scs_real)(learning_rate / correction1),
                      .root_correction = (scs_real)(1.0 / sqrt(correction2)),
                      .epsilon = (scs_real)rule->epsilon};
}

SCS_VECTOR void scs_adam_update(const scs_adam *adam, int64_t n, const scs_adam_state *state,
                                const scs_real *grad)
{
    scs_adam c = *adam;
    scs_real *param = state->param, *m = state->m, *v = state->v;

#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        scs_real g = grad[i] + c.decay * param[i];

        m[i] = c.beta1 * m[i] + c.rest1 * g;
        v[i] = c.beta2 * v[i] + c.rest2 * g * g;
        param[i] -= c.step_size * m[i] / (ROOT(v[i]) * c.root_correction + c.epsilon);
    }
}

void scs_adam_step(const scs_adam *adam, int64_t n, const scs_adam_state *state,
                   const scs_real *grad)
{
#pragma omp parallel for if (n > PIECE)
    for (int64_t at = 0; at < n; at += PIECE) {
        scs_adam_state piece = scs_adam_state_at(state, at);

        scs_adam_update(adam, n - at < PIECE ? n - at : PIECE, &piece, grad + at);
    }
}
