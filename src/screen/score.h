/** Everything a prediction is measured by, in one table. All functions are Local.
 *
 *  Means are those of a group's cells. DEGs are the observed group's genes by |Wilcoxon z| against
 *  its control (scs_atlas.deg), at most 100. r2_* is what scGen's figures call R2: a squared
 *  Pearson correlation over genes. It is high without any prediction, since control and perturbed
 *  means are alike, so that the same for the control is reported beside it; delta_pearson looks at
 *  the change alone.
 */
#ifndef SCS_SCORE_H
#define SCS_SCORE_H

#include "scscreen/screen.h"

/** In the order of the columns of validation.tsv. */
enum scs_measure {
    SCS_R2_ALL,            /**< squared Pearson of predicted and observed means, all genes */
    SCS_R2_DEG,            /**< the same over the top 100 DEGs */
    SCS_R2_VARIANCE,       /**< squared Pearson of the genes' variances */
    SCS_DELTA_PEARSON,     /**< Pearson of predicted and observed change from control */
    SCS_MSE,               /**< mean over genes of the squared difference of means */
    SCS_MAE,               /**< mean over genes of its absolute value */
    SCS_DEG_OVERLAP_20,    /**< share of the top 20 DEGs among the 20 genes of largest predicted
                              |change| */
    SCS_DEG_OVERLAP_50,    /**< the same with 50 */
    SCS_DEG_OVERLAP_100,   /**< the same with 100 */
    SCS_DEG_DIRECTION,     /**< share of the top 100 DEGs whose predicted change has the sign of the
                              observed one */
    SCS_DISCRIMINATION_L1, /**< 1 - share of the other groups of the same species and cell type
                              (control included) whose mean is nearer to the prediction (L1) than
                              the observed one: 1 = none is */
    SCS_ENERGY_LATENT,     /**< energy distance (V-statistic, not rooted) of predicted and observed
                              cells in the network's latent space */
    SCS_MMD_LATENT, /**< squared MMD (U-statistic; RBF, gamma = 1 / median squared distance of
                       observed cells) there */
    SCS_N_MEASURE
};

/** Column name: "r2_all", "energy_v_latent". @param measure scs_measure  @return static */
const char *scs_score_measure_name(int measure);

/** All measures of means; NaN where undefined. Nothing is said of latent cells (NaN).
 *  @param target with an observed group  @param predicted borrowed
 *  @param[out] value [SCS_N_MEASURE]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_score_measure_means(const scs_atlas *atlas,
                                                const scs_combination *target,
                                                const scs_prediction *predicted, double *value);

#endif
