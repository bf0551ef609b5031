/** Adam as torch.optim.Adam has it (Kingma and Ba, ICLR 2015), with L2 in the gradient (not
 *  decoupled, as scGen trains):
 *
 *    g = grad + decay w           m = b1 m + (1 - b1) g        v = b2 v + (1 - b2) g^2
 *    w = w - (rate / (1 - b1^t)) m / (sqrt(v / (1 - b2^t)) + epsilon)
 *
 *  Every element is updated by itself, so that slices over ranks, pieces over threads and vector
 *  lanes change no bit. Three arrays are read and written, which is most of the time: products
 *  whose result is a gradient update the weights themselves (src/kernels/adam_kernel.h), while
 * their other rows are being multiplied, and the gradient is never stored. Local; any thread.
 */
#ifndef SCS_ADAM_H
#define SCS_ADAM_H

#include "scscreen/status.h"

#include <stdint.h>

/** What all steps have in common. */
typedef struct scs_adam_rule {
    double decay, beta1, beta2, epsilon;
} scs_adam_rule;

/** The constants of one step, made in double and rounded once. */
typedef struct scs_adam {
    scs_real decay, beta1, beta2;
    scs_real rest1, rest2;    /**< 1 - beta1, 1 - beta2 */
    scs_real step_size;       /**< rate / (1 - beta1^t) */
    scs_real root_correction; /**< 1 / sqrt(1 - beta2^t): the loop has no second division */
    scs_real epsilon;
} scs_adam;

/** Parameters and what the optimiser keeps of them; they do not overlap. Borrowed. */
typedef struct scs_adam_state {
    scs_real *param, *m, *v;
} scs_adam_state;

/** @param t step number from 1 */
scs_adam scs_adam_at(const scs_adam_rule *rule, double learning_rate, int64_t t);
/** That step on some elements, on this thread. @param grad [n] */
void scs_adam_update(const scs_adam *adam, int64_t n, const scs_adam_state *state,
                     const scs_real *grad);
/** The same on all threads. */
void scs_adam_step(const scs_adam *adam, int64_t n, const scs_adam_state *state,
                   const scs_real *grad);
/** What lies `n` elements further on. */
static inline scs_adam_state scs_adam_state_at(const scs_adam_state *state, int64_t n)
{
    return (scs_adam_state){state->param + n, state->m + n, state->v + n};
}

#endif
