/* Ridge regression on principal components (ridge.h). All functions are Local.
 *
 * Nothing of the size of genes x genes is made: with X the groups' means less their mean over
 * genes, A = X V for the eigenvectors V of X'X, so that A (A'A + l I)^-1 A' y = X V (S^2 + l I)^-1
 * V' X' y. Time O(n^2 genes + n^3), memory O(n genes) for n columns.
 */
#include "src/crossval/ridge.h"

#include "src/atlas/atlas.h"
#include "src/base/vector.h"
#include "src/kernels/lapack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* l, of both factors, as solve_y_axb has it by default. */
static const double penalty = .1;

/* A group of the condition in another type of the target's species, with its control; or -1. */
static int32_t in_type(const scs_atlas *a, const scs_combination *t, int32_t type,
                       int32_t condition)
{
    int32_t g = type == t->cell_type ? -1 : scs_atlas_usable_group(a, t->species, type, condition);

    return g >= 0 && scs_atlas_usable_control(a, g) >= 0 ? g : -1;
}

/* Other types of the species that show a condition; 0 of a condition that is none (-1). */
static int32_t count_types(const scs_atlas *a, const scs_combination *t, int32_t condition)
{
    int32_t n = 0;

    for (int32_t type = 0; type < a->cell_types.n && condition >= 0; type++)
        n += in_type(a, t, type, condition) >= 0;
    return n;
}

/* Whether the group is learnt from: of the type itself, or of the others. */
static bool is_column(const scs_atlas *a, const scs_combination *t, int32_t group, bool own)
{
    const scs_group *g = &a->group[group];

    if (g->species != t->species || scs_atlas_usable_control(a, group) < 0 ||
        group == t->observed_group)
        return false;
    if (!own)
        return g->cell_type != t->cell_type;
    return g->cell_type == t->cell_type && g->condition != t->condition &&
           count_types(a, t, g->condition) > 0;
}

/* The type's own perturbations first; where these are too few for a regression, all groups of the
 * other types. Evenly picked where there are too many: the same ones every time. */
void scs_ridge_columns(const scs_atlas *a, const scs_combination *t, scs_sources *sources)
{
    bool own = true;

    for (int round = 0; round < 2; round++, own = false) {
        sources->n = 0;
        for (int32_t g = 0; g < a->n_group; g++)
            if (is_column(a, t, g, own)) {
                sources->weight[sources->n] = 0;
                sources->group[sources->n++] = g;
            }
        if (sources->n >= 2)
            break;
    }
    for (int32_t i = 0, n = sources->n; i < SCS_RIDGE_COLUMNS && n > SCS_RIDGE_COLUMNS; i++)
        sources->group[i] = sources->group[(int64_t)i * n / SCS_RIDGE_COLUMNS];
    sources->n = sources->n < SCS_RIDGE_COLUMNS ? sources->n : SCS_RIDGE_COLUMNS;
    sources->variance = NAN;
    sources->kind = sources->n ? SCS_SOURCE_OWN : SCS_SOURCE_NONE;
    snprintf(sources->text, sizeof sources->text, "%s",
             !sources->n ? ""
             : own       ? "other perturbations"
                         : "other types");
}

/* Columns of genes, one after the other. */
typedef struct panel {
    int32_t n;
    int64_t n_gene;
    double *value; /* [n, n_gene] */
} panel;

/* [n_gene] */
static double *column_of(const panel *p, int32_t i)
{
    return p->value + i * p->n_gene;
}

/* value += share x (group's mean - its control's) */
static void add_shift(const scs_atlas *a, int32_t group, double share, double *value)
{
    const float *x = scs_atlas_group_gene_mean(a, group);
    const float *c = scs_atlas_group_gene_mean(a, scs_atlas_usable_control(a, group));

    for (int32_t g = 0; g < a->n_gene; g++)
        value[g] += share * ((double)x[g] - c[g]);
}

/* Mean shift of the other types under a condition; 0 of the control, or where none shows it. */
static void add_described(const scs_atlas *a, const scs_combination *t, int32_t condition,
                          double *value)
{
    int32_t n = count_types(a, t, condition);

    for (int32_t type = 0; type < a->cell_types.n && n; type++)
        if (in_type(a, t, type, condition) >= 0)
            add_shift(a, in_type(a, t, type, condition), 1. / n, value);
}

/* Each column less the mean over columns. @param[out] mean [n_gene] */
static void take_off_mean_column(panel *p, double *mean)
{
    memset(mean, 0, (size_t)p->n_gene * sizeof *mean);
    for (int32_t i = 0; i < p->n; i++)
        scs_vector_add(mean, column_of(p, i), 1. / p->n, p->n_gene);
    for (int32_t i = 0; i < p->n; i++)
        scs_vector_add(column_of(p, i), mean, -1, p->n_gene);
}

/* Each column less its own mean over genes, as their principal components of genes have it. */
static void take_off_mean_gene(panel *p)
{
    for (int32_t i = 0; i < p->n; i++) {
        double *x = column_of(p, i), mean = 0;

        for (int64_t g = 0; g < p->n_gene; g++)
            mean += x[g] / (double)p->n_gene;
        for (int64_t g = 0; g < p->n_gene; g++)
            x[g] -= mean;
    }
}

/* Eigenvalues, ascending, and vectors of P'P. @param[out] vector [n, n] one after the other */
static scs_status decompose(const panel *p, double *vector, double *value)
{
    int n = p->n, size = 34 * n, info = 0;
    double *work;

    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j <= i; j++)
            vector[(int64_t)i * n + j] = vector[(int64_t)j * n + i] =
                scs_vector_dot(column_of(p, i), column_of(p, j), p->n_gene);
    SCS_TRY(SCS_ALLOC(work, size));
    dsyev_("V", "L", &n, vector, &n, value, work, &size, &info);
    free(work);
    SCS_REQUIRE(info == 0, SCS_EINTERNAL, "principal components of groups failed (%d)", info);
    return SCS_OK;
}

/* What is used for one prediction. Columns of both: those that are learnt from, the control; of
 * `described` the target too. */
typedef struct fit {
    panel means, shifts, described;
    double *vector, *value; /* of the larger of them */
    double *weight;         /* [columns] */
} fit;

/* Three panels of n or n + 1 columns, zeroed. The caller closes it, also after a failure. */
static scs_status open_fit(const scs_atlas *a, int32_t n, fit *f)
{
    f->means = (panel){.n = n, .n_gene = a->n_gene};
    f->shifts = (panel){.n = n, .n_gene = a->n_gene};
    f->described = (panel){.n = n + 1, .n_gene = a->n_gene};
    SCS_TRY(SCS_ALLOC(f->means.value, (int64_t)n * a->n_gene));
    SCS_TRY(SCS_ALLOC(f->shifts.value, (int64_t)n * a->n_gene));
    SCS_TRY(SCS_ALLOC(f->described.value, (int64_t)(n + 1) * a->n_gene));
    SCS_TRY(SCS_ALLOC(f->vector, (int64_t)(n + 1) * (n + 1)));
    SCS_TRY(SCS_ALLOC(f->value, n + 1));
    return SCS_ALLOC(f->weight, n + 1);
}

static void close_fit(fit *f)
{
    free(f->means.value);
    free(f->shifts.value);
    free(f->described.value);
    free(f->vector);
    free(f->value);
    free(f->weight);
}

/* The target's controls are the last column of `means`; what other types say of the control is a
 * shift of 0, which is how the last column but one of `described` was made. */
static void fill(const scs_atlas *a, const scs_combination *t, const scs_sources *columns, fit *f)
{
    int32_t n = columns->n;
    const float *control = scs_atlas_group_gene_mean(a, t->control_group);

    for (int32_t i = 0; i < n; i++) {
        const float *mean = scs_atlas_group_gene_mean(a, columns->group[i]);

        for (int64_t g = 0; g < a->n_gene; g++)
            column_of(&f->means, i)[g] = mean[g];
        add_shift(a, columns->group[i], 1, column_of(&f->shifts, i));
        add_described(a, t, a->group[columns->group[i]].condition, column_of(&f->described, i));
    }
    for (int64_t g = 0; g < a->n_gene; g++)
        column_of(&f->means, n)[g] = control[g];
    add_described(a, t, t->condition, column_of(&f->described, n + 1));
}

/* B' (B B' + l I)^-1 b: of each column that is learnt from. With u_k the k-th eigenvector of the
 * described, component k of column i is sqrt(s_k) u_ki; the target's is the last. */
static scs_status weigh(fit *f)
{
    int k_most = SCS_RIDGE_COMPONENTS < f->described.n ? SCS_RIDGE_COMPONENTS : f->described.n;
    int one = 1, info = 0, n = f->described.n, k = k_most;
    double bb[SCS_RIDGE_COMPONENTS * SCS_RIDGE_COMPONENTS] = {0}, b[SCS_RIDGE_COMPONENTS];

    SCS_TRY(decompose(&f->described, f->vector, f->value));
    for (int i = 0; i < k; i++) {
        const double *u = f->vector + (int64_t)(n - 1 - i) * n;
        double si = sqrt(fmax(0, f->value[n - 1 - i]));

        b[i] = si * u[n - 1];
        for (int j = 0; j < k; j++) {
            const double *v = f->vector + (int64_t)(n - 1 - j) * n;

            bb[i * k + j] = si * sqrt(fmax(0, f->value[n - 1 - j])) * scs_vector_dot(u, v, n - 1) +
                            (i == j ? penalty : 0);
        }
    }
    dposv_("L", &k, &one, bb, &k, b, &k, &info);
    SCS_REQUIRE(info == 0, SCS_EINTERNAL, "ridge regression of shifts failed (%d)", info);
    for (int i = 0; i < n - 1; i++) {
        f->weight[i] = 0;
        for (int j = 0; j < k; j++)
            f->weight[i] +=
                sqrt(fmax(0, f->value[n - 1 - j])) * f->vector[(int64_t)(n - 1 - j) * n + i] * b[j];
    }
    return SCS_OK;
}

/* A (A'A + l I)^-1 A' y added to `to`. @param y [n_gene] */
static scs_status project(fit *f, const double *y, double *to)
{
    int n = f->means.n, k = SCS_RIDGE_COMPONENTS < n ? SCS_RIDGE_COMPONENTS : n;

    take_off_mean_gene(&f->means);
    SCS_TRY(decompose(&f->means, f->vector, f->value));
    for (int i = 0; i < n; i++)
        f->weight[i] = scs_vector_dot(column_of(&f->means, i), y, f->means.n_gene);
    for (int j = 0; j < k; j++) {
        const double *v = f->vector + (int64_t)(n - 1 - j) * n;
        double share = scs_vector_dot(v, f->weight, n) / (fmax(0, f->value[n - 1 - j]) + penalty);

        for (int i = 0; i < n; i++)
            scs_vector_add(to, column_of(&f->means, i), share * v[i], f->means.n_gene);
    }
    return SCS_OK;
}

/* `change` is first m, the mean of the shifts that are learnt from; the rest is added to it. Where
 * no other type shows the perturbation it stays m. */
scs_status scs_ridge_change(const scs_atlas *a, const scs_combination *t,
                            const scs_sources *columns, double *change)
{
    fit f = {0};
    double *y = NULL;
    scs_status st;

    SCS_GO(st, open_fit(a, columns->n + 1, &f));
    SCS_GO(st, SCS_ALLOC(y, a->n_gene));
    fill(a, t, columns, &f);
    take_off_mean_column(&f.shifts, change);
    if (count_types(a, t, t->condition) == 0)
        goto done;
    take_off_mean_column(&f.described, y);
    SCS_GO(st, weigh(&f));
    memset(y, 0, (size_t)a->n_gene * sizeof *y);
    for (int32_t i = 0; i < f.shifts.n; i++)
        scs_vector_add(y, column_of(&f.shifts, i), f.weight[i], a->n_gene);
    SCS_GO(st, project(&f, y, change));
done:
    close_fit(&f);
    free(y);
    return st;
}
