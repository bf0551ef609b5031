#include "src/trust.h"
#include "src/estimate.h"
#include "src/failure.h"
#include "src/replica.h"
#include "src/vector.h"

#include <stdlib.h>
#include <string.h>

/* The cells of a control group and a perturbed one. */
typedef struct pair {
    const scs_real *control, *perturbed;
    int64_t n_control, n_perturbed;
    int32_t d;
    double *total; /* [d] sum of all */
} pair;

static const scs_real *cell_of(const pair *p, int64_t i)
{
    return i < p->n_control ? p->control + i * p->d : p->perturbed + (i - p->n_control) * p->d;
}

static scs_status add_all(pair *p)
{
    SCS_TRY(SCS_ALLOC(p->total, p->d));
    for (int64_t i = 0; i < p->n_control + p->n_perturbed; i++)
        for (int32_t j = 0; j < p->d; j++)
            p->total[j] += cell_of(p, i)[j];
    return SCS_OK;
}

static void swap(int64_t *order, int64_t a, int64_t b)
{
    int64_t kept = order[a];

    order[a] = order[b];
    order[b] = kept;
}

/* The first `most` places of order become a random subset (Fisher and Yates); then it is as before.
 * @param order [N] 0 .. N-1  @param other [most] scratch  @param[out] sum [d] over the subset */
static void draw_subset(const pair *p, scs_stream stream, int64_t most, int64_t *order,
                        int64_t *other, double *sum)
{
    int64_t n = p->n_control + p->n_perturbed;
    uint32_t word[4];

    memset(sum, 0, (size_t)p->d * sizeof *sum);
    for (int64_t i = 0; i < most; i++) {
        if (i % 4 == 0)
            scs_random_block(&stream, (uint32_t)(i / 4), word);
        other[i] = i + (int64_t)(((uint64_t)word[i % 4] * (uint64_t)(n - i)) >> 32);
        swap(order, i, other[i]);
        for (int32_t j = 0; j < p->d; j++)
            sum[j] += cell_of(p, order[i])[j];
    }
    for (int64_t i = most - 1; i >= 0; i--)
        swap(order, i, other[i]);
}

/* One permutation: the smaller group's cells are drawn, the rest is the other's.
 * @param[out] mean [d] of the perturbed */
static void permute(const pair *p, scs_stream stream, int64_t *order, double *mean)
{
    bool few = p->n_perturbed <= p->n_control;
    int64_t n = p->n_control + p->n_perturbed, most = few ? p->n_perturbed : p->n_control;

    draw_subset(p, stream, most, order, order + n, mean);
    for (int32_t j = 0; j < p->d; j++)
        mean[j] = (few ? mean[j] : p->total[j] - mean[j]) / (double)p->n_perturbed;
}

static scs_status permute_all(const pair *p, const scs_stream *stream, int64_t first, int64_t n,
                              double *mean)
{
    scs_failure failed = {0};
    int64_t n_cell = p->n_control + p->n_perturbed;

#pragma omp parallel
    {
        int64_t *order = NULL;
        scs_status st = SCS_ALLOC(order, 2 * n_cell); /* and the places swapped */

        for (int64_t i = 0; i < n_cell && st == SCS_OK; i++)
            order[i] = i;
#pragma omp for schedule(static)
        for (int64_t b = 0; b < n; b++) {
            scs_stream one = *stream;

            one.epoch = (uint32_t)(first + b);
            if (st == SCS_OK)
                permute(p, one, order, mean + b * p->d);
            scs_failure_note(&failed, b, st);
        }
        free(order);
    }
    return scs_failure_raise(&failed);
}

scs_status scs_permute_pair(const scs_stream *stream, const scs_real *control, int64_t n_control,
                            const scs_real *perturbed, int64_t n_perturbed, int32_t n_latent,
                            int64_t first, int64_t n, double *mean)
{
    pair p = {control, perturbed, n_control, n_perturbed, n_latent, NULL};
    scs_status st = add_all(&p);

    if (st == SCS_OK)
        st = permute_all(&p, stream, first, n, mean);
    free(p.total);
    return st;
}

/* Control means follow: the sum over both groups stays. */
void scs_permutation_draw(const void *permutation, int64_t replicate, double *mean)
{
    const scs_permutation *p = permutation;
    int64_t d = p->atlas->n_latent;

    for (int32_t i = 0; i < p->n_pair; i++) {
        int64_t c = p->control[i], s = p->perturbed[i];
        double ratio = (double)p->atlas->group[s].count / (double)p->atlas->group[c].count;
        const double *drawn = p->mean + (i * p->n + replicate) * d;

        for (int64_t j = 0; j < d; j++) {
            mean[s * d + j] = drawn[j];
            mean[c * d + j] =
                p->atlas->mean[c * d + j] + ratio * (p->atlas->mean[s * d + j] - drawn[j]);
        }
    }
}

/* Shifts that are equal but for rounding count as equal. */
static double least_square(const double *observed, int32_t n_latent)
{
    return scs_vector_dot(observed, observed, n_latent) * (1 - 1e-9);
}

/* The shortest squared length that counts, of each combination. @param[out] least [n_target] */
static scs_status find_least(const scs_replica *r, const scs_method *method,
                             const scs_combination *const *target, int64_t n_target, double *delta,
                             double *least)
{
    for (int64_t i = 0; i < n_target; i++) {
        SCS_TRY(scs_replica_shift(r, method, target[i], delta));
        least[i] = least_square(delta, r->atlas.n_latent);
    }
    return SCS_OK;
}

static void restore(scs_replica *r, const scs_permutation *p)
{
    size_t bytes = (size_t)p->atlas->n_latent * sizeof *r->atlas.mean;

    for (int32_t i = 0; i < p->n_pair; i++) {
        int64_t control = (int64_t)p->control[i] * p->atlas->n_latent;
        int64_t perturbed = (int64_t)p->perturbed[i] * p->atlas->n_latent;

        memcpy(r->atlas.mean + control, p->atlas->mean + control, bytes);
        memcpy(r->atlas.mean + perturbed, p->atlas->mean + perturbed, bytes);
    }
}

scs_status scs_replica_count(scs_replica *r, const scs_method *method, const scs_permutation *p,
                             const scs_combination *const *target, int64_t n_target, double *delta,
                             int32_t *count)
{
    double *least;
    scs_status st;

    SCS_TRY(SCS_ALLOC(least, n_target));
    memset(count, 0, (size_t)n_target * sizeof *count);
    st = find_least(r, method, target, n_target, delta, least);
    for (int64_t b = 0; b < p->n && st == SCS_OK; b++) {
        scs_permutation_draw(p, b, r->atlas.mean);
        for (int64_t i = 0; i < n_target && st == SCS_OK; i++) {
            st = scs_replica_shift(r, method, target[i], delta);
            count[i] += scs_vector_dot(delta, delta, r->atlas.n_latent) >= least[i];
        }
    }
    restore(r, p);
    free(least);
    return st;
}
