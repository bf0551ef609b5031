/** validation.tsv: a row per held-out combination and predictor, and what it says in short. All
 * functions are Local. */
#ifndef SCS_REPORT_H
#define SCS_REPORT_H

#include "src/screen/score.h"

#include <stdio.h>

/** Where a predictor's shift lives. */
enum scs_predictor_space {
    SCS_PREDICT_NOTHING, /**< the control cells as they are */
    SCS_PREDICT_GENES,   /**< arithmetic on the groups' mean expression */
    SCS_PREDICT_LATENT   /**< arithmetic in a model's latent space, decoded */
};

enum { SCS_DECODE_AS_CONFIG = -1, SCS_MOST_KINDS = 2 };

typedef struct scs_predictor {
    const char *name;
    int space;  /**< scs_predictor_space */
    int shift;  /**< genes: scs_shift_method */
    int decode; /**< latent: scs_decode_method, or SCS_DECODE_AS_CONFIG */
    int model;  /**< latent: scs_model_kind */
} scs_predictor;

/** All predictors, baselines first; NULL past the end. A new one is a line in src/validation.c. */
const scs_predictor *scs_report_predictor_at(int i);
int scs_report_predictor_count(void);
/** What to write into a config to screen with it, "model.kind: vae, screen.decode: edit"; empty
 * where it is no model. @return out */
char *scs_report_predictor_use(const scs_predictor *predictor, char *out, size_t size);
/** The kinds of models that each combination is predicted by: the config's own, then PCA beside it
 * where validate.pca asks for it. @param[out] kind [SCS_MOST_KINDS] scs_model_kind  @return how
 * many
 */
int scs_report_predictor_kinds(const scs_config *config, int *kind);
/** Whether a model of this kind makes it. The baselines, which need none, go with the config's. */
bool scs_report_predictor_is_made_by(const scs_predictor *predictor, const scs_config *config,
                                     int kind);
/** Whether a validation with this config makes it. */
bool scs_report_predictor_is_made(const scs_predictor *predictor, const scs_config *config);

/** The line of column names. */
void scs_report_write_head(FILE *out);
/** One row; labels are escaped, undefined values are "nan". @param value [SCS_N_MEASURE] */
void scs_report_write_row(FILE *out, const scs_atlas *atlas, const scs_combination *item,
                          const scs_predictor *predictor, const char *source, const double *value);

/** Sums over rows, by predictor and measure. */
typedef struct scs_report_sums {
    double *sum;    /**< [predictors, SCS_N_MEASURE] of the defined values */
    int64_t *n;     /**< likewise: how many they are */
    int64_t *n_row; /**< [predictors] */
} scs_report_sums;

SCS_MUST_USE scs_status scs_report_sums_create(scs_report_sums *sums);
void scs_report_sums_clear(scs_report_sums *sums);
/** Mean of a measure, NaN where no row has it. */
double scs_report_mean(const scs_report_sums *sums, int predictor, int measure);

/** Read a file that scs_validation_write_* made: check the column names and the number of rows, add
 * to `sums`, copy the rows to `out` (either may be NULL). SCS_EDATA when it is another file. */
SCS_MUST_USE scs_status scs_report_read(const char *path, int64_t n_row, scs_report_sums *sums,
                                        FILE *out);

/** Means per predictor, whether the network is ahead of the baselines, and which model to use. */
void scs_report_summary(FILE *out, const scs_report_sums *sums);

#endif
