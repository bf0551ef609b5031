#include "src/decoder.h"
#include "src/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Running mean and squared deviations per gene (Welford 1962). */
typedef struct spread {
    int64_t n;
    double *mean, *square;
} spread;

static void add_shift(spread *s, const float *shift, int32_t n_gene)
{
    s->n++;
    for (int32_t g = 0; g < n_gene; g++) {
        double off = shift[g] - s->mean[g];

        s->mean[g] += off / (double)s->n;
        s->square[g] += off * (shift[g] - s->mean[g]);
    }
}

/* Sampling variance of the sources' change of a gene, times the square of its share. */
static double source_error(const scs_atlas *a, const scs_method *method, const scs_sources *sources,
                           int32_t gene)
{
    double share = 1 - scs_method_share(method), sum = 0;

    for (int32_t i = 0; i < sources->n && share > 0; i++) {
        int64_t g = sources->group[i];

        sum += sources->weight[i] * sources->weight[i] * a->gene_variance[g * a->n_gene + gene] /
               (double)a->group[g].count;
    }
    return share * share * sum;
}

static scs_status allocate(spread *s, double **moved, scs_prediction *out, int32_t n_gene)
{
    SCS_TRY(SCS_ALLOC(s->mean, n_gene));
    SCS_TRY(SCS_ALLOC(s->square, n_gene));
    SCS_TRY(SCS_ALLOC(*moved, n_gene));
    SCS_TRY(SCS_ALLOC(out->mean, n_gene));
    return SCS_ALLOC(out->shift, n_gene);
}

scs_status scs_shift_error(const scs_atlas *atlas, const scs_decoder *decoder,
                           const scs_method *method, const scs_sources *sources, const scs_real *z,
                           int64_t n, const double *delta, int64_t n_replicate,
                           const scs_evidence *from, float *se)
{
    scs_evidence one = *from;
    scs_prediction out = {0};
    spread s = {0};
    double *moved = NULL;
    scs_status st;

    SCS_GO(st, allocate(&s, &moved, &out, atlas->n_gene));
    one.moved.mean = moved;
    for (int64_t b = 0; b < n_replicate; b++) {
        SCS_GO(st, scs_decoder_moments(decoder, z, n, delta + b * atlas->n_latent, moved, NULL));
        scs_predict(method, atlas->n_gene, &one, &out);
        add_shift(&s, out.shift, atlas->n_gene);
    }
    for (int32_t g = 0; g < atlas->n_gene; g++)
        se[g] = (float)sqrt((s.n > 1 ? s.square[g] / (double)(s.n - 1) : 0) +
                            source_error(atlas, method, sources, g));
done:
    free(out.shift);
    free(out.mean);
    free(moved);
    free(s.square);
    free(s.mean);
    return st;
}
