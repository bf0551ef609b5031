/* The table of measures, and the two forms in which a panel's are shown.
 *
 *  A measure is a row of `measures`; printing, writing, averaging and scaling go through all rows
 *  and know none by name, but for the normalised error, which is a ratio of sums and not a mean of
 *  ratios. Numbers for programs have 17 digits, enough to read back the same double. */
#include "src/score/scorecard.h"

#include "src/base/file.h"
#include "src/base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum direction { NEITHER, LOWER, HIGHER } direction;

/* In the order of scs_card_measure. */
static const struct measure {
    const char *name, *heading; /* heading: printed before it */
    direction better;
} measures[SCS_N_CARD] = {
    [SCS_CARD_PDS] = {"pds_cosine", "2026 challenge", HIGHER},
    [SCS_CARD_MSE] = {"mse_unbiased", NULL, LOWER},
    [SCS_CARD_DISTANCE] = {"distance_unbiased", NULL, NEITHER},
    [SCS_CARD_NORMALIZED_MSE] = {"mse_unbiased_norm", NULL, LOWER},
    [SCS_CARD_FIDELITY] = {"direction_fidelity", NULL, HIGHER},
    [SCS_CARD_REACH] = {"direction_reach", NULL, HIGHER},
    [SCS_CARD_JACCARD] = {"sig_jaccard", NULL, HIGHER},
    [SCS_CARD_NMAE] = {"lfc_nmae", NULL, LOWER},
    [SCS_CARD_DES] = {"des", "2025 challenge", HIGHER},
    [SCS_CARD_PDS_L1] = {"pds_l1", NULL, HIGHER},
    [SCS_CARD_MAE] = {"mae", NULL, LOWER},
    [SCS_CARD_DELTA_PEARSON] = {"delta_pearson", "change of the mean", HIGHER},
    [SCS_CARD_DELTA_MAE] = {"delta_mae", NULL, LOWER},
    [SCS_CARD_DELTA_MSE] = {"delta_mse", NULL, LOWER},
    [SCS_CARD_DELTA_SIZE] = {"delta_size", NULL, NEITHER},
    [SCS_CARD_R2_MEAN] = {"r2_mean", "cells", HIGHER},
    [SCS_CARD_R2_VARIANCE] = {"r2_variance", NULL, HIGHER},
    [SCS_CARD_R2_SD] = {"r2_sd", NULL, HIGHER},
    [SCS_CARD_E_DISTANCE] = {"e_distance", "populations of cells", LOWER},
    [SCS_CARD_ENERGY_DISTANCE] = {"energy_distance", NULL, LOWER},
    [SCS_CARD_MMD2] = {"mmd2", NULL, LOWER},
    [SCS_CARD_TOP] = {"top_100", "genes", HIGHER},
    [SCS_CARD_DEG_PREDICTED] = {"deg_predicted", NULL, NEITHER},
    [SCS_CARD_DEG_REAL] = {"deg_real", NULL, NEITHER},
};

/* ---- create and destroy ---- */

/* NaN until something is known: a measure that was not made is not a measure of 0. */
scs_status scs_scorecard_create(const scs_panel *panel, scs_scorecard *card)
{
    int32_t n = panel->perturbations.n;

    *card = (scs_scorecard){.panel = panel};
    SCS_TRY(SCS_ALLOC(card->value, (int64_t)n * SCS_N_CARD));
    SCS_TRY(SCS_ALLOC(card->n_predicted, n));
    SCS_TRY(SCS_ALLOC(card->n_real, n));
    for (int64_t i = 0; i < (int64_t)n * SCS_N_CARD; i++)
        card->value[i] = NAN;
    for (int m = 0; m < SCS_N_CARD; m++)
        card->mean[m] = card->baseline[m] = card->replicate[m] = NAN;
    return SCS_OK;
}

void scs_scorecard_clear(scs_scorecard *card)
{
    free(card->value);
    free(card->n_predicted);
    free(card->n_real);
    scs_cell_space_clear(&card->space);
    *card = (scs_scorecard){0};
}

/* ---- of all perturbations ---- */

/* Over the perturbations where both are defined; NaN where the real cells' distances come to
 * nothing. */
static double normalized_mse(const double *value, int32_t n)
{
    double error = 0, distance = 0;

    for (int32_t p = 0; p < n; p++) {
        const double *row = value + (int64_t)p * SCS_N_CARD;

        if (isfinite(row[SCS_CARD_MSE]) && isfinite(row[SCS_CARD_DISTANCE])) {
            error += row[SCS_CARD_MSE];
            distance += row[SCS_CARD_DISTANCE];
        }
    }
    return distance > 0 ? error / distance : NAN;
}

/* A perturbation that lacks a measure is left out of its mean, and the mean of none is NaN. */
void scs_scorecard_mean(const double *value, int32_t n, double *mean)
{
    for (int m = 0; m < SCS_N_CARD; m++) {
        double sum = 0;
        int32_t defined = 0;

        for (int32_t p = 0; p < n; p++) {
            double x = value[(int64_t)p * SCS_N_CARD + m];

            if (!isnan(x)) {
                sum += x;
                defined++;
            }
        }
        mean[m] = defined ? sum / defined : NAN;
    }
    mean[SCS_CARD_NORMALIZED_MSE] = normalized_mse(value, n);
}

/* (value - baseline) / (replicate - baseline): 0 is no better than the baseline, 1 as good as a
 * second experiment, whichever direction is better. Infinite where the two are equal: NaN. */
double scs_scorecard_scaled(const scs_scorecard *card, int measure)
{
    double u = card->mean[measure], b = card->baseline[measure], r = card->replicate[measure];
    double scaled = (u - b) / (r - b);

    return measures[measure].better != NEITHER && isfinite(scaled) ? scaled : NAN;
}

/* ---- for people ---- */

/* A dash for what is not defined: "nan" in a table for people reads as a fault. */
static void print_number(FILE *out, double x)
{
    if (isnan(x))
        fprintf(out, " %10s", "-");
    else
        fprintf(out, " %10.4f", x);
}

/* In what populations are compared. */
static void print_space(const scs_cell_space *space, FILE *out)
{
    if (!space->pca)
        return;
    fprintf(out,
            "e_distance, energy_distance, mmd2: in %d principal components (%.1f %% of the "
            "variance) of the %d genes that vary most, log1p(10^4 count / total), centred, not "
            "scaled, of %lld of the %lld real cells\n",
            space->pca->n_component, 100 * scs_pca_share(space->pca), space->n_gene,
            (long long)space->n_fitted, (long long)space->n_real);
}

/* The table for people: what was compared first, then a line for each measure under its heading. */
void scs_scorecard_print(const scs_scorecard *card, FILE *out)
{
    static const char *const words[] = {[NEITHER] = "", [LOWER] = "lower", [HIGHER] = "higher"};
    const scs_panel *panel = card->panel;
    int64_t predicted = 0, real = 0;
    int32_t targets = 0, n = panel->perturbations.n;
    char type[120];

    for (int32_t p = 0; p < n; p++) {
        predicted += card->n_predicted[p];
        real += card->n_real[p];
        targets += panel->target[p] >= 0;
    }
    if (panel->cell_type)
        fprintf(out, "%s: ", scs_text_escape(panel->cell_type, type, sizeof type));
    fprintf(out,
            "%d perturbations, %lld predicted and %lld real cells, %lld controls, %d genes; the "
            "own gene of %d perturbations is left out\n",
            n, (long long)predicted, (long long)real, (long long)card->n_control, panel->n_gene,
            targets);
    print_space(&card->space, out);
    fprintf(out, "%-20s %10s %10s %10s %10s  %s\n", "measure", "value", "baseline", "replicate",
            "scaled", "better");
    for (int m = 0; m < SCS_N_CARD; m++) {
        if (measures[m].heading)
            fprintf(out, "%s\n", measures[m].heading);
        fprintf(out, "  %-18s", measures[m].name);
        print_number(out, card->mean[m]);
        print_number(out, card->baseline[m]);
        print_number(out, card->replicate[m]);
        print_number(out, scs_scorecard_scaled(card, m));
        fprintf(out, "%s%s\n", *words[measures[m].better] ? "  " : "", words[measures[m].better]);
    }
}

/* ---- for programs ---- */

/* What scs_file_write hands to its hook. */
typedef struct file {
    const scs_scorecard *card;
    int32_t n;
} file;

/* 17 digits, and "nan" as pandas and R read it. */
static void write_number(FILE *out, double x)
{
    if (isnan(x))
        fputs("\tnan", out);
    else
        fprintf(out, "\t%.17g", x);
}

/* @param label of the perturbation, or "*" */
static void begin_line(FILE *out, const scs_panel *panel, const char *label, int measure)
{
    scs_text_print(out, panel->cell_type ? panel->cell_type : "", "");
    fputc('\t', out);
    scs_text_print(out, label, "");
    fprintf(out, "\t%s", measures[measure].name);
}

/* All perturbations together first, under "*"; only they have a baseline and a replicate. */
static void write_panel(const scs_scorecard *card, FILE *out)
{
    const scs_panel *panel = card->panel;

    for (int m = 0; m < SCS_N_CARD; m++) {
        begin_line(out, panel, "*", m);
        write_number(out, card->mean[m]);
        write_number(out, card->baseline[m]);
        write_number(out, card->replicate[m]);
        write_number(out, scs_scorecard_scaled(card, m));
        fputc('\n', out);
    }
    for (int32_t p = 0; p < panel->perturbations.n; p++)
        for (int m = 0; m < SCS_N_CARD; m++) {
            if (m == SCS_CARD_NORMALIZED_MSE)
                continue;
            begin_line(out, panel, panel->perturbations.name[p], m);
            write_number(out, card->value[(int64_t)p * SCS_N_CARD + m]);
            fputs("\tnan\tnan\tnan\n", out);
        }
}

/* Hook of scs_file_write. */
static scs_status write_file(void *ctx, FILE *out)
{
    const file *f = ctx;

    fputs("cell_type\tperturbation\tmeasure\tvalue\tbaseline\treplicate\tscaled\n", out);
    for (int32_t i = 0; i < f->n; i++)
        write_panel(&f->card[i], out);
    return SCS_OK;
}

/* All panels in one file, which is there whole or not at all (scs_file_write). */
scs_status scs_scorecard_write(const scs_scorecard *card, int32_t n, const char *path)
{
    file f = {card, n};

    return scs_file_write(path, write_file, &f);
}
