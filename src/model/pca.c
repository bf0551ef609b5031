/* Principal components as a model: encoding sparse cells, and moments of decoded cells without
 * decoding.
 *
 * Centring would fill the zeros, so z = L'(x - c) is taken as L'x - L'c: the second part once a
 * call, the first from the entries that are there, O(nnz k) for k components. Decoding is linear,
 * so that
 *
 *   mean_g = c_g + l_g . (avg z + delta)          variance_g = l_g' Cov(z) l_g
 *
 * from k numbers and a [k, k] matrix: O(n k^2 + n_gene k^2) instead of O(n n_gene k). A shift
 * moves the mean and leaves the variance. The components themselves are computed in mpi/pca. All
 * functions are Local.
 */
#include "src/model/pca.h"

#include "src/base/vector.h"
#include "src/data/packed.h"
#include "scscreen/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

scs_status scs_pca_create(int32_t n_gene, int32_t n_component, scs_pca **pca)
{
    scs_pca *p;
    scs_status st;

    SCS_TRY(SCS_ALLOC(*pca, 1));
    p = *pca;
    p->n_gene = n_gene;
    p->n_component = n_component;
    SCS_GO(st, SCS_ALLOC(p->center, n_gene));
    SCS_GO(st, SCS_ALLOC(p->loading, (int64_t)n_gene * n_component));
    SCS_GO(st, SCS_ALLOC(p->variance, n_component));
    return SCS_OK;
done:
    scs_pca_destroy(pca);
    return st;
}

void scs_pca_destroy(scs_pca **pca)
{
    if (!*pca)
        return;
    free((*pca)->center);
    free((*pca)->loading);
    free((*pca)->variance);
    free(*pca);
    *pca = NULL;
}

/* A component's sign is arbitrary; fixed, so that results can be compared between runs and with
 * scanpy's. */
void scs_pca_orient(scs_pca *pca)
{
    int64_t k = pca->n_component;

    for (int64_t c = 0; c < k; c++) {
        double largest = 0;

        for (int64_t g = 0; g < pca->n_gene; g++)
            /* Strictly: of equal ones the lowest gene counts. */
            if (fabs(pca->loading[g * k + c]) > fabs(largest))
                largest = pca->loading[g * k + c];
        for (int64_t g = 0; g < pca->n_gene && largest < 0; g++)
            pca->loading[g * k + c] = -pca->loading[g * k + c];
    }
}

double scs_pca_share(const scs_pca *pca)
{
    double sum = 0;

    for (int32_t c = 0; c < pca->n_component; c++)
        sum += pca->variance[c];
    return sum / pca->total_variance;
}

/* -L'c: components of x = 0, to be added to every cell's.
 *  @param[out] origin [n_component] zeroed before */
static void encode_origin(const scs_pca *pca, double *origin)
{
    int64_t k = pca->n_component;

    for (int64_t g = 0; g < pca->n_gene; g++)
        scs_vector_add(origin, pca->loading + g * k, -pca->center[g], k);
}

/* @param sum [n_component] scratch, in double
 *  @param[out] z [n_component] */
static void encode_cell(const scs_pca *pca, scs_row cell, const double *origin, double *sum,
                        scs_real *z)
{
    int64_t k = pca->n_component;

    memcpy(sum, origin, (size_t)k * sizeof *sum);
    for (int64_t i = 0; i < cell.n; i++)
        scs_vector_add(sum, pca->loading + scs_row_gene(&cell, i) * k, scs_row_value(&cell, i), k);
    for (int64_t c = 0; c < k; c++)
        z[c] = (scs_real)sum[c];
}

scs_status scs_pca_encode(const scs_pca *pca, const scs_packed *x, int64_t row0, int64_t n,
                          scs_real *z)
{
    int64_t k = pca->n_component;
    double *origin = NULL, *sum = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(origin, k));
    SCS_GO(st, SCS_ALLOC(sum, k));
    encode_origin(pca, origin);
    for (int64_t i = 0; i < n; i++)
        encode_cell(pca, scs_packed_row(x, row0 + i), origin, sum, z + i * k);
done:
    free(origin);
    free(sum);
    return st;
}

/* @param z [n, k]
 *  @param[out] mean [k] zeroed before */
static void latent_mean(const scs_real *z, int64_t n, int64_t k, double *mean)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < k; c++)
            mean[c] += z[i * k + c];
    for (int64_t c = 0; c < k; c++)
        mean[c] /= (double)n;
}

/* Covariance (ddof 0) of the cells' components, in two passes.
 *  @param[out] spread [k, k] zeroed before */
static void latent_spread(const scs_real *z, int64_t n, int64_t k, const double *mean,
                          double *spread)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < k; c++)
            for (int64_t d = 0; d < k; d++)
                spread[c * k + d] +=
                    (z[i * k + c] - mean[c]) * (z[i * k + d] - mean[d]) / (double)n;
}

/* l' S l, which is not negative but for rounding.
 *  @param spread [k, k] S */
static double quadratic(const double *l, const double *spread, int64_t k)
{
    double sum = 0;

    for (int64_t c = 0; c < k; c++)
        sum += l[c] * scs_vector_dot(l, spread + c * k, k);
    return sum > 0 ? sum : 0;
}

/* @param middle [k] mean components of the shifted cells
 *  @param[out] mean, variance [n_gene]; variance may be NULL */
static void decode(const scs_pca *pca, const double *middle, const double *spread, double *mean,
                   double *variance)
{
    int64_t k = pca->n_component;

    for (int64_t g = 0; g < pca->n_gene; g++) {
        const double *l = pca->loading + g * k;

        mean[g] = pca->center[g] + scs_vector_dot(l, middle, k);
        if (variance)
            variance[g] = quadratic(l, spread, k);
    }
}

/* delta is added to the mean of the components; the spread is that of the unshifted cells. */
scs_status scs_pca_decoded_moments(const scs_pca *pca, const scs_real *z, int64_t n,
                                   const double *delta, double *mean, double *variance)
{
    int64_t k = pca->n_component;
    double *middle = NULL, *spread = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(middle, k));
    SCS_GO(st, SCS_ALLOC(spread, variance ? k * k : 0));
    latent_mean(z, n, k, middle);
    if (variance)
        latent_spread(z, n, k, middle, spread);
    if (delta)
        scs_vector_add(middle, delta, 1, k);
    decode(pca, middle, spread, mean, variance);
done:
    free(middle);
    free(spread);
    return st;
}
