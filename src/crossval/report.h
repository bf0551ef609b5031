/** validation.tsv: a row for each held-out combination and predictor. What it says in short is in
 *  src/crossval/summary.h. All functions are Local; rank 0 writes.
 *
 *  A predictor is a way to predict a row: the network as a screen would use it, the same with
 *  other decode modes, principal components, and baselines without any model. The baselines stand
 *  in the same table because an R2 says little alone: what the network is worth is what it adds to
 *  them.
 */
#ifndef SCS_REPORT_H
#define SCS_REPORT_H

#include "src/crossval/baseline.h"
#include "src/screen/score.h"

#include <stdio.h>

/** Where a predictor's shift lives. */
enum scs_predictor_space {
    SCS_PREDICT_NOTHING,  /**< the control cells as they are */
    SCS_PREDICT_GENES,    /**< arithmetic on the groups' mean expression */
    SCS_PREDICT_LATENT,   /**< arithmetic in a model's latent space, decoded */
    SCS_PREDICT_REPLICATE /**< none: half of the real cells, by the other half */
};

enum {
    SCS_DECODE_AS_CONFIG = -1, /**< screen.decode as it is */
    SCS_SHIFT_AS_CONFIG = -1,  /**< screen.shift as it is */
    SCS_MOST_KINDS = 2         /**< models a combination is predicted by */
};

/** One way to predict a row; static. */
typedef struct scs_predictor {
    const char *name;      /**< in the column `predictor` */
    int space;             /**< scs_predictor_space */
    int shift;             /**< genes: scs_shift_method, or SCS_SHIFT_AS_CONFIG */
    scs_baseline baseline; /**< genes: in place of a shift rule, or SCS_BASELINE_NONE */
    int decode;            /**< latent: scs_decode_method, or SCS_DECODE_AS_CONFIG */
    int model;             /**< latent: scs_model_kind */
} scs_predictor;

/** All predictors, baselines first; NULL past the end. A new one is a line in
 * src/crossval/report.c. */
const scs_predictor *scs_report_predictor_at(int i);
/** How many there are: the columns of every table of predictors. */
int scs_report_predictor_count(void);
/** Whether it is one of those that a model has to beat: no change, and plain arithmetic on means.
 */
bool scs_report_predictor_is_baseline(const scs_predictor *predictor);
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
/** What a row says of its model. */
typedef struct scs_report_origin {
    int protocol;       /**< scs_protocol */
    int64_t n_training; /**< cells that the model was made from: training and validation */
    int64_t n_seen;     /**< of those, cells that it holds out: 0, or there are no rows */
} scs_report_origin;

/** One row; labels are escaped, undefined values are "nan". @param value [SCS_N_MEASURE] */
void scs_report_write_row(FILE *out, const scs_atlas *atlas, const scs_combination *item,
                          const scs_predictor *predictor, const scs_report_origin *origin,
                          const char *source, const double *value);

/** The numbers of all rows. */
typedef struct scs_report_table {
    int64_t n;     /**< combinations that were read */
    int64_t room;  /**< combinations that there is room for */
    double *value; /**< [room, predictors, SCS_N_MEASURE], NaN where undefined or not made */
    bool *made;    /**< [predictors] have rows */
} scs_report_table;

/** No rows yet. SCS_ENOMEM; clear it even after a failure. @param room combinations */
SCS_MUST_USE scs_status scs_report_table_create(int64_t room, scs_report_table *table);
/** Free the numbers; a zeroed table is let through. */
void scs_report_table_clear(scs_report_table *table);
/** A value. @return NaN where undefined */
double scs_report_value(const scs_report_table *table, int64_t combination, int predictor,
                        int measure);

/** Read a file that scs_report_write_* made: check the column names and the number of rows, append
 *  to `table`, copy the rows to `out` (either may be NULL).
 *  @param n_row rows that it has to have; those of a combination stand together, predictors in
 *  the order of their table
 *  @return SCS_OK; SCS_EDATA when it is another file, or was cut short; SCS_EIO, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_report_read(const char *path, int64_t n_row, scs_report_table *table,
                                        FILE *out);

#endif
