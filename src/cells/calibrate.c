/* The correction is a ratio of means, half a count added to both: a gene that came to no count is
 * not multiplied by infinity. */
#include "src/cells/calibrate.h"

#include <math.h>

static const double unit = 1024, most = 4;

void scs_calibrate_add(const scs_cell_block *block, int64_t *sum)
{
    for (int64_t i = 0; i < block->n; i++)
        for (int64_t k = block->indptr[i]; k < block->indptr[i + 1]; k++)
            sum[block->gene[k]] +=
                llround(unit * 1e6 * block->count[k] / (double)block->library[i]);
}

void scs_calibrate_correct(const double *wanted, const int64_t *sum, int64_t n, int64_t counts,
                           int32_t n_gene, double *mean)
{
    double half = counts > 0 ? .5e6 / (double)counts : 0;

    for (int32_t g = 0; g < n_gene && n > 0 && counts > 0; g++) {
        double came = (double)sum[g] / unit / (double)n;
        double factor = (wanted[g] + half) / (came + half);

        mean[g] *= fmin(most, fmax(1 / most, factor));
    }
}
