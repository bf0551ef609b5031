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
/** SCS_OUTPUT_BIAS_RANDOM or _MEAN. */
int scs_profile_output_bias(const scs_config *config);
/** SCS_MAGNITUDE_DECODER or _SOURCES. */
int scs_profile_magnitude(const scs_config *config);
/** The learning rate of a step. @param step from 1  @param steps planned over all epochs */
double scs_profile_learning_rate(const scs_config *config, int64_t step, int64_t steps);

#endif
