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
 *     mean            arithmetic on means as the config's own rule says
 *     pca             the shift in principal components, decoded as the config says
 *     vae             the network as a screen uses it: decoded as the config says
 *     vae_decode      the network, decoded as scGen does
 *     vae_edit        the network's change added to the real control cells
 *
 * A model's rows are first a file of its own, which a grid that is started again reads back
 * instead of training anew: so that rows are read as strictly as they are written (column names,
 * number of rows, numbers), and a file that does not fit is refused. Undefined values are "nan"
 * and count in no mean.
 *
 * A model is chosen by the mean of r2_all, r2_deg and delta_pearson: the first two are what
 * scGen's figures report, the third is the one that no change cannot score in. Whoever is not ahead
 * of no change in the first two is not chosen.
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

    if (p->space == SCS_PREDICT_NOTHING || p->baseline != SCS_BASELINE_NONE)
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

/* ---- sums ---- */

scs_status scs_report_sums_create(scs_report_sums *sums)
{
    *sums = (scs_report_sums){0};
    SCS_TRY(SCS_ALLOC(sums->sum, scs_report_predictor_count() * SCS_N_MEASURE));
    SCS_TRY(SCS_ALLOC(sums->n, scs_report_predictor_count() * SCS_N_MEASURE));
    return SCS_ALLOC(sums->n_row, scs_report_predictor_count());
}

/* Also of sums that were made in part. */
void scs_report_sums_clear(scs_report_sums *sums)
{
    free(sums->sum);
    free(sums->n);
    free(sums->n_row);
    *sums = (scs_report_sums){0};
}

/* Over the rows in which the measure is defined. */
double scs_report_mean(const scs_report_sums *sums, int predictor, int measure)
{
    int at = predictor * SCS_N_MEASURE + measure;

    return sums->n[at] ? sums->sum[at] / (double)sums->n[at] : NAN;
}

/* Its place in the table; -1: a file of another version. */
static int find_predictor(const char *name)
{
    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (strcmp(predictors[p].name, name) == 0)
            return p;
    return -1;
}

/* One row, cut in place: labels, then a number for every measure. Sums of undefined values stay
 * as they are.
 * @param sums may be NULL  @return whether it is one */
static bool read_row(char *line, scs_report_sums *sums)
{
    int p = -1, m = -N_LABEL;

    for (char *field; (field = strsep(&line, "\t")); m++) {
        char *end = field;
        double value;

        if (m == PREDICTOR_FIELD - N_LABEL)
            p = find_predictor(field);
        if (m < 0)
            continue;
        value = strtod(field, &end);
        if (p < 0 || m >= SCS_N_MEASURE || end == field || *end)
            return false;
        if (sums && !isnan(value)) {
            sums->sum[p * SCS_N_MEASURE + m] += value;
            sums->n[p * SCS_N_MEASURE + m]++;
        }
    }
    if (sums && p >= 0)
        sums->n_row[p]++;
    return m == SCS_N_MEASURE;
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
 * read, so that sums after a failure are not to be used. */
scs_status scs_report_read(const char *path, int64_t n_row, scs_report_sums *sums, FILE *out)
{
    char *text = NULL, *rest, *line;
    int64_t n = 0;
    bool good;

    SCS_TRY(scs_text_read(path, largest_file, &text));
    rest = text;
    good = is_head((line = strsep(&rest, "\n")));
    while (good && (line = strsep(&rest, "\n")) && *line) {
        if (out)
            fprintf(out, "%s\n", line);
        good = read_row(line, sums);
        n++;
    }
    free(text);
    SCS_REQUIRE(good && n == n_row, SCS_EDATA,
                "%s: is not a whole record of a validated model; remove it and run validate again",
                path);
    return SCS_OK;
}

/* ---- summary ---- */

/* What a model is chosen by; higher is better. */
static const int deciding_measures[] = {SCS_R2_ALL, SCS_R2_DEG, SCS_DELTA_PEARSON};

enum { N_DECIDING = sizeof deciding_measures / sizeof *deciding_measures };

/* What is printed of all measures. */
static const int shown_measures[] = {SCS_R2_ALL, SCS_R2_DEG, SCS_R2_VARIANCE,    SCS_DELTA_PEARSON,
                                     SCS_MSE,    SCS_MAE,    SCS_DEG_OVERLAP_50, SCS_DEG_DIRECTION};

enum { N_SHOWN = sizeof shown_measures / sizeof *shown_measures };

/* A line for each predictor that has rows. Errors (mse, mae) are small numbers and get more
 * digits. */
static void print_means(FILE *out, const scs_report_sums *sums)
{
    fprintf(out, "%-13s", "predictor");
    for (int i = 0; i < N_SHOWN; i++)
        fprintf(out, " %14s", scs_score_measure_name(shown_measures[i]));
    fprintf(out, "\n");
    for (int p = 0; p < scs_report_predictor_count(); p++) {
        if (sums->n_row[p] == 0)
            continue;
        fprintf(out, "%-13s", scs_report_predictor_at(p)->name);
        for (int i = 0; i < N_SHOWN; i++) {
            double mean = scs_report_mean(sums, p, shown_measures[i]);
            bool small = shown_measures[i] == SCS_MSE || shown_measures[i] == SCS_MAE;

            if (isnan(mean))
                fprintf(out, " %14s", "-");
            else
                fprintf(out, " %14.*f", small ? 5 : 3, mean);
        }
        fprintf(out, "\n");
    }
}

/* Whether it is the network, in any decode mode. */
static bool is_network(int p)
{
    const scs_predictor *predictor = scs_report_predictor_at(p);

    return predictor->space == SCS_PREDICT_LATENT && predictor->model == SCS_MODEL_VAE;
}

/* The network as a screen would use it (decode as the config has it); -1: it was not made. */
static int network_of(const scs_report_sums *sums)
{
    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (is_network(p) && scs_report_predictor_at(p)->decode == SCS_DECODE_AS_CONFIG &&
            sums->n_row[p])
            return p;
    return -1;
}

/* The best of the others by one measure; -1: none has it. */
static int best_baseline(const scs_report_sums *sums, int measure)
{
    int best = -1;

    for (int p = 0; p < scs_report_predictor_count(); p++) {
        double mean = scs_report_mean(sums, p, measure);

        if (!is_network(p) && !isnan(mean) &&
            (best < 0 || mean > scs_report_mean(sums, best, measure)))
            best = p;
    }
    return best;
}

/* One line: is the network ahead of the best baseline by this measure? */
static void print_comparison(FILE *out, const scs_report_sums *sums, int measure)
{
    int network = network_of(sums), baseline = best_baseline(sums, measure);
    double a, b;

    if (network < 0 || baseline < 0)
        return;
    a = scs_report_mean(sums, network, measure);
    b = scs_report_mean(sums, baseline, measure);
    fprintf(out, "  %-13s the network %s the baselines: %s %.3f, %s %.3f\n",
            scs_score_measure_name(measure), a > b ? "beats" : "DOES NOT BEAT",
            scs_report_predictor_at(network)->name, a, scs_report_predictor_at(baseline)->name, b);
}

/* Mean of the deciding measures over their means; NaN where one is undefined, which rules the
 * predictor out. */
static double merit(const scs_report_sums *sums, int p)
{
    double sum = 0;

    for (int i = 0; i < N_DECIDING; i++)
        sum += scs_report_mean(sums, p, deciding_measures[i]);
    return sum / N_DECIDING;
}

/* What no change has a score in as well; it changes nothing, so there is no change to correlate. */
static const int common_measures[] = {SCS_R2_ALL, SCS_R2_DEG, SCS_MSE};

enum { N_COMMON = sizeof common_measures / sizeof *common_measures };

/* Its place in the table. */
static int no_change(void)
{
    int p = 0;

    while (scs_report_predictor_at(p)->space != SCS_PREDICT_NOTHING)
        p++;
    return p;
}

/* By its mean. A measure that one of the two has not is not won. */
static bool beats_no_change(const scs_report_sums *sums, int p, int measure)
{
    double a = scs_report_mean(sums, p, measure), b = scs_report_mean(sums, no_change(), measure);

    return measure == SCS_MSE ? a < b : a > b;
}

/* Append ", name" to a list. */
static void list_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);

    snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

/* The measures by which it beats no change, or those by which it does not. @return how many */
static int list_measures(const scs_report_sums *sums, int p, bool beaten, char *list, size_t size)
{
    int n = 0;

    list[0] = '\0';
    for (int i = 0; i < N_COMMON; i++)
        if (beats_no_change(sums, p, common_measures[i]) == beaten) {
            list_name(list, size, scs_score_measure_name(common_measures[i]));
            n++;
        }
    return n;
}

/* Who beats no change, and by what; in so many words if nobody does. */
static void print_no_change(FILE *out, const scs_report_sums *sums)
{
    char all[1024] = "", one[128], measures[96];

    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (list_measures(sums, p, true, measures, sizeof measures)) {
            snprintf(one, sizeof one, "%s (%s)", scs_report_predictor_at(p)->name, measures);
            list_name(all, sizeof all, one);
        }
    if (*all)
        fprintf(out, "no_change is beaten by %s\n", all);
    else if (sums->n_row[no_change()])
        fprintf(out, "NOTHING BEATS no_change by r2_all, r2_deg or mse: the control cells as they "
                     "are predict best here, and none of the others is worth screening with\n");
}

/* Sum of the measures that decide and that no change has. */
static double sum_in_common(const scs_report_sums *sums, int p)
{
    double sum = 0;

    for (int i = 0; i < N_DECIDING; i++)
        if (!isnan(scs_report_mean(sums, no_change(), deciding_measures[i])))
            sum += scs_report_mean(sums, p, deciding_measures[i]);
    return sum;
}

/* The predictor of the highest merit that a screen can use, of those that are ahead of no change;
 * -1: none. */
static int best_of_all(const scs_report_sums *sums)
{
    int best = -1;

    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (p != no_change() && scs_report_predictor_at(p)->baseline == SCS_BASELINE_NONE &&
            !isnan(merit(sums, p)) &&
            (!sums->n_row[no_change()] ||
             sum_in_common(sums, p) > sum_in_common(sums, no_change())) &&
            (best < 0 || merit(sums, p) > merit(sums, best)))
            best = p;
    return best;
}

/* What to screen with, and what speaks against it. */
static void print_choice(FILE *out, const scs_report_sums *sums)
{
    int best = best_of_all(sums);
    char use[80], measures[96], all[128] = "";

    for (int p = 0; p < scs_report_predictor_count() && best < 0; p++)
        if (list_measures(sums, p, true, measures, sizeof measures)) {
            fprintf(out, "None that a screen can use is ahead of no_change in r2_all and r2_deg "
                         "together, so none is recommended\n");
            return;
        }
    if (best < 0)
        return;
    if (list_measures(sums, best, false, measures, sizeof measures) && sums->n_row[no_change()])
        snprintf(all, sizeof all, " It does not beat no_change by %s.", measures);
    fprintf(out,
            "Best mean of r2_all, r2_deg and delta_pearson: %s (%.3f).%s To screen with it: %s\n",
            scs_report_predictor_at(best)->name, merit(sums, best), all,
            scs_report_predictor_use(scs_report_predictor_at(best), use, sizeof use));
}

/* The network is compared with the best baseline by each measure, and everything with no change, in
 * so many words: a user should see when it does not pay. What is recommended is the predictor of
 * the highest merit, whichever that is. */
void scs_report_verdict(FILE *out, const scs_report_sums *sums)
{
    for (int i = 0; i < N_DECIDING; i++)
        print_comparison(out, sums, deciding_measures[i]);
    print_no_change(out, sums);
    print_choice(out, sums);
}

void scs_report_summary(FILE *out, const scs_report_sums *sums)
{
    print_means(out, sums);
    scs_report_verdict(out, sums);
}
