#include "src/names.h"
#include "src/simulate_atlas.h"

#include <math.h>
#include <stdio.h>

/* a .. z, then aa, ab, ... */
static char *letters(int32_t species, char *out)
{
    char reversed[16];
    int n = 0, at = 0;

    for (int32_t rest = species; rest >= 0; rest = rest / 26 - 1)
        reversed[n++] = (char)('a' + rest % 26);
    while (n > 0)
        out[at++] = reversed[--n];
    out[at] = '\0';
    return out;
}

static char *numbered(const char *what, int32_t number, char *out)
{
    snprintf(out, SCS_SIM_NAME, "%s_%d", what, number);
    return out;
}

char *scs_sim_species_name(int32_t species, char *out)
{
    char letter[16];

    snprintf(out, SCS_SIM_NAME, "species_%s", letters(species, letter));
    return out;
}

char *scs_sim_type_name(int32_t type, char *out)
{
    return numbered("type", type + 1, out);
}

/* The drugs of pair number `pair`: 1 and 2, 1 and 3, ..., 2 and 3, ... */
static void pair_of(int32_t n_drug, int32_t pair, int32_t *first, int32_t *second)
{
    *first = 1;
    while (pair >= n_drug - *first)
        pair -= n_drug - (*first)++;
    *second = *first + 1 + pair;
}

scs_sim_treatment scs_sim_treatment_of(const scs_sim *sim, int32_t condition)
{
    int32_t n_dose = sim->n_dose ? sim->n_dose : 1, which = (condition - 1) / n_dose;
    scs_sim_treatment t = {.dose = sim->n_dose ? 0 : NAN, .share = 1};

    if (condition == 0)
        return t;
    t.label = which + 1;
    t.first = which + 1;
    if (which >= sim->n_drug)
        pair_of(sim->n_drug, which - sim->n_drug, &t.first, &t.second);
    if (sim->n_dose) {
        t.dose = sim->dose[(condition - 1) % n_dose];
        t.share = scs_dose_way(0, t.dose, sim->dose[n_dose - 1]);
    }
    return t;
}

char *scs_sim_label_name(const scs_sim *sim, int32_t label, char *out)
{
    int32_t first, second;

    if (label == 0)
        snprintf(out, SCS_SIM_NAME, "control");
    else if (label <= sim->n_drug)
        numbered("drug", label, out);
    else {
        pair_of(sim->n_drug, label - 1 - sim->n_drug, &first, &second);
        snprintf(out, SCS_SIM_NAME, "drug_%d+drug_%d", first, second);
    }
    return out;
}

char *scs_sim_gene_name(const scs_sim *sim, int32_t species, int32_t column, char *out)
{
    char letter[16] = "";

    if (species > 0)
        letters(species, letter);
    if (species == 0 && column >= sim->n_gene)
        snprintf(out, SCS_SIM_NAME, "a_only_%04d", column - sim->n_gene + 1);
    else
        snprintf(out, SCS_SIM_NAME, "%s%sgene_%04d", letter, *letter ? "_" : "", column + 1);
    return out;
}

scs_status scs_sim_type_names(const scs_sim *sim, scs_names *names)
{
    char name[SCS_SIM_NAME];

    for (int32_t k = 0; k < sim->n_type; k++)
        SCS_TRY(scs_names_add(names, scs_sim_type_name(k, name)));
    return SCS_OK;
}

scs_status scs_sim_label_names(const scs_sim *sim, int32_t first, scs_names *names)
{
    char name[SCS_SIM_NAME];

    for (int32_t i = first; i <= sim->n_drug + sim->n_pair; i++)
        SCS_TRY(scs_names_add(names, scs_sim_label_name(sim, i, name)));
    return SCS_OK;
}

scs_status scs_sim_gene_names(const scs_sim *sim, int32_t species, int32_t n, scs_names *names)
{
    char name[SCS_SIM_NAME];

    for (int32_t j = 0; j < n; j++)
        SCS_TRY(scs_names_add(names, scs_sim_gene_name(sim, species, j, name)));
    return SCS_OK;
}
