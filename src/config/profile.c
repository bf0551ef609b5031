/** What `auto` stands for (src/config/profile.h has the table and its reasons). Each function
 *  begins with the key itself: a key that is set holds in every profile.
 */
#include "src/config/profile.h"

#include "scscreen/config.h"

#include <math.h>

/* Whether this program's own choices are in force, rather than scGen's. */
static bool is_auto(const scs_config *config)
{
    return config->model.profile == SCS_PROFILE_AUTO;
}

/* A small network: whatever the atlas, held-out cells are predicted as well from it as from one of
 * scGen's size, in a tenth of the time (doc/methods.md).
 * @param asked the config's value, 0: auto  @param small this program's size  @param scgen scGen's
 */
static int32_t size_of_layer(const scs_config *config, int64_t asked, int32_t small, int32_t scgen)
{
    if (asked)
        return (int32_t)asked;
    return is_auto(config) ? small : scgen;
}

int32_t scs_profile_hidden(const scs_config *config)
{
    return size_of_layer(config, config->model.hidden, 128, 800);
}

int32_t scs_profile_latent(const scs_config *config)
{
    return size_of_layer(config, config->model.latent, 32, 100);
}

int32_t scs_profile_components(const scs_config *config)
{
    return config->model.latent ? (int32_t)config->model.latent : 50;
}

double scs_profile_dropout(const scs_config *config)
{
    return config->model.dropout == SCS_BY_PROFILE ? 0.2 : config->model.dropout;
}

int scs_profile_magnitude(const scs_config *config)
{
    if (config->screen.magnitude != SCS_MAGNITUDE_AUTO)
        return config->screen.magnitude;
    return is_auto(config) ? SCS_MAGNITUDE_SOURCES : SCS_MAGNITUDE_DECODER;
}

/* Whether the output layer's biases start at the genes' means. */
static bool starts_at_means(const scs_config *config)
{
    if (config->train.output_bias != SCS_OUTPUT_BIAS_AUTO)
        return config->train.output_bias == SCS_OUTPUT_BIAS_MEAN;
    return is_auto(config);
}

/* Never SCS_SCHEDULE_AUTO. */
static int schedule(const scs_config *config)
{
    if (config->train.schedule != SCS_SCHEDULE_AUTO)
        return config->train.schedule;
    return is_auto(config) ? SCS_SCHEDULE_LINEAR : SCS_SCHEDULE_CONSTANT;
}

/* The learning rate goes with the schedule that was resolved, whoever chose it: a rate that
 * falls may begin higher. */
scs_train_options scs_profile_train_options(const scs_config *config)
{
    scs_train_options options = {.batch = config->train.batch,
                                 .epochs = config->train.epochs,
                                 .patience = config->train.patience,
                                 .seed = config->train.seed,
                                 .learning_rate = config->train.learning_rate,
                                 .schedule = schedule(config),
                                 .center = starts_at_means(config),
                                 .monitor = config->train.monitor,
                                 .batch_norm = config->train.batch_norm,
                                 .output_layer = config->train.output_layer};

    if (options.learning_rate == SCS_BY_PROFILE)
        options.learning_rate = options.schedule == SCS_SCHEDULE_CONSTANT ? 1e-3 : 2e-3;
    return options;
}

/* What is left of the rate. @param kind scs_schedule  @param done share of the planned steps, in
 * [0, 1) */
static double share_left(int kind, double done)
{
    switch (kind) {
    case SCS_SCHEDULE_LINEAR:
        return 1 - done;
    case SCS_SCHEDULE_COSINE:
        return 0.5 * (1 + cos(M_PI * done));
    default:
        return 1;
    }
}

double scs_profile_learning_rate(const scs_train_options *options, int64_t step, int64_t steps)
{
    return options->learning_rate *
           share_left(options->schedule, (double)(step - 1) / (double)steps);
}
