/* The audit of a validation (audit.h). Cells are looked up by their labels and groups by the grid's
 * own list, not by the roles and flags that are audited; what must not be used becomes NaN, which
 * no sum loses. O(cells log groups) for the count, else O(held-out groups). All functions are
 * Local. */
#include "src/crossval/audit.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* @param held ascending */
static bool is_held(int32_t group, const int32_t *held, int64_t n_held)
{
    return bsearch(&group, held, (size_t)n_held, sizeof group, ascending) != NULL;
}

/* O(cells); the count is 0 unless training saw what it should not have seen. */
scs_status scs_audit_count(const scs_atlas *atlas, const scs_dataset *d, const int32_t *held,
                           int64_t n_held, const int64_t *cell, int64_t n_cell, int64_t *n_seen)
{
    bool *is;

    SCS_TRY(SCS_ALLOC(is, atlas->n_group));
    for (int64_t i = 0; i < n_held; i++)
        is[held[i]] = true;
    for (int64_t i = 0; i < n_cell; i++) {
        int64_t c = cell[i];
        int32_t group =
            scs_atlas_group(atlas, d->cell_species[c], d->cell_type[c], d->cell_condition[c]);

        *n_seen += group >= 0 && is[group];
    }
    free(is);
    return SCS_OK;
}

/* NaN spreads into whatever it is used in, so that a prediction made from it cannot pass for one
 * that was not. */
void scs_audit_hide(scs_atlas *a, const int32_t *held, int64_t n_held)
{
    for (int64_t i = 0; i < n_held; i++) {
        int64_t group = held[i];

        for (int64_t g = group * a->n_gene; g < (group + 1) * a->n_gene; g++)
            a->gene_mean[g] = a->gene_variance[g] = NAN;
        for (int64_t k = group * a->n_latent; k < (group + 1) * a->n_latent; k++)
            a->mean[k] = NAN;
        for (int64_t k = 0, d = a->n_latent; a->second && k < d * d; k++)
            a->second[group * d * d + k] = NAN;
        for (int k = 0; k < SCS_N_DEG; k++)
            a->deg[group * SCS_N_DEG + k] = -1;
    }
}

/* SCS_EINTERNAL: it is this program that is at fault, not the data. */
scs_status scs_audit_sources(const scs_combination *target, const scs_sources *sources,
                             const int32_t *held, int64_t n_held, const char *who)
{
    SCS_REQUIRE(!is_held(target->control_group, held, n_held), SCS_EINTERNAL,
                "audit: the controls of a row are held out");
    for (int32_t i = 0; i < sources->n; i++)
        SCS_REQUIRE(!is_held(sources->group[i], held, n_held), SCS_EINTERNAL,
                    "audit: a shift of %s was made from cells that are held out", who);
    return SCS_OK;
}

/* The other half of scs_audit_hide. */
scs_status scs_audit_finite(const double *number, int64_t n, const char *who)
{
    for (int64_t i = 0; i < n; i++)
        SCS_REQUIRE(isfinite(number[i]), SCS_EINTERNAL,
                    "audit: a prediction of %s has a part that is no number, as if made from cells "
                    "that are held out",
                    who);
    return SCS_OK;
}
