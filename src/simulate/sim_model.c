/** The simulated atlas: what is drawn for it and how large its effects are
 *  (src/simulate/sim_model.h has the model). No draw depends on another: each stream is a kind
 *  of draw and an index.
 */
#include "src/simulate/sim_model.h"

#include "src/base/names.h"
#include "src/base/random.h"
#include "src/base/vector.h"
#include "src/data/dose.h"
#include "src/simulate/sampler.h"
#include "scscreen/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Dimensions of the space of cell types. */
enum { AXES = 4 };

/* What a stream is for (its epoch); cells of group i use OF_FIRST_GROUP + i. Values are part of
 * the atlas: a change makes another one of the same seed. */
typedef enum purpose {
    OF_BASE = 1,
    OF_LOADING,
    OF_MARKER,
    OF_LINEAGE,
    OF_OFFSET,
    OF_SPECIES_EFFECT,
    OF_RESPONDS,
    OF_SHARED,
    OF_DIRECTION,
    OF_PHASE,
    OF_SPECIES_RESPONSE,
    OF_ORDER,
    OF_FIRST_GROUP = 64
} purpose;

/* Stream number `index` of a kind: a species, a type, a drug or a cell, as the kind has it. */
static scs_stream stream_of(const scs_sim *sim, uint32_t kind, int64_t index)
{
    return (scs_stream){sim->seed, SCS_RANDOM_SIMULATE, kind, (uint64_t)index};
}

/* n standard normals of a stream. @param[out] out [n] */
static void draw_normals(const scs_sim *sim, purpose kind, int64_t index, int64_t n, double *out)
{
    scs_stream stream = stream_of(sim, kind, index);

    scs_random_normal(&stream, n, out);
}

/* n uniforms in [0, 1) of a stream. @param[out] out [n] */
static void draw_uniforms(const scs_sim *sim, purpose kind, int64_t index, int64_t n, float *out)
{
    scs_stream stream = stream_of(sim, kind, index);

    scs_random_uniform(&stream, n, out);
}

/* ---- the atlas ---- */

/* Sizes, in log units unless said otherwise. */
static const double base_sd = 1.3, loading_sd = 0.6, species_sd = 0.4;
static const double marker_share = 0.3, responding_share = 0.25; /* of genes */
static const double type_effect = 0.7, species_effect = 0.25;    /* relative to the shared term */
static const double direction_sd = 0.5; /* radians per unit of a type's position */
static const double offset_sd = 0.3;    /* of a type from its lineage, whose positions have 1 */

/* Types 1 and 2 are of one lineage, 3 and 4 of the next, and so on: a lineage's centre and the
 * type's own offset. */
static void place_types(scs_sim *sim)
{
    double centre[AXES], offset[AXES];

    for (int32_t k = 0; k < sim->n_type; k++) {
        draw_normals(sim, OF_LINEAGE, k / 2, AXES, centre);
        draw_normals(sim, OF_OFFSET, k, AXES, offset);
        for (int a = 0; a < AXES; a++)
            sim->position[k * AXES + a] = centre[a] + offset_sd * offset[a];
    }
}

/* Base levels of all genes, and loadings of the markers: a gene that is none does not tell types
 * apart. */
static scs_status draw_genes(scs_sim *sim)
{
    float *marker = NULL;

    SCS_TRY(SCS_ALLOC(marker, sim->n_gene));
    draw_uniforms(sim, OF_MARKER, 0, sim->n_gene, marker);
    draw_normals(sim, OF_BASE, 0, sim->n_gene, sim->base);
    draw_normals(sim, OF_LOADING, 0, (int64_t)sim->n_gene * AXES, sim->loading);
    for (int32_t g = 0; g < sim->n_gene; g++) {
        double size = marker[g] < marker_share ? loading_sd : 0.0;

        sim->base[g] *= base_sd;
        for (int a = 0; a < AXES; a++)
            sim->loading[(int64_t)g * AXES + a] *= size;
    }
    free(marker);
    return SCS_OK;
}

/* Control, and every drug and pair at every dose. */
static int64_t condition_count(const scs_config *config)
{
    int64_t n_dose = config->simulate.doses.n;

    return 1 + (config->simulate.perturbations + config->simulate.pairs) * (n_dose ? n_dose : 1);
}

/* The groups' numbers are epochs of streams (24 bits) and the cells of a group their cells (40
 * bits); genes and conditions are int32. */
static scs_status check_sizes(const scs_config *config)
{
    int64_t genes = config->simulate.genes, types = config->simulate.cell_types;
    int64_t groups, cells;

    SCS_REQUIRE(genes > 0 && genes <= 100000000, SCS_EARG,
                "simulate.genes is %lld; it must be 1 to 100000000", (long long)genes);
    SCS_REQUIRE(types > 0 && config->simulate.perturbations > 0 && config->simulate.species > 0 &&
                    config->simulate.cells > 0,
                SCS_EARG,
                "simulate: cells, cell_types, perturbations and species must be 1 or more");
    SCS_REQUIRE(config->simulate.null <= config->simulate.perturbations, SCS_EARG,
                "simulate.null is %lld, but there are only %lld perturbations",
                (long long)config->simulate.null, (long long)config->simulate.perturbations);
    SCS_REQUIRE(
        config->simulate.pairs <=
            config->simulate.perturbations * (config->simulate.perturbations - 1) / 2,
        SCS_EARG, "simulate.pairs is %lld, but %lld perturbations have only %lld pairs",
        (long long)config->simulate.pairs, (long long)config->simulate.perturbations,
        (long long)(config->simulate.perturbations * (config->simulate.perturbations - 1) / 2));
    SCS_REQUIRE(!__builtin_mul_overflow(types, condition_count(config), &groups) &&
                    !__builtin_mul_overflow(groups, config->simulate.species, &groups) &&
                    groups < (1 << 24) - OF_FIRST_GROUP,
                SCS_EARG, "simulate: species x cell_types x conditions must be below %d groups",
                (1 << 24) - OF_FIRST_GROUP);
    SCS_REQUIRE(!__builtin_mul_overflow(groups, config->simulate.cells, &cells) &&
                    cells < (int64_t)1 << 40,
                SCS_EARG, "simulate: %lld groups of %lld cells are too many; at most 2^40 cells",
                (long long)groups, (long long)config->simulate.cells);
    return SCS_OK;
}

/* The last dose is the largest, at which the response is full: hence ascending. */
static scs_status read_doses(const scs_config *config, scs_sim *sim)
{
    SCS_TRY(SCS_ALLOC(sim->dose, sim->n_dose));
    for (int32_t i = 0; i < sim->n_dose; i++) {
        const char *text = config->simulate.doses.name[i];

        SCS_REQUIRE(
            scs_dose_parse(text, &sim->dose[i]) && (i == 0 || sim->dose[i] > sim->dose[i - 1]),
            SCS_EARG, "simulate.doses: '%s'; expected numbers above 0 in ascending order", text);
    }
    return SCS_OK;
}

/* A species has a fiftieth of genes, and three, that are its own. */
scs_status scs_sim_create(const scs_config *config, scs_sim *sim)
{
    scs_status st;

    SCS_TRY(check_sizes(config));
    *sim = (scs_sim){.n_gene = (int32_t)config->simulate.genes,
                     .n_own = (int32_t)(config->simulate.genes + config->simulate.genes / 50 + 3),
                     .n_species = (int32_t)config->simulate.species,
                     .n_type = (int32_t)config->simulate.cell_types,
                     .n_drug = (int32_t)config->simulate.perturbations,
                     .n_pair = (int32_t)config->simulate.pairs,
                     .n_dose = config->simulate.doses.n,
                     .n_condition = (int32_t)condition_count(config),
                     .n_null = (int32_t)config->simulate.null,
                     .n_cell = config->simulate.cells,
                     .seed = (uint64_t)config->simulate.seed,
                     .effect = config->simulate.effect,
                     .counts = config->simulate.counts,
                     .dispersion = config->simulate.dispersion};
    SCS_GO(st, read_doses(config, sim));
    SCS_GO(st, SCS_ALLOC(sim->base, sim->n_gene));
    SCS_GO(st, SCS_ALLOC(sim->loading, (int64_t)sim->n_gene * AXES));
    SCS_GO(st, SCS_ALLOC(sim->position, (int64_t)sim->n_type * AXES));
    place_types(sim);
    SCS_GO(st, draw_genes(sim));
done:
    if (st != SCS_OK)
        scs_sim_clear(sim);
    return st;
}

void scs_sim_clear(scs_sim *sim)
{
    free(sim->dose);
    free(sim->position);
    free(sim->loading);
    free(sim->base);
    *sim = (scs_sim){0};
}

/* ---- groups ---- */

/* The drugs of pair number `pair`, from 0: 1 and 2, 1 and 3, ..., 2 and 3, ... */
static void pair_of(int32_t n_drug, int32_t pair, int32_t *first, int32_t *second)
{
    *first = 1;
    while (pair >= n_drug - *first)
        pair -= n_drug - (*first)++;
    *second = *first + 1 + pair;
}

/* Conditions behind the control go label by label, and within a label dose by dose. */
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

/* What one perturbation does to each gene, before the types' and the species' terms. */
typedef struct response_draws {
    float *responds, *phase; /* [n_gene] */
    double *shared, *own;    /* [n_gene] */
    double *direction;       /* [n_gene, AXES] */
} response_draws;

/* Zeroed is let through. */
static void draws_clear(response_draws *d)
{
    free(d->direction);
    free(d->own);
    free(d->shared);
    free(d->phase);
    free(d->responds);
}

/* The species' own term has a stream for each (species, drug), the others one for each drug:
 * what all species share.
 * @param drug from 1 on */
static scs_status draws_make(const scs_sim *sim, int32_t species, int32_t drug, response_draws *d)
{
    int64_t n = sim->n_gene, species_drug = (int64_t)species * (sim->n_drug + 1) + drug;

    SCS_TRY(SCS_ALLOC(d->responds, n));
    SCS_TRY(SCS_ALLOC(d->phase, n));
    SCS_TRY(SCS_ALLOC(d->shared, n));
    SCS_TRY(SCS_ALLOC(d->own, n));
    SCS_TRY(SCS_ALLOC(d->direction, n * AXES));
    draw_uniforms(sim, OF_RESPONDS, drug, n, d->responds);
    draw_uniforms(sim, OF_PHASE, drug, n, d->phase);
    draw_normals(sim, OF_SHARED, drug, n, d->shared);
    draw_normals(sim, OF_SPECIES_RESPONSE, species_drug, n, d->own);
    draw_normals(sim, OF_DIRECTION, drug, n * AXES, d->direction);
    return SCS_OK;
}

/* Add one drug's response, times share. Genes respond or not in all types alike; drugs without
 * effect, and drug 0 (none), add nothing. */
static scs_status add_response(const scs_sim *sim, scs_sim_group group, int32_t drug, double share,
                               double *response)
{
    const double *position = &sim->position[(int64_t)group.type * AXES];
    response_draws d = {0};
    scs_status st;

    if (drug == 0 || drug > sim->n_drug - sim->n_null)
        return SCS_OK;
    SCS_GO(st, draws_make(sim, group.species, drug, &d));
    for (int64_t g = 0; g < sim->n_gene; g++)
        if (d.responds[g] < responding_share) {
            double turn = scs_vector_dot(&d.direction[g * AXES], position, AXES);
            double angle = direction_sd * turn + 2.0 * M_PI * d.phase[g];

            response[g] += share * sim->effect *
                           (d.shared[g] + type_effect * sin(angle) + species_effect * d.own[g]);
        }
done:
    draws_clear(&d);
    return st;
}

/* A pair's two responses add up. */
scs_status scs_sim_response(const scs_sim *sim, scs_sim_group group, double *response)
{
    scs_sim_treatment t = scs_sim_treatment_of(sim, group.condition);

    memset(response, 0, (size_t)sim->n_gene * sizeof *response);
    SCS_TRY(add_response(sim, group, t.first, t.share, response));
    return add_response(sim, group, t.second, t.share, response);
}

/* exp(log mean), then over its sum. */
static void normalize(double *share, int32_t n)
{
    double sum = 0.0;

    for (int32_t g = 0; g < n; g++) {
        share[g] = exp(share[g]);
        sum += share[g];
    }
    for (int32_t g = 0; g < n; g++)
        share[g] /= sum;
}

/* The species' own genes come behind the reference genes: neither types nor drugs change them.
 * The first species is the reference, without an effect of its own. */
scs_status scs_sim_shares(const scs_sim *sim, scs_sim_group group, double *share)
{
    const double *position = &sim->position[(int64_t)group.type * AXES];
    double *species = NULL;

    SCS_TRY(SCS_ALLOC(species, sim->n_gene));
    scs_status st = scs_sim_response(sim, group, share);
    draw_normals(sim, OF_SPECIES_EFFECT, group.species, sim->n_gene, species);
    draw_normals(sim, OF_BASE, 1 + group.species, sim->n_own - sim->n_gene, share + sim->n_gene);
    for (int32_t g = 0; g < sim->n_gene; g++)
        share[g] += sim->base[g] +
                    scs_vector_dot(&sim->loading[(int64_t)g * AXES], position, AXES) +
                    (group.species ? species_sd * species[g] : 0.0);
    free(species);
    normalize(share, sim->n_own);
    return st;
}

/* ---- cells ---- */

/* Groups are numbered through all species: no two share a stream. */
scs_sampler scs_sim_cell(const scs_sim *sim, scs_sim_group group, int64_t cell)
{
    int32_t number =
        (group.species * sim->n_type + group.type) * sim->n_condition + group.condition;
    scs_stream stream = stream_of(sim, OF_FIRST_GROUP + (uint32_t)number, cell);

    return scs_sampler_start(&stream);
}

/* exp(sd N - sd^2 / 2) has mean 1. */
double scs_sim_library(const scs_sim *sim, scs_sampler *sampler)
{
    const double sd = SCS_SIM_LIBRARY_SD;

    return sim->counts * exp(sd * scs_sampler_normal(sampler) - 0.5 * sd * sd);
}

/* Shuffled by keys of (species, gene), which no two species share. */
scs_status scs_sim_order(const scs_sim *sim, int32_t species, int32_t *order)
{
    scs_stream stream = stream_of(sim, OF_ORDER, 0);
    int64_t *number = NULL, *position = NULL;
    scs_status st;

    for (int32_t g = 0; g < sim->n_own; g++)
        order[g] = g;
    if (species == 0)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(number, sim->n_own));
    SCS_GO(st, SCS_ALLOC(position, sim->n_own));
    for (int32_t g = 0; g < sim->n_own; g++)
        number[g] = (int64_t)species * sim->n_own + g;
    SCS_GO(st, scs_random_order_cells(&stream, number, sim->n_own, position));
    for (int32_t g = 0; g < sim->n_own; g++)
        order[g] = (int32_t)position[g];
done:
    free(position);
    free(number);
    return st;
}

/* ---- names ---- */

/* a .. z, then aa, ab, ... @param[out] out [16] */
static char *spell_species(int32_t species, char *out)
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

/* "WHAT_NUMBER" */
static char *numbered(const char *what, int32_t number, char *out)
{
    snprintf(out, SCS_SIM_NAME, "%s_%d", what, number);
    return out;
}

char *scs_sim_species_name(int32_t species, char *out)
{
    char letter[16];

    snprintf(out, SCS_SIM_NAME, "species_%s", spell_species(species, letter));
    return out;
}

char *scs_sim_type_name(int32_t type, char *out)
{
    return numbered("type", type + 1, out);
}

/* A pair's label joins its drugs' by "+", the default of screen.pair_separator. */
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

/* Other species' genes are numbered by column, so that a name says nothing of its ortholog. */
char *scs_sim_gene_name(const scs_sim *sim, int32_t species, int32_t column, char *out)
{
    char letter[16] = "";

    if (species > 0)
        spell_species(species, letter);
    if (species == 0 && column >= sim->n_gene)
        snprintf(out, SCS_SIM_NAME, "a_only_%04d", column - sim->n_gene + 1);
    else
        snprintf(out, SCS_SIM_NAME, "%s%sgene_%04d", letter, *letter ? "_" : "", column + 1);
    return out;
}

/* In the order of their numbers, as codes of a categorical want them. */
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
