/** Small models and cells for tests: sizes that a test can afford to go through element by element.
 */
#ifndef SCS_TESTS_FIXTURE_MODEL_H
#define SCS_TESTS_FIXTURE_MODEL_H

#include "scscreen/model.h"
#include "src/data/csr.h"

#include <stdbool.h>
#include <string.h>

/** The constants of a profile (scs_profile) with dropout 0.2. */
scs_arch dropout_arch(int profile, int32_t n_gene, int32_t n_hidden, int32_t n_latent);
/** Whether two models of one shape have the same weights and running statistics, bit for bit. */
static inline bool same_model(const scs_model *a, const scs_model *b)
{
    return a->n_param == b->n_param && a->n_running == b->n_running &&
           memcmp(a->param, b->param, (size_t)a->n_param * sizeof *a->param) == 0 &&
           memcmp(a->running, b->running, (size_t)a->n_running * sizeof *a->running) == 0;
}

/** n cells with about `density` non-zeros, values in (0, 3), from counter-based numbers. */
SCS_MUST_USE scs_status random_cells(int64_t n, int32_t n_gene, double density, uint64_t seed,
                                     scs_csr *x);
/** first, first + 1, ...: n numbers that the caller frees; NULL when memory is out. */
int64_t *number_range(int64_t first, int64_t n);

#endif
