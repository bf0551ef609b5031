/* Writing, reading and summing up validation.tsv. All functions are Local.
 *
 * Columns: species, cell_type, perturbation, predictor, protocol, n_training, held_out_seen,
 * n_control, n_observed, source, then the measures of score.h in the order of scs_measure.
 * Predictors, the baselines first:
 *
 *     no_change       the control cells as they are: what any score has to be ahead of
 *     mean_paired     arithmetic on the groups' mean expression, by the rule paired
 *     mean_nearest    the same by nearest
 *     mean_others     the mean shift of the type's other perturbations (src/crossval/baseline.h)
 *     additive        an effect of the perturbation and one of the type
 *     ridge_pca       ridge regression on principal components (src/crossval/ridge.h)
 *     mean            arithmetic on means as the config's own rule says
 *     pca             the shift in principal components, decoded as the config says
 *     vae             the network as a screen uses it: decoded as the config says
 *     vae_decode      the network, decoded as scGen does
 *     vae_edit        the network's change added to the real control cells
 *     replicate       a repeat of the experiment (src/crossval/replicate.h)
 *
 * A model's rows are first a file of its own, which a grid that is started again reads back
 * instead of training anew: so that rows are read as strictly as they are written (column names,
 * number of rows, numbers), and a file that does not fit is refused. Undefined values are "nan"
 * and count in no mean.
 */
#include "src/crossval/report.h"

#include "src/base/text.h"
#include "src/config/key.h"
#include "src/config/rule.h"
#include "src/screen/predict.h"
#include "src/screen/score.h"
#include "src/screen/shift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LABEL_BYTES = 256,  /* of an escaped label */
    N_LABEL = 10,       /* columns before the measures */
    PREDICTOR_FIELD = 3 /* which of them is the predictor */
};

/* Bytes of the largest file of one model that is read back. */
static const int64_t largest_file = (int64_t)1 << 30;

/* The table of predictors, baselines first. */
static const scs_predictor predictors[] = {
    {.name = "no_change", .space = SCS_PREDICT_NOTHING},
    {.name = "mean_paired", .space = SCS_PREDICT_GENES, .shift = SCS_SHIFT_PAIRED},
    {.name = "mean_nearest", .space = SCS_PREDICT_GENES, .shift = SCS_SHIFT_NEAREST},
    {.name = "mean_others", .space = SCS_PREDICT_GENES, .baseline = SCS_BASELINE_OTHERS},
    {.name = "additive", .space = SCS_PREDICT_GENES, .baseline = SCS_BASELINE_ADDITIVE},
    {.name = "ridge_pca", .space = SCS_PREDICT_GENES, .baseline = SCS_BASELINE_RIDGE},
    {.name = "mean", .space = SCS_PREDICT_GENES, .shift = SCS_SHIFT_AS_CONFIG},
    {.name = "pca",
     .space = SCS_PREDICT_LATENT,
     .decode = SCS_DECODE_AS_CONFIG,
     .model = SCS_MODEL_PCA},
    {.name = "vae",
     .space = SCS_PREDICT_LATENT,
     .decode = SCS_DECODE_AS_CONFIG,
     .model = SCS_MODEL_VAE},
    {.name = "vae_decode",
     .space = SCS_PREDICT_LATENT,
     .decode = SCS_DECODE_PLAIN,
     .model = SCS_MODEL_VAE},
    {.name = "vae_edit",
     .space = SCS_PREDICT_LATENT,
     .decode = SCS_DECODE_EDIT,
     .model = SCS_MODEL_VAE},
    {.name = "replicate", .space = SCS_PREDICT_REPLICATE},
};

/* The columns before the measures. */
static const char *const label_columns[N_LABEL] = {
    "species",    "cell_type",     "perturbation", "predictor",  "protocol",
    "n_training", "held_out_seen", "n_control",    "n_observed", "source"};

/* ---- predictors ---- */

int scs_report_predictor_count(void)
{
    return (int)(sizeof predictors / sizeof *predictors);
}

/* Other files go through the table by number, and stop at NULL. */
const scs_predictor *scs_report_predictor_at(int i)
{
    return i >= 0 && i < scs_report_predictor_count() ? &predictors[i] : NULL;
}

/* In the words of a config, which the user can write as they are. */
char *scs_report_predictor_use(const scs_predictor *predictor, char *out, size_t size)
{
    const scs_predictor *p = predictor;
    const char *kind = p->model == SCS_MODEL_PCA ? "pca" : "vae";

    if (p->space == SCS_PREDICT_NOTHING || p->space == SCS_PREDICT_REPLICATE ||
        p->baseline != SCS_BASELINE_NONE)
        snprintf(out, size, "%s", "");
    else if (p->space == SCS_PREDICT_GENES && p->shift == SCS_SHIFT_AS_CONFIG)
        snprintf(out, size, "model.kind: mean, with screen.shift as it is");
    else if (p->space == SCS_PREDICT_GENES)
        snprintf(out, size, "model.kind: mean, screen.shift: %s",
                 scs_rule_shift_at(p->shift)->word.text);
    else if (p->decode == SCS_DECODE_AS_CONFIG)
        snprintf(out, size, "model.kind: %s, with screen.decode as it is", kind);
    else
        snprintf(out, size, "model.kind: %s, screen.decode: %s", kind,
                 scs_rule_decode_at(p->decode)->word.text);
    return out;
}

/* The config's own rule is what a user would screen with. */
bool scs_report_predictor_is_baseline(const scs_predictor *p)
{
    return p->space == SCS_PREDICT_NOTHING ||
           (p->space == SCS_PREDICT_GENES && p->shift != SCS_SHIFT_AS_CONFIG);
}

/* One training a kind; PCA costs little beside a network. */
int scs_report_predictor_kinds(const scs_config *config, int *kind)
{
    int n = 0;

    kind[n++] = config->model.kind;
    if (config->validate.pca && config->model.kind != SCS_MODEL_PCA)
        kind[n++] = SCS_MODEL_PCA;
    return n;
}

/* A baseline needs no model, but belongs to one, so that its rows are written once. */
bool scs_report_predictor_is_made_by(const scs_predictor *predictor, const scs_config *config,
                                     int kind)
{
    return kind == (predictor->space == SCS_PREDICT_LATENT ? predictor->model : config->model.kind);
}

/* By any of the kinds that this validation has. */
bool scs_report_predictor_is_made(const scs_predictor *predictor, const scs_config *config)
{
    int kind[SCS_MOST_KINDS], n = scs_report_predictor_kinds(config, kind);

    for (int i = 0; i < n; i++)
        if (scs_report_predictor_is_made_by(predictor, config, kind[i]))
            return true;
    return false;
}

/* ---- rows ---- */

/* Also what is_head compares a file with: the two cannot differ. */
void scs_report_write_head(FILE *out)
{
    for (int i = 0; i < N_LABEL; i++)
        fprintf(out, "%s\t", label_columns[i]);
    for (int m = 0; m < SCS_N_MEASURE; m++)
        fprintf(out, "%s%c", scs_score_measure_name(m), m + 1 < SCS_N_MEASURE ? '\t' : '\n');
}

/* Escaped, so that a tab in a label is no column. */
static void write_label(FILE *out, const char *label)
{
    char text[LABEL_BYTES];

    fprintf(out, "%s\t", scs_text_escape(label, text, sizeof text));
}

/* Nine digits, which give back any float32; n_control and n_observed say what the row rests on.
 * Errors of writing stay with `out` (ferror). */
void scs_report_write_row(FILE *out, const scs_atlas *atlas, const scs_combination *item,
                          const scs_predictor *predictor, const scs_report_origin *origin,
                          const char *source, const double *value)
{
    write_label(out, atlas->species.name[item->species]);
    write_label(out, atlas->cell_types.name[item->cell_type]);
    write_label(out, atlas->conditions.name[item->condition]);
    write_label(out, predictor->name);
    fprintf(out, "%s\t%lld\t%lld\t",
            scs_key_choice_text(scs_key_find("validate.protocol"), origin->protocol),
            (long long)origin->n_training, (long long)origin->n_seen);
    fprintf(out, "%lld\t%lld\t", (long long)atlas->group[item->control_group].count,
            (long long)atlas->group[item->observed_group].count);
    write_label(out, source);
    for (int m = 0; m < SCS_N_MEASURE; m++) {
        if (isnan(value[m]))
            fprintf(out, "nan");
        else
            fprintf(out, "%.9g", value[m]);
        fputc(m + 1 < SCS_N_MEASURE ? '\t' : '\n', out);
    }
}

/* ---- table ---- */

scs_status scs_report_table_create(int64_t room, scs_report_table *table)
{
    int64_t n = room * scs_report_predictor_count() * SCS_N_MEASURE;

    *table = (scs_report_table){.room = room};
    SCS_TRY(SCS_ALLOC(table->made, scs_report_predictor_count()));
    SCS_TRY(SCS_ALLOC(table->value, n));
    for (int64_t i = 0; i < n; i++)
        table->value[i] = NAN;
    return SCS_OK;
}

/* Also of one that was made in part. */
void scs_report_table_clear(scs_report_table *table)
{
    free(table->value);
    free(table->made);
    *table = (scs_report_table){0};
}

double scs_report_value(const scs_report_table *table, int64_t combination, int predictor,
                        int measure)
{
    return table
        ->value[(combination * scs_report_predictor_count() + predictor) * SCS_N_MEASURE + measure];
}

/* Its place in the table; -1: a file of another version. */
static int find_predictor(const char *name)
{
    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (strcmp(predictors[p].name, name) == 0)
            return p;
    return -1;
}

/* One row, cut in place: labels, then a number for every measure. A predictor that is not behind
 * that of the row before begins a combination.
 * @param[in,out] last the row before's predictor  @param table may be NULL  @return whether it is
 * one */
static bool read_row(char *line, int *last, scs_report_table *table)
{
    double value[SCS_N_MEASURE];
    int p = -1, m = -N_LABEL;

    for (char *field; (field = strsep(&line, "\t")); m++) {
        char *end = field;

        if (m == PREDICTOR_FIELD - N_LABEL)
            p = find_predictor(field);
        if (m < 0)
            continue;
        if (p < 0 || m >= SCS_N_MEASURE)
            return false;
        value[m] = strtod(field, &end);
        if (end == field || *end)
            return false;
    }
    if (m != SCS_N_MEASURE)
        return false;
    if (!table)
        return true;
    table->n += p <= *last;
    *last = p;
    if (table->n > table->room)
        return false;
    memcpy(&table->value[((table->n - 1) * scs_report_predictor_count() + p) * SCS_N_MEASURE],
           value, sizeof value);
    table->made[p] = true;
    return true;
}

/* Whether the line is the column names of this version. */
static bool is_head(const char *line)
{
    char *head = NULL;
    size_t size = 0, n = strlen(line);
    FILE *out = open_memstream(&head, &size);
    bool same;

    if (!out)
        return false;
    scs_report_write_head(out);
    if (fclose(out) != 0) {
        free(head);
        return false;
    }
    same = size == n + 1 && memcmp(head, line, n) == 0;
    free(head);
    return same;
}

/* The file is of this program, but may be of a run that was killed or of another version: it is
 * checked from its first line to its last, and refused as a whole. Rows are added as they are
 * read, so that a table after a failure is not to be used. */
scs_status scs_report_read(const char *path, int64_t n_row, scs_report_table *table, FILE *out)
{
    int last = scs_report_predictor_count(); /* the first row begins a combination */
    char *text = NULL, *rest, *line;
    int64_t n = 0;
    bool good;

    SCS_TRY(scs_text_read(path, largest_file, &text));
    rest = text;
    good = is_head((line = strsep(&rest, "\n")));
    while (good && (line = strsep(&rest, "\n")) && *line) {
        if (out)
            fprintf(out, "%s\n", line);
        good = read_row(line, &last, table);
        n++;
    }
    free(text);
    SCS_REQUIRE(good && n == n_row, SCS_EDATA,
                "%s: is not a whole record of a validated model; remove it and run validate again",
                path);
    return SCS_OK;
}
