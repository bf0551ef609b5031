#include "src/simulate_atlas.h"

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

char *scs_sim_condition_name(int32_t condition, char *out)
{
    return condition ? numbered("drug", condition, out)
                     : (snprintf(out, SCS_SIM_NAME, "control"), out);
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

static scs_status add_names(char *(*name_of)(int32_t, char *), int32_t first, int32_t last,
                            scs_names *names)
{
    char name[SCS_SIM_NAME];

    for (int32_t i = first; i < last; i++)
        SCS_TRY(scs_names_add(names, name_of(i, name)));
    return SCS_OK;
}

scs_status scs_sim_type_names(const scs_sim *sim, scs_names *names)
{
    return add_names(scs_sim_type_name, 0, sim->n_type, names);
}

scs_status scs_sim_condition_names(const scs_sim *sim, int32_t first, scs_names *names)
{
    return add_names(scs_sim_condition_name, first, sim->n_condition, names);
}

scs_status scs_sim_gene_names(const scs_sim *sim, int32_t species, int32_t n, scs_names *names)
{
    char name[SCS_SIM_NAME];

    for (int32_t j = 0; j < n; j++)
        SCS_TRY(scs_names_add(names, scs_sim_gene_name(sim, species, j, name)));
    return SCS_OK;
}
