#include "src/trust.h"
#include "src/estimate.h"
#include "src/vector.h"

#include <math.h>
#include <stdlib.h>

/* Covariance of a group's mean: that of its cells (ddof 1) / their number. */
static void mean_covariance(const scs_atlas *a, int32_t group, double *out)
{
    int64_t d = a->n_latent;
    const double *mean = scs_group_mean(a, group), *second = a->second + group * d * d;
    double n = (double)a->group[group].count;

    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k < d; k++)
            out[j * d + k] = n > 1 ? (second[j * d + k] - mean[j] * mean[k]) / (n - 1) : 0;
}

/* Cholesky of a covariance of any rank, in place, lower triangle. Fewer cells than units leave
 * pivots that are 0 but for rounding: their columns are 0. */
static void factorise(double *a, int64_t d)
{
    double largest = 0;

    for (int64_t j = 0; j < d; j++)
        largest = fmax(largest, a[j * d + j]);
    for (int64_t j = 0; j < d; j++) {
        double pivot = a[j * d + j];

        for (int64_t k = 0; k < j; k++)
            pivot -= a[j * d + k] * a[j * d + k];
        pivot = pivot > 1e-12 * largest ? sqrt(pivot) : 0;
        for (int64_t i = j; i < d; i++) {
            double sum = a[i * d + j];

            for (int64_t k = 0; k < j; k++)
                sum -= a[i * d + k] * a[j * d + k];
            a[i * d + j] = pivot > 0 ? sum / pivot : 0;
        }
    }
}

static bool is_drawn(const scs_atlas *a, int32_t group, const scs_sources *sources)
{
    const scs_group *g = &a->group[group];
    bool shown = g->condition == a->control;

    for (int32_t i = 0; i < sources->n && !shown; i++)
        shown = a->group[sources->group[i]].condition == g->condition;
    return shown && !g->held_out;
}

static scs_status fill(scs_bootstrap *b, const scs_sources *sources)
{
    int64_t square = (int64_t)b->atlas->n_latent * b->atlas->n_latent;

    SCS_TRY(SCS_ALLOC(b->group, b->atlas->n_group));
    for (int32_t g = 0; g < b->atlas->n_group; g++)
        if (is_drawn(b->atlas, g, sources))
            b->group[b->n++] = g;
    SCS_TRY(SCS_ALLOC(b->factor, b->n * square));
    for (int32_t i = 0; i < b->n; i++) {
        mean_covariance(b->atlas, b->group[i], b->factor + i * square);
        factorise(b->factor + i * square, b->atlas->n_latent);
    }
    return SCS_OK;
}

scs_status scs_bootstrap_create(const scs_atlas *atlas, const scs_sources *sources, int64_t seed,
                                scs_bootstrap **bootstrap)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*bootstrap, 1));
    **bootstrap = (scs_bootstrap){.atlas = atlas, .seed = seed};
    st = fill(*bootstrap, sources);
    if (st != SCS_OK)
        scs_bootstrap_destroy(bootstrap);
    return st;
}

void scs_bootstrap_destroy(scs_bootstrap **bootstrap)
{
    if (*bootstrap) {
        free((*bootstrap)->group);
        free((*bootstrap)->factor);
    }
    free(*bootstrap);
    *bootstrap = NULL;
}

/* mean = centre + L normal, in place: row j of L needs the normals up to j only. */
static void draw_group(const scs_bootstrap *b, int32_t i, int64_t replicate, double *mean)
{
    int64_t d = b->atlas->n_latent;
    const double *factor = b->factor + i * d * d, *centre = scs_group_mean(b->atlas, b->group[i]);
    double *out = mean + b->group[i] * d;
    scs_stream stream = {(uint64_t)b->seed, SCS_RANDOM_BOOTSTRAP, (uint32_t)replicate,
                         (uint64_t)b->group[i]};

    scs_random_normal(&stream, d, out);
    for (int64_t j = d - 1; j >= 0; j--)
        out[j] = centre[j] + scs_vector_dot(factor + j * d, out, j + 1);
}

void scs_bootstrap_draw(const void *bootstrap, int64_t replicate, double *mean)
{
    const scs_bootstrap *b = bootstrap;

    for (int32_t i = 0; i < b->n; i++)
        draw_group(b, i, replicate, mean);
}

void scs_replicate_error(const double *delta, int64_t n, int32_t n_latent, double *se)
{
    for (int32_t j = 0; j < n_latent; j++) {
        double mean = 0, square = 0;

        for (int64_t b = 0; b < n; b++)
            mean += delta[b * n_latent + j] / (double)n;
        for (int64_t b = 0; b < n; b++)
            square += (delta[b * n_latent + j] - mean) * (delta[b * n_latent + j] - mean);
        se[j] = n > 1 ? sqrt(square / (double)(n - 1)) : NAN;
    }
}
