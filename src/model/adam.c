/* Adam on a slice of the flat buffer, as torch.optim.Adam has it (Kingma and Ba, ICLR 2015), with
 * L2 in the gradient (not decoupled, as scGen trains):
 *
 *   g = grad + decay w           m = b1 m + (1 - b1) g        v = b2 v + (1 - b2) g^2
 *   w = w - (rate / (1 - b1^t)) m / (sqrt(v / (1 - b2^t)) + epsilon)
 *
 * Every element is updated by itself, so that slices over ranks, pieces over threads and vector
 * lanes change no bit. Memory-bound: four arrays are read and three written once. Local.
 */
#include "src/base/simd.h"
#include "scscreen/model.h"

#include <math.h>

#ifdef SCS_DOUBLE
#define ROOT sqrt
#else
#define ROOT sqrtf
#endif

/* Elements that one thread updates at a time. */
enum { PIECE = 65536 };

/* Powers of beta are taken in double: 1 - 0.999^t loses digits in float while t is small. */
scs_adam scs_adam_at(const scs_arch *arch, double learning_rate, int64_t t)
{
    double correction1 = 1.0 - pow(arch->beta1, (double)t);
    double correction2 = 1.0 - pow(arch->beta2, (double)t);

    return (scs_adam){.decay = (scs_real)arch->weight_decay,
                      .beta1 = (scs_real)arch->beta1,
                      .beta2 = (scs_real)arch->beta2,
                      .rest1 = (scs_real)(1.0 - arch->beta1),
                      .rest2 = (scs_real)(1.0 - arch->beta2),
                      .step_size = (scs_real)(learning_rate / correction1),
                      .root_correction = (scs_real)(1.0 / sqrt(correction2)),
                      .epsilon = (scs_real)arch->adam_epsilon};
}

SCS_VECTOR void scs_adam_update(const scs_adam *adam, int64_t n, scs_real *param,
                                const scs_real *grad, scs_real *m, scs_real *v)
{
    scs_adam c = *adam;

#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        scs_real g = grad[i] + c.decay * param[i];

        m[i] = c.beta1 * m[i] + c.rest1 * g;
        v[i] = c.beta2 * v[i] + c.rest2 * g * g;
        param[i] -= c.step_size * m[i] / (ROOT(v[i]) * c.root_correction + c.epsilon);
    }
}

void scs_adam_step(const scs_arch *arch, double learning_rate, int64_t t, scs_real *param,
                   int64_t lo, int64_t hi, const scs_real *grad, scs_real *m, scs_real *v)
{
    scs_adam adam = scs_adam_at(arch, learning_rate, t);

#pragma omp parallel for if (hi - lo > PIECE)
    for (int64_t at = 0; at < hi - lo; at += PIECE)
        scs_adam_update(&adam, hi - lo - at < PIECE ? hi - lo - at : PIECE, param + lo + at,
                        grad + at, m + at, v + at);
}
