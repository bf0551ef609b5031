#include "scscreen/result.h"
#include "src/text.h"

#include <math.h>
#include <string.h>

enum { LABEL = 40, N_LABEL = 3 };

/* The numbers of a row; _BASE: of no change. */
enum { R2_ALL, R2_ALL_BASE, R2_DEG, R2_DEG_BASE, DELTA_PEARSON, N_VALUE };

/* One printed row: labels cut to LABEL bytes, then the five scores. */
typedef struct line {
    char label[N_LABEL][LABEL]; /**< species, cell type, perturbation */
    char observed[24];
    double value[N_VALUE];
    char source[SCS_SOURCE_MAX];
} line;

typedef struct table {
    FILE *out;
    int first_label;     /**< 1 where the one species is left out */
    int width[N_LABEL];  /**< of the label columns */
    double sum[N_VALUE]; /**< over lines whose value is not NaN */
    int64_t n[N_VALUE], n_line;
} table;

static const char *const titles[N_LABEL] = {"species", "cell type", "perturbation"};

static void fill_line(const scs_atlas *atlas, const scs_plan *plan, int64_t row,
                      const scs_scores *score, line *l)
{
    const scs_combination *item = &plan->item[row];
    char treatment[4 * LABEL];
    int64_t observed = item->observed_group < 0 ? 0 : atlas->group[item->observed_group].count;

    scs_text_escape(atlas->species.name[item->species], l->label[0], LABEL);
    scs_text_escape(atlas->cell_types.name[item->cell_type], l->label[1], LABEL);
    scs_treatment_text(atlas, &plan->pairs, item, treatment, sizeof treatment);
    scs_text_escape(treatment, l->label[2], LABEL);
    snprintf(l->observed, sizeof l->observed, "%lld", (long long)observed);
    l->value[R2_ALL] = score->r2_all;
    l->value[R2_ALL_BASE] = score->r2_all_control;
    l->value[R2_DEG] = score->r2_deg;
    l->value[R2_DEG_BASE] = score->r2_deg_control;
    l->value[DELTA_PEARSON] = score->delta_pearson;
    scs_text_escape(plan->sources.name[item->source], l->source, sizeof l->source);
}

/* '-' for NaN, else three decimals. @return out */
static const char *number(double value, char out[16])
{
    if (isnan(value))
        return strcpy(out, "-");
    snprintf(out, 16, "%.3f", value);
    return out;
}

static void print_line(const table *t, const line *l)
{
    char text[N_VALUE][16], baseline[2][24];

    for (int i = 0; i < N_VALUE; i++)
        number(l->value[i], text[i]);
    snprintf(baseline[0], sizeof baseline[0], "(%s)", text[R2_ALL_BASE]);
    snprintf(baseline[1], sizeof baseline[1], "(%s)", text[R2_DEG_BASE]);
    for (int i = t->first_label; i < N_LABEL; i++)
        fprintf(t->out, "%-*s  ", t->width[i], l->label[i]);
    fprintf(t->out, "%10s  %6s %-11s  %6s %-11s  %13s  %s\n", l->observed, text[R2_ALL],
            baseline[0], text[R2_DEG], baseline[1], text[DELTA_PEARSON], l->source);
}

static void print_titles(const table *t)
{
    for (int i = t->first_label; i < N_LABEL; i++)
        fprintf(t->out, "%-*s  ", t->width[i], titles[i]);
    fprintf(t->out, "%10s  %6s %-11s  %6s %-11s  %13s  %s\n", "n_observed", "r2_all", "(no change)",
            "r2_deg", "(no change)", "delta_pearson", "source");
}

static void widen(table *t, const line *l)
{
    for (int i = 0; i < N_LABEL; i++) {
        int width = (int)strlen(l->label[i]), title = (int)strlen(titles[i]);

        width = width > title ? width : title;
        t->width[i] = width > t->width[i] ? width : t->width[i];
    }
}

static void add(table *t, const line *l)
{
    for (int i = 0; i < N_VALUE; i++)
        if (!isnan(l->value[i])) {
            t->sum[i] += l->value[i];
            t->n[i]++;
        }
}

static void print_mean(const table *t)
{
    line l = {.label = {"mean", "mean", ""}};

    if (t->first_label == 0)
        l.label[1][0] = '\0';
    for (int i = 0; i < N_VALUE; i++)
        l.value[i] = t->n[i] ? t->sum[i] / (double)t->n[i] : NAN;
    print_line(t, &l);
}

static bool is_listed(const scs_combination *item, bool held_out_only)
{
    return held_out_only ? item->held_out : item->observed_group >= 0;
}

void scs_result_table(FILE *out, const scs_atlas *atlas, const scs_plan *plan,
                      const scs_scores *score, bool held_out_only)
{
    table t = {.out = out, .first_label = atlas->species.n == 1};
    line l;

    for (int64_t i = 0; i < plan->n; i++)
        if (is_listed(&plan->item[i], held_out_only)) {
            fill_line(atlas, plan, i, &score[i], &l);
            if (t.n_line++ < SCS_TABLE_ROWS)
                widen(&t, &l);
        }
    if (t.n_line == 0)
        return;
    print_titles(&t);
    for (int64_t i = 0, n = 0; i < plan->n; i++)
        if (is_listed(&plan->item[i], held_out_only)) {
            fill_line(atlas, plan, i, &score[i], &l);
            if (n++ < SCS_TABLE_ROWS)
                print_line(&t, &l);
            add(&t, &l);
        }
    if (t.n_line > SCS_TABLE_ROWS)
        fprintf(out, "... and %lld more, in obs of the result; means over all:\n",
                (long long)(t.n_line - SCS_TABLE_ROWS));
    if (t.n_line > 1)
        print_mean(&t);
}
