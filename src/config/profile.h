/** What a config leaves to model.profile: `auto`, resolved once into plain numbers.
 *
 *  Profiles `scgen2` and `paper` take everything as scGen has it. `auto` takes what predicted
 *  held-out cells better (doc/methods.md, doc/validation.md):
 *
 *      key                     auto                              scgen2, paper
 *      model.hidden            128                               800
 *      model.latent            32                                100
 *      model.dropout           0.2                               0.2
 *      train.schedule          linear                            constant
 *      train.learning_rate     2e-3 (1e-3 where constant)        1e-3 (2e-3 where not constant)
 *      train.output_bias       mean                              random
 *      screen.magnitude        sources                           decoder
 *
 *  A key that is set holds in every profile. All functions are Local and cannot fail.
 */
#ifndef SCS_PROFILE_H
#define SCS_PROFILE_H

#include "scscreen/config.h"

/** Units of a hidden layer. */
int32_t scs_profile_hidden(const scs_config *config);
/** Latent units of the network. */
int32_t scs_profile_latent(const scs_config *config);
/** Principal components of model.kind: pca. */
int32_t scs_profile_components(const scs_config *config);
/** Share of hidden units dropped in training, in [0, 1). */
double scs_profile_dropout(const scs_config *config);
/** SCS_MAGNITUDE_DECODER or SCS_MAGNITUDE_SOURCES. */
int scs_profile_magnitude(const scs_config *config);

/** How a model is trained: section train of the config, with what it leaves to the profile
 * resolved. A plain value, copied freely. */
typedef struct scs_train_options {
    int64_t batch;    /**< cells of a step, over all ranks */
    int64_t epochs;   /**< at most */
    int64_t patience; /**< epochs without improvement before stopping */
    int64_t seed;
    double learning_rate; /**< of the first step */
    int schedule;         /**< scs_schedule, never SCS_SCHEDULE_AUTO */
    bool center;          /**< the output layer's biases start at the genes' means */
    int monitor;          /**< scs_monitor */
    int batch_norm;       /**< scs_batch_norm */
    int output_layer;     /**< scs_output_layer; SCS_OUTPUT_AUTO is for each step to resolve */
} scs_train_options;

/** All of them, from the config alone: training reads these and never the config's section. */
scs_train_options scs_profile_train_options(const scs_config *config);
/** The learning rate of a step: options->learning_rate times 1, 1 - t or (1 + cos(pi t)) / 2 with
 * t = (step - 1) / steps. A function of the step alone: a resumed run needs no more to go on.
 *  @param step from 1  @param steps planned over all epochs, whether or not training stops early */
double scs_profile_learning_rate(const scs_train_options *options, int64_t step, int64_t steps);

#endif
