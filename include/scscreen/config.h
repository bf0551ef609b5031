/** Everything a run is told: one struct, filled from one table of keys (src/config_table.c).
 *
 *  The table drives parsing, defaults, validation, `--help`, `--print-config` and `--set
 * key=value`. All functions are Local; a config is a plain value that every rank parses from the
 * same text.
 */
#ifndef SCSCREEN_CONFIG_H
#define SCSCREEN_CONFIG_H

#include "scscreen/names.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum scs_normalize { SCS_NORMALIZE_NONE, SCS_NORMALIZE_LOG1P } scs_normalize;
typedef enum scs_profile { SCS_PROFILE_SCGEN2, SCS_PROFILE_PAPER } scs_profile;
typedef enum scs_monitor { SCS_MONITOR_OBJECTIVE, SCS_MONITOR_REFERENCE } scs_monitor;
typedef enum scs_batch_norm { SCS_BATCH_NORM_GLOBAL, SCS_BATCH_NORM_SHARD } scs_batch_norm;
typedef enum scs_shift_method {
    SCS_SHIFT_NEAREST,
    SCS_SHIFT_PAIRED,
    SCS_SHIFT_BALANCED
} scs_shift_method;
typedef enum scs_decode_method { SCS_DECODE_EDIT, SCS_DECODE_DECODE } scs_decode_method;

/** One input file. Strings owned; NULL where the config is silent. */
typedef struct scs_input {
    char *path;      /**< resolved against the config file's folder */
    char *species;   /**< species of every cell of this file, or NULL */
    char *orthologs; /**< TSV path (own gene, reference gene), resolved, or NULL */
} scs_input;

/** A combination named by the user. NULL species: every species. */
typedef struct scs_named_combination {
    char *species, *cell_type, *condition;
    int line; /**< line in the config file, 0 if from --set */
} scs_named_combination;

typedef struct scs_config {
    char *file; /**< the config's own path, for messages */
    struct {
        scs_input *inputs;
        int32_t n_input;
        char *matrix;      /**< "X", "raw" or "layers/NAME" */
        char *cell_type;   /**< obs column */
        char *condition;   /**< obs column */
        char *control;     /**< label of the control condition */
        char *species;     /**< obs column or "" */
        int normalize;     /**< scs_normalize */
        double target_sum; /**< counts per cell after scaling; 0 = median over the cells */
        char *genes;       /**< "all" or path of a file with one gene per line (resolved) */
        int64_t memory;    /**< MiB that one dataset read from a file may ask for on one rank */
    } data;
    scs_named_combination *hold_out;
    int32_t n_hold_out;
    struct {
        char *kind; /**< "vae" */
        int64_t hidden, layers, latent;
        double dropout, kl_weight;
        int profile; /**< scs_profile */
        char *load;  /**< weights by state_dict name instead of training (resolved), or "" */
    } model;
    struct {
        int64_t batch, epochs, seed, shards; /**< shards 0 = auto */
        double learning_rate, validation;
        int64_t patience;
        int monitor;                          /**< scs_monitor */
        int batch_norm;                       /**< scs_batch_norm */
        double checkpoint_minutes, max_hours; /**< 0: none */
        int64_t checkpoint_steps;             /**< 0: none */
        bool resume;
    } train;
    struct {
        scs_names cell_types, perturbations, species; /**< n = 0: all */
        int shift;                                    /**< scs_shift_method */
        int decode;                                   /**< scs_decode_method */
        bool variance; /**< write layers/variance, score r2_variance */
    } screen;
    struct {
        char *dir;       /**< relative to the working directory */
        double deadline; /**< seconds for a step of writing; 0: none */
    } output;
    struct {
        char *dir; /**< where simulate writes (resolved against the config's folder), "" = no
                      simulate section */
        int64_t genes, cells; /**< genes; cells per (species, cell type, condition) */
        int64_t cell_types, perturbations, species, seed;
        double effect;     /**< size of the shared shift, log units */
        double counts;     /**< mean counts per cell */
        double dispersion; /**< negative-binomial: var = mu + mu^2 / dispersion */
    } simulate;
} scs_config;

/** Parse YAML text with the --set overrides applied on top; checks every value, fills every
 * default.
 *  @param file   the text's own path: for messages and to resolve relative paths
 *  @param sets   [n_set] "section.key=value"
 *  @return SCS_OK or SCS_EARG ("FILE:LINE: unknown key train.bach; did you mean train.batch?") */
SCS_MUST_USE scs_status scs_config_parse(const char *file, const char *text,
                                         const char *const *sets, int n_set, scs_config **config);
/** Read the file and parse it; additionally gives the text. SCS_EARG if it cannot be read. Text may
 * be NULL. */
SCS_MUST_USE scs_status scs_config_load(const char *file, const char *const *sets, int n_set,
                                        scs_config **config, char **text);
void scs_config_destroy(scs_config **config);
/** The effective config as YAML that parses back to the same values. Caller frees. */
SCS_MUST_USE scs_status scs_config_print(const scs_config *config, char **yaml);
/** The same without the keys that change no result (output.dir, train.max_hours, ...): what results
 * carry. Caller frees. */
SCS_MUST_USE scs_status scs_config_print_result(const scs_config *config, char **yaml);
/** Keys of training (sections data, hold_out, model, train) that differ, as "train.batch (64, now
 * 32), hold_out" into out; "" if none. Paths are not compared, nor what changes no result.
 *  @return out */
char *scs_config_differences(const scs_config *before, const scs_config *now, char *out,
                             size_t size);
/** All keys with type, default and meaning, a section after the other, for --help. */
void scs_config_help(FILE *out);

#endif
