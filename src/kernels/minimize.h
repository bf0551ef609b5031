/** Minimum of a smooth function of some variables, by its gradient.
 *
 *  Limited-memory BFGS (Nocedal, Mathematics of Computation 1980): the direction is - H
 *  gradient, H an estimate of the inverse Hessian from the last 8 steps, and the step along it
 *  is halved until the value falls enough (Armijo's condition). O(8 n) numbers besides the
 *  function's own work; one call of the function a step, as a rule.
 *
 *  Made for likelihoods of a handful of variance components: few variables, each a logarithm or
 *  the like, and a function that is not defined everywhere. Deterministic: no random numbers,
 *  sums in one order. Local.
 */
#ifndef SCS_MINIMIZE_H
#define SCS_MINIMIZE_H

#include "scscreen/status.h"

/** The function and its gradient at a point.
 *  @param ctx           the caller's
 *  @param x             [n]
 *  @param[out] gradient [n]
 *  @param[out] value    INFINITY where the function is not defined: a shorter step is tried then
 *  @return not SCS_OK ends the search with that status */
typedef scs_status (*scs_objective)(void *ctx, const double *x, double *gradient, double *value);

/** Go downhill until a step gains less than `gain`, `most` steps were made, or none gains anything:
 * a local minimum as near as the numbers tell, or where it ended.
 *
 *  No step changes a variable by more than 2: beyond, what the gradient says of logarithms is worth
 *  nothing. SCS_ENOMEM, or what f returns.
 *  @param[in,out] x  [n] where to begin, with f defined there; where it ended
 *  @param[out] value of f there */
SCS_MUST_USE scs_status scs_minimize(scs_objective f, void *ctx, int32_t n, int most, double gain,
                                     double *x, double *value);

#endif
