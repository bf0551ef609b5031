#include "src/ranking.h"
#include "src/dose.h"
#include "src/text.h"

#include <math.h>
#include <stdlib.h>

enum { LABEL = 40 };

/* The columns of numbers: what rows can be ranked by, and two more. */
enum { SUPPORT = SCS_N_RANK_BY, DELTA_SE, N_COLUMN };

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

/* A column's number in a row. */
static double number_of(const scs_ranking *r, int column, int64_t row)
{
    const scs_trust *t = &r->trust[row];
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

typedef struct keyed {
    double key; /* smallest first; NaN became infinite */
    int64_t row;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

scs_status scs_ranking_order(const scs_ranking *ranking, int64_t *order)
{
    bool ascending = columns[ranking->by].smallest_first;
    int64_t n = ranking->plan->n;
    keyed *all;

    SCS_TRY(SCS_ALLOC(all, n));
    for (int64_t i = 0; i < n; i++) {
        double value = number_of(ranking, ranking->by, i);

        all[i] = (keyed){isnan(value) ? INFINITY : ascending ? value : -value, i};
    }
    qsort(all, (size_t)n, sizeof *all, by_key);
    for (int64_t i = 0; i < n; i++)
        order[i] = all[i].row;
    free(all);
    return SCS_OK;
}

static void write_row(const scs_ranking *r, int64_t rank, int64_t row, FILE *out)
{
    const scs_combination *c = &r->plan->item[row];
    const scs_group *group = r->atlas->group;
    char dose[SCS_DOSE_TEXT] = "";
    const char *name[] = {
        r->atlas->species.name[c->species], r->atlas->cell_types.name[c->cell_type],
        scs_perturbation_label(r->atlas, &r->plan->pairs, c),
        r->atlas->doses.n ? scs_dose_text(c->dose, dose) : NULL, r->plan->sources.name[c->source]};

    fprintf(out, "%lld\t", (long long)rank + 1);
    for (int i = 0; i < 5; i++) {
        if (!name[i])
            continue;
        scs_text_print(out, name[i], "");
        fputc('\t', out);
    }
    fprintf(out, "%s\t%lld\t%lld\t%s\t%s", scs_row_status_name(c->status),
            (long long)(c->control_group < 0 ? 0 : group[c->control_group].count),
            (long long)(c->observed_group < 0 ? 0 : group[c->observed_group].count),
            c->held_out ? "True" : "False", r->trust[row].support_flag ? "True" : "False");
    for (int i = SCS_RANK_NONE + 1; i < N_COLUMN; i++) {
        double value = number_of(r, i, row);

        fprintf(out, isnan(value) ? "\t" : "\t%.9g", value);
    }
    fputc('\n', out);
}

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

/* '-' for NaN. */
static void print_number(FILE *out, double value)
{
    if (isnan(value))
        fprintf(out, "  %15s", "-");
    else
        fprintf(out, "  %15.4g", value);
}

/* The number that was ranked by, then the others that say most. */
static void print_row(const scs_ranking *r, const int *column, int n_column, int64_t rank,
                      int64_t row, FILE *out)
{
    const scs_combination *c = &r->plan->item[row];
    char label[LABEL], treatment[4 * LABEL];
    const char *name[] = {
        r->atlas->species.name[c->species], r->atlas->cell_types.name[c->cell_type],
        scs_treatment_text(r->atlas, &r->plan->pairs, c, treatment, sizeof treatment)};

    fprintf(out, "%6lld", (long long)rank + 1);
    for (int i = r->atlas->species.n == 1; i < 3; i++)
        fprintf(out, "  %-20s", scs_text_escape(name[i], label, 21));
    for (int i = 0; i < n_column; i++)
        print_number(out, number_of(r, column[i], row));
    fputs("  ", out);
    scs_text_print(out, r->plan->sources.name[c->source], "");
    fputc('\n', out);
}

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
}
