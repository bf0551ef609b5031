/* Mean and variance over cells of dec(z + delta), without decoding the cells. All functions are
 * Local.
 *
 * The output layer is linear in the last hidden activations h, so that only their moments are
 * needed:
 *
 *     mean_g = w_g' mean(h) + b_g        variance_g = w_g' Cov(h) w_g
 *
 * Cost: the hidden layers of n cells, n d^2 for Cov(h) and G d^2 for the genes, where decoding
 * takes n G d. The mean alone takes n d + G d. For few cells decoding is the cheaper way to a
 * variance, and with an output ReLU it is the only one: then blocks of cells are decoded. Which
 * way is taken depends on n, G and d alone.
 *
 * Sums are in double, and moments are joined block by block about their own mean (Chan, Golub,
 * LeVeque 1983): nothing is lost where the spread is small beside the mean.
 */
#include "src/screen/decode.h"

#include "src/base/simd.h"
#include "src/model/pca.h"
#include "src/screen/confidence.h"
#include "scscreen/screen.h"

#include <cblas.h>
#include <stdlib.h>

/* Blocks are fixed, so that the shapes of BLAS calls depend on the number of cells only. */
enum { CELL_BLOCK = 256, GENE_BLOCK = 256 };

/* Cells z + delta, a block at a time. */
typedef struct shifted_cells {
    const scs_model *model;
    const scs_real *z;   /* [n, n_latent] */
    const double *delta; /* [n_latent] or NULL */
    int64_t n;
    scs_real *shifted; /* [CELL_BLOCK, n_latent] z + delta of the block */
} shifted_cells;

/* Mean and centred products over the cells so far (Chan, Golub, LeVeque 1983): nothing is
 * lost where the spread is small beside the mean. */
typedef struct hidden_moments {
    int64_t n;
    int32_t d;
    double *mean;    /* [d] */
    double *product; /* [d, d] upper triangle of sum (h - mean)(h - mean)', or NULL */
    double *centred; /* [CELL_BLOCK, d] scratch */
    double *block;   /* [d] scratch: the block's mean, then its distance from the mean */
} hidden_moments;

/* Cells of the block from `first`. */
static int32_t block_size(const shifted_cells *c, int64_t first)
{
    return (int32_t)(c->n - first < CELL_BLOCK ? c->n - first : CELL_BLOCK);
}

/* @return cells in the block, which lie in c->shifted */
SCS_VECTOR static int32_t shift_block(const shifted_cells *c, int64_t first)
{
    int32_t n = block_size(c, first), d = c->model->arch.n_latent;
    const scs_real *z = c->z + first * d;

    for (int64_t i = 0; i < (int64_t)n * d; i++)
        c->shifted[i] = (scs_real)(z[i] + (c->delta ? c->delta[i % d] : 0));
    return n;
}

/* Mean of each column, in double, in the order of the rows: lanes run over columns, so that
 * vectors change no sum. @param x [n, d]  @param[out] mean [d] */
SCS_VECTOR static void column_means(const scs_real *x, int32_t n, int32_t d, double *mean)
{
    for (int32_t j = 0; j < d; j++)
        mean[j] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int32_t j = 0; j < d; j++)
            mean[j] += x[i * d + j];
    for (int32_t j = 0; j < d; j++)
        mean[j] /= n;
}

/* Joins the moments of n more cells: the mean moves by share x their distance, and the products
 * gain that distance's own square. @param h [n, d] */
static void add_block(hidden_moments *m, const scs_real *h, int32_t n)
{
    int32_t d = m->d;
    double all = (double)(m->n + n), share = n / all;

    column_means(h, n, d, m->block);
    for (int64_t i = 0; m->product && i < (int64_t)n * d; i++)
        m->centred[i] = h[i] - m->block[i % d];
    for (int32_t j = 0; j < d; j++) {
        m->block[j] -= m->mean[j];
        m->mean[j] += share * m->block[j];
    }
    if (m->product) {
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, n, 1, m->centred, d, 1, m->product,
                    d);
        cblas_dsyr(CblasRowMajor, CblasUpper, d, share * (double)m->n, m->block, 1, m->product, d);
    }
    m->n += n;
}

/* Zeroed. @param with_product whether a covariance is wanted. SCS_ENOMEM */
static scs_status allocate_hidden(hidden_moments *m, int32_t d, bool with_product)
{
    m->d = d;
    SCS_TRY(SCS_ALLOC(m->mean, d));
    SCS_TRY(SCS_ALLOC(m->block, d));
    if (!with_product)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(m->product, (int64_t)d * d));
    return SCS_ALLOC(m->centred, (int64_t)CELL_BLOCK * d);
}

static void free_hidden(hidden_moments *m)
{
    free(m->mean);
    free(m->product);
    free(m->centred);
    free(m->block);
}

/* Moments of the last hidden activations over all cells. SCS_ENOMEM. */
static scs_status hidden_of_cells(const shifted_cells *c, hidden_moments *m)
{
    scs_real *h;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(h, (int64_t)CELL_BLOCK * m->d));
    for (int64_t i = 0; i < c->n && st == SCS_OK; i += CELL_BLOCK) {
        int32_t n = shift_block(c, i);

        SCS_GO(st, scs_model_decode_hidden(c->model, c->shifted, n, h));
        add_block(m, h, n);
    }
done:
    free(h);
    return st;
}

/* The values of one of its two tensors, in the model. */
static const scs_real *output_layer(const scs_model *model, const char *name)
{
    return scs_model_data(model, scs_model_find(model, name));
}

/* In vector lanes, whose sums have another order than scs_vector_dot's. */
SCS_VECTOR static double dot(const scs_real *a, const double *b, int32_t n)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* mean_g = w_g' mean(h) + b_g */
static void output_mean(const scs_model *model, const hidden_moments *m, double *mean)
{
    const scs_real *weight = output_layer(model, "decoder.linear_out.weight");
    const scs_real *bias = output_layer(model, "decoder.linear_out.bias");

    for (int32_t g = 0; g < model->arch.n_gene; g++)
        mean[g] = bias[g] + dot(weight + (int64_t)g * m->d, m->mean, m->d);
}

/* variance_g = w_g' Cov(h) w_g, by blocks of genes; in double, as the terms cancel where a gene
 * hardly varies. What rounding leaves below 0 becomes 0. SCS_ENOMEM. */
static scs_status output_variance(const scs_model *model, const hidden_moments *m, double *variance)
{
    const scs_real *weight = output_layer(model, "decoder.linear_out.weight");
    int32_t d = m->d, n_gene = model->arch.n_gene;
    double *w, *wc;

    SCS_TRY(SCS_ALLOC(w, (int64_t)2 * GENE_BLOCK * d));
    wc = w + (int64_t)GENE_BLOCK * d;
    for (int32_t g = 0; g < n_gene; g += GENE_BLOCK) {
        int32_t n = n_gene - g < GENE_BLOCK ? n_gene - g : GENE_BLOCK;

        for (int64_t i = 0; i < (int64_t)n * d; i++)
            w[i] = weight[(int64_t)g * d + i];
        cblas_dsymm(CblasRowMajor, CblasRight, CblasUpper, n, d, 1 / (double)m->n, m->product, d, w,
                    d, 0, wc, d);
        for (int64_t i = 0; i < n; i++) {
            double v = cblas_ddot(d, w + i * d, 1, wc + i * d, 1);

            variance[g + i] = v > 0 ? v : 0;
        }
    }
    free(w);
    return SCS_OK;
}

/* The output is linear: from the moments of h. @param variance may be NULL */
static scs_status by_hidden_moments(const shifted_cells *c, double *mean, double *variance)
{
    hidden_moments m = {0};
    scs_status st;

    SCS_GO(st, allocate_hidden(&m, c->model->arch.n_hidden, variance != NULL));
    SCS_GO(st, hidden_of_cells(c, &m));
    output_mean(c->model, &m, mean);
    if (variance)
        SCS_GO(st, output_variance(c->model, &m, variance));
done:
    free_hidden(&m);
    return st;
}

/* Folds n decoded cells into the mean and the squared deviations (or NULL) of the cells before,
 * as add_block does for hidden activations, but without products.
 * @param block [n_gene] scratch */
static void add_decoded(const scs_real *x, int32_t n, int32_t n_gene, int64_t before, double *block,
                        double *mean, double *square)
{
    double share = n / (double)(before + n);

    column_means(x, n, n_gene, block);
    for (int64_t i = 0; square && i < n; i++)
        for (int32_t g = 0; g < n_gene; g++) {
            double off = x[i * n_gene + g] - block[g];

            square[g] += off * off;
        }
    for (int32_t g = 0; g < n_gene; g++) {
        double off = block[g] - mean[g];

        mean[g] += share * off;
        if (square)
            square[g] += share * (double)before * off * off;
    }
}

/* Decodes blocks of cells. @param variance may be NULL */
static scs_status by_decoding(const shifted_cells *c, double *mean, double *variance)
{
    int32_t n_gene = c->model->arch.n_gene;
    scs_real *x = NULL;
    double *block = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(x, (int64_t)CELL_BLOCK * n_gene));
    SCS_GO(st, SCS_ALLOC(block, n_gene));
    for (int32_t g = 0; g < n_gene; g++)
        mean[g] = 0;
    for (int32_t g = 0; variance && g < n_gene; g++)
        variance[g] = 0;
    for (int64_t i = 0; i < c->n; i += CELL_BLOCK) {
        int32_t n = shift_block(c, i);

        SCS_GO(st, scs_model_decode(c->model, c->shifted, n, x));
        add_decoded(x, n, n_gene, i, block, mean, variance);
    }
    for (int32_t g = 0; variance && g < n_gene; g++)
        variance[g] /= (double)c->n;
done:
    free(x);
    free(block);
    return st;
}

/* Multiplications of either way, those in double counted twice. */
static bool decoding_is_cheaper(int64_t n, double n_gene, double d)
{
    return (double)n * n_gene < 2 * d * ((double)n + n_gene);
}

/* The way depends on n, n_gene and n_hidden alone, so that all ranks take the same. */
scs_status scs_decode_model_moments(const scs_model *model, const scs_real *z, int64_t n,
                                    const double *delta, double *mean, double *variance)
{
    const scs_arch *arch = &model->arch;
    shifted_cells c = {model, z, delta, n, NULL};
    scs_status st;

    SCS_REQUIRE(n > 0, SCS_EARG, "no cells to average");
    SCS_TRY(SCS_ALLOC(c.shifted, (int64_t)CELL_BLOCK * arch->n_latent));
    if (arch->output_relu || (variance && decoding_is_cheaper(n, arch->n_gene, arch->n_hidden)))
        st = by_decoding(&c, mean, variance);
    else
        st = by_hidden_moments(&c, mean, variance);
    free(c.shifted);
    return st;
}

scs_status scs_decode_moments(const scs_decoder *decoder, const scs_real *z, int64_t n,
                              const double *delta, double *mean, double *variance)
{
    if (decoder->pca)
        return scs_pca_decoded_moments(decoder->pca, z, n, delta, mean, variance);
    return scs_decode_model_moments(decoder->model, z, n, delta, mean, variance);
}
