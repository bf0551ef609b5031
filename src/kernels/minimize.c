/** L-BFGS (src/kernels/minimize.h): a direction, a search along it, what to keep of the step.
 *
 *  H, an approximation of the inverse of the second derivatives, is never written down: it is made
 *  of the last MEMORY steps s and changes y of the gradient (Nocedal and Wright, Numerical
 *  Optimization, algorithm 7.4), O(MEMORY n) a direction beside the calls of the function.
 *
 *  All sums are of one thread and in one order: where the function's bits do not depend on ranks,
 *  neither do those of the minimum. */
#include "src/kernels/minimize.h"

#include "src/base/vector.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Steps that H is made of; how often a step is halved before the search along a direction is
 * given up. */
enum { MEMORY = 8, HALVINGS = 30 };

/* The most that a step changes a variable by; the share of the gain which the slope promises
 * that a step must make (Armijo). */
static const double longest_step = 2, sufficient = 1e-4;

/* Where the search is, what it tries, and what it keeps of earlier steps. All arrays owned but x.
 */
typedef struct path {
    scs_objective f;
    void *ctx;
    int32_t n;
    int kept;                     /* how many of the last steps */
    double *step, *change;        /* [MEMORY, n] of x and of the gradient, oldest first */
    double *x, *gradient;         /* [n] here */
    double *next, *next_gradient; /* [n] tried */
    double *direction;            /* [n] */
} path;

/* direction = - H gradient, H from the steps that are kept: the two-loop recursion, begun with
 * the newest step's s'y / y'y times the identity. Then shortened to the longest step; without
 * any step kept this is steepest descent. */
static void set_direction(path *p)
{
    double share[MEMORY] = {0}, *d = p->direction;
    double largest = 0, scale = 1;

    memcpy(d, p->gradient, (size_t)p->n * sizeof *d);
    for (int k = p->kept - 1; k >= 0; k--) {
        const double *s = p->step + (int64_t)k * p->n, *y = p->change + (int64_t)k * p->n;

        share[k] = scs_vector_dot(s, d, p->n) / scs_vector_dot(s, y, p->n);
        scs_vector_add(d, y, -share[k], p->n);
    }
    if (p->kept) {
        const double *s = p->step + (int64_t)(p->kept - 1) * p->n;
        const double *y = p->change + (int64_t)(p->kept - 1) * p->n;

        scale = scs_vector_dot(s, y, p->n) / scs_vector_dot(y, y, p->n);
    }
    for (int32_t i = 0; i < p->n; i++)
        d[i] *= scale;
    for (int k = 0; k < p->kept; k++) {
        const double *s = p->step + (int64_t)k * p->n, *y = p->change + (int64_t)k * p->n;

        scs_vector_add(d, s, share[k] - scs_vector_dot(y, d, p->n) / scs_vector_dot(s, y, p->n),
                       p->n);
    }
    for (int32_t i = 0; i < p->n; i++)
        largest = fmax(largest, fabs(d[i]));
    scale = largest > longest_step ? -longest_step / largest : -1;
    for (int32_t i = 0; i < p->n; i++)
        d[i] *= scale;
}

/* The step just made, and how the gradient changed. Forget the oldest for it, unless the
 * function is not convex along it (s'y <= 0): H would no longer be positive definite, and its
 * directions lead uphill. */
static void keep_step(path *p)
{
    size_t row = (size_t)p->n * sizeof(double);
    double *s, *y;

    if (p->kept == MEMORY) {
        memmove(p->step, p->step + p->n, (MEMORY - 1) * row);
        memmove(p->change, p->change + p->n, (MEMORY - 1) * row);
        p->kept--;
    }
    s = p->step + (int64_t)p->kept * p->n;
    y = p->change + (int64_t)p->kept * p->n;
    for (int32_t i = 0; i < p->n; i++) {
        s[i] = p->next[i] - p->x[i];
        y[i] = p->next_gradient[i] - p->gradient[i];
    }
    p->kept += scs_vector_dot(s, y, p->n) > 1e-12 * scs_vector_dot(y, y, p->n);
}

/* Halve the step until it gains enough. A value of INFINITY or NaN fails the comparison and is
 * passed by; a direction that does not lead downhill is not followed at all.
 * @param[in,out] value at x; at the point found
 * @param[out] gained whether one was found */
static scs_status search(path *p, double *value, bool *gained)
{
    double slope = scs_vector_dot(p->gradient, p->direction, p->n), length = 1, tried;

    *gained = false;
    for (int k = 0; k < HALVINGS && slope < 0; k++, length /= 2) {
        memcpy(p->next, p->x, (size_t)p->n * sizeof *p->next);
        scs_vector_add(p->next, p->direction, length, p->n);
        SCS_TRY(p->f(p->ctx, p->next, p->next_gradient, &tried));
        if (tried <= *value + sufficient * length * slope) {
            *gained = true;
            *value = tried;
            return SCS_OK;
        }
    }
    return SCS_OK;
}

/* When no step along the direction gains, what was kept may mislead here: once more by steepest
 * descent, and only if that gains nothing either the minimum is reached. */
static scs_status descend(path *p, int most, double gain, double *value)
{
    SCS_TRY(p->f(p->ctx, p->x, p->gradient, value));
    for (int k = 0; k < most; k++) {
        double before = *value;
        bool gained;

        set_direction(p);
        SCS_TRY(search(p, value, &gained));
        if (!gained && p->kept == 0)
            break;
        if (!gained) {
            p->kept = 0;
            continue;
        }
        keep_step(p);
        memcpy(p->x, p->next, (size_t)p->n * sizeof *p->x);
        memcpy(p->gradient, p->next_gradient, (size_t)p->n * sizeof *p->x);
        if (before - *value < gain)
            break;
    }
    return SCS_OK;
}

/* 2 x 8 + 4 vectors of n. */
scs_status scs_minimize(scs_objective f, void *ctx, int32_t n, int most, double gain, double *x,
                        double *value)
{
    path p = {.f = f, .ctx = ctx, .n = n, .x = x};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(p.step, (int64_t)MEMORY * n));
    SCS_GO(st, SCS_ALLOC(p.change, (int64_t)MEMORY * n));
    SCS_GO(st, SCS_ALLOC(p.gradient, n));
    SCS_GO(st, SCS_ALLOC(p.next, n));
    SCS_GO(st, SCS_ALLOC(p.next_gradient, n));
    SCS_GO(st, SCS_ALLOC(p.direction, n));
    SCS_GO(st, descend(&p, most, gain, value));
done:
    free(p.direction);
    free(p.next_gradient);
    free(p.next);
    free(p.gradient);
    free(p.change);
    free(p.step);
    return st;
}
