/** Minimum of a smooth function of some variables, by its gradient. Local, deterministic. */
#ifndef SCS_MINIMIZE_H
#define SCS_MINIMIZE_H

#include "scscreen/status.h"

/** @param[out] gradient [n]  @param[out] value INFINITY where the function is not defined: a
 * shorter step is tried then */
typedef scs_status (*scs_objective)(void *ctx, const double *x, double *gradient, double *value);

/** Limited-memory BFGS (Nocedal, Mathematics of Computation 1980) with backtracking: until a step
 *  gains less than `gain`, or `most` steps were made. No step changes a variable by more than 2:
 *  variables are logarithms and the like.
 *  @param[in,out] x [n] where to begin, defined there; where it ended  @param[out] value there */
SCS_MUST_USE scs_status scs_minimize(scs_objective f, void *ctx, int32_t n, int most, double gain,
                                     double *x, double *value);

#endif
