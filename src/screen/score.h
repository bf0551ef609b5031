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
    SCS_R2_SD,             /**< the same of their standard deviations */
    SCS_DELTA_PEARSON,     /**< Pearson of predicted and observed change from control */
    SCS_DELTA_PERTURBED,   /**< Pearson of predicted and observed difference from the mean of the
                              type's other perturbations */
    SCS_MSE,               /**< mean over genes of the squared difference of means */
    SCS_MAE,               /**< mean over genes of its absolute value */
    SCS_MSE_SHARE,         /**< mse / that of no change */
    SCS_CHANGE_SIZE,       /**< length of the predicted change / that of the observed one */
    SCS_DEG_OVERLAP_20,    /**< share of the top 20 DEGs among the 20 genes of largest predicted
                              |change| */
    SCS_DEG_OVERLAP_50,    /**< the same with 50 */
    SCS_DEG_OVERLAP_100,   /**< the same with 100 */
    SCS_DEG_DIRECTION,     /**< share of the top 100 DEGs whose predicted change has the sign of the
                              observed one */
    SCS_DISCRIMINATION_L1, /**< 1 - share of the other groups of the same species and cell type
                              (control included) whose mean is nearer to the prediction (L1) than
                              the observed one: 1 = none is */
    SCS_CENTROID_ACCURACY, /**< share of the type's other perturbations whose mean is further from
                              the prediction (L2) than the observed one */
    SCS_ENERGY_LATENT,     /**< energy distance (V-statistic, not rooted) of predicted and observed
                              cells in the network's latent space */
    SCS_MMD_LATENT,     /**< squared MMD (U-statistic; RBF, gamma = 1 / median squared distance of
                           observed cells) there */
    SCS_CELLS_JACCARD,  /**< of predicted and real cells (validate.cells; src/score): significant
                           genes, shared / all */
    SCS_CELLS_TOP_100,  /**< the 100 surest genes, share in common */
    SCS_CELLS_FIDELITY, /**< direction of significant genes */
    SCS_CELLS_LFC_NMAE, /**< error of log fold changes, normalised */
    SCS_CELLS_R2_MEAN,  /**< squared Pearson of log means */
    SCS_CELLS_R2_VARIANCE, /**< of their variances */
    SCS_CELLS_E_DISTANCE,  /**< E-distance in principal components of the real cells */
    SCS_CELLS_ENERGY,      /**< the same of distances that are not squared */
    SCS_CELLS_MMD2,        /**< squared maximum mean discrepancy there */
    SCS_N_MEASURE
};

/** Column name: "r2_all", "energy_v_latent". @param measure scs_measure  @return static */
const char *scs_score_measure_name(int measure);
/** 1: larger is better; -1: smaller is; 0: neither (change_size is best at 1). */
int scs_score_measure_sense(int measure);

/** What a prediction's changes are taken from, where that is not what the target's are: of half of
 *  the cells, which have control cells of their own. Borrowed. */
typedef struct scs_score_base {
    const float *control;   /**< [n_gene] */
    const float *reference; /**< [n_gene] scs_score_perturbed_mean; NULL: there is none */
} scs_score_base;

/** The mean of a type's perturbed means without the group's own (each perturbation counts once,
 *  whatever its cells). O(conditions n_gene).
 *  @param[out] mean [n_gene]  @return false: there is no other; mean is then as it was */
bool scs_score_perturbed_mean(const scs_atlas *atlas, int32_t group, float *mean);

/** All measures of means; NaN where undefined. Nothing is said of latent cells (NaN).
 *  @param atlas that knows the truth
 *  @param target with an observed group  @param predicted borrowed
 *  @param base of the prediction; NULL: the target's
 *  @param[out] value [SCS_N_MEASURE]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_score_measure_means(const scs_atlas *atlas,
                                                const scs_combination *target,
                                                const scs_prediction *predicted,
                                                const scs_score_base *base, double *value);

#endif
