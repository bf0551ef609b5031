/* Means, differences and verdicts of a validation (summary.h). All functions are Local.
 *
 * The draws are counter-based: replicate r takes row floor(u_ri n), the same rows for every
 * predictor and measure, so that the intervals do not depend on ranks or on what else is in the
 * table. O(replicates rows predictors measures). The n rows of a measure are those in which it
 * is defined.
 *
 * A model is recommended by the mean of r2_all, r2_deg and delta_pearson: the first two are what
 * scGen's figures report, the third is the one that no change cannot score in. Whoever is not ahead
 * of no change in the first two is not chosen.
 */
#include "src/crossval/summary.h"

#include "src/base/random.h"
#include "src/screen/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SCS_N_MEASURE <= 64, "room for every measure's baseline");

/* ---- values ---- */

/* The predictor of a space of which there is one. */
static int number_of(int space)
{
    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (scs_report_predictor_at(p)->space == space)
            return p;
    return -1;
}

static bool is_replicate(int p)
{
    return scs_report_predictor_at(p)->space == SCS_PREDICT_REPLICATE;
}

/* Whether the predictor has the measure in any row. */
static bool has(const scs_report_table *t, int p, int m)
{
    for (int64_t i = 0; i < t->n; i++)
        if (!isnan(scs_report_value(t, i, p, m)))
            return true;
    return false;
}

/* Whether anybody has it in this row. */
static bool is_defined(const scs_report_table *t, int64_t i, int m)
{
    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (!is_replicate(p) && !isnan(scs_report_value(t, i, p, m)))
            return true;
    return false;
}

/* The value that counts: a row without a prediction (and so without an error) is no change; one
 * that correlates with nothing has 0. */
static double value_of(const scs_report_table *t, int64_t i, int p, int m)
{
    double value = scs_report_value(t, i, p, m);

    if (isnan(value) && isnan(scs_report_value(t, i, p, SCS_MSE)))
        value = scs_report_value(t, i, number_of(SCS_PREDICT_NOTHING), m);
    return isnan(value) ? 0 : value;
}

/* One measure of all predictors over the rows in which it is defined. */
typedef struct column {
    const scs_report_table *table;
    int measure, sense;
    int64_t n;
    int64_t *row; /* [n] */
    double *off;  /* [predictors, n] differences to the best baseline */
    double *mean; /* [predictors, replicates] means of them */
    float *draw;  /* [n] */
} column;

/* Over the rows in which the measure is defined for anybody. */
static double mean_of(const column *c, int p)
{
    double sum = 0;

    for (int64_t k = 0; k < c->n; k++)
        sum += value_of(c->table, c->row[k], p, c->measure);
    return c->n ? sum / (double)c->n : NAN;
}

/* The best by its mean; -1: none has the measure, or none is better than another. */
static int best_baseline(const column *c)
{
    double best = 0;
    int found = -1;

    for (int p = 0; p < scs_report_predictor_count(); p++) {
        double mean;

        if (!scs_report_predictor_is_baseline(scs_report_predictor_at(p)) || c->sense == 0 ||
            !has(c->table, p, c->measure))
            continue;
        mean = c->sense * mean_of(c, p);
        if (found < 0 || mean > best + 1e-9 * fabs(best)) { /* else the plainer one */
            best = mean;
            found = p;
        }
    }
    return found;
}

/* ---- differences ---- */

/* For qsort; there is no NaN among means. */
static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Linear between neighbours, as numpy has it. @param sorted [n] */
static double quantile(const double *sorted, int n, double share)
{
    double at = share * (n - 1);
    int i = (int)at;

    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* How much better the predictor is in the k-th row. */
static double difference(const column *c, int64_t k, int p, int baseline)
{
    return c->sense * (value_of(c->table, c->row[k], p, c->measure) -
                       value_of(c->table, c->row[k], baseline, c->measure));
}

/* Whether the predictor is compared with a baseline by this measure. */
static bool is_compared(const column *c, int p, int baseline)
{
    return baseline >= 0 && !is_replicate(p) && has(c->table, p, c->measure);
}

/* Means of combinations drawn with replacement, the same ones for every predictor. */
static void draw_means(const column *c, const bool *compared, int64_t seed)
{
    for (int r = 0; r < SCS_SUMMARY_REPLICATES; r++) {
        scs_stream stream = {(uint64_t)seed, SCS_RANDOM_RESAMPLE, (uint32_t)r, 0};

        scs_random_uniform(&stream, c->n, c->draw);
        for (int p = 0; p < scs_report_predictor_count(); p++) {
            double sum = 0;

            for (int64_t k = 0; k < c->n && compared[p]; k++)
                sum += c->off[p * c->n + (int64_t)((double)c->draw[k] * (double)c->n)];
            c->mean[p * SCS_SUMMARY_REPLICATES + r] = sum / (double)c->n;
        }
    }
}

/* One combination alone has no interval. */
static scs_status bootstrap(const column *c, int baseline, int64_t seed, scs_summary *s)
{
    bool *compared;

    if (c->n < 2 || baseline < 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(compared, scs_report_predictor_count()));
    for (int p = 0; p < scs_report_predictor_count(); p++)
        compared[p] = is_compared(c, p, baseline);
    draw_means(c, compared, seed);
    for (int p = 0; p < scs_report_predictor_count(); p++) {
        double *mean = c->mean + p * SCS_SUMMARY_REPLICATES;
        scs_summary_cell *cell = &s->cell[p * SCS_N_MEASURE + c->measure];

        if (!compared[p])
            continue;
        qsort(mean, SCS_SUMMARY_REPLICATES, sizeof *mean, ascending);
        cell->low = quantile(mean, SCS_SUMMARY_REPLICATES, .025);
        cell->high = quantile(mean, SCS_SUMMARY_REPLICATES, .975);
    }
    free(compared);
    return SCS_OK;
}

/* (u - b) / (r - b), each a mean over the rows that have a replicate. */
static double scale(const column *c, int p, int baseline)
{
    int replicate = number_of(SCS_PREDICT_REPLICATE);
    double u = 0, b = 0, r = 0;

    for (int64_t k = 0; k < c->n; k++) {
        double value = scs_report_value(c->table, c->row[k], replicate, c->measure);

        if (isnan(value))
            continue;
        r += value;
        u += value_of(c->table, c->row[k], p, c->measure);
        b += value_of(c->table, c->row[k], baseline, c->measure);
    }
    return c->sense * (r - b) > 0 ? (u - b) / (r - b) : NAN;
}

/* The replicate's mean is over the rows that have one; it is compared with nothing but by scale. */
static void sum_replicate(const column *c, int p, scs_summary_cell *cell)
{
    double sum = 0;

    for (int64_t k = 0; k < c->n; k++) {
        double value = scs_report_value(c->table, c->row[k], p, c->measure);

        sum += isnan(value) ? 0 : value;
        cell->n += !isnan(value);
    }
    if (cell->n)
        cell->mean = sum / (double)cell->n;
}

/* All but the interval. */
static void sum_predictor(const column *c, int p, int baseline, scs_summary_cell *cell)
{
    double *off = c->off + p * c->n;

    *cell =
        (scs_summary_cell){.mean = NAN, .scaled = NAN, .difference = NAN, .low = NAN, .high = NAN};
    if (!has(c->table, p, c->measure))
        return;
    if (is_replicate(p)) {
        sum_replicate(c, p, cell);
        return;
    }
    cell->n = c->n;
    cell->mean = mean_of(c, p);
    if (!is_compared(c, p, baseline))
        return;
    cell->difference = 0;
    for (int64_t k = 0; k < c->n; k++) {
        off[k] = difference(c, k, p, baseline);
        cell->difference += off[k] / (double)c->n;
        cell->wins += off[k] > 0;
    }
    cell->scaled = scale(c, p, baseline);
}

/* One measure of all predictors: its rows, its best baseline, means and differences, intervals. */
static scs_status sum_measure(column *c, int64_t seed, scs_summary *s)
{
    c->n = 0;
    c->sense = scs_score_measure_sense(c->measure);
    for (int64_t i = 0; i < c->table->n; i++)
        if (is_defined(c->table, i, c->measure))
            c->row[c->n++] = i;
    s->baseline[c->measure] = best_baseline(c);
    for (int p = 0; p < scs_report_predictor_count(); p++)
        sum_predictor(c, p, s->baseline[c->measure], &s->cell[p * SCS_N_MEASURE + c->measure]);
    return bootstrap(c, s->baseline[c->measure], seed, s);
}

/* Every predictor that has a prediction has an error. */
static void count_none(const scs_report_table *t, scs_summary *s)
{
    for (int p = 0; p < scs_report_predictor_count(); p++) {
        s->made[p] = t->made[p];
        for (int64_t i = 0; i < t->n && t->made[p]; i++)
            s->n_none[p] += isnan(scs_report_value(t, i, p, SCS_MSE));
    }
}

/* Buffers for one measure are used for all, one after another. O(measures predictors (rows +
 * replicates rows)). */
scs_status scs_summary_make(const scs_report_table *t, int64_t seed, scs_summary *s)
{
    column c = {.table = t};
    scs_status st;

    *s = (scs_summary){.n = t->n};
    SCS_GO(st, SCS_ALLOC(s->cell, scs_report_predictor_count() * SCS_N_MEASURE));
    SCS_GO(st, SCS_ALLOC(s->n_none, scs_report_predictor_count()));
    SCS_GO(st, SCS_ALLOC(s->made, scs_report_predictor_count()));
    SCS_GO(st, SCS_ALLOC(c.row, t->n));
    SCS_GO(st, SCS_ALLOC(c.draw, t->n));
    SCS_GO(st, SCS_ALLOC(c.off, scs_report_predictor_count() * t->n));
    SCS_GO(st, SCS_ALLOC(c.mean, scs_report_predictor_count() * SCS_SUMMARY_REPLICATES));
    for (c.measure = 0; c.measure < SCS_N_MEASURE; c.measure++)
        SCS_GO(st, sum_measure(&c, seed, s));
    count_none(t, s);
done:
    free(c.row);
    free(c.draw);
    free(c.off);
    free(c.mean);
    return st;
}

void scs_summary_clear(scs_summary *s)
{
    free(s->cell);
    free(s->n_none);
    free(s->made);
    *s = (scs_summary){0};
}

/* Borrowed. */
static const scs_summary_cell *cell_of(const scs_summary *s, int p, int m)
{
    return &s->cell[p * SCS_N_MEASURE + m];
}

double scs_summary_mean(const scs_summary *s, int predictor, int measure)
{
    return cell_of(s, predictor, measure)->mean;
}

/* ---- as a table ---- */

/* "" for none (-1). */
static const char *name_of(int p)
{
    return p < 0 ? "" : scs_report_predictor_at(p)->name;
}

/* Nine digits: more than a mean of floats has. */
static void write_number(FILE *out, double value)
{
    if (isnan(value))
        fprintf(out, "\tnan");
    else
        fprintf(out, "\t%.9g", value);
}

/* Only predictors that were made, and measures that some row has; 17 digits. */
void scs_summary_write(FILE *out, const scs_summary *s)
{
    fprintf(out, "predictor\tmeasure\tn\tmean\tbaseline\tbaseline_mean\treplicate_mean\tscaled\t"
                 "difference\tlow\thigh\twins\n");
    for (int p = 0; p < scs_report_predictor_count(); p++)
        for (int m = 0; m < SCS_N_MEASURE && s->made[p]; m++) {
            const scs_summary_cell *c = cell_of(s, p, m);
            int b = s->baseline[m], r = number_of(SCS_PREDICT_REPLICATE);

            if (!c->n)
                continue;
            fprintf(out, "%s\t%s\t%lld", name_of(p), scs_score_measure_name(m), (long long)c->n);
            write_number(out, c->mean);
            fprintf(out, "\t%s", name_of(b));
            write_number(out, b < 0 ? NAN : scs_summary_mean(s, b, m));
            write_number(out, scs_summary_mean(s, r, m));
            write_number(out, c->scaled);
            write_number(out, c->difference);
            write_number(out, c->low);
            write_number(out, c->high);
            fprintf(out, "\t%lld\n", (long long)c->wins);
        }
}

/* ---- in print ---- */

/* What a model is chosen by; higher is better. */
static const int deciding_measures[] = {SCS_R2_ALL, SCS_R2_DEG, SCS_DELTA_PEARSON};

enum { N_DECIDING = sizeof deciding_measures / sizeof *deciding_measures };

/* What is printed of all measures, and how wide. */
static const int shown_measures[] = {SCS_R2_ALL,           SCS_R2_DEG,        SCS_R2_SD,
                                     SCS_DELTA_PEARSON,    SCS_MSE_SHARE,     SCS_CHANGE_SIZE,
                                     SCS_DEG_OVERLAP_50,   SCS_DEG_DIRECTION, SCS_DELTA_PERTURBED,
                                     SCS_CENTROID_ACCURACY};

/* Of cells, in a table of their own. */
static const int cell_measures[] = {SCS_CELLS_JACCARD,    SCS_CELLS_TOP_100, SCS_CELLS_FIDELITY,
                                    SCS_CELLS_LFC_NMAE,   SCS_CELLS_R2_MEAN, SCS_CELLS_R2_VARIANCE,
                                    SCS_CELLS_E_DISTANCE, SCS_CELLS_ENERGY,  SCS_CELLS_MMD2};

enum {
    N_SHOWN = sizeof shown_measures / sizeof *shown_measures,
    N_OF_CELLS = sizeof cell_measures / sizeof *cell_measures,
    LONG_NAME = 7,
    NUMBER = 5 /* characters of "1.000" */
};

/* A measure's name in two lines, broken behind its first _ if it is long; of cells without the
 * word, which stands above their table. @return its width, at least that of a number */
static int break_name(const char **name, const char **second)
{
    static const char of_cells[] = "cells_";
    const char *cut;
    int first, width;

    if (strncmp(*name, of_cells, strlen(of_cells)) == 0)
        *name += strlen(of_cells);
    cut = strlen(*name) > LONG_NAME ? strchr(*name, '_') : NULL;
    first = cut ? (int)(cut - *name) + 1 : 0;
    *second = *name + first;
    width = first > (int)strlen(*second) ? first : (int)strlen(*second);
    return width > NUMBER ? width : NUMBER;
}

static void print_head(FILE *out, const int *shown, int n)
{
    for (int line = 0; line < 2; line++) {
        fprintf(out, "%-13s", line ? "predictor" : "");
        for (int i = 0; i < n; i++) {
            const char *name = scs_score_measure_name(shown[i]), *second;
            int width = break_name(&name, &second);

            if (line)
                fprintf(out, " %*s", width, second);
            else
                fprintf(out, " %*.*s", width, (int)(second - name), name);
        }
        fprintf(out, "\n");
    }
}

/* A line for each predictor that has rows, and the first of the measures if it is asked for. */
static void print_means(FILE *out, const scs_summary *s, const int *shown, int n, bool first)
{
    print_head(out, shown, n);
    for (int p = 0; p < scs_report_predictor_count(); p++) {
        if (!s->made[p] || (first && isnan(scs_summary_mean(s, p, shown[0]))))
            continue;
        fprintf(out, "%-13s", name_of(p));
        for (int i = 0; i < n; i++) {
            double mean = scs_summary_mean(s, p, shown[i]);
            const char *name = scs_score_measure_name(shown[i]), *second;
            int width = break_name(&name, &second);

            if (isnan(mean))
                fprintf(out, " %*s", width, "-");
            else
                fprintf(out, " %*.3f", width, mean);
        }
        fprintf(out, "\n");
    }
}

/* Predictors that are silent on some rows: their means hold no-change values there. */
static void print_missing(FILE *out, const scs_summary *s)
{
    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (s->made[p] && s->n_none[p])
            fprintf(out, "%s has no %s for %lld of %lld combinations%s\n", name_of(p),
                    is_replicate(p) ? "value" : "prediction", (long long)s->n_none[p],
                    (long long)s->n,
                    is_replicate(p) ? " (too few cells)" : ": they count as no change");
}

/* Whether it is the network, in any decode mode. */
static bool is_network(int p)
{
    const scs_predictor *predictor = scs_report_predictor_at(p);

    return predictor->space == SCS_PREDICT_LATENT && predictor->model == SCS_MODEL_VAE;
}

/* The network as a screen would use it (decode as the config has it); -1: it was not made. */
static int network_of(const scs_summary *s)
{
    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (is_network(p) && scs_report_predictor_at(p)->decode == SCS_DECODE_AS_CONFIG &&
            s->made[p])
            return p;
    return -1;
}

/* What a screen with this config would use: the network, else components, else means. */
static int main_predictor(const scs_summary *s)
{
    int found = network_of(s);

    for (int p = 0; p < scs_report_predictor_count() && found < 0; p++)
        if (s->made[p] && scs_report_predictor_at(p)->space == SCS_PREDICT_LATENT)
            found = p;
    for (int p = 0; p < scs_report_predictor_count() && found < 0; p++)
        if (s->made[p] && !is_replicate(p) &&
            !scs_report_predictor_is_baseline(scs_report_predictor_at(p)))
            found = p;
    return found;
}

/* Against the best baseline of each measure. */
static void print_differences(FILE *out, const scs_summary *s, int p)
{
    int r = number_of(SCS_PREDICT_REPLICATE);

    fprintf(out,
            "\n%s against the best baseline of each measure (difference: above 0 is better, "
            "with its 95 %%\ninterval over combinations; scaled: 0 is that baseline, 1 a "
            "repeat of the experiment):\n",
            name_of(p));
    fprintf(out, "%-17s %6.6s  %-20s %9s  %-24s %9s %6s\n", "measure", name_of(p), "baseline",
            "replicate", "difference", "wins", "scaled");
    for (int i = 0; i < N_SHOWN; i++) {
        int m = shown_measures[i], b = s->baseline[m];
        const scs_summary_cell *c = cell_of(s, p, m);
        char replicate[16] = "-", wins[48], scaled[16] = "n/a", off[64];

        if (!c->n || b < 0)
            continue;
        if (!isnan(scs_summary_mean(s, r, m)))
            snprintf(replicate, sizeof replicate, "%.3f", scs_summary_mean(s, r, m));
        if (!isnan(c->scaled))
            snprintf(scaled, sizeof scaled, "%.2f", c->scaled);
        snprintf(wins, sizeof wins, "%lld/%lld", (long long)c->wins, (long long)c->n);
        snprintf(off, sizeof off, isnan(c->low) ? "%+.3f" : "%+.3f [%+.3f, %+.3f]", c->difference,
                 c->low, c->high);
        fprintf(out, "%-17s %6.3f  %6.3f %-13s %9s  %-24s %9s %6s\n", scs_score_measure_name(m),
                c->mean, scs_summary_mean(s, b, m), name_of(b), replicate, off, wins, scaled);
    }
    fprintf(out, "\n");
}

/* The best of all that need no network; -1: none has it. */
static int best_other(const scs_summary *s, int measure)
{
    int best = -1;

    for (int p = 0; p < scs_report_predictor_count(); p++) {
        double mean = scs_summary_mean(s, p, measure);

        if (!is_network(p) && !is_replicate(p) && !isnan(mean) &&
            (best < 0 || mean > scs_summary_mean(s, best, measure)))
            best = p;
    }
    return best;
}

/* Means that are alike as they are printed are no gain. */
static const double alike = .0005;

/* In words. */
static const char *compare(double network, double other)
{
    if (fabs(network - other) < alike)
        return "ADDS NOTHING to";
    return network > other ? "beats" : "DOES NOT BEAT";
}

/* One line: is the network ahead of what needs none by this measure? */
static void print_comparison(FILE *out, const scs_summary *s, int measure)
{
    int network = network_of(s), other = best_other(s, measure);
    double a, b;

    if (network < 0 || other < 0)
        return;
    a = scs_summary_mean(s, network, measure);
    b = scs_summary_mean(s, other, measure);
    if (isnan(a))
        fprintf(out, "  %-13s the network has none to compare with the baselines: %s %.3f\n",
                scs_score_measure_name(measure), name_of(other), b);
    else
        fprintf(out, "  %-13s the network %s the baselines: %s %.3f, %s %.3f\n",
                scs_score_measure_name(measure), compare(a, b), name_of(network), a, name_of(other),
                b);
}

/* Mean of the deciding measures over their means; NaN where one is undefined, which rules the
 * predictor out. */
static double merit(const scs_summary *s, int p)
{
    double sum = 0;

    for (int i = 0; i < N_DECIDING; i++)
        sum += scs_summary_mean(s, p, deciding_measures[i]);
    return sum / N_DECIDING;
}

/* What no change has a score in as well; it changes nothing, so there is no change to correlate. */
static const int common_measures[] = {SCS_R2_ALL, SCS_R2_DEG, SCS_MSE};

enum { N_COMMON = sizeof common_measures / sizeof *common_measures };

/* The predictor that says nothing. */
static int no_change(void)
{
    return number_of(SCS_PREDICT_NOTHING);
}

/* By its mean. A measure that one of the two has not is not won. */
static bool beats_no_change(const scs_summary *s, int p, int measure)
{
    double a = scs_summary_mean(s, p, measure), b = scs_summary_mean(s, no_change(), measure);

    return measure == SCS_MSE ? a < b : a > b;
}

/* Append ", name" to a list. */
static void list_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);

    snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

/* The measures by which it beats no change, or those by which it does not. @return how many */
static int list_measures(const scs_summary *s, int p, bool beaten, char *list, size_t size)
{
    int n = 0;

    list[0] = '\0';
    for (int i = 0; i < N_COMMON; i++)
        if (beats_no_change(s, p, common_measures[i]) == beaten) {
            list_name(list, size, scs_score_measure_name(common_measures[i]));
            n++;
        }
    return n;
}

/* The list after the head, on as many lines of 100 columns as it takes. */
static void print_list(FILE *out, const char *head, const char *list)
{
    size_t used = strlen(head);

    fputs(head, out);
    for (size_t n; *list; list += n, used += n) {
        n = strcspn(list, ",");
        n += list[n] == ',' ? 2 : 0;
        if (used + n > 99) {
            fputs("\n  ", out);
            used = 2;
        }
        fwrite(list, 1, n, out);
    }
    fputc('\n', out);
}

/* Who beats no change, and by what, and who does not; in so many words if nobody does. */
static void print_no_change(FILE *out, const scs_summary *s)
{
    char all[1024] = "", none[1024] = "", one[128], measures[96];

    for (int p = 0; p < scs_report_predictor_count(); p++) {
        const char *name = scs_report_predictor_at(p)->name;

        if (is_replicate(p) || p == no_change() || !s->made[p])
            continue;
        if (list_measures(s, p, true, measures, sizeof measures)) {
            snprintf(one, sizeof one, "%s (%s)", name, measures);
            list_name(all, sizeof all, one);
        } else
            list_name(none, sizeof none, name);
    }
    if (*all)
        fprintf(out, "no_change is beaten by %s\n", all);
    if (*all && *none)
        print_list(out, "No better than no_change by any of the three: ", none);
    if (!*all && s->made[no_change()])
        fprintf(out, "NOTHING BEATS no_change by r2_all, r2_deg or mse: the control cells as they "
                     "are predict best here, and none of the others is worth screening with\n");
}

/* Sum of the measures that decide and that no change has. */
static double sum_in_common(const scs_summary *s, int p)
{
    double sum = 0;

    for (int i = 0; i < N_DECIDING; i++)
        if (!isnan(scs_summary_mean(s, no_change(), deciding_measures[i])))
            sum += scs_summary_mean(s, p, deciding_measures[i]);
    return sum;
}

/* The predictor of the highest merit that a screen can use, of those that are ahead of no change,
 * and of two that are alike the plainer, which comes first; -1: none. */
static int best_of_all(const scs_summary *s)
{
    int best = -1;
    char use[80];

    for (int p = 0; p < scs_report_predictor_count(); p++)
        if (*scs_report_predictor_use(scs_report_predictor_at(p), use, sizeof use) &&
            !isnan(merit(s, p)) &&
            (!s->made[no_change()] || sum_in_common(s, p) > sum_in_common(s, no_change())) &&
            (best < 0 || merit(s, p) > merit(s, best) + alike))
            best = p;
    return best;
}

/* What to screen with, and what speaks against it. */
static void print_choice(FILE *out, const scs_summary *s)
{
    int best = best_of_all(s);
    char use[80], measures[96], all[128] = "";

    for (int p = 0; p < scs_report_predictor_count() && best < 0; p++)
        if (!is_replicate(p) && list_measures(s, p, true, measures, sizeof measures)) {
            fprintf(out, "None that a screen can use is ahead of no_change in r2_all and r2_deg "
                         "together, so none is recommended\n");
            return;
        }
    if (best < 0)
        return;
    if (list_measures(s, best, false, measures, sizeof measures) && s->made[no_change()])
        snprintf(all, sizeof all, " It does not beat no_change by %s.", measures);
    fprintf(out,
            "Best mean of r2_all, r2_deg and delta_pearson: %s (%.3f).%s To screen with it: %s\n",
            scs_report_predictor_at(best)->name, merit(s, best), all,
            scs_report_predictor_use(scs_report_predictor_at(best), use, sizeof use));
}

/* The network is compared with the best baseline by each measure, and everything with no change, in
 * so many words: a user should see when it does not pay. What is recommended is the predictor of
 * the highest merit, whichever that is. */
void scs_summary_verdict(FILE *out, const scs_summary *s)
{
    for (int i = 0; i < N_DECIDING; i++)
        print_comparison(out, s, deciding_measures[i]);
    print_no_change(out, s);
    print_choice(out, s);
}

/* The same rows on the scale from the best baseline (0) to a repeat of the experiment (1). */
static void print_scaled(FILE *out, const scs_summary *s, const int *shown, int n)
{
    for (int p = 0; p < scs_report_predictor_count(); p++) {
        if (!s->made[p] || is_replicate(p) || p == number_of(SCS_PREDICT_NOTHING) ||
            isnan(scs_summary_mean(s, p, shown[0])))
            continue;
        fprintf(out, "%-13s", "scaled");
        for (int i = 0; i < n; i++) {
            double scaled = s->cell[p * SCS_N_MEASURE + shown[i]].scaled;
            const char *name = scs_score_measure_name(shown[i]), *second;
            int width = break_name(&name, &second);

            if (isnan(scaled))
                fprintf(out, " %*s", width, "-");
            else
                fprintf(out, " %*.3f", width, scaled);
        }
        fprintf(out, "\n");
    }
}

/* Where validate.cells has asked for them. */
static void print_cells(FILE *out, const scs_summary *s)
{
    if (isnan(scs_summary_mean(s, number_of(SCS_PREDICT_NOTHING), SCS_CELLS_R2_MEAN)))
        return;
    fprintf(out,
            "\nCells, by the real ones, as score measures them (no_change: the controls; scaled: "
            "0 is no_change,\n1 a repeat of the experiment):\n");
    print_means(out, s, cell_measures, N_OF_CELLS, true);
    print_scaled(out, s, cell_measures, N_OF_CELLS);
}

void scs_summary_print(FILE *out, const scs_summary *s)
{
    int main = main_predictor(s);

    print_means(out, s, shown_measures, N_SHOWN, false);
    print_cells(out, s);
    print_missing(out, s);
    if (main >= 0)
        print_differences(out, s, main);
    scs_summary_verdict(out, s);
}
