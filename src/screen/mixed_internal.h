/** What the mixed model's files share: the model itself and the covariance of its rows (mixed.h
 *  has the equations). All functions are Local.
 *
 *  A row is a control mean or a shift. The covariance of two shifts is a sum of terms, each a
 *  variance times a factor of their perturbations times a factor of their contexts, and what
 *  shared controls and convergence add. The files:
 *
 *      mixed.c               checks a design, finds the terms that have a place, chooses the sample
 *      mixed_covariance.c    the factors, the covariance and its inverse
 *      mixed_fit.c           restricted likelihood, its gradient, the estimates
 *      mixed_predict.c       the weights of one prediction
 *      mixed_blocks.c        the same from one factorisation, where shifts are very many
 */
#ifndef SCS_MIXED_INTERNAL_H
#define SCS_MIXED_INTERNAL_H

#include "src/screen/mixed.h"

/** What a term's factor of perturbations is: 1 for all; the product of the two strengths where
 *  both are the same one, else 0; that product times the likeness of the two. */
enum { SCS_ANY_PERTURBATION, SCS_SAME_PERTURBATION, SCS_LIKE_PERTURBATION, SCS_BY_PERTURBATION };
/* What its factor of contexts is: 1 for all; likeness with the first length, with the second (under
 * one perturbation); 1 within a species, 1 within a cell type. */
enum {
    SCS_ANY_CONTEXT,
    SCS_LIKE_CONTEXT,
    SCS_LIKE_CONTEXT_TOO,
    SCS_SAME_SPECIES,
    SCS_SAME_TYPE,
    SCS_BY_CONTEXT
};
/* Places in scs_mixed_hyper.length. */
enum { SCS_CONTEXT_LENGTH, SCS_PERTURBED_LENGTH, SCS_DOSE_LENGTH, SCS_PERTURBATION_LENGTH };

/* A term of the covariance: its two factors. */
typedef struct scs_mixed_term {
    const char *name;
    int perturbation, context;
    double share; /* of the shifts' mean square: the prior's centre */
} scs_mixed_term;
extern const scs_mixed_term scs_mixed_terms[SCS_MIXED_TERMS];

/* A control mean (perturbation -1) or a shift. */
typedef struct scs_mixed_row {
    int32_t context, perturbation, number; /* number in the design */
    double dose, noise;
} scs_mixed_row;

struct scs_mixed {
    scs_mixed_design d;        /* its arrays are borrowed; all others here are owned */
    bool has[SCS_MIXED_TERMS]; /* terms that have a place */
    scs_mixed_hyper h;
    double *strength, *convergence; /* [n_perturbation] */
    double *base; /* [n_context, n_context] B; with coordinates [n_context, n_product], whose
                     products are B */
    double context_unit, dose_unit, perturbation_unit; /* of lengths: median squared distance of
                                                          contexts, largest dose, median squared
                                                          distance of perturbations */
    scs_mixed_row *shift; /* [n_shift] by context, perturbation, dose */
    int32_t n_sample_context, n_sample_shift;
    int32_t *sample_context, *sample_shift;
    int32_t n_row;                   /* 0: too many for one inverse */
    scs_mixed_row *rows;             /* [n_row] control means, then shifts */
    double *inverse;                 /* [n_row, n_row] less what estimating mu costs */
    struct scs_mixed_blocks *blocks; /* of so many rows, where they take this form; or NULL */
};

/* Sums in vector lanes, so that their bits are those of one kind of machine, as BLAS's are. */
static inline double scs_mixed_product(const double *a, const double *b, int64_t n)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Squared distance of two contexts. */
static inline double scs_mixed_distance(const scs_mixed *m, int64_t a, int64_t b)
{
    const double *x, *y;
    double sum = 0;

    if (!m->d.place)
        return m->d.distance[a * m->d.n_context + b];
    x = m->d.place + a * m->d.n_place;
    y = m->d.place + b * m->d.n_place;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < m->d.n_place; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
}

/* B of two contexts. */
static inline double scs_mixed_base(const scs_mixed *m, int64_t a, int64_t b)
{
    int64_t n = m->d.n_product;

    return m->d.place ? scs_mixed_product(m->base + a * n, m->base + b * n, n)
                      : m->base[a * m->d.n_context + b];
}

/* How far two shifts are from each other, in the lengths' units; and the factors that follow. */
typedef struct scs_mixed_relation {
    double context_distance, perturbation_distance;
    double dose_slope; /* of the doses' factor by the logarithm of its length, as a share of it */
    double perturbation[SCS_BY_PERTURBATION], context[SCS_BY_CONTEXT];
} scs_mixed_relation;
/* Both rows as shifts: where one of them is a control mean this has no meaning. */
void scs_mixed_relate(const scs_mixed *model, const scs_mixed_row *a, const scs_mixed_row *b,
                      scs_mixed_relation *relation);
/* What one term adds to the covariance. */
double scs_mixed_term_value(const scs_mixed *model, int term, const scs_mixed_relation *relation);
/* How u(c) enters a row: 1 in a control mean, -beta in a shift (in proportion to its dose). */
double scs_mixed_convergence(const scs_mixed *model, const scs_mixed_row *a);

/* The row of a context's control mean. */
scs_mixed_row scs_mixed_control(int32_t context);
/* Covariance of two rows, but for what only one of them has: the noise of its perturbed cells. */
double scs_mixed_covariance(const scs_mixed *model, const scs_mixed_row *a, const scs_mixed_row *b);
/* P: the inverse of all rows' covariance, less what estimating mu, the level of the control means,
 * costs. The first n_control rows are control means.
 *  @param[out] p [n, n], lost where it has none
 *  @param[out] log_determinant of the covariance and of the information about mu; INFINITY: it is
 *  not positive definite */
SCS_MUST_USE scs_status scs_mixed_invert(const scs_mixed *model, const scs_mixed_row *rows,
                                         int32_t n, int32_t n_control, double *p,
                                         double *log_determinant);

/* Inverse of a symmetric matrix, in place. @param k [n, n]  @param[out] log_determinant INFINITY:
 * not positive definite, the matrix is lost */
void scs_mixed_cholesky_inverse(double *k, int32_t n, double *log_determinant);

/* All shifts at once, where their covariance has blocks. */
typedef struct scs_mixed_blocks scs_mixed_blocks;
/* After the estimates, which may not change while it is there. @param[out] blocks NULL where the
 * design does not take this form or needs too much memory; the caller destroys it
 * @return SCS_ENOMEM, SCS_EINTERNAL */
SCS_MUST_USE scs_status scs_mixed_blocks_create(const scs_mixed *model, scs_mixed_blocks **blocks);
/* Sets *blocks to NULL; it may be NULL. */
void scs_mixed_blocks_destroy(scs_mixed_blocks **blocks);
/* As scs_mixed_predict. @param[out] done false: other shifts than the target's own are left out,
 * and nothing was done */
SCS_MUST_USE scs_status scs_mixed_blocks_predict(const scs_mixed *model,
                                                 const scs_mixed_blocks *blocks,
                                                 const scs_mixed_shift *target,
                                                 const int32_t *left_out, int32_t n_left_out,
                                                 scs_mixed_weights *weights, bool *done);

/* The most shifts of one perturbation. */
int32_t scs_mixed_blocks_most(const scs_mixed_blocks *blocks);
/* What the weights of a perturbation's shifts would be, were it not the target's: R^-1 Z t.
 * @param t [n_context] scs_mixed_weights' common  @param given [most] scratch
 * @param[out] number of the design's shifts, borrowed  @param[out] weight [most]
 * @return how many */
int32_t scs_mixed_blocks_common(const scs_mixed_blocks *blocks, int32_t perturbation,
                                const double *t, double *given, const int32_t **number,
                                double *weight);
/* And what these of all perturbations together take from the control mean of each context: -G t.
 * @param[out] weight [n_context] */
void scs_mixed_blocks_common_controls(const scs_mixed_blocks *blocks, const double *t,
                                      double *weight);
/* A shift's values in some columns. @param number in the design  @param[out] y [n] */
typedef void scs_mixed_fill(void *ctx, int32_t number, int32_t first, int32_t n, double *y);
/* Z'R^-1 Y, what the shifts' sum is by t. @param[out] sum [n_context, n_column]  @return
 * SCS_ENOMEM */
SCS_MUST_USE scs_status scs_mixed_blocks_sums(const scs_mixed_blocks *blocks, scs_mixed_fill *fill,
                                              void *ctx, int32_t n_column, double *sum);

/* Eigenvalues, ascending, and vectors of a symmetric matrix. SCS_EINTERNAL, SCS_ENOMEM.
 *  @param[in,out] a [n, n], then a vector a row  @param[out] values [n] */
SCS_MUST_USE scs_status scs_mixed_eigen(double *a, int32_t n, double *values);
/* After the estimates: get ready to predict. */
SCS_MUST_USE scs_status scs_mixed_get_ready(scs_mixed *model);

/* How much something tells, and where it is. */
typedef struct scs_mixed_rank {
    double value;
    int32_t at;
} scs_mixed_rank;
/* The largest first; of equal ones the first. */
void scs_mixed_sort(scs_mixed_rank *of, int32_t n);

#endif
