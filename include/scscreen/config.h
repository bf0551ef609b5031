/** Everything a run is told: one struct, filled from one table of keys (src/config/key.c).
 *
 *  The table drives parsing, defaults, validation, `--help`, `--print-config` and `--set
 *  key=value`. What several keys decide together, and what `auto` stands for, is resolved once
 *  from this struct (src/config/profile.h). A config is a plain value that every rank parses
 *  from the same text; its paths are those that rank 0 has found (src/config/path.h).
 *
 *  All functions are Local. Besides what is said, they fail with SCS_ENOMEM.
 */
#ifndef SCSCREEN_CONFIG_H
#define SCSCREEN_CONFIG_H

#include "scscreen/status.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum scs_normalize {
    SCS_NORMALIZE_NONE,
    SCS_NORMALIZE_LOG1P,
    SCS_NORMALIZE_AUTO /**< one of those before it, once the values are read (src/data/scale.h) */
} scs_normalize;
/** Whose layout the inputs have: what keys stand for that are not set. */
typedef enum scs_source {
    SCS_SOURCE_ANY,
    SCS_SOURCE_CELLXGENE, /**< CELLxGENE Discover, schema 5 to 7 */
    SCS_N_SOURCE
} scs_source;
/** Which genes of several inputs a model has. */
typedef enum scs_join {
    SCS_JOIN_INNER, /**< those of all inputs */
    SCS_JOIN_OUTER, /**< those of any; 0 in the others */
    SCS_N_JOIN
} scs_join;
/** What becomes of genes of one name in one input. */
typedef enum scs_duplicate_genes {
    SCS_DUPLICATE_REFUSE,
    SCS_DUPLICATE_SUM,    /**< one gene with the sum of their counts */
    SCS_DUPLICATE_UNIQUE, /**< the later ones get numbers behind their names */
    SCS_N_DUPLICATE
} scs_duplicate_genes;
typedef enum scs_model_kind { SCS_MODEL_VAE, SCS_MODEL_MEAN, SCS_MODEL_PCA } scs_model_kind;
typedef enum scs_profile { SCS_PROFILE_AUTO, SCS_PROFILE_SCGEN2, SCS_PROFILE_PAPER } scs_profile;
/** How the learning rate falls over the planned steps. */
typedef enum scs_schedule {
    SCS_SCHEDULE_AUTO,
    SCS_SCHEDULE_CONSTANT,
    SCS_SCHEDULE_LINEAR,
    SCS_SCHEDULE_COSINE
} scs_schedule;
/** Where the output layer's biases start. */
typedef enum scs_output_bias {
    SCS_OUTPUT_BIAS_AUTO,
    SCS_OUTPUT_BIAS_RANDOM,
    SCS_OUTPUT_BIAS_MEAN
} scs_output_bias;
/** A number that the profile chooses (src/config/profile.h). */
enum { SCS_BY_PROFILE = -1 };
/** Where cells are while a model is trained. */
typedef enum scs_train_data { SCS_TRAIN_MEMORY, SCS_TRAIN_STREAM, SCS_N_TRAIN_DATA } scs_train_data;
typedef enum scs_monitor { SCS_MONITOR_OBJECTIVE, SCS_MONITOR_REFERENCE } scs_monitor;
typedef enum scs_output_layer {
    SCS_OUTPUT_AUTO,
    SCS_OUTPUT_DENSE,
    SCS_OUTPUT_FACTORED
} scs_output_layer;
/** How highly variable genes are chosen (src/atlas/variable_genes.h). */
typedef enum scs_hvg_flavor { SCS_HVG_SEURAT, SCS_HVG_SEURAT_V3 } scs_hvg_flavor;

typedef enum scs_batch_norm { SCS_BATCH_NORM_GLOBAL, SCS_BATCH_NORM_SHARD } scs_batch_norm;
typedef enum scs_shift_method {
    SCS_SHIFT_NEAREST,
    SCS_SHIFT_PAIRED,
    SCS_SHIFT_BALANCED,
    SCS_SHIFT_REGRESSION,
    SCS_SHIFT_CONVERGING,
    SCS_SHIFT_MIXED,
    SCS_SHIFT_LIMITED,
    SCS_SHIFT_AUTO /**< last: one of those before it, or several */
} scs_shift_method;
/** Where closeness of cell types is measured. */
typedef enum scs_distance { SCS_DISTANCE_GENES, SCS_DISTANCE_LATENT } scs_distance;
typedef enum scs_decode_method {
    SCS_DECODE_EDIT,
    SCS_DECODE_PLAIN,
    SCS_DECODE_BLEND,
    SCS_N_DECODE
} scs_decode_method;
/** Where the size of the decoder's change comes from. */
typedef enum scs_magnitude {
    SCS_MAGNITUDE_AUTO,
    SCS_MAGNITUDE_DECODER,
    SCS_MAGNITUDE_SOURCES,
    SCS_N_MAGNITUDE
} scs_magnitude;
typedef enum scs_cross_species {
    SCS_CROSS_NEAREST,
    SCS_CROSS_MEAN,
    SCS_CROSS_AVERAGE
} scs_cross_species;
enum { SCS_BLEND_AUTO = -1, SCS_POWER_AUTO = -1, SCS_CHECKPOINT_AUTO = -1 };
/** What multiplies matrices of hidden layers while cells are decoded. */
typedef enum scs_products { SCS_PRODUCTS_AUTO, SCS_PRODUCTS_BLAS } scs_products;
/** What validate holds out together. */
typedef enum scs_protocol {
    SCS_PROTOCOL_COMBINATION,  /**< a (species, cell type, perturbation) */
    SCS_PROTOCOL_CONTEXT,      /**< all perturbed cells of a context: its controls alone are seen */
    SCS_PROTOCOL_DOSE,         /**< all cells of a dose */
    SCS_PROTOCOL_PERTURBATION, /**< all cells of a perturbation */
    SCS_N_PROTOCOL
} scs_protocol;
/** What is a context. */
typedef enum scs_context_kind {
    SCS_CONTEXT_CELL_TYPE, /**< a cell type of a species */
    SCS_CONTEXT_SPECIES,   /**< a species, all of its types */
    SCS_N_CONTEXT
} scs_context_kind;
/** Which number of a row the ranking goes by. */
typedef enum scs_rank_by {
    SCS_RANK_NONE,
    SCS_RANK_DELTA_NORM,
    SCS_RANK_ENERGY_DISTANCE,
    SCS_RANK_AGREEMENT,
    SCS_RANK_P_VALUE,
    SCS_RANK_Q_VALUE,
    SCS_RANK_R2_ALL,
    SCS_RANK_R2_DEG,
    SCS_RANK_DELTA_PEARSON,
    SCS_N_RANK_BY
} scs_rank_by;

/** One input file. Strings owned; NULL where not set. */
typedef struct scs_input {
    char *path;      /**< resolved against the config file's folder; a glob until
                        scs_inputs_settle (src/data/inputs.h) */
    char *species;   /**< species of every cell of this file, or NULL */
    char *orthologs; /**< TSV path (own gene, reference gene), resolved, or NULL */
    char *cell_type, *condition, *batch, *donor; /**< of every cell of this file, or NULL */
} scs_input;

/** A table with columns of obs, one row a cell. Strings owned; NULL where not set. */
typedef struct scs_label_source {
    char *path;           /**< CSV or TSV, resolved */
    char *barcode_column; /**< that names the cell; NULL: the first */
    char *file_column;    /**< that names the cell's input; NULL: barcodes are of all inputs */
    char *checksum;       /**< of the file's bytes, filled in by scs_inputs_settle */
} scs_label_source;

/** What a config key affects; bits. Keys of folders, limits and saves affect nothing. */
enum scs_affects {
    SCS_AFFECTS_NOTHING = 0,
    SCS_AFFECTS_WEIGHTS = 1, /**< the trained model: the cells it sees, its shape, its training */
    SCS_AFFECTS_ROWS = 2,    /**< what a model predicts for a combination, and how that scores */
    SCS_AFFECTS_REPORT = 4, /**< which combinations are predicted or held out, and what else is said
                               of them: p-values, lists, ranking; how their cells were simulated */
    SCS_AFFECTS_CELLS = 8,  /**< which cells a model speaks of, and their labels */
    SCS_AFFECTS_SCALE = 16, /**< the scale of the values that a model takes */
    SCS_AFFECTS_RESULT = SCS_AFFECTS_WEIGHTS | SCS_AFFECTS_ROWS | SCS_AFFECTS_REPORT
};

/** What predicted cells hold: counts, or log1p of counts scaled as the inputs were. */
typedef enum scs_cell_values { SCS_CELLS_COUNTS, SCS_CELLS_LOG1P } scs_cell_values;

/** Whose mean predicted cells have: the screen's, or that of the real cells. */
typedef enum scs_cell_mean { SCS_CELL_MEAN_SCREEN, SCS_CELL_MEAN_OBSERVED } scs_cell_mean;

/** What a score is compared with. */
typedef enum scs_score_baseline {
    SCS_SCORE_BASELINE_NONE,
    SCS_SCORE_BASELINE_NO_CHANGE, /**< the controls as they are */
    SCS_SCORE_BASELINE_MEAN       /**< cells of all perturbations, at random */
} scs_score_baseline;

/** What a result holds of each row: every gene, or only lists and numbers. */
typedef enum scs_output_rows { SCS_ROWS_DENSE, SCS_ROWS_TOP } scs_output_rows;

/** Cells named by the user, by labels (names or globs; n = 0: all) and, where `column` is set, by
 * an obs column. A cell is meant that fits all that is given. */
typedef struct scs_named_combination {
    scs_names species, cell_type, condition;
    scs_names dose;  /**< as text */
    char *column;    /**< obs column, with cell_type and condition or without; NULL: none */
    scs_names value; /**< what the column says of cells that are meant: names or globs */
    int line;        /**< line in the config file, 0 if from --set */
} scs_named_combination;

/** What cells must fulfil to be read at all. */
typedef struct scs_filter {
    char *column;         /**< of obs */
    scs_names in, not_in; /**< names or globs; n = 0: not asked */
    char *min, *max;      /**< numbers as text, both ends included; NULL: none */
    int line;             /**< line in the config file, 0 if from --set */
} scs_filter;

/** Another name for an obs column, in every file and table that has it. Owned. */
typedef struct scs_column_name {
    char *from, *to;
    int line; /**< line in the config file, 0 if from --set */
} scs_column_name;

/** Other names for values of an obs column. Owned. */
typedef struct scs_value_map {
    char *column;
    scs_names from, to; /**< of the same length */
    int line;           /**< line in the config file, 0 if from --set */
} scs_value_map;

typedef struct scs_config {
    char *file;     /**< the config's own path, for messages */
    bool has_paths; /**< paths that are set stand for themselves: nothing in them is replaced */
    struct {
        scs_input *inputs;
        int32_t n_input;
        int source;         /**< scs_source */
        char *matrix;       /**< "X", "raw" or "layers/NAME" */
        char *cell_type;    /**< obs column */
        char *condition;    /**< obs column */
        char *control;      /**< label of the control condition */
        char *species;      /**< obs column or "" */
        char *dose;         /**< obs column or "" */
        int normalize;      /**< scs_normalize */
        bool other_data;    /**< a stored model is asked about cells that it was not made from */
        bool trust_values;  /**< an explicit normalize stands, whatever the values look like */
        double target_sum;  /**< counts per cell after scaling; 0 = median over the cells */
        scs_filter *filter; /**< cells that fail any of these are not read */
        int32_t n_filter;
        scs_label_source *labels; /**< tables of obs columns, joined by barcode */
        int32_t n_labels;
        scs_column_name *rename; /**< columns that have another name in some file */
        int32_t n_rename;
        scs_value_map *map; /**< values that have another name in some file */
        int32_t n_map;
        int64_t min_genes;   /**< that a cell has values of, to be read; 0: any */
        int64_t min_cells;   /**< that have a value of a gene, for it to be kept; 0: any */
        char *gene_column;   /**< column of var with the genes' names, or "": its index */
        int duplicate_genes; /**< scs_duplicate_genes */
        int join;            /**< scs_join */
        char *genes;         /**< "all" or path of a file with one gene per line (resolved) */
        int64_t n_top_genes; /**< 0 = all; else this many highly variable ones */
        int hvg_flavor;      /**< scs_hvg_flavor */
        char *hvg_batch;     /**< obs column of the batches that genes are chosen by, or "" */
        int64_t memory;      /**< MiB that one dataset read from a file may ask for on one rank */
        int64_t memory_per_rank; /**< MiB that a rank's cells may take; 0: not limited */
    } data;
    scs_named_combination *hold_out;
    int32_t n_hold_out;
    struct {
        int kind;                       /**< scs_model_kind */
        int64_t hidden, layers, latent; /**< hidden, latent 0: by the profile */
        double dropout;                 /**< or SCS_BY_PROFILE */
        double kl_weight;
        int profile; /**< scs_profile */
        char *load;  /**< weights by state_dict name instead of training (resolved), or "" */
    } model;
    struct {
        int64_t batch, epochs, seed, shards; /**< shards 0 = auto */
        double learning_rate;                /**< or SCS_BY_PROFILE */
        double validation;
        int schedule;    /**< scs_schedule */
        int output_bias; /**< scs_output_bias */
        int64_t patience;
        int monitor;               /**< scs_monitor */
        int batch_norm;            /**< scs_batch_norm */
        double checkpoint_minutes; /**< 0: none; or SCS_CHECKPOINT_AUTO */
        double max_hours;          /**< 0: none */
        int64_t checkpoint_steps;  /**< 0: none */
        bool resume;
        int output_layer; /**< scs_output_layer */
        int data;         /**< scs_train_data */
        int64_t window;   /**< cells in memory at a time, of SCS_TRAIN_STREAM */
    } train;
    struct {
        scs_names cell_types, perturbations, species; /**< names or globs; n = 0: all */
        scs_names doses;          /**< as text, or "observed"; n = 0: observed */
        scs_names restrict_types; /**< cell types that shifts are learnt from; n = 0: all */
        int64_t min_cells;        /**< of a group that is learnt from or started from */
        int64_t order;            /**< perturbations of a row: 1, or up to 2 */
        char *pair_separator;     /**< between the two labels of a pair */
        char *combinations;       /**< CSV of the wanted rows (resolved), or "" */
        char *gene_sets;          /**< GMT file to score (resolved), or "" */
        /** TSV of what perturbations are like (resolved), or "" */
        char *perturbation_features;
        int shift;            /**< scs_shift_method */
        bool correction;      /**< with shift: auto, of each gene's change */
        int distance;         /**< scs_distance */
        double nearest_power; /**< of 1 / distance, or SCS_POWER_AUTO */
        double ridge;         /**< of regression */
        int cross_species;    /**< scs_cross_species */
        int decode;           /**< scs_decode_method */
        double blend;         /**< share of the decoder's change, or SCS_BLEND_AUTO */
        int magnitude;        /**< scs_magnitude */
        int rank_by;          /**< scs_rank_by */
        int64_t permutations; /**< of the labels within types, for p_value; 0: none */
        int64_t bootstrap;    /**< replicates for standard errors; 0: none */
        bool variance;        /**< write layers/variance, score r2_variance */
        bool de;              /**< write layers/log2fc, p_de and q_de: tests of predicted cells */
        int products;         /**< scs_products */
    } screen;
    struct {
        int protocol;                                 /**< scs_protocol */
        int context;                                  /**< scs_context_kind */
        scs_names cell_types, perturbations, species; /**< n = 0: all observed */
        int64_t min_cells;  /**< of a combination that is held out, and of its controls */
        int64_t folds;      /**< combinations that one model holds out, with
                               SCS_PROTOCOL_COMBINATION */
        int64_t group_size; /**< ranks that train one model together */
        bool pca;           /**< also predict by principal components */
        bool cells;         /**< also make cells, and score them */
    } validate;
    struct {
        scs_names combination; /**< "SPECIES,TYPE,PERTURBATION[,DOSE]"; n = 0: the screen's rows */
        int64_t cells;         /**< of each combination; 0: as many as there are controls */
        int values;            /**< scs_cell_values */
        scs_names layers;      /**< of the other scs_cell_values, by their words; n = 0: none */
        int mean;              /**< scs_cell_mean */
        bool latent;           /**< write obsm/latent where the model has a latent space */
        char *from;            /**< cells that are started from (resolved), or "": the inputs' */
        char *from_matrix;     /**< their counts, or "": as data.matrix */
    } predict;
    struct {
        char *from;   /**< latent coordinates (resolved), or "": latent.h5ad of output.dir */
        char *matrix; /**< where they are in it, or "": obsm/X_scgen and the like */
    } decode;
    struct {
        char *from, *to; /**< SPECIES,TYPE,CONDITION[,DOSE] */
        int64_t steps;   /**< points, both ends included */
    } interpolate;
    struct {
        char *batch; /**< obs column, or "": not set */
    } integrate;
    struct {
        char *output;       /**< table of `score`, or "" */
        int baseline;       /**< scs_score_baseline */
        int64_t splits;     /**< of the real cells into halves; 0: no replicate */
        int64_t seed;       /**< of baseline and splits */
        double least_cpm;   /**< of the controls, for a gene to be tested */
        int64_t components; /**< of the space in which populations are compared; 0: none */
    } score;
    struct {
        bool trial; /**< try what a run does, for its time and memory */
    } check;
    struct {
        char *dir;         /**< relative to the working directory */
        int rows;          /**< scs_output_rows */
        int64_t top_genes; /**< genes of each row to list, up and down; 0: none */
        double deadline;   /**< seconds for a step of writing; 0: none */
    } output;
    struct {
        char *dir; /**< where simulate writes (resolved against the config's folder), "" = no
                      simulate section */
        int64_t genes, cells; /**< genes; cells per (species, cell type, condition) */
        int64_t cell_types, perturbations, species, seed;
        scs_names doses;   /**< as text; n = 0: none */
        int64_t pairs;     /**< of perturbations, besides them */
        int64_t null;      /**< the last so many perturbations have no effect */
        double effect;     /**< size of the shared shift, log units */
        double counts;     /**< mean counts per cell */
        double dispersion; /**< negative-binomial: var = mu + mu^2 / dispersion */
    } simulate;
} scs_config;

/** Parse YAML text with the --set overrides applied on top; checks every value, fills every
 * default.
 *  @param file   the text's own path: for messages and to resolve relative paths
 *  @param sets   [n_set] "section.key=value", or "--option section.key=value", which errors then
 *                name
 *  @return SCS_OK or SCS_EARG ("FILE:LINE: unknown key train.bach; did you mean train.batch?") */
SCS_MUST_USE scs_status scs_config_parse(const char *file, const char *text,
                                         const char *const *sets, int n_set, scs_config **config);
/** The same of a text that another process has parsed: paths stay as they are written, since ~ and
 * $NAME may mean something else here. They are not to be opened before that process' own are set
 * (src/config/path.h). */
SCS_MUST_USE scs_status scs_config_parse_sent(const char *file, const char *text,
                                              const char *const *sets, int n_set,
                                              scs_config **config);
/** Read the file and parse it; additionally gives the text. SCS_EARG if it cannot be read. Text may
 * be NULL. */
SCS_MUST_USE scs_status scs_config_load(const char *file, const char *const *sets, int n_set,
                                        scs_config **config, char **text);
/** Sets *config to NULL; it may be NULL. */
void scs_config_destroy(scs_config **config);
/** The effective config as YAML that parses back to the same values. Caller frees. */
SCS_MUST_USE scs_status scs_config_print(const scs_config *config, char **yaml);
/** The same with only the keys that affect any of these. SCS_AFFECTS_RESULT: what results carry.
 * @param affects scs_affects bits. Caller frees. */
SCS_MUST_USE scs_status scs_config_print_affecting(const scs_config *config, int affects,
                                                   char **yaml);
/** The keys that affect any of these and differ, as "train.batch (64, now 32), hold_out" into out;
 * "" if none. Paths are not compared: what the files hold is, by its checksum.
 *  @param affects scs_affects bits  @return out */
char *scs_config_differences(const scs_config *before, const scs_config *now, int affects,
                             char *out, size_t size);
/** All keys with type, default and meaning, a section after the other, for --help. */
void scs_config_help(FILE *out);

#endif
