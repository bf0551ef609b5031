/** The table of keys (src/config/key.h says what follows from a row).
 *
 *  Rows are written with the macros below, one for each usual form; a row that fits none is
 *  written out. The member of scs_config is named once, s.n, and gives section, name and offset;
 *  the type of the member must be the one that scs_key_type says, which no compiler checks.
 */
#include "src/config/key.h"

#include "src/config/rule.h"
#include "scscreen/config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Macros of a row: s section, n name, what it affects, then range or words, default as text,
 * help. */
#define AT(member) .offset = offsetof(scs_config, member)
#define INT(s, n, what, lo, hi, value, text)                                                       \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_INT, AT(s.n), .min = (lo),   \
        .max = (hi), .fallback = (value), .help = (text)                                           \
    }
#define NUMBER(s, n, what, lo, hi, value, text)                                                    \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_NUMBER, AT(s.n),             \
        .min = (lo), .max = (hi), .fallback = (value), .help = (text)                              \
    }
#define BOOL(s, n, what, value, text)                                                              \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_BOOL, AT(s.n),               \
        .fallback = (value), .help = (text)                                                        \
    }
#define TEXT(s, n, what, least, value, text)                                                       \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_TEXT, AT(s.n),               \
        .min = (least), .fallback = (value), .help = (text)                                        \
    }
#define WORDS(kind, s, n, what, all, value, text)                                                  \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = (kind), AT(s.n), .words = (all),     \
        .fallback = (value), .help = (text)                                                        \
    }
#define CHOICE(s, n, what, all, value, text)                                                       \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_CHOICE, AT(s.n),             \
        .choice = (all), .choice_row = sizeof *(all), .fallback = (value), .help = (text)          \
    }
/* The same, of rows that hold more than their word. */
#define RULE(s, n, what, all, value, text)                                                         \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_CHOICE, AT(s.n),             \
        .choice = &(all)[0].word, .choice_row = sizeof *(all), .fallback = (value), .help = (text) \
    }
/* A size of the network: at least one, or left to the profile. */
#define SIZED(s, n, what, text)                                                                    \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_INT, AT(s.n), .min = 1,      \
        .max = 65536, .words = "auto", .fallback = "auto", .help = (text)                          \
    }
/* A file or folder that is written: from the working directory, as the shell's own are. */
#define TARGET(s, n, what, least, value, text)                                                     \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_PATH, AT(s.n),               \
        .min = (least), .from_here = true, .fallback = (value), .help = (text)                     \
    }
/* A number, or a word that stands for one. */
#define NUMBER_OR(s, n, what, lo, hi, word, stands_for, value, text)                               \
    {                                                                                              \
        .section = #s, .name = #n, .affects = (what), .type = SCS_KEY_NUMBER, AT(s.n),             \
        .min = (lo), .max = (hi), .words = (word), .word_value = (stands_for),                     \
        .fallback = (value), .help = (text)                                                        \
    }
/* A number, or left to the profile. */
#define BY_PROFILE(s, n, what, lo, hi, text)                                                       \
    NUMBER_OR(s, n, what, lo, hi, "auto", SCS_BY_PROFILE, "auto", text)
/* A list of names or globs, all by default. */
#define NAMES(s, n, what, text) WORDS(SCS_KEY_NAMES, s, n, what, "all", "all", text)

/* What a key affects. */
enum {
    NOTHING = SCS_AFFECTS_NOTHING,
    WEIGHTS = SCS_AFFECTS_WEIGHTS,
    ROWS = SCS_AFFECTS_ROWS,
    REPORT = SCS_AFFECTS_REPORT,
    CELLS = SCS_AFFECTS_CELLS,
    SCALE = SCS_AFFECTS_SCALE
};

/* A record of data.inputs; a plain string is its path. */
static const scs_field input_fields[] = {
    {.name = "path", .offset = offsetof(scs_input, path), .is_path = true, .required = true},
    {.name = "species", .offset = offsetof(scs_input, species)},
    {.name = "orthologs", .offset = offsetof(scs_input, orthologs), .is_path = true},
    {.name = "cell_type", .offset = offsetof(scs_input, cell_type)},
    {.name = "condition", .offset = offsetof(scs_input, condition)},
    {.name = "batch", .offset = offsetof(scs_input, batch)},
    {.name = "donor", .offset = offsetof(scs_input, donor)},
};
static const scs_record input_record = {
    .size = sizeof(scs_input), .n_field = 7, .field = input_fields, .short_form = true};

/* A record of data.labels; a plain string is its path. */
static const scs_field label_fields[] = {
    {.name = "path", .offset = offsetof(scs_label_source, path), .is_path = true, .required = true},
    {.name = "barcode_column", .offset = offsetof(scs_label_source, barcode_column)},
    {.name = "file_column", .offset = offsetof(scs_label_source, file_column)},
    {.name = "checksum", .offset = offsetof(scs_label_source, checksum)},
};
static const scs_record label_record = {
    .size = sizeof(scs_label_source), .n_field = 4, .field = label_fields, .short_form = true};

#define COMBINATION(member) offsetof(scs_named_combination, member)

/* A record of hold_out. Its line is kept for messages about a combination that the data do not
 * have, which are only found after the files are read. Which members belong together is checked in
 * src/config/config.c. */
static const scs_field combination_fields[] = {
    {.name = "cell_type", .offset = COMBINATION(cell_type), .list = true},
    {.name = "condition", .offset = COMBINATION(condition), .list = true},
    {.name = "species", .offset = COMBINATION(species), .list = true},
    {.name = "dose", .offset = COMBINATION(dose), .list = true},
    {.name = "column", .offset = COMBINATION(column)},
    {.name = "value", .offset = COMBINATION(value), .list = true},
};
static const scs_record combination_record = {.size = sizeof(scs_named_combination),
                                              .n_field = 6,
                                              .field = combination_fields,
                                              .has_line = true,
                                              .line = COMBINATION(line)};

/* A record of data.filter. */
static const scs_field filter_fields[] = {
    {.name = "column", .offset = offsetof(scs_filter, column), .required = true},
    {.name = "in", .offset = offsetof(scs_filter, in), .list = true},
    {.name = "not_in", .offset = offsetof(scs_filter, not_in), .list = true},
    {.name = "min", .offset = offsetof(scs_filter, min)},
    {.name = "max", .offset = offsetof(scs_filter, max)},
};
static const scs_record filter_record = {.size = sizeof(scs_filter),
                                         .n_field = 5,
                                         .field = filter_fields,
                                         .has_line = true,
                                         .line = offsetof(scs_filter, line)};

/* A record of data.rename. */
static const scs_field rename_fields[] = {
    {.name = "column", .offset = offsetof(scs_column_name, from), .required = true},
    {.name = "name", .offset = offsetof(scs_column_name, to), .required = true},
};
static const scs_record rename_record = {.size = sizeof(scs_column_name),
                                         .n_field = 2,
                                         .field = rename_fields,
                                         .form = SCS_RECORD_PAIRS,
                                         .has_line = true,
                                         .line = offsetof(scs_column_name, line)};

/* A record of data.map. */
static const scs_field map_fields[] = {
    {.name = "column", .offset = offsetof(scs_value_map, column), .required = true},
    {.name = "value", .offset = offsetof(scs_value_map, from), .list = true},
    {.name = "name", .offset = offsetof(scs_value_map, to), .list = true},
};
static const scs_record map_record = {.size = sizeof(scs_value_map),
                                      .n_field = 3,
                                      .field = map_fields,
                                      .form = SCS_RECORD_MAPS,
                                      .has_line = true,
                                      .line = offsetof(scs_value_map, line)};

/* The words of a choice, and what each of them stands for: the pair in one place, so that the order
 * of neither matters. What a word does is said in the key's help, and in doc/methods.md. */
static const scs_word normalize_words[] = {{"auto", SCS_NORMALIZE_AUTO},
                                           {"none", SCS_NORMALIZE_NONE},
                                           {"log1p", SCS_NORMALIZE_LOG1P},
                                           {0}};
static const scs_word source_words[] = {
    {"any", SCS_SOURCE_ANY}, {"cellxgene", SCS_SOURCE_CELLXGENE}, {0}};
static const scs_word join_words[] = {{"inner", SCS_JOIN_INNER}, {"outer", SCS_JOIN_OUTER}, {0}};
static const scs_word duplicate_words[] = {{"refuse", SCS_DUPLICATE_REFUSE},
                                           {"sum", SCS_DUPLICATE_SUM},
                                           {"unique", SCS_DUPLICATE_UNIQUE},
                                           {0}};
static const scs_word kind_words[] = {
    {"vae", SCS_MODEL_VAE}, {"mean", SCS_MODEL_MEAN}, {"pca", SCS_MODEL_PCA}, {0}};
static const scs_word profile_words[] = {
    {"auto", SCS_PROFILE_AUTO}, {"scgen2", SCS_PROFILE_SCGEN2}, {"paper", SCS_PROFILE_PAPER}, {0}};
static const scs_word values_words[] = {
    {"counts", SCS_CELLS_COUNTS}, {"log1p", SCS_CELLS_LOG1P}, {0}};
static const scs_word hvg_words[] = {
    {"seurat", SCS_HVG_SEURAT}, {"seurat_v3", SCS_HVG_SEURAT_V3}, {0}};
static const scs_word cell_mean_words[] = {
    {"screen", SCS_CELL_MEAN_SCREEN}, {"observed", SCS_CELL_MEAN_OBSERVED}, {0}};
static const scs_word schedule_words[] = {{"auto", SCS_SCHEDULE_AUTO},
                                          {"constant", SCS_SCHEDULE_CONSTANT},
                                          {"linear", SCS_SCHEDULE_LINEAR},
                                          {"cosine", SCS_SCHEDULE_COSINE},
                                          {0}};
static const scs_word output_bias_words[] = {{"auto", SCS_OUTPUT_BIAS_AUTO},
                                             {"random", SCS_OUTPUT_BIAS_RANDOM},
                                             {"mean", SCS_OUTPUT_BIAS_MEAN},
                                             {0}};
static const scs_word monitor_words[] = {
    {"objective", SCS_MONITOR_OBJECTIVE}, {"reference", SCS_MONITOR_REFERENCE}, {0}};
static const scs_word batch_norm_words[] = {
    {"global", SCS_BATCH_NORM_GLOBAL}, {"shard", SCS_BATCH_NORM_SHARD}, {0}};
static const scs_word output_layer_words[] = {
    {"auto", SCS_OUTPUT_AUTO}, {"dense", SCS_OUTPUT_DENSE}, {"factored", SCS_OUTPUT_FACTORED}, {0}};
static const scs_word train_data_words[] = {
    {"memory", SCS_TRAIN_MEMORY}, {"stream", SCS_TRAIN_STREAM}, {0}};
static const scs_word distance_words[] = {
    {"genes", SCS_DISTANCE_GENES}, {"latent", SCS_DISTANCE_LATENT}, {0}};
static const scs_word cross_species_words[] = {
    {"nearest", SCS_CROSS_NEAREST}, {"mean", SCS_CROSS_MEAN}, {"average", SCS_CROSS_AVERAGE}, {0}};
static const scs_word magnitude_words[] = {{"auto", SCS_MAGNITUDE_AUTO},
                                           {"decoder", SCS_MAGNITUDE_DECODER},
                                           {"sources", SCS_MAGNITUDE_SOURCES},
                                           {0}};
static const scs_word rank_by_words[] = {{"none", SCS_RANK_NONE},
                                         {"delta_norm", SCS_RANK_DELTA_NORM},
                                         {"energy_distance", SCS_RANK_ENERGY_DISTANCE},
                                         {"agreement", SCS_RANK_AGREEMENT},
                                         {"p_value", SCS_RANK_P_VALUE},
                                         {"q_value", SCS_RANK_Q_VALUE},
                                         {"r2_all", SCS_RANK_R2_ALL},
                                         {"r2_deg", SCS_RANK_R2_DEG},
                                         {"delta_pearson", SCS_RANK_DELTA_PEARSON},
                                         {0}};
static const scs_word protocol_words[] = {{"combination", SCS_PROTOCOL_COMBINATION},
                                          {"context", SCS_PROTOCOL_CONTEXT},
                                          {"dose", SCS_PROTOCOL_DOSE},
                                          {"perturbation", SCS_PROTOCOL_PERTURBATION},
                                          {0}};
static const scs_word context_words[] = {
    {"cell_type", SCS_CONTEXT_CELL_TYPE}, {"species", SCS_CONTEXT_SPECIES}, {0}};
static const scs_word products_words[] = {
    {"auto", SCS_PRODUCTS_AUTO}, {"blas", SCS_PRODUCTS_BLAS}, {0}};
static const scs_word baseline_words[] = {{"none", SCS_SCORE_BASELINE_NONE},
                                          {"no_change", SCS_SCORE_BASELINE_NO_CHANGE},
                                          {"mean", SCS_SCORE_BASELINE_MEAN},
                                          {0}};
static const scs_word rows_words[] = {{"dense", SCS_ROWS_DENSE}, {"top", SCS_ROWS_TOP}, {0}};

/* Enums that end with their count: an enum value without a word is found here, not by a user. */
#define COUNT(words) (sizeof words / sizeof *words - 1)

_Static_assert(COUNT(magnitude_words) == SCS_N_MAGNITUDE, "a word for each scs_magnitude");

_Static_assert(COUNT(train_data_words) == SCS_N_TRAIN_DATA, "a word for each scs_train_data");

_Static_assert(COUNT(source_words) == SCS_N_SOURCE, "a word for each scs_source");

_Static_assert(COUNT(join_words) == SCS_N_JOIN, "a word for each scs_join");

_Static_assert(COUNT(duplicate_words) == SCS_N_DUPLICATE, "a word for each scs_duplicate_genes");

_Static_assert(COUNT(rank_by_words) == SCS_N_RANK_BY, "a word for each scs_rank_by");

_Static_assert(COUNT(protocol_words) == SCS_N_PROTOCOL, "a word for each scs_protocol");

_Static_assert(COUNT(context_words) == SCS_N_CONTEXT, "a word for each scs_context_kind");

/* clang-format off */
static const scs_key keys[] = {
    {.section = "data", .name = "inputs", .affects = WEIGHTS | ROWS | CELLS,
     .type = SCS_KEY_RECORDS, AT(data.inputs), .record = &input_record,
     .count = offsetof(scs_config, data.n_input),
     .help = "files of cells (.h5ad, .h5mu, .loom, 10x .h5 and folders), or globs of them; "
             "species, cell_type, condition, batch and donor hold for all cells of a file; "
             "orthologs is a table (own gene, reference gene) where the genes are not named as "
             "in the first file"},
    /* What is read, and how. Most of these affect whatever follows from the cells. */
    CHOICE(data, source, WEIGHTS | ROWS | CELLS, source_words, "any",
           "cellxgene: files of CELLxGENE Discover, schema 5 to 7; other keys of data that are not "
           "set are then matrix: raw (X where there is no raw), species: organism (of obs or uns), "
           "condition: disease, control: normal"),
    {.section = "data", .name = "labels", .affects = WEIGHTS | ROWS | CELLS,
     .type = SCS_KEY_RECORDS, AT(data.labels), .record = &label_record,
     .count = offsetof(scs_config, data.n_labels),
     .help = "CSV or TSV tables (also .gz) of obs columns, a row a cell, joined by "
             "barcode_column (the first); file_column names the cell's input where barcodes "
             "alone do not; checksum refuses another table"},
    {.section = "data", .name = "rename", .affects = WEIGHTS | ROWS | CELLS,
     .type = SCS_KEY_RECORDS, AT(data.rename), .record = &rename_record,
     .count = offsetof(scs_config, data.n_rename),
     .help = "names for columns of obs that some inputs or tables call otherwise, before any other "
             "key looks at them"},
    {.section = "data", .name = "map", .affects = WEIGHTS | ROWS | CELLS,
     .type = SCS_KEY_RECORDS, AT(data.map), .record = &map_record,
     .count = offsetof(scs_config, data.n_map),
     .help = "names for values of obs columns that some inputs write otherwise, as {condition: "
             "{ctrl: control}}, before data.filter looks at them; other values stay"},
    {.section = "data", .name = "matrix", .affects = WEIGHTS | ROWS | CELLS, .type = SCS_KEY_TEXT,
     AT(data.matrix), .words = "X|raw|layers/NAME", .fallback = "X",
     .help = "which matrix of the files to read"},
    TEXT(data, cell_type, WEIGHTS | ROWS | CELLS, 1, "cell_type", "obs column with the cell types"),
    TEXT(data, condition, WEIGHTS | ROWS | CELLS, 1, "condition", "obs column with the conditions"),
    TEXT(data, control, WEIGHTS | ROWS | CELLS, 1, "control", "label of the unperturbed condition"),
    TEXT(data, species, WEIGHTS | ROWS | CELLS, 0, "",
         "obs column with the species; empty: as data.inputs say, or one species"),
    TEXT(data, dose, WEIGHTS | ROWS | CELLS, 0, "",
         "obs column with the doses, numbers above 0 (0 for control cells); empty: no doses"),
    CHOICE(data, normalize, WEIGHTS | ROWS | SCALE, normalize_words, "auto",
           "none: the matrix is log1p-normalised already; log1p: it holds raw counts; auto: as its "
           "values say. Values that contradict the setting are refused"),
    BOOL(data, other_data, NOTHING, "false",
         "ask a stored model about other cells than it was made from, which share its genes and "
         "scale; --other-data sets it"),
    BOOL(data, trust_values, NOTHING, "false",
         "take an explicit normalize as it is, whatever the values look like"),
    NUMBER_OR(data, target_sum, WEIGHTS | ROWS | SCALE, 1, 1e9, "median", 0, "10000",
              "counts per cell after scaling (with normalize: log1p); median: that of the cells "
              "that are not held out, in validate of the control cells"),
    {.section = "data", .name = "filter", .affects = WEIGHTS | ROWS | CELLS,
     .type = SCS_KEY_RECORDS, AT(data.filter), .record = &filter_record,
     .count = offsetof(scs_config, data.n_filter),
     .help = "which cells to read: those that meet every condition on an obs column, whose value "
             "is in a list (names or globs), not in one, or a number from min to max; other cells "
             "are as if they were not in the files"},
    INT(data, min_genes, WEIGHTS | ROWS | CELLS, 0, 1000000000, "0",
        "least genes of its file that a cell has values above 0 of; cells with fewer are as if "
        "they "
        "were not in the files"),
    INT(data, min_cells, WEIGHTS | ROWS | CELLS, 0, 1000000000000000, "0",
        "least cells that a gene has values above 0 in, to be kept; of all inputs, without cells "
        "that are held out (validate: of control cells)"),
    TEXT(data, gene_column, WEIGHTS | ROWS | CELLS, 0, "",
         "column of var that names the genes; empty: its index"),
    CHOICE(data, duplicate_genes, WEIGHTS | ROWS | CELLS, duplicate_words, "refuse",
           "genes of one name in one input: refuse them, sum their counts, or make the names "
           "unique "
           "with -1, -2 behind the later ones"),
    CHOICE(data, join, WEIGHTS | ROWS | CELLS, join_words, "inner",
           "genes of several inputs: those that all have, or those that any has, which are 0 in "
           "the "
           "cells of the others"),
    WORDS(SCS_KEY_PATH, data, genes, WEIGHTS | ROWS, "all", "all",
          "all, or a file with one gene per line to keep"),
    {.section = "data", .name = "n_top_genes", .affects = WEIGHTS | ROWS, .type = SCS_KEY_INT,
     AT(data.n_top_genes), .min = 1, .max = 1000000000, .words = "all", .fallback = "all",
     .help = "all, or how many highly variable genes to keep, chosen from the cells that are not "
             "held out (by validate: from the control cells)"},
    CHOICE(data, hvg_flavor, WEIGHTS | ROWS, hvg_words, "seurat",
           "how they are chosen, as scanpy's pp.highly_variable_genes: by dispersion of the "
           "normalised values, or (raw counts only) by variance about a trend"),
    TEXT(data, hvg_batch, WEIGHTS | ROWS, 0, "",
         "obs column of the batches in each of which they are chosen; empty: in all cells at once"),
    INT(data, memory, NOTHING, 1, 16777216, "16384",
        "MiB that one dataset of a file may ask for on one rank; larger claims are refused"),
    INT(data, memory_per_rank, NOTHING, 0, 16777216, "0",
        "MiB that the cells may take on one rank (run, train, screen, check), with train.data: "
        "stream two windows of them; cells that take more are refused with the number of ranks "
        "that they need, and a matrix stored by columns is read in parts that take no more on the "
        "way; 0: as they come"),

    {.section = "hold_out", .affects = WEIGHTS | ROWS, .type = SCS_KEY_RECORDS, AT(hold_out),
     .record = &combination_record, .count = offsetof(scs_config, n_hold_out),
     .help = "combinations kept out of training and scored afterwards, by names, globs or lists of "
             "them (no species or dose: all), or by the value of an obs column; groups of which "
             "only some cells have the value are not scored, those cells are set aside"},

    /* What is learnt: the kind of model, and the sizes of its network and so of its weights. */
    CHOICE(model, kind, WEIGHTS | ROWS, kind_words, "vae",
           "vae: scGen's variational autoencoder; mean: arithmetic on the groups' mean expression, "
           "no training; pca: principal components, model.latent of them"),
    SIZED(model, hidden, WEIGHTS,
          "units of a hidden layer; auto: 128; scGen's 800 with profile scgen2 or paper"),
    INT(model, layers, WEIGHTS, 1, 8, "2", "hidden layers of the encoder, and of the decoder"),
    SIZED(model, latent, WEIGHTS,
          "latent units; auto: 32; scGen's 100 with profile scgen2 or paper; of kind pca: 50"),
    BY_PROFILE(model, dropout, WEIGHTS, 0, 0.95,
               "share of hidden units dropped in training; auto: 0.2"),
    NUMBER(model, kl_weight, WEIGHTS, 0, 1e6, "5e-5", "weight of the Kullback-Leibler term"),
    CHOICE(model, profile, WEIGHTS | ROWS, profile_words, "auto",
           "what `auto` means elsewhere: this program's choices, which predict held-out cells "
           "best; or all as scGen 2.x, or as the paper's own code (1.x), which also sets the "
           "constants"),
    WORDS(SCS_KEY_PATH, model, load, WEIGHTS, NULL, "",
          "take the weights of this file instead of training"),

    /* How its weights are found. */
    INT(train, batch, WEIGHTS, 1, 1048576, "32",
        "cells of a step, over all ranks; a multiple of the shards"),
    INT(train, epochs, WEIGHTS, 1, 1000000, "100", "passes over the training cells, at most"),
    BY_PROFILE(train, learning_rate, WEIGHTS, 1e-12, 10,
               "of Adam; auto: 2e-3 with schedule: linear or cosine, else 1e-3"),
    CHOICE(train, schedule, WEIGHTS, schedule_words, "auto",
           "how the learning rate falls over train.epochs: not at all, or to 0; auto: linear, "
           "constant with profile scgen2 or paper"),
    CHOICE(train, output_bias, WEIGHTS, output_bias_words, "auto",
           "where the output layer's biases start: as torch's, or at the genes' means; auto: mean, "
           "random with profile scgen2 or paper"),
    INT(train, seed, WEIGHTS | REPORT, 0, 4294967295, "1",
        "of every random number of training and screening"),
    {.section = "train", .name = "shards", .affects = WEIGHTS, .type = SCS_KEY_POWER,
     AT(train.shards), .min = 1, .max = 4096, .words = "auto", .fallback = "auto",
     .help = "virtual shards: any number of ranks up to this gives the same bytes; auto: the next "
             "power of two from the number of ranks"},
    NUMBER(train, validation, WEIGHTS, 0, 0.9, "0.1", "share of the cells kept for validation"),
    INT(train, patience, WEIGHTS, 1, 1000000, "25", "epochs without improvement before stopping"),
    CHOICE(train, monitor, WEIGHTS, monitor_words, "objective",
           "what early stopping watches: the objective, and the best weights are kept; or as "
           "scGen: squared error + unweighted KL, and the last weights are kept"),
    CHOICE(train, batch_norm, WEIGHTS, batch_norm_words, "global",
           "statistics over the whole batch, or each shard for itself (fewer messages)"),
    CHOICE(train, output_layer, WEIGHTS, output_layer_words, "auto",
           "gradients of the output layer gene by gene, or from products of the weights and of the "
           "hidden units with themselves: the same up to rounding; auto: the cheaper for this "
           "batch"),
    CHOICE(train, data, WEIGHTS | ROWS, train_data_words, "memory",
           "where the cells are meanwhile: in memory, or on disk, from which they are read anew in "
           "each epoch, in shuffled blocks (run, train, screen, check, embed)"),
    INT(train, window, WEIGHTS | ROWS, 1, 1000000000000, "65536",
        "with data: stream, cells that are mixed with one another and in memory at a time, over "
        "all ranks; as many are read ahead"),

    NUMBER_OR(train, checkpoint_minutes, NOTHING, 0, 1e6, "auto", SCS_CHECKPOINT_AUTO, "auto",
              "minutes between saves of the state that an interrupted run goes on from; 0: none; "
              "auto: after the first epoch, then every minute, or as often as costs 2 % of the "
              "time"),
    INT(train, checkpoint_steps, NOTHING, 0, 1e15, "0",
        "steps between saves of it; 0: by time alone"),
    NUMBER(train, max_hours, NOTHING, 0, 1e6, "0",
        "hours after which training or screening saves what is done and ends with exit code 75; 0: "
        "no limit"),
    BOOL(train, resume, NOTHING, "true",
        "go on from the state in output.dir if there is one; false: begin anew"),

    /* Which combinations are predicted, by which rule, and what is said of each. */
    NAMES(screen, cell_types, REPORT, "cell types to predict: names or globs such as CD4*"),
    NAMES(screen, perturbations, REPORT, "conditions to predict: names or globs"),
    NAMES(screen, species, REPORT, "species to predict: names or globs"),
    {.section = "screen", .name = "restrict", .affects = ROWS, .type = SCS_KEY_NAMES,
     AT(screen.restrict_types), .words = "all", .fallback = "all",
     .help = "cell types whose changes are learnt from, names or globs; those of other types are "
             "predicted and scored, but tell nothing"},
    INT(screen, min_cells, ROWS, 1, 1000000000, "1",
        "least cells of a group: with fewer controls a cell type has no rows, and a perturbed "
        "group with fewer is not learnt from"),
    WORDS(SCS_KEY_NAMES, screen, doses, REPORT, "observed", "observed",
          "with data.dose: doses to predict, also unseen ones up to the largest that shows the "
          "perturbation; observed: those that the data show"),
    INT(screen, order, ROWS, 1, 2, "1",
        "2: also all pairs of the perturbations, as the sum of their two shifts"),
    TEXT(screen, pair_separator, ROWS, 1, "+",
         "with screen.order: 2, between the two names in a pair's label, in the data as in the "
         "result"),
    WORDS(SCS_KEY_PATH, screen, combinations, REPORT, NULL, "",
          "instead of the lists: a CSV or TSV of the wanted rows, with columns cell_type, "
          "perturbation and, if there are several, species; dose, if some are wanted"),
    WORDS(SCS_KEY_PATH, screen, gene_sets, REPORT, NULL, "",
          "GMT file of gene sets to score in every row"),
    WORDS(SCS_KEY_PATH, screen, perturbation_features, ROWS, NULL, "",
          "TSV of numbers that perturbations are like each other by, a row for each: with shift: "
          "auto, mixed or limited, rows also for perturbations that no cell shows"),
    RULE(screen, shift, ROWS, scs_rule_shifts, "auto",
           "how the types' changes are pooled: by closeness to the target, plainly, as scGen, by "
           "regression on the control means, plainly with a share of what sets the controls "
           "apart, by a linear mixed model of all groups, or by that with no gene moved by more than "
           "its noise; auto: the best of them, or a weighted mean, by leaving out each group in "
           "turn"),
    BOOL(screen, correction, ROWS, "true",
         "with shift: auto, correct each gene's change for the level it starts from, as groups "
         "that are left out teach it, by the share that helps left-out cell types"),
    CHOICE(screen, distance, ROWS, distance_words, "genes",
           "how close cell types (and species) are: by their mean expression, or in latent space"),
    NUMBER_OR(screen, nearest_power, ROWS, 0, 64, "auto", SCS_POWER_AUTO, "4",
              "with shift: nearest, types weigh 1 / distance^power (0: as paired); auto: the best "
              "by leave-one-type-out"),
    NUMBER(screen, ridge, ROWS, 1e-6, 1e6, "1",
           "penalty of shift: regression; larger is nearer to paired"),
    CHOICE(screen, cross_species, ROWS, cross_species_words, "nearest",
           "a perturbation that the species never saw: from the nearest species, the mean of all, "
           "or the published half-and-half rule"),
    RULE(screen, decode, ROWS, scs_rule_decodes, "blend",
           "edit: add the decoded change to the observed control; decode: as scGen; blend: edit's "
           "change mixed with the sources' own change in gene space"),
    NUMBER_OR(screen, blend, ROWS, 0, 1, "auto", SCS_BLEND_AUTO, "auto",
              "with decode: blend, the decoder's share; auto: the best by leave-one-type-out, at "
              "most 0.1, as the network has seen all types"),
    CHOICE(screen, magnitude, ROWS, magnitude_words, "auto",
           "size of the decoder's change where it is edited in or blended: as decoded, or fitted "
           "to the sources' own change in gene space by least squares; auto: sources, decoder "
           "with profile scgen2 or paper"),
    INT(screen, permutations, REPORT, 0, 1000000, "1000",
        "permutations of the labels within cell types, for p_value and q_value; 0: none"),
    INT(screen, bootstrap, REPORT, 0, 100000, "0",
        "bootstrap replicates for delta_se and shift_se (2 or more); 0: none, and shift_se is what "
        "the mixed model of shift: auto, mixed or limited expects"),
    CHOICE(screen, rank_by, REPORT, rank_by_words,
           "none", "write ranking.tsv, best rows first, and print the first; --rank-by sets it"),
    BOOL(screen, variance, ROWS, "true", "predict variances as well"),
    BOOL(screen, de, REPORT, "false",
         "write layers log2fc, p_de and q_de: predicted cells, made as predict makes them and not "
         "kept, tested against their controls; inputs must hold counts; a job that is stopped "
         "while it tests begins that anew, and check does not count its time"),
    CHOICE(screen, products, ROWS, products_words, "auto",
           "how hidden layers are multiplied where no variances are asked for: by BLAS, or, where "
           "the processor has them, by its integer tiles (AMX), as exact as float32 but not the "
           "same bits"),

    /* What is held out in turn, to measure the predictions. */
    CHOICE(validate, protocol, REPORT, protocol_words, "combination",
           "what is held out together: one combination, all perturbed cells of a context (only its "
           "controls are seen), all cells of a dose, or all cells of a perturbation"),
    CHOICE(validate, context, REPORT, context_words, "cell_type",
           "with protocol: context, what is a context: a cell type of a species (or whatever "
           "data.cell_type names, as donors), or a species with all of its types"),
    NAMES(validate, cell_types, REPORT, "cell types that validate holds out: names or globs"),
    NAMES(validate, perturbations, REPORT, "conditions that validate holds out: names or globs"),
    NAMES(validate, species, REPORT, "species that validate holds out: names or globs"),
    INT(validate, min_cells, REPORT, 1, 1000000000, "1",
        "least cells of a combination, and of its controls, to be held out and scored"),
    INT(validate, folds, REPORT, 1, 1000000, "1",
        "with protocol: combination, how many of them one model holds out together"),
    INT(validate, group_size, REPORT, 1, 1000000, "1",
        "ranks that train one model together; also validate --group-size"),
    BOOL(validate, pca, REPORT, "false",
         "also predict by principal components, made for each model"),
    BOOL(validate, cells, REPORT, "false",
         "also make cells of each held-out combination, as predict does, at most 4096, and score "
         "them by the real ones as score does; the inputs must hold counts"),

    /* Cells, one by one; no other file depends on these keys. */
    WORDS(SCS_KEY_NAMES, predict, combination, NOTHING, "screen", "screen",
          "what scscreen predict makes cells of: a list of SPECIES,TYPE,PERTURBATION[,DOSE], or "
          "the rows that the section screen selects; also predict --combination, which may be "
          "repeated"),
    {.section = "predict",
     .name = "cells",
     .affects = NOTHING,
     .type = SCS_KEY_INT,
     AT(predict.cells),
     .min = 1,
     .max = 1e12,
     .words = "controls",
     .fallback = "controls",
     .help = "predicted cells of each combination; controls: as many as it has control cells"},
    CHOICE(predict, values, NOTHING, values_words, "counts",
           "what predicted cells hold: whole counts, or log1p of them, scaled as the inputs were"),
    WORDS(SCS_KEY_NAMES, predict, layers, NOTHING, "none", "none",
          "the same cells also as layers: a list of counts and log1p; also predict --layers"),
    CHOICE(predict, mean, NOTHING, cell_mean_words, "screen",
           "whose mean predicted cells have: the screen's, or that of the combination's own real "
           "cells, which shows what is lost when a right mean is made into cells"),
    BOOL(predict, latent, NOTHING, "true",
         "write obsm/latent, posterior means of the predicted cells, where the model has them"),
    WORDS(SCS_KEY_PATH, predict, from, NOTHING, NULL, "",
          "an .h5ad of control cells to start from in place of the inputs' own, such as those of a "
          "new donor; genes are found by name; also predict --from"),
    TEXT(predict, from_matrix, NOTHING, 0, "",
         "where these cells' counts are, such as layers/counts; empty: as data.matrix"),

    /* Latent space and back. */
    WORDS(SCS_KEY_PATH, decode, from, NOTHING, NULL, "",
          "an .h5ad of latent coordinates for scscreen decode; empty: latent.h5ad of output.dir, "
          "which embed writes; also decode --from"),
    TEXT(decode, matrix, NOTHING, 0, "",
         "where they are in it, such as obsm/NAME; empty: obsm/X_scgen, obsm/latent or X, the "
         "first that there is; also decode --matrix"),
    TEXT(interpolate, from, NOTHING, 0, "",
         "the cells that interpolate starts from: SPECIES,TYPE,CONDITION[,DOSE], SPECIES is `all` "
         "where there is one; also interpolate --from"),
    TEXT(interpolate, to, NOTHING, 0, "",
         "the cells that it ends at, named likewise; also interpolate --to"),
    INT(interpolate, steps, NOTHING, 2, 1000000, "10",
        "points from one to the other, both ends included; also interpolate --steps"),
    TEXT(integrate, batch, NOTHING, 0, "",
         "obs column of the batches that integrate takes out, in each cell type by itself; also "
         "integrate --batch"),

    /* Measures of two files of cells. */
    TARGET(score, output, NOTHING, 0, "",
         "file for the table of score; also score --output"),
    CHOICE(score, baseline, NOTHING, baseline_words, "none",
           "what a score is compared with: the controls, or cells of all perturbations at random; "
           "also score --baseline"),
    INT(score, splits, NOTHING, 0, 1000, "0",
        "halvings of the real cells that show what a repeat of the experiment scores; also score "
        "--splits"),
    INT(score, seed, NOTHING, 0, 9007199254740992., "0",
        "of baseline and splits; also score --seed"),
    NUMBER(score, least_cpm, NOTHING, -1, 1e6, "5",
           "counts per million that a gene has more than in the controls to be tested; -1 for all "
           "genes; also score --least-cpm"),
    INT(score, components, NOTHING, 0, 1000, "50",
        "principal components of the real cells in which populations of cells are compared; 0: "
        "they are not; also score --components"),

    /* The form of what is written, and where it goes. */
    CHOICE(output, rows, REPORT, rows_words, "dense",
           "what screen.h5ad holds of a row: X and layers over all genes, or only the lists of "
           "output.top_genes and the numbers in obs and obsm"),
    INT(output, top_genes, REPORT, 0, 100000, "0",
        "genes with the largest shifts to list for each row, up and down; 0: none"),
    TARGET(output, dir, NOTHING, 1, "results",
        "folder for the results, from the working directory"),
    NUMBER(output, deadline, NOTHING, 0, 1e9, "1800",
        "seconds that a step of writing may take before the job ends with exit code 74; 0: any"),

    BOOL(check, trial, NOTHING, "true",
         "make some steps of training, the atlas and some rows of the screen, to say what time and "
         "memory a run takes; false: only read and check"),

    /* An atlas of which the truth is known. */
    WORDS(SCS_KEY_PATH, simulate, dir, REPORT, NULL, "",
          "folder that `simulate` writes to; empty: none"),
    INT(simulate, genes, REPORT, 1, 1000000, "1000", "genes"),
    INT(simulate, cells, REPORT, 1, 100000000, "60",
        "cells of each (species, cell type, condition)"),
    INT(simulate, cell_types, REPORT, 1, 10000, "6", "cell types, type_1 and so on"),
    INT(simulate, perturbations, REPORT, 1, 10000, "5",
        "perturbations, drug_1 and so on, besides control"),
    WORDS(SCS_KEY_NAMES, simulate, doses, REPORT, "none", "none",
          "doses at which every perturbation is given, ascending: the response at dose d is that "
          "at the largest times log(1 + d) / log(1 + largest); none: no obs.dose"),
    INT(simulate, pairs, REPORT, 0, 1000000, "0",
        "pairs of perturbations besides them, drug_1+drug_2 and so on: responses add up"),
    INT(simulate, null, REPORT, 0, 10000, "0", "the last so many perturbations have no effect"),
    INT(simulate, species, REPORT, 1, 26, "3", "species, species_a and so on; a file each"),
    INT(simulate, seed, REPORT, 0, 4294967295, "1", "of every random number of the simulation"),
    NUMBER(simulate, effect, REPORT, 0, 10, "1.0",
           "size of the perturbations' shared shift, log units"),
    NUMBER(simulate, counts, REPORT, 1, 1e7, "3000", "mean counts of a cell"),
    NUMBER(simulate, dispersion, REPORT, 1e-3, 1e6, "2",
           "of the negative binomial: variance = mean + mean^2 / dispersion"),
};

/* clang-format on */

const scs_key *scs_key_at(int i)
{
    return i >= 0 && (size_t)i < sizeof keys / sizeof *keys ? &keys[i] : NULL;
}

char *scs_key_full_name(const scs_key *key, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", key->section, key->name ? "." : "", key->name ? key->name : "");
    return out;
}

char *scs_key_place(const scs_config *config, const char *key, int line, char *out, size_t size)
{
    if (line > 0)
        snprintf(out, size, "%s:%d: %s", config->file, line, key);
    else
        snprintf(out, size, "--set %s", key);
    return out;
}

/* Linear over fewer than a hundred rows, once for each key of a file. */
const scs_key *scs_key_find(const char *full_name)
{
    char name[80];

    for (int i = 0; scs_key_at(i); i++)
        if (strcmp(scs_key_full_name(&keys[i], name, sizeof name), full_name) == 0)
            return &keys[i];
    return NULL;
}

bool scs_key_is_section(const char *name)
{
    for (int i = 0; scs_key_at(i); i++)
        if (keys[i].name && strcmp(keys[i].section, name) == 0)
            return true;
    return false;
}

/* ---- values of a row ---- */

/* "WORD or a number from MIN to MAX" */
static void describe_range(const scs_key *key, const char *what, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s from %.10g to %.10g", key->words ? key->words : "",
             key->words ? " or " : "", what, key->min, key->max);
}

/* "A/B or a path": the words with "/" for "|", then what may stand instead */
static void describe_words(const scs_key *key, const char *otherwise, char *out, size_t size)
{
    snprintf(out, size, "%s%s", key->words ? key->words : "", otherwise);
    for (char *bar = out; (bar = strchr(bar, '|'));)
        *bar = '/';
}

/* "one of A|B|C" */
static void describe_choice(const scs_key *key, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "one of ");

    for (const scs_word *w = key->choice; w->text && used < size; w = scs_key_choice_next(key, w))
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", w > key->choice ? "|" : "", w->text);
}

/* "a list of {path, species, orthologs}" */
static void describe_record(const scs_key *key, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "a list of {");
    const scs_field *field = key->record->field;

    if (key->record->form == SCS_RECORD_PAIRS) {
        snprintf(out, size, "a map {%s: %s, ...}", field[0].name, field[1].name);
        return;
    }
    if (key->record->form == SCS_RECORD_MAPS) {
        snprintf(out, size, "a map {%s: {%s: %s, ...}, ...}", field[0].name, field[1].name,
                 field[2].name);
        return;
    }
    for (int f = 0; f < key->record->n_field && used < size; f++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", f ? ", " : "",
                                 key->record->field[f].name);
    if (used < size)
        snprintf(out + used, size - used, "}");
}

/* Texts without words: any, or any but the empty one. */
char *scs_key_allowed(const scs_key *key, char *out, size_t size)
{
    switch (key->type) {
    case SCS_KEY_INT:
        describe_range(key, "a whole number", out, size);
        break;
    case SCS_KEY_POWER:
        describe_range(key, "a power of two", out, size);
        break;
    case SCS_KEY_NUMBER:
        describe_range(key, "a number", out, size);
        break;
    case SCS_KEY_BOOL:
        snprintf(out, size, "true or false");
        break;
    case SCS_KEY_PATH:
        describe_words(key, key->words ? " or a path" : "a path", out, size);
        break;
    case SCS_KEY_NAMES:
        describe_words(key, " or a list of names", out, size);
        break;
    case SCS_KEY_CHOICE:
        describe_choice(key, out, size);
        break;
    case SCS_KEY_RECORDS:
        describe_record(key, out, size);
        break;
    default:
        snprintf(out, size, "%s%s",
                 key->words     ? "one of "
                 : key->min > 0 ? "some text"
                                : "text",
                 key->words ? key->words : "");
    }
    return out;
}

/* Words are separated by "|"; one is compared as a whole. */
bool scs_key_has_word(const scs_key *key, const char *text)
{
    size_t n = strlen(text);

    for (const char *word = key->words; word; word = strchr(word, '|')) {
        word += *word == '|';
        if (strcspn(word, "|") == n && memcmp(word, text, n) == 0)
            return true;
    }
    return false;
}

const scs_word *scs_key_choice_next(const scs_key *key, const scs_word *word)
{
    return (const scs_word *)((const char *)word + key->choice_row);
}

const scs_word *scs_key_choice_find(const scs_key *key, const char *text)
{
    const scs_word *word = key->choice;

    while (word->text && strcmp(word->text, text) != 0)
        word = scs_key_choice_next(key, word);
    return word->text ? word : NULL;
}

const char *scs_key_choice_text(const scs_key *key, int value)
{
    const scs_word *word = key->choice;

    while (word->text && word->value != value)
        word = scs_key_choice_next(key, word);
    return word->text;
}
