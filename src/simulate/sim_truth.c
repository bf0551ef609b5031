/** Expectations of log-normalised counts, and the file of them (src/simulate/sim_truth.h has the
 *  formulas).
 *
 *  Rows are made one at a time, [n_gene] doubles each, whatever the number of groups; the table
 *  costs N_POINTS x NODES sums over the counts' distribution, once. Nothing is drawn: the truth is
 *  the same for any number of cells, threads and ranks.
 */
#include "src/simulate/sim_truth.h"

#include "src/hdf5/h5write.h"
#include "src/simulate/sim_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Points of the table: an error below 1e-4 log units between them. */
enum { N_POINTS = 1024 };

/* Gauss-Hermite nodes and weights for a standard normal, 5 points (Abramowitz and Stegun, table
 * 25.10, rescaled). */
enum { NODES = 5 };

static const double node[NODES] = {-2.8569700138728056, -1.3556261799742659, 0.0,
                                   1.3556261799742659, 2.8569700138728056};
static const double weight[NODES] = {0.011257411327720689, 0.2220759220056126, 0.53333333333333333,
                                     0.2220759220056126, 0.011257411327720689};

/* Logarithm of the negative binomial's probability, at real x too. */
static double log_probability(double x, double mean, double dispersion)
{
    int sign;

    return lgamma_r(x + dispersion, &sign) - lgamma_r(dispersion, &sign) -
           lgamma_r(x + 1.0, &sign) - dispersion * log1p(mean / dispersion) +
           x * log(mean / (mean + dispersion));
}

/* For n of this mean, x = scale * n. From 12 standard deviations below the mean until
 * probabilities vanish above it; divided by their sum, so that what was left out is made up for.
 *
 * Exact below 1024; above, blocks of n / 1024 numbers stand for their middle, which is finer
 * than any negative binomial bends there. */
static scs_expected expected_of_count(double mean, double dispersion, double scale)
{
    double sd = sqrt(mean + mean * mean / dispersion), total = 0.0;
    double n = floor(fmax(0.0, mean - 12.0 * sd));
    scs_expected sum = {0.0, 0.0};

    if (mean <= 0.0)
        return sum;
    for (;;) {
        double step = fmax(1.0, floor(n / 1024.0)), middle = n + 0.5 * (step - 1.0);
        double p = step * exp(log_probability(middle, mean, dispersion)), x = scale * middle;

        total += p;
        sum.value += p * log1p(x);
        sum.bend += 0.5 * p * (x / (1.0 + x) + x / ((1.0 + x) * (1.0 + x)));
        n += step;
        if (n > mean && p < 1e-13)
            return (scs_expected){sum.value / total, sum.bend / total};
    }
}

/* Over libraries: counts * exp(sd N - sd^2 / 2), N at the nodes. */
scs_expected scs_sim_truth_expected_log(const scs_sim *sim, double target, double share)
{
    const double sd = SCS_SIM_LIBRARY_SD;
    scs_expected sum = {0.0, 0.0};

    for (int i = 0; i < NODES; i++) {
        double library = sim->counts * exp(sd * node[i] - 0.5 * sd * sd);
        scs_expected e = expected_of_count(library * share, sim->dispersion, target / library);

        sum.value += weight[i] * e.value;
        sum.bend += weight[i] * e.bend;
    }
    return sum;
}

/* The table's points are even in the logarithm of the share, from `lowest` (e^-28: no counts at
 * all) to 0. */
static const double lowest = -28.0;

scs_status scs_sim_truth_expectation_create(const scs_sim *sim, double target,
                                            scs_expectation *table)
{
    const int last = N_POINTS - 1;

    SCS_TRY(SCS_ALLOC(table->at, N_POINTS));
#pragma omp parallel for schedule(dynamic, 8)
    for (int i = 0; i <= last; i++)
        table->at[i] =
            scs_sim_truth_expected_log(sim, target, exp(lowest * (1.0 - (double)i / last)));
    return SCS_OK;
}

void scs_sim_truth_expectation_clear(scs_expectation *table)
{
    free(table->at);
    table->at = NULL;
}

/* Linear between two points; shares below the first have its value. */
double scs_sim_truth_expectation_at(const scs_expectation *table, double share, double v)
{
    const int last = N_POINTS - 1;
    double at = share > 0.0 ? (1.0 - log(share) / lowest) * last : 0.0;
    int i = at <= 0.0 ? 0 : at >= last - 1 ? last - 1 : (int)at;
    double fraction = fmax(0.0, at - i);
    const scs_expected *low = &table->at[i], *high = low + 1;

    return (1.0 - fraction) * (low->value + v * low->bend) +
           fraction * (high->value + v * high->bend);
}

/* 1 / counts, the mean library, stands for 1 / L. */
double scs_sim_truth_total_variance(const scs_sim *sim, const double *share)
{
    double square = 0.0;

    for (int32_t g = 0; g < sim->n_own; g++)
        square += share[g] * share[g];
    return square / sim->dispersion + 1.0 / sim->counts;
}

/* One row of the truth, and where it goes; each array is [n_gene], but share [n_own]. */
typedef struct truth {
    const scs_sim *sim;
    hid_t file;
    scs_expectation table;
    double *share, *response;
    float *shift, *control, *mean, *log_fold_change;
} truth;

/* What a row is written to; write_row has the values in this order. */
static const char *const matrices[] = {"X", "layers/control", "layers/mean",
                                       "layers/log_fold_change"};

enum { N_MATRIX = sizeof matrices / sizeof *matrices };

/* What was not made is NULL. */
static void truth_clear(truth *t)
{
    free(t->log_fold_change);
    free(t->mean);
    free(t->control);
    free(t->shift);
    free(t->response);
    free(t->share);
    scs_sim_truth_expectation_clear(&t->table);
}

/* What was allocated before a failure is cleared by the caller. */
static scs_status truth_make(truth *t, double target)
{
    int64_t n = t->sim->n_gene;

    SCS_TRY(scs_sim_truth_expectation_create(t->sim, target, &t->table));
    SCS_TRY(SCS_ALLOC(t->share, t->sim->n_own));
    SCS_TRY(SCS_ALLOC(t->response, n));
    SCS_TRY(SCS_ALLOC(t->shift, n));
    SCS_TRY(SCS_ALLOC(t->control, n));
    SCS_TRY(SCS_ALLOC(t->mean, n));
    return SCS_ALLOC(t->log_fold_change, n);
}

/* A row's keys, in the order of species, type, perturbation. */
static scs_sim_group group_of(const scs_sim *sim, int64_t row)
{
    int32_t n = sim->n_condition - 1;

    return (scs_sim_group){(int32_t)(row / n / sim->n_type), (int32_t)(row / n % sim->n_type),
                           (int32_t)(row % n) + 1};
}

/* Every combination; controls are no rows. */
static int64_t row_count(const scs_sim *sim)
{
    return (int64_t)sim->n_species * sim->n_type * (sim->n_condition - 1);
}

/* Named as a screen names its rows (src/data/dose.h), so that the two files can be joined by
 * their index. */
static scs_status row_names(const scs_sim *sim, scs_names *names)
{
    char species[SCS_SIM_NAME], type[SCS_SIM_NAME], label[SCS_SIM_NAME], dose[SCS_DOSE_TEXT];

    for (int64_t row = 0; row < row_count(sim); row++) {
        scs_sim_group group = group_of(sim, row);
        scs_sim_treatment t = scs_sim_treatment_of(sim, group.condition);

        SCS_TRY(scs_dose_row_name_add(scs_sim_species_name(group.species, species),
                                      scs_sim_type_name(group.type, type),
                                      scs_sim_label_name(sim, t.label, label),
                                      sim->n_dose ? scs_dose_text(t.dose, dose) : "", names));
    }
    return SCS_OK;
}

/* The categorical columns of obs. */
typedef enum key { SPECIES, TYPE, PERTURBATION } key;

/* One column. The perturbation's categories leave out the control, label 0. Empties
 * `categories`. */
static scs_status write_key(const truth *t, const char *path, key which, scs_names *categories)
{
    int64_t n = row_count(t->sim);
    int32_t *codes = NULL;
    scs_status st;

    SCS_TRY(SCS_ALLOC(codes, n));
    for (int64_t row = 0; row < n; row++) {
        scs_sim_group group = group_of(t->sim, row);

        codes[row] = which == SPECIES ? group.species
                     : which == TYPE  ? group.type
                                      : scs_sim_treatment_of(t->sim, group.condition).label - 1;
    }
    st = scs_h5_categorical(t->file, path, categories, codes, n);
    free(codes);
    scs_names_clear(categories);
    return st;
}

/* Where there are doses. */
static scs_status write_doses(const truth *t)
{
    int64_t n = row_count(t->sim);
    double *dose;
    scs_status st;

    if (t->sim->n_dose == 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(dose, n));
    for (int64_t row = 0; row < n; row++)
        dose[row] = scs_sim_treatment_of(t->sim, group_of(t->sim, row).condition).dose;
    st = scs_h5_array(t->file, "obs/dose", H5T_NATIVE_DOUBLE, 1, &n, dose);
    free(dose);
    return st;
}

/* The index and all columns. */
static scs_status write_obs(const truth *t)
{
    static char *const columns[] = {"species", "cell_type", "perturbation", "dose"};
    const scs_names keys = {t->sim->n_dose ? 4 : 3, (char **)columns};
    char name[SCS_SIM_NAME];
    scs_names names = {0};
    scs_status st;

    SCS_GO(st, row_names(t->sim, &names));
    SCS_GO(st, scs_h5_dataframe(t->file, "obs", &names, &keys));
    scs_names_clear(&names);
    for (int32_t s = 0; s < t->sim->n_species; s++)
        SCS_GO(st, scs_names_add(&names, scs_sim_species_name(s, name)));
    SCS_GO(st, write_key(t, "obs/species", SPECIES, &names));
    SCS_GO(st, scs_sim_type_names(t->sim, &names));
    SCS_GO(st, write_key(t, "obs/cell_type", TYPE, &names));
    SCS_GO(st, scs_sim_label_names(t->sim, 1, &names));
    SCS_GO(st, write_key(t, "obs/perturbation", PERTURBATION, &names));
    SCS_GO(st, write_doses(t));
done:
    scs_names_clear(&names);
    return st;
}

/* The reference genes, named as in the first species. */
static scs_status write_var(const truth *t)
{
    scs_names genes = {0}, none = {0};
    scs_status st;

    SCS_GO(st, scs_sim_gene_names(t->sim, 0, t->sim->n_gene, &genes));
    SCS_GO(st, scs_h5_dataframe(t->file, "var", &genes, &none));
done:
    scs_names_clear(&genes);
    return st;
}

/* Expected log expression of every reference gene in a group. @param[out] mean [n_gene] */
static scs_status expect_group(const truth *t, scs_sim_group group, float *mean)
{
    double v;

    SCS_TRY(scs_sim_shares(t->sim, group, t->share));
    v = scs_sim_truth_total_variance(t->sim, t->share);
    for (int32_t g = 0; g < t->sim->n_gene; g++)
        mean[g] = (float)scs_sim_truth_expectation_at(&t->table, t->share[g], v);
    return SCS_OK;
}

/* The control of a row is its own type's, of its own species. */
static scs_status write_row(const truth *t, int64_t row)
{
    scs_sim_group group = group_of(t->sim, row), control = group;
    const float *const value[N_MATRIX] = {t->shift, t->control, t->mean, t->log_fold_change};

    control.condition = 0;
    SCS_TRY(expect_group(t, control, t->control));
    SCS_TRY(expect_group(t, group, t->mean));
    SCS_TRY(scs_sim_response(t->sim, group, t->response));
    for (int32_t g = 0; g < t->sim->n_gene; g++) {
        t->shift[g] = t->mean[g] - t->control[g];
        t->log_fold_change[g] = (float)t->response[g];
    }
    for (int i = 0; i < N_MATRIX; i++)
        SCS_TRY(scs_h5_write_part(t->file, matrices[i], H5T_NATIVE_FLOAT, row, 1, value[i]));
    return SCS_OK;
}

/* What the numbers are, for whoever opens the file. */
static scs_status write_facts(const truth *t, double target)
{
    SCS_TRY(scs_h5_dict(t->file, "uns/scscreen"));
    SCS_TRY(scs_h5_scalar_text(t->file, "uns/scscreen/meaning",
                               "X: expected log1p(target_sum * count / total) of perturbed "
                               "minus control cells; layers control and mean: the two "
                               "expectations; log_fold_change: change of the model's log mean"));
    SCS_TRY(scs_h5_scalar_double(t->file, "uns/scscreen/target_sum", target));
    return scs_h5_scalar_double(t->file, "uns/scscreen/seed", (double)t->sim->seed);
}

/* Strings first, then the rows into reserved matrices. */
static scs_status write_all(const truth *t, double target)
{
    int64_t dims[2] = {row_count(t->sim), t->sim->n_gene};

    SCS_TRY(scs_h5_anndata(t->file));
    SCS_TRY(write_obs(t));
    SCS_TRY(write_var(t));
    for (int i = 0; i < N_MATRIX; i++)
        SCS_TRY(scs_h5_reserve_array(t->file, matrices[i], H5T_NATIVE_FLOAT, 2, dims));
    for (int64_t row = 0; row < dims[0]; row++)
        SCS_TRY(write_row(t, row));
    return write_facts(t, target);
}

/* The median of a log-normal of mean m is m exp(-sd^2 / 2). */
scs_status scs_sim_write_truth(const scs_sim *sim, double target, const char *path)
{
    truth t = {.sim = sim};
    scs_h5_out out = {0};
    scs_status st;

    if (target <= 0.0)
        target = sim->counts * exp(-0.5 * SCS_SIM_LIBRARY_SD * SCS_SIM_LIBRARY_SD);
    SCS_GO(st, truth_make(&t, target));
    SCS_GO(st, scs_h5_out_create(path, &out));
    t.file = out.file;
    SCS_GO(st, write_all(&t, target));
    SCS_GO(st, scs_h5_out_commit(&out));
done:
    scs_h5_out_abandon(&out);
    truth_clear(&t);
    return st;
}
