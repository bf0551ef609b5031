/* Tables of rows: the scores of held-out combinations on the terminal, and rows ranked by one of
 * their numbers. All functions are Local; rank 0 calls them, with the numbers of all rows.
 *
 * Labels come from files and are escaped before they are printed. A score that is not defined is
 * `-` on the terminal and empty in a TSV, never 0; means are over what is defined. r2 stands
 * beside that of no change, without which it says little.
 *
 * ranking.tsv: rank from 1, species, cell_type, perturbation, dose (where the data have doses),
 * source, status, n_control, n_observed, held_out, support_flag, then every number of `columns`
 * below: what rows can be ranked by, support and delta_se. Smallest first are p_value and q_value
 * alone.
 */
#include "src/result/ranking.h"

#include "src/base/text.h"
#include "src/data/dose.h"
#include "scscreen/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_BYTES = 40, N_LABEL = 3 }; /* of a printed label, with its end */

/* ---- the table of scores ---- */

/* The numbers of a row; _BASE: of no change. */
enum { R2_ALL, R2_ALL_BASE, R2_DEG, R2_DEG_BASE, DELTA_PEARSON, N_VALUE };

/* One printed row: labels cut to LABEL_BYTES, then the five scores. */
typedef struct score_row {
    char label[N_LABEL][LABEL_BYTES]; /**< species, cell type, perturbation */
    char observed[24];
    double value[N_VALUE];
    char source[SCS_SOURCE_MAX];
} score_row;

/* The table while it is printed: widths are found in a first pass over the rows. */
typedef struct table {
    FILE *out;
    int first_label;     /**< 1 where the one species is left out */
    int width[N_LABEL];  /**< of the label columns */
    double sum[N_VALUE]; /**< over lines whose value is not NaN */
    int64_t n[N_VALUE], n_line;
} table;

static const char *const label_titles[N_LABEL] = {"species", "cell type", "perturbation"};

/* One row's labels, escaped and cut, its scores, and how many observed cells they rest on. */
static void fill_line(const scs_atlas *atlas, const scs_plan *plan, int64_t row,
                      const scs_scores *score, score_row *l)
{
    const scs_combination *item = &plan->item[row];
    char treatment[4 * LABEL_BYTES];
    int64_t observed = item->observed_group < 0 ? 0 : atlas->group[item->observed_group].count;

    scs_text_escape(atlas->species.name[item->species], l->label[0], LABEL_BYTES);
    scs_text_escape(atlas->cell_types.name[item->cell_type], l->label[1], LABEL_BYTES);
    scs_plan_treatment_text(atlas, &plan->pairs, item, treatment, sizeof treatment);
    scs_text_escape(treatment, l->label[2], LABEL_BYTES);
    snprintf(l->observed, sizeof l->observed, "%lld", (long long)observed);
    l->value[R2_ALL] = score->r2_all;
    l->value[R2_ALL_BASE] = score->r2_all_control;
    l->value[R2_DEG] = score->r2_deg;
    l->value[R2_DEG_BASE] = score->r2_deg_control;
    l->value[DELTA_PEARSON] = score->delta_pearson;
    scs_text_escape(plan->sources.name[item->source], l->source, sizeof l->source);
}

/* '-' for NaN, else three decimals. @return out */
static const char *format_score(double value, char out[16])
{
    if (isnan(value))
        return strcpy(out, "-");
    snprintf(out, 16, "%.3f", value);
    return out;
}

/* As wide as the columns have become. */
static void print_line(const table *t, const score_row *l)
{
    char text[N_VALUE][16], baseline[2][24];

    for (int i = 0; i < N_VALUE; i++)
        format_score(l->value[i], text[i]);
    snprintf(baseline[0], sizeof baseline[0], "(%s)", text[R2_ALL_BASE]);
    snprintf(baseline[1], sizeof baseline[1], "(%s)", text[R2_DEG_BASE]);
    for (int i = t->first_label; i < N_LABEL; i++)
        fprintf(t->out, "%-*s  ", t->width[i], l->label[i]);
    fprintf(t->out, "%10s  %6s %-11s  %6s %-11s  %13s  %s\n", l->observed, text[R2_ALL],
            baseline[0], text[R2_DEG], baseline[1], text[DELTA_PEARSON], l->source);
}

/* In the widths that the labels need. */
static void print_titles(const table *t)
{
    for (int i = t->first_label; i < N_LABEL; i++)
        fprintf(t->out, "%-*s  ", t->width[i], label_titles[i]);
    fprintf(t->out, "%10s  %6s %-11s  %6s %-11s  %13s  %s\n", "n_observed", "r2_all", "(no change)",
            "r2_deg", "(no change)", "delta_pearson", "source");
}

/* The label columns are as wide as their widest label or title. */
static void widen(table *t, const score_row *l)
{
    for (int i = 0; i < N_LABEL; i++) {
        int width = (int)strlen(l->label[i]), title = (int)strlen(label_titles[i]);

        width = width > title ? width : title;
        t->width[i] = width > t->width[i] ? width : t->width[i];
    }
}

/* Means are over the rows that have the score. */
static void add_to_mean(table *t, const score_row *l)
{
    for (int i = 0; i < N_VALUE; i++)
        if (!isnan(l->value[i])) {
            t->sum[i] += l->value[i];
            t->n[i]++;
        }
}

/* The last line, labelled in the first column that is printed. */
static void print_mean(const table *t)
{
    score_row l = {.label = {"mean", "mean", ""}};

    if (t->first_label == 0)
        l.label[1][0] = '\0';
    for (int i = 0; i < N_VALUE; i++)
        l.value[i] = t->n[i] ? t->sum[i] / (double)t->n[i] : NAN;
    print_line(t, &l);
}

/* Held-out rows, or all that can be scored and were predicted from other cells than those that they
 * are compared with. */
static bool is_listed(const scs_combination *item, bool held_out_only)
{
    return held_out_only ? item->held_out
                         : item->observed_group >= 0 && item->kind != SCS_SOURCE_SELF;
}

int64_t scs_ranking_count_self(const scs_plan *plan)
{
    int64_t n = 0;

    for (int64_t i = 0; i < plan->n; i++)
        n += plan->item[i].kind == SCS_SOURCE_SELF;
    return n;
}

/* Whose scores say nothing, and why. */
static void print_self(FILE *out, const scs_atlas *atlas, const scs_plan *plan)
{
    int64_t n = scs_ranking_count_self(plan);

    if (n > 0)
        fprintf(out,
                "\n%lld of %lld combinations have no source but their own cells (source: self): "
                "nothing else shows the perturbation. Their scores test nothing and are in no "
                "mean.%s\n",
                (long long)n, (long long)plan->n,
                atlas->cell_types.n == 1 && atlas->species.n == 1
                    ? " With one cell type nothing can be tested."
                    : "");
}

/* What is compared with what. */
static void print_heading(FILE *out, bool held_out_only)
{
    fprintf(out, "\n%s\n",
            held_out_only
                ? "Held-out combinations (never seen in training), predicted v observed:"
                : "No held-out combination was screened. Observed combinations, predicted "
                  "from the others:");
}

/* Two passes over the rows: widths of the columns first, then lines; nothing is kept of a row.
 * Means are over all rows, however few are printed. */
void scs_ranking_table(FILE *out, const scs_atlas *atlas, const scs_plan *plan,
                       const scs_scores *score, bool held_out_only)
{
    table t = {.out = out, .first_label = atlas->species.n == 1};
    score_row l;

    for (int64_t i = 0; i < plan->n; i++)
        if (is_listed(&plan->item[i], held_out_only)) {
            fill_line(atlas, plan, i, &score[i], &l);
            if (t.n_line++ < SCS_TABLE_ROWS)
                widen(&t, &l);
        }
    if (t.n_line > 0) {
        print_heading(out, held_out_only);
        print_titles(&t);
    }
    for (int64_t i = 0, n = 0; i < plan->n; i++)
        if (is_listed(&plan->item[i], held_out_only)) {
            fill_line(atlas, plan, i, &score[i], &l);
            if (n++ < SCS_TABLE_ROWS)
                print_line(&t, &l);
            add_to_mean(&t, &l);
        }
    if (t.n_line > SCS_TABLE_ROWS)
        fprintf(out, "... and %lld more, in obs of the result; means over all:\n",
                (long long)(t.n_line - SCS_TABLE_ROWS));
    if (t.n_line > 1)
        print_mean(&t);
    print_self(out, atlas, plan);
}

/* ---- ranking ---- */

/* The columns of numbers: what rows can be ranked by, and two more. */
enum { SUPPORT = SCS_N_RANK_BY, DELTA_SE, N_COLUMN };

/* One row for each: its title, and which end of it is the best. */
static const struct {
    const char *title;
    bool smallest_first;
} columns[] = {
    [SCS_RANK_NONE] = {.title = ""},
    [SCS_RANK_DELTA_NORM] = {.title = "delta_norm"},
    [SCS_RANK_ENERGY_DISTANCE] = {.title = "energy_distance"},
    [SCS_RANK_AGREEMENT] = {.title = "agreement"},
    [SCS_RANK_P_VALUE] = {.title = "p_value", .smallest_first = true},
    [SCS_RANK_Q_VALUE] = {.title = "q_value", .smallest_first = true},
    [SCS_RANK_R2_ALL] = {.title = "r2_all"},
    [SCS_RANK_R2_DEG] = {.title = "r2_deg"},
    [SCS_RANK_DELTA_PEARSON] = {.title = "delta_pearson"},
    [SUPPORT] = {.title = "support"},
    [DELTA_SE] = {.title = "delta_se"},
};

_Static_assert((int)(sizeof columns / sizeof *columns) == (int)N_COLUMN, "a row for each column");

/* A column's number in a row. All of a row's numbers stand in one list, so that a column cannot
 * be forgotten. */
static double number_of(const scs_ranking *r, int column, int64_t row)
{
    const scs_confidence *t = &r->confidence[row];
    const scs_scores *s = &r->score[row];
    const double values[N_COLUMN] = {[SCS_RANK_NONE] = NAN,
                                     [SCS_RANK_DELTA_NORM] = r->delta_norm[row],
                                     [SCS_RANK_ENERGY_DISTANCE] = t->energy_distance,
                                     [SCS_RANK_AGREEMENT] = t->agreement,
                                     [SCS_RANK_P_VALUE] = t->p_value,
                                     [SCS_RANK_Q_VALUE] = t->q_value,
                                     [SCS_RANK_R2_ALL] = s->r2_all,
                                     [SCS_RANK_R2_DEG] = s->r2_deg,
                                     [SCS_RANK_DELTA_PEARSON] = s->delta_pearson,
                                     [SUPPORT] = t->support,
                                     [DELTA_SE] = t->delta_se};

    return values[column];
}

/* Rows of one kind stand together: a number that tests nothing is behind all that do. */
enum { HAS_NUMBER, HAS_NONE, IS_SELF, IS_NOT_PREDICTED };

/* A row and what it is sorted by, smallest first; NaN became infinite. */
typedef struct keyed {
    int kind;
    double key, length; /* length: of its shift, negative */
    int64_t row;
} keyed;

/* A total order. Of equal keys, as of all p-values that no permutation has reached, the longer
 * shift is first, then the row that comes first in the plan. */
static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* What a row is sorted by. The sign makes every number ascending, and NaN infinite: it comes last
 * either way. */
static keyed key_of(const scs_ranking *ranking, int64_t row)
{
    const scs_combination *item = &ranking->plan->item[row];
    double value = number_of(ranking, ranking->by, row), length = ranking->delta_norm[row];
    bool ascending = columns[ranking->by].smallest_first;

    return (keyed){.kind = item->status != SCS_ROW_OK      ? IS_NOT_PREDICTED
                           : item->kind == SCS_SOURCE_SELF ? IS_SELF
                           : isnan(value)                  ? HAS_NONE
                                                           : HAS_NUMBER,
                   .key = isnan(value) ? INFINITY
                          : ascending  ? value
                                       : -value,
                   .length = isnan(length) ? INFINITY : -length,
                   .row = row};
}

/* O(n log n). */
scs_status scs_ranking_order(const scs_ranking *ranking, int64_t *order)
{
    int64_t n = ranking->plan->n;
    keyed *all;

    SCS_TRY(SCS_ALLOC(all, n));
    for (int64_t i = 0; i < n; i++)
        all[i] = key_of(ranking, i);
    qsort(all, (size_t)n, sizeof *all, by_key);
    for (int64_t i = 0; i < n; i++)
        order[i] = all[i].row;
    free(all);
    return SCS_OK;
}

/* A line of the TSV; the dose is a column only where the data have doses. @param rank from 0 */
static void write_row(const scs_ranking *r, int64_t rank, int64_t row, FILE *out)
{
    const scs_combination *c = &r->plan->item[row];
    const scs_group *group = r->atlas->group;
    char dose[SCS_DOSE_TEXT] = "";
    const char *name[] = {
        r->atlas->species.name[c->species], r->atlas->cell_types.name[c->cell_type],
        scs_plan_perturbation_label(r->atlas, &r->plan->pairs, c),
        r->atlas->doses.n ? scs_dose_text(c->dose, dose) : NULL, r->plan->sources.name[c->source]};

    fprintf(out, "%lld\t", (long long)rank + 1);
    for (int i = 0; i < 5; i++) {
        if (!name[i])
            continue;
        scs_text_print(out, name[i], "");
        fputc('\t', out);
    }
    fprintf(out, "%s\t%lld\t%lld\t%s\t%s", scs_plan_row_status_name(c->status),
            (long long)(c->control_group < 0 ? 0 : group[c->control_group].count),
            (long long)(c->observed_group < 0 ? 0 : group[c->observed_group].count),
            c->held_out ? "True" : "False", r->confidence[row].support_flag ? "True" : "False");
    for (int i = SCS_RANK_NONE + 1; i < N_COLUMN; i++) {
        double value = number_of(r, i, row);

        fprintf(out, isnan(value) ? "\t" : "\t%.9g", value);
    }
    fputc('\n', out);
}

/* Numbers with nine digits, as many as a float32 needs; labels are escaped, so that a tab is no
 * column. */
void scs_ranking_write(const scs_ranking *ranking, const int64_t *order, int64_t n, FILE *out)
{
    fprintf(out,
            "rank\tspecies\tcell_type\tperturbation\t%ssource\tstatus\tn_control\tn_observed\t"
            "held_out\tsupport_flag",
            ranking->atlas->doses.n ? "dose\t" : "");
    for (int i = SCS_RANK_NONE + 1; i < N_COLUMN; i++)
        fprintf(out, "\t%s", columns[i].title);
    fputc('\n', out);
    for (int64_t i = 0; i < n; i++)
        write_row(ranking, i, order[i], out);
}

/* A number in its column; `-` for NaN. */
static void print_number(FILE *out, double value)
{
    if (isnan(value))
        fprintf(out, "  %15s", "-");
    else
        fprintf(out, "  %15.4g", value);
}

/* The number that was ranked by, then the others that say most; labels are cut to the columns'
 * width.
 * @param column [n_column] */
static void print_row(const scs_ranking *r, const int *column, int n_column, int64_t rank,
                      int64_t row, FILE *out)
{
    const scs_combination *c = &r->plan->item[row];
    char label[LABEL_BYTES], treatment[4 * LABEL_BYTES];
    const char *name[] = {
        r->atlas->species.name[c->species], r->atlas->cell_types.name[c->cell_type],
        scs_plan_treatment_text(r->atlas, &r->plan->pairs, c, treatment, sizeof treatment)};

    fprintf(out, "%6lld", (long long)rank + 1);
    for (int i = r->atlas->species.n == 1; i < 3; i++)
        fprintf(out, "  %-20s", scs_text_escape(name[i], label, 21));
    for (int i = 0; i < n_column; i++)
        print_number(out, number_of(r, column[i], row));
    fputs("  ", out);
    scs_text_print(out, r->plan->sources.name[c->source], "");
    fputc('\n', out);
}

/* How far down p can go at all, and how many rows are there: their order is not that of p. */
static void print_floor(const scs_ranking *r, FILE *out)
{
    double lowest = scs_ranking_floor(r->permutations);
    int64_t n = 0;

    if (isnan(lowest))
        return;
    for (int64_t i = 0; i < r->plan->n; i++)
        n += r->confidence[i].p_value <= lowest * (1 + 1e-9);
    fprintf(out,
            "p_value is at least 1 / (%lld + 1) = %.3g, by screen.permutations; %lld of %lld "
            "combinations have that one%s\n",
            (long long)r->permutations, lowest, (long long)n, (long long)r->plan->n,
            n > 1 && columns[r->by].smallest_first ? ", in the order of delta_norm" : "");
}

double scs_ranking_floor(int64_t permutations)
{
    return permutations > 0 ? 1 / ((double)permutations + 1) : NAN;
}

/* The number that was ranked by comes first and is not repeated. One species needs no column. */
void scs_ranking_print(const scs_ranking *ranking, const int64_t *order, int64_t n, FILE *out)
{
    static const int often[] = {SCS_RANK_DELTA_NORM, SCS_RANK_AGREEMENT, SCS_RANK_Q_VALUE};
    int column[4] = {ranking->by}, n_column = 1;

    for (int i = 0; i < 3; i++)
        if (often[i] != ranking->by)
            column[n_column++] = often[i];
    fprintf(out, "%6s", "rank");
    if (ranking->atlas->species.n > 1)
        fprintf(out, "  %-20s", "species");
    fprintf(out, "  %-20s  %-20s", "cell type", "perturbation");
    for (int i = 0; i < n_column; i++)
        fprintf(out, "  %15s", columns[column[i]].title);
    fprintf(out, "  source\n");
    for (int64_t i = 0; i < n; i++)
        print_row(ranking, column, n_column, i, order[i], out);
    print_floor(ranking, out);
}
