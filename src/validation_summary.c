#include "src/validation.h"

#include <math.h>

/* What a model is chosen by; higher is better. */
static const int deciding[] = {SCS_R2_ALL, SCS_R2_DEG, SCS_DELTA_PEARSON};
enum { N_DECIDING = sizeof deciding / sizeof *deciding };

static const int shown[] = {SCS_R2_ALL, SCS_R2_DEG, SCS_R2_VARIANCE,    SCS_DELTA_PEARSON,
                            SCS_MSE,    SCS_MAE,    SCS_DEG_OVERLAP_50, SCS_DEG_DIRECTION};
enum { N_SHOWN = sizeof shown / sizeof *shown };

static void print_means(FILE *out, const scs_validation_sums *sums)
{
    fprintf(out, "%-13s", "predictor");
    for (int i = 0; i < N_SHOWN; i++)
        fprintf(out, " %14s", scs_measure_name(shown[i]));
    fprintf(out, "\n");
    for (int p = 0; p < scs_predictor_count(); p++) {
        if (sums->n_row[p] == 0)
            continue;
        fprintf(out, "%-13s", scs_predictor_at(p)->name);
        for (int i = 0; i < N_SHOWN; i++) {
            double mean = scs_validation_mean(sums, p, shown[i]);
            bool small = shown[i] == SCS_MSE || shown[i] == SCS_MAE;

            if (isnan(mean))
                fprintf(out, " %14s", "-");
            else
                fprintf(out, " %14.*f", small ? 5 : 3, mean);
        }
        fprintf(out, "\n");
    }
}

static bool is_network(int p)
{
    const scs_predictor *predictor = scs_predictor_at(p);

    return predictor->space == SCS_PREDICT_LATENT && predictor->model == SCS_MODEL_VAE;
}

/* The network as a screen would use it; -1: it was not made. */
static int network_of(const scs_validation_sums *sums)
{
    for (int p = 0; p < scs_predictor_count(); p++)
        if (is_network(p) && scs_predictor_at(p)->decode == SCS_DECODE_AS_CONFIG && sums->n_row[p])
            return p;
    return -1;
}

/* The best of the others by one measure; -1: none has it. */
static int best_baseline(const scs_validation_sums *sums, int measure)
{
    int best = -1;

    for (int p = 0; p < scs_predictor_count(); p++) {
        double mean = scs_validation_mean(sums, p, measure);

        if (!is_network(p) && !isnan(mean) &&
            (best < 0 || mean > scs_validation_mean(sums, best, measure)))
            best = p;
    }
    return best;
}

static void compare(FILE *out, const scs_validation_sums *sums, int measure)
{
    int network = network_of(sums), baseline = best_baseline(sums, measure);
    double a, b;

    if (network < 0 || baseline < 0)
        return;
    a = scs_validation_mean(sums, network, measure);
    b = scs_validation_mean(sums, baseline, measure);
    fprintf(out, "  %-13s the network %s the baselines: %s %.3f, %s %.3f\n",
            scs_measure_name(measure), a > b ? "beats" : "DOES NOT BEAT",
            scs_predictor_at(network)->name, a, scs_predictor_at(baseline)->name, b);
}

/* Mean of the deciding measures; NaN where one is undefined. */
static double merit(const scs_validation_sums *sums, int p)
{
    double sum = 0;

    for (int i = 0; i < N_DECIDING; i++)
        sum += scs_validation_mean(sums, p, deciding[i]);
    return sum / N_DECIDING;
}

static int best_of_all(const scs_validation_sums *sums)
{
    int best = -1;

    for (int p = 0; p < scs_predictor_count(); p++)
        if (scs_predictor_at(p)->space != SCS_PREDICT_NOTHING && !isnan(merit(sums, p)) &&
            (best < 0 || merit(sums, p) > merit(sums, best)))
            best = p;
    return best;
}

void scs_validation_summary(FILE *out, const scs_validation_sums *sums)
{
    int best = best_of_all(sums);
    char use[80];

    print_means(out, sums);
    for (int i = 0; i < N_DECIDING; i++)
        compare(out, sums, deciding[i]);
    if (best >= 0)
        fprintf(out,
                "Best mean of r2_all, r2_deg and delta_pearson: %s (%.3f). To screen with it: "
                "%s\n",
                scs_predictor_at(best)->name, merit(sums, best),
                scs_predictor_use(scs_predictor_at(best), use, sizeof use));
}
