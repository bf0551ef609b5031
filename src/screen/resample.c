/* Permutations and the parametric bootstrap: shifts estimated anew from other means. All
 * functions are Local.
 *
 *     bootstrap     the mean of each group ~ N(its mean, C / n), C the covariance of its n cells in
 *                   latent space; the spread of a row's shifts is delta_se, decoded it is shift_se
 *     permutation   labels are exchanged between the control and the perturbed cells of a type; p
 *                   is the share of permutations whose shift is at least as long as the real one
 *
 * Both need only group means, so that a replicate costs an estimate and no pass over cells; means
 * under permutation are made once for a condition and serve all its rows. Random numbers are
 * f(seed, purpose, replicate, group or pair): the same whoever draws, in whatever order.
 *
 * Weights are estimated anew in every replicate, since the closeness of control means is itself
 * uncertain: fixed weights would leave that out. Everything is spread over threads by
 * replicates, and a replicate's numbers depend on nothing but its own.
 */
#include "src/screen/resample.h"

#include "src/base/parallel.h"
#include "src/base/vector.h"
#include "src/screen/confidence.h"
#include "src/screen/decode.h"
#include "src/screen/predict.h"
#include "src/screen/shift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A copy of the means alone, n_group n_latent doubles: all else is the atlas' own. */
scs_status scs_resample_replica_make(const scs_atlas *atlas, scs_replica *r)
{
    int64_t n = (int64_t)atlas->n_group * atlas->n_latent;

    *r = (scs_replica){.atlas = *atlas};
    r->atlas.mean = NULL; /* the one array of its own */
    SCS_TRY(SCS_ALLOC(r->atlas.mean, n));
    memcpy(r->atlas.mean, atlas->mean, (size_t)n * sizeof *r->atlas.mean);
    return scs_shift_sources_create(atlas, &r->sources);
}

/* Also of one that was made in part. */
void scs_resample_replica_clear(scs_replica *r)
{
    free(r->atlas.mean);
    scs_shift_sources_destroy(&r->sources);
}

/* The shift of one combination from the means as they are now: the sources are found anew, as
 * closeness of control means changes with them. @param[out] delta [n_latent] */
static scs_status replica_shift(const scs_replica *r, const scs_method *method,
                                const scs_combination *target, double *delta)
{
    SCS_TRY(scs_shift_sources_find(&r->atlas, method, target, r->sources));
    scs_shift_sources_latent(&r->atlas, r->sources, delta);
    return SCS_OK;
}

/* Of several combinations from the same means. @param[out] delta [n_target, n_latent] */
static scs_status estimate(const scs_replica *r, const scs_method *method,
                           const scs_combination *const *target, int64_t n_target, double *delta)
{
    for (int64_t i = 0; i < n_target; i++)
        SCS_TRY(replica_shift(r, method, target[i], delta + i * r->atlas.n_latent));
    return SCS_OK;
}

/* What is made of each replicate: of several combinations, or of one whose weights stay. */
typedef struct replication {
    const scs_atlas *atlas;
    const scs_method *method;
    const scs_combination *const *target;
    int64_t n_target;
    const scs_sources
        *sources; /* of the one, as they stay; NULL: those of each target, found anew */
    scs_draw draw;
    const void *ctx;
    int64_t stride; /* from a replicate's shifts to the next one's */
} replication;

/* Replicate b, into a replica whose means are drawn here. */
static scs_status replicate_once(const replication *of, int64_t b, scs_replica *r, double *delta)
{
    if (of->draw)
        of->draw(of->ctx, b, r->atlas.mean);
    if (!of->sources)
        return estimate(r, of->method, of->target, of->n_target, delta);
    scs_shift_sources_latent(&r->atlas, of->sources, delta);
    return SCS_OK;
}

/* Threads take replicates, each in a replica of its own; a replicate's shifts depend on its
 * number alone. @param[out] delta [n_replicate, stride] */
static scs_status replicate(const replication *of, int64_t n_replicate, double *delta)
{
    scs_parallel_error failed = {0};

#pragma omp parallel
    {
        scs_replica r;
        scs_status st = scs_resample_replica_make(of->atlas, &r);

#pragma omp for schedule(static)
        for (int64_t b = 0; b < n_replicate; b++) {
            if (st == SCS_OK)
                st = replicate_once(of, b, &r, delta + b * of->stride);
            scs_parallel_error_note(&failed, b, st);
        }
        scs_resample_replica_clear(&r);
    }
    return scs_parallel_error_raise(&failed);
}

static scs_status replicate_all_fixed(const scs_atlas *atlas, const scs_method *method,
                                      const scs_combination *const *target, int64_t n_target,
                                      int64_t n_replicate, scs_draw draw, const void *ctx,
                                      double *delta)
{
    scs_sources *sources;
    scs_status st;

    SCS_TRY(scs_shift_sources_create(atlas, &sources));
    for (int64_t i = 0; i < n_target; i++) {
        SCS_GO(st, scs_shift_sources_find(atlas, method, target[i], sources));
        SCS_GO(st, replicate(&(replication){.atlas = atlas,
                                            .sources = sources,
                                            .draw = draw,
                                            .ctx = ctx,
                                            .stride = n_target * atlas->n_latent},
                             n_replicate, delta + i * atlas->n_latent));
    }
    st = SCS_OK;
done:
    scs_shift_sources_destroy(&sources);
    return st;
}

scs_status scs_resample_replicate(const scs_atlas *atlas, const scs_method *method,
                                  const scs_combination *const *target, int64_t n_target,
                                  int64_t n_replicate, scs_draw draw, const void *ctx,
                                  double *delta)
{
    if (scs_shift_rule_fixed(method))
        return replicate_all_fixed(atlas, method, target, n_target, n_replicate, draw, ctx, delta);
    return replicate(&(replication){.atlas = atlas,
                                    .method = method,
                                    .target = target,
                                    .n_target = n_target,
                                    .draw = draw,
                                    .ctx = ctx,
                                    .stride = n_target * atlas->n_latent},
                     n_replicate, delta);
}

/* ---- bootstrap ---- */

/* Covariance of a group's mean: that of its cells (ddof 1) / their number; 0 for a single cell.
 * @param[out] out [n_latent, n_latent] */
static void mean_covariance(const scs_atlas *a, int32_t group, double *out)
{
    int64_t d = a->n_latent;
    const double *mean = scs_atlas_group_mean(a, group), *second = a->second + group * d * d;
    double n = (double)a->group[group].count;

    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k < d; k++)
            out[j * d + k] = n > 1 ? (second[j * d + k] - mean[j] * mean[k]) / (n - 1) : 0;
}

/* Cholesky of a covariance of any rank, in place, lower triangle. Fewer cells than units leave
 * pivots that are 0 but for rounding: their columns are 0. LAPACK's dpotrf refuses such a
 * matrix. */
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

/* Groups of the sources' conditions, and controls, which say how near they are. */
static scs_status list_drawn(scs_bootstrap *b, const scs_sources *sources)
{
    const scs_atlas *a = b->atlas;
    bool *shown;

    SCS_TRY(SCS_ALLOC(b->group, a->n_group));
    SCS_TRY(SCS_ALLOC(shown, a->conditions.n));
    shown[a->control] = true;
    for (int32_t i = 0; i < sources->n; i++)
        shown[a->group[sources->group[i]].condition] = true;
    for (int32_t g = 0; g < a->n_group; g++)
        if (shown[a->group[g].condition] && !a->group[g].held_out)
            b->group[b->n++] = g;
    free(shown);
    return SCS_OK;
}

/* The groups that are drawn, and the factor of each. */
static scs_status fill(scs_bootstrap *b, const scs_sources *sources)
{
    int64_t square = (int64_t)b->atlas->n_latent * b->atlas->n_latent;

    SCS_TRY(list_drawn(b, sources));
    SCS_TRY(SCS_ALLOC(b->factor, b->n * square));
    for (int32_t i = 0; i < b->n; i++) {
        mean_covariance(b->atlas, b->group[i], b->factor + i * square);
        factorise(b->factor + i * square, b->atlas->n_latent);
    }
    return SCS_OK;
}

/* Only the groups that the row's shift can depend on, and all controls, whose closeness decides
 * weights. */
scs_status scs_resample_bootstrap_create(const scs_atlas *atlas, const scs_sources *sources,
                                         int64_t seed, scs_bootstrap **bootstrap)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*bootstrap, 1));
    **bootstrap = (scs_bootstrap){.atlas = atlas, .seed = seed};
    st = fill(*bootstrap, sources);
    if (st != SCS_OK)
        scs_resample_bootstrap_destroy(bootstrap);
    return st;
}

void scs_resample_bootstrap_destroy(scs_bootstrap **bootstrap)
{
    if (*bootstrap) {
        free((*bootstrap)->group);
        free((*bootstrap)->factor);
    }
    free(*bootstrap);
    *bootstrap = NULL;
}

/* mean = centre + L normal, in place: row j of L needs the normals up to j only, so that rows
 * are done from the last. @param mean [n_group, n_latent] */
static void draw_group(const scs_bootstrap *b, int32_t i, int64_t replicate, double *mean)
{
    int64_t d = b->atlas->n_latent;
    const double *factor = b->factor + i * d * d,
                 *centre = scs_atlas_group_mean(b->atlas, b->group[i]);
    double *out = mean + b->group[i] * d;
    scs_stream stream = {(uint64_t)b->seed, SCS_RANDOM_BOOTSTRAP, (uint32_t)replicate,
                         (uint64_t)b->group[i]};

    scs_random_normal(&stream, d, out);
    for (int64_t j = d - 1; j >= 0; j--)
        out[j] = centre[j] + scs_vector_dot(factor + j * d, out, j + 1);
}

/* Groups that are not drawn keep the atlas' means: the row's shift does not depend on them. */
void scs_resample_bootstrap_draw(const void *bootstrap, int64_t replicate, double *mean)
{
    const scs_bootstrap *b = bootstrap;

    for (int32_t i = 0; i < b->n; i++)
        draw_group(b, i, replicate, mean);
}

/* Two passes, ddof 1; NaN for a single replicate. */
void scs_resample_replicate_error(const double *delta, int64_t n, int32_t n_latent, double *se)
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

/* ---- permutations ---- */

/* The cells of a control group and a perturbed one. */
typedef struct pair {
    const scs_real *control, *perturbed;
    int64_t n_control, n_perturbed;
    int32_t d;
    double *total; /* [d] sum of all */
} pair;

/* The i-th of both groups' cells, controls first. @return [d] */
static const scs_real *cell_of(const pair *p, int64_t i)
{
    return i < p->n_control ? p->control + i * p->d : p->perturbed + (i - p->n_control) * p->d;
}

/* p->total; the caller frees it. */
static scs_status add_all(pair *p)
{
    SCS_TRY(SCS_ALLOC(p->total, p->d));
    for (int64_t i = 0; i < p->n_control + p->n_perturbed; i++)
        for (int32_t j = 0; j < p->d; j++)
            p->total[j] += cell_of(p, i)[j];
    return SCS_OK;
}

/* Two places of the order. */
static void swap(int64_t *order, int64_t a, int64_t b)
{
    int64_t kept = order[a];

    order[a] = order[b];
    order[b] = kept;
}

/* The first `most` places of order become a random subset (Fisher and Yates), whose cells are
 * summed; then order is as before, so that the next draw depends on nothing but its stream. A
 * 32-bit word times the places that are left gives the place: no rejection, a bias below n /
 * 2^32.
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

/* One permutation: the smaller group's cells are drawn, and the rest is the other's; the sum
 * over both is known. @param[out] mean [d] of the perturbed */
static void permute(const pair *p, scs_stream stream, int64_t *order, double *mean)
{
    bool few = p->n_perturbed <= p->n_control;
    int64_t n = p->n_control + p->n_perturbed, most = few ? p->n_perturbed : p->n_control;

    draw_subset(p, stream, most, order, order + n, mean);
    for (int32_t j = 0; j < p->d; j++)
        mean[j] = (few ? mean[j] : p->total[j] - mean[j]) / (double)p->n_perturbed;
}

/* Permutations [first, first + n), spread over threads; each draws from a stream of its own. */
static scs_status permute_all(const pair *p, const scs_stream *stream, int64_t first, int64_t n,
                              double *mean)
{
    scs_parallel_error failed = {0};
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
            scs_parallel_error_note(&failed, b, st);
        }
        free(order);
    }
    return scs_parallel_error_raise(&failed);
}

/* O(n cells of the smaller group x n_latent) a permutation, where shuffling all labels would be
 * that of both. */
scs_status scs_resample_permute_pair(const scs_stream *stream, const scs_real *control,
                                     int64_t n_control, const scs_real *perturbed,
                                     int64_t n_perturbed, int32_t n_latent, int64_t first,
                                     int64_t n, double *mean)
{
    pair p = {control, perturbed, n_control, n_perturbed, n_latent, NULL};
    scs_status st = add_all(&p);

    if (st == SCS_OK)
        st = permute_all(&p, stream, first, n, mean);
    free(p.total);
    return st;
}

/* Control means follow the perturbed ones: the sum over both groups stays, so that m_c' = m_c +
 * n_s / n_c (m_s - m_s'). */
void scs_resample_permutation_draw(const void *permutation, int64_t replicate, double *mean)
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

/* Shifts that are equal but for rounding count as equal, as they do in exact arithmetic: a
 * permutation may give the labels as they are. */
static double least_square(const double *observed, int32_t n_latent)
{
    return scs_vector_dot(observed, observed, n_latent) * (1 - 1e-9);
}

/* The combinations that permutations are counted of. */
typedef struct judged {
    const scs_method *method;
    const scs_combination *const *target;
    int64_t n;
    scs_sources **kept; /* [n] of an exchangeable method, whose weights are those of any labels; of
                           others NULL */
    double *least;      /* [n] squared length that a permuted shift must have to count */
} judged;

/* Of the means as they are now. @param[out] delta [n_latent] */
static scs_status judged_shift(const scs_replica *r, const judged *j, int64_t i, double *delta)
{
    if (!j->kept[i])
        return replica_shift(r, j->method, j->target[i], delta);
    scs_shift_sources_latent(&r->atlas, j->kept[i], delta);
    return SCS_OK;
}

/* The real shifts, and weights that stay. */
static scs_status judge_real(const scs_replica *r, judged *j, double *delta)
{
    SCS_TRY(SCS_ALLOC(j->kept, j->n));
    SCS_TRY(SCS_ALLOC(j->least, j->n));
    for (int64_t i = 0; i < j->n; i++) {
        SCS_TRY(replica_shift(r, j->method, j->target[i], delta));
        j->least[i] = least_square(delta, r->atlas.n_latent);
        if (j->method->exchangeable)
            SCS_TRY(scs_shift_sources_copy(r->sources, &j->kept[i]));
    }
    return SCS_OK;
}

static void clear_judged(judged *j)
{
    for (int64_t i = 0; j->kept && i < j->n; i++)
        scs_shift_sources_destroy(&j->kept[i]);
    free(j->kept);
    free(j->least);
}

/* The replica's means of the permuted groups are the atlas' own again: bytes, not a difference. */
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

/* Counts and not shifts are kept: 4 bytes a row however many permutations there are. */
scs_status scs_resample_replica_count(scs_replica *r, const scs_method *method,
                                      const scs_permutation *p,
                                      const scs_combination *const *target, int64_t n_target,
                                      double *delta, int32_t *count)
{
    judged j = {.method = method, .target = target, .n = n_target};
    scs_status st;

    memset(count, 0, (size_t)n_target * sizeof *count);
    st = judge_real(r, &j, delta);
    for (int64_t b = 0; b < p->n && st == SCS_OK; b++) {
        scs_resample_permutation_draw(p, b, r->atlas.mean);
        for (int64_t i = 0; i < n_target && st == SCS_OK; i++) {
            st = judged_shift(r, &j, i, delta);
            count[i] += scs_vector_dot(delta, delta, r->atlas.n_latent) >= j.least[i];
        }
    }
    restore(r, p);
    clear_judged(&j);
    return st;
}

/* ---- standard error of a shift ---- */

/* Running mean and squared deviations per gene (Welford 1962). */
typedef struct spread {
    int64_t n;
    double *mean, *square;
} spread;

/* One more replicate's shift, in one pass: replicates are not kept. @param shift [n_gene] */
static void add_shift(spread *s, const float *shift, int32_t n_gene)
{
    s->n++;
    for (int32_t g = 0; g < n_gene; g++) {
        double off = shift[g] - s->mean[g];

        s->mean[g] += off / (double)s->n;
        s->square[g] += off * (shift[g] - s->mean[g]);
    }
}

/* Sampling variance of the sources' change of a gene, times the square of its share: sum over
 * groups of w^2 var / n. The decoded replicates do not have it, as the change in gene space is
 * not drawn. */
static double source_error(const scs_atlas *a, double share, const scs_sources *sources,
                           int32_t gene)
{
    double sum = 0;

    for (int32_t i = 0; i < sources->n && share > 0; i++) {
        int64_t g = sources->group[i];

        sum += sources->weight[i] * sources->weight[i] * a->gene_variance[g * a->n_gene + gene] /
               (double)a->group[g].count;
    }
    return share * share * sum;
}

/* Zeroed sums and one replicate's arrays; the caller frees them, also after a failure. */
static scs_status allocate(spread *s, double **shifted, scs_prediction *out, int32_t n_gene)
{
    SCS_TRY(SCS_ALLOC(s->mean, n_gene));
    SCS_TRY(SCS_ALLOC(s->square, n_gene));
    SCS_TRY(SCS_ALLOC(*shifted, n_gene));
    SCS_TRY(SCS_ALLOC(out->mean, n_gene));
    return SCS_ALLOC(out->shift, n_gene);
}

/* Each replicate's shift is decoded for all control cells' mean (decode.h) and put together as
 * the row's was; nothing of a replicate is kept but two running sums a gene. */
scs_status scs_resample_shift_error(const scs_atlas *atlas, const scs_decoder *decoder,
                                    const scs_method *method, const scs_sources *sources,
                                    const scs_real *z, int64_t n, const double *delta,
                                    int64_t n_replicate, const scs_evidence *from, float *se)
{
    scs_evidence one = *from;
    scs_prediction out = {0};
    spread s = {0};
    double *shifted = NULL, own = scs_predict_own_share(method, from);
    scs_status st;

    SCS_GO(st, allocate(&s, &shifted, &out, atlas->n_gene));
    one.shifted.mean = shifted;
    for (int64_t b = 0; b < n_replicate; b++) {
        SCS_GO(st, scs_decode_moments(decoder, z, n, delta + b * atlas->n_latent, shifted, NULL));
        scs_predict(method, atlas->n_gene, &one, &out);
        add_shift(&s, out.shift, atlas->n_gene);
    }
    for (int32_t g = 0; g < atlas->n_gene; g++)
        se[g] = (float)sqrt((s.n > 1 ? s.square[g] / (double)(s.n - 1) : 0) +
                            source_error(atlas, own, sources, g));
done:
    free(out.shift);
    free(out.mean);
    free(shifted);
    free(s.square);
    free(s.mean);
    return st;
}
