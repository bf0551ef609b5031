/** What a config leaves to model.profile. All functions are Local. */
#ifndef SCS_PROFILE_H
#define SCS_PROFILE_H

#include "scscreen/config.h"

/** Units of a hidden layer. @param n_cell cells of the data set */
int32_t scs_profile_hidden(const scs_config *config, int64_t n_cell);
/** Latent units of the network. */
int32_t scs_profile_latent(const scs_config *config, int64_t n_cell);
/** Principal components of model.kind: pca. */
int32_t scs_profile_components(const scs_config *config);
double scs_profile_dropout(const scs_config *config);
/** SCS_MAGNITUDE_DECODER or _SOURCES. */
int scs_profile_magnitude(const scs_config *config);

/** How a model is trained: section train of the config, with what it leaves to the profile
 * resolved.
 */
typedef struct scs_train_options {
    int64_t batch, epochs, patience;
    int64_t seed;
    double learning_rate; /**< of the first step */
    int schedule;         /**< scs_schedule, never SCS_SCHEDULE_AUTO */
    bool center;          /**< the output layer's biases start at the genes' means */
    int monitor;          /**< scs_monitor */
    int batch_norm;       /**< scs_batch_norm */
    int output_layer;     /**< scs_output_layer; SCS_OUTPUT_AUTO is for each step to resolve */
} scs_train_options;

scs_train_options scs_profile_train_options(const scs_config *config);
/** The learning rate of a step. @param step from 1  @param steps planned over all epochs */
double scs_profile_learning_rate(const scs_train_options *options, int64_t step, int64_t steps);

#endif
