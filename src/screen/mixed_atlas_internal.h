/** What the files of an atlas' mixed model share: the model and the groups behind its numbers. */
#ifndef SCS_MIXED_ATLAS_INTERNAL_H
#define SCS_MIXED_ATLAS_INTERNAL_H

#include "src/screen/mixed_atlas.h"
#include "src/screen/mixed_internal.h"

/* The design borrows its arrays from here, so neither may go before the model. */
struct scs_mixed_atlas {
    scs_mixed_design design;                 /* its arrays are those below */
    int32_t n_group, *context_of, *shift_of; /* [n_group] numbers in the model, or -1 */
    int32_t *context, *shift;                /* groups: [n_context], [n_shift] */
    int32_t *control_of;                     /* [n_shift] the control beside it */
    int32_t *species, *type;                 /* [n_context] */
    scs_mixed_shift *seen, *asked;           /* [n_shift], [n_condition] without context */
    double *distance, *gram, *control_noise, *noise;
    double *place, *product; /* coordinates in the place of distance and gram */
    int32_t n_place, n_product;
    double *likeness; /* [perturbations, perturbations] or NULL */
    double *pooled;   /* [n_gene] variance of cells within groups (ddof 1), of all groups */
    double *response; /* [n_gene] sum over shifts of their square less its noise */
    scs_mixed *model;
};

#endif
