#include "scscreen/screen.h"

/* NULL arrays of variance all come together. */
static double edited(double control, double moved, double still)
{
    double x = control + moved - still;

    return x > 0 ? x : 0;
}

void scs_predict(int decode, int32_t n_gene, const float *control_mean,
                 const float *control_variance, const double *moved_mean,
                 const double *moved_variance, const double *still_mean,
                 const double *still_variance, scs_prediction *out)
{
    bool edit = decode == SCS_DECODE_EDIT;

    for (int32_t g = 0; g < n_gene; g++) {
        out->mean[g] =
            (float)(edit ? edited(control_mean[g], moved_mean[g], still_mean[g]) : moved_mean[g]);
        out->shift[g] = out->mean[g] - control_mean[g];
    }
    for (int32_t g = 0; out->variance && g < n_gene; g++)
        out->variance[g] =
            (float)(edit ? edited(control_variance[g], moved_variance[g], still_variance[g])
                         : moved_variance[g]);
}
