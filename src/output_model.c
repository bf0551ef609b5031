#include "src/output_model.h"

/* Dense multiply-adds that take the time of one of a sparse product (OpenBLAS beside src/sparse.c,
 * both on one core with AVX-512). */
static const double sparse_cost = 2.5;

bool scs_output_factors(const scs_arch *arch, double n_global, double density)
{
    double n_gene = arch->n_gene, d = arch->n_hidden;
    /* x_hat, its gradient times W, its gradient times H */
    double dense = 3 * n_global * n_gene * d;
    /* X W and X'H; of W'W and H'H the upper triangles; H (W'W) and W (H'H) */
    double factored =
        2 * sparse_cost * density * n_global * n_gene * d + 1.5 * d * d * (n_gene + n_global);

    return !arch->output_relu && factored < dense;
}

bool scs_output_splits(const scs_arch *arch, int64_t n_global)
{
    return 2 * n_global <= arch->n_gene;
}
