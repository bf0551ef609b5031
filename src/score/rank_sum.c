/* One walk over the groups' values beside the controls'.
 *
 * U needs no order within a group: a value counts the controls below it and half of those tied
 * with it. Ties within a group are counted as they are met: the k-th of a group's equal values
 * enlarges a tie of s = (controls tied) + k - 1 by one, which adds (s+1)^3 - (s+1) - (s^3 - s) =
 * 3 s (s + 1). */
#include "src/score/rank_sum.h"

#include <math.h>

/* What a set of t tied cells adds to the correction. */
static double tie(double t)
{
    return t * t * t - t;
}

scs_rank_control scs_rank_sum_control(const uint64_t *key, int64_t n, int64_t zeros)
{
    scs_rank_control control = {.key = key, .n = n, .zeros = zeros};

    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && key[end] >> 32 == key[i] >> 32;)
            end++;
        control.ties += tie((double)(end - i));
    }
    return control;
}

void scs_rank_sum_tally(const scs_rank_control *control, const uint64_t *key, int64_t n,
                        scs_rank_tally *tally)
{
    int64_t below = 0, up_to = 0; /* controls below the value, and those not above it */

    for (int64_t i = 0; i < n; i++) {
        uint32_t rank = (uint32_t)(key[i] >> 32);
        scs_rank_tally *t = &tally[(uint32_t)key[i]];
        double s;

        if (i == 0 || rank != (uint32_t)(key[i - 1] >> 32)) {
            for (below = up_to; below < control->n && control->key[below] >> 32 < rank;)
                below++;
            for (up_to = below; up_to < control->n && control->key[up_to] >> 32 == rank;)
                up_to++;
        }
        t->same = t->non_zero && t->rank == rank ? t->same + 1 : 1;
        t->rank = rank;
        t->non_zero++;
        t->above += 2 * control->zeros + below + up_to;
        s = (double)(up_to - below + t->same - 1);
        t->ties += 3 * s * (s + 1);
    }
}

double scs_rank_sum_p(const scs_rank_control *control, const scs_rank_tally *tally, int64_t n_group)
{
    int64_t zeros = n_group - tally->non_zero;
    double n = (double)n_group, m = (double)(control->n + control->zeros), all = n + m;
    double u = (double)(tally->above + zeros * control->zeros) / 2;
    double ties = control->ties + tally->ties + tie((double)(zeros + control->zeros));
    double variance = n * m / 12 * (all + 1 - ties / (all * (all - 1))), p;

    if (!(variance > 0))
        return 1;
    p = erfc((fmax(u, n * m - u) - n * m / 2 - .5) / sqrt(variance) / sqrt(2));
    return p < 1 ? p : 1;
}
