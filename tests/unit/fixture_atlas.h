/** A small atlas for tests: labelled cells with sparse expression, and the same in every layout
 * that the library takes. */
#ifndef SCS_TESTS_FIXTURE_ATLAS_H
#define SCS_TESTS_FIXTURE_ATLAS_H

#include "scscreen/latent.h"
#include "src/base/names.h"
#include "src/base/random.h"
#include "tests/unit/packing.h"

#include <math.h>
#include <string.h>

static inline float uniform(uint64_t seed, uint64_t at)
{
    scs_stream stream = {seed, SCS_RANDOM_SIMULATE, 0, at};
    float u;

    scs_random_uniform(&stream, 1, &u);
    return u;
}

static inline void name_list(scs_names *names, const char *prefix, int32_t n)
{
    char name[32];

    for (int32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s%d", prefix, i);
        CHECK_OK(scs_names_add(names, name));
    }
}

typedef struct test_atlas {
    scs_dataset d;
    scs_csr x;         /* [n_cell, n_gene]; few distinct values, so that there are ties */
    scs_packed packed; /* the same */
} test_atlas;

static inline void test_atlas_labels(scs_dataset *d, uint64_t seed)
{
    CHECK_OK(SCS_ALLOC(d->cell_species, d->n_cell));
    CHECK_OK(SCS_ALLOC(d->cell_type, d->n_cell));
    CHECK_OK(SCS_ALLOC(d->cell_condition, d->n_cell));
    CHECK_OK(SCS_ALLOC(d->role, d->n_cell));
    for (int64_t i = 0; i < d->n_cell; i++) {
        uint64_t at = (uint64_t)i;

        d->cell_species[i] = (int32_t)((float)d->species.n * uniform(seed, 4 * at));
        d->cell_type[i] = (int32_t)((float)d->cell_types.n * uniform(seed, 4 * at + 1));
        d->cell_condition[i] = (int32_t)((float)d->conditions.n * uniform(seed, 4 * at + 2));
        d->role[i] = uniform(seed, 4 * at + 3) < .2f ? SCS_ROLE_VALID : SCS_ROLE_TRAIN;
        if (d->cell_species[i] == 0 && d->cell_type[i] == 1 && d->cell_condition[i] == 1)
            d->role[i] = SCS_ROLE_HELD_OUT;
        if (i % 17 == 3) {
            d->role[i] = SCS_ROLE_UNUSED;
            d->cell_type[i] = -1;
        }
    }
}

static inline void test_atlas_expression(scs_csr *x, int64_t n_cell, int32_t n_gene, uint64_t seed)
{
    int64_t at = 0;

    CHECK_OK(scs_csr_alloc(n_cell, n_gene, n_cell * n_gene, x));
    for (int64_t i = 0; i < n_cell; i++) {
        for (int32_t g = 0; g < n_gene; g++) {
            float u = uniform(seed + 1, (uint64_t)(i * n_gene + g));

            if (g == 0 || u > .3f)
                continue; /* gene 0 is nowhere expressed */
            x->indices[at] = g;
            x->values[at++] = floorf(1 + 20 * u) / 4;
        }
        x->indptr[i + 1] = at;
    }
}

/** Group (species 0, type 1, condition 1) is held out; every 17th cell has no label. */
static inline void test_atlas_create(test_atlas *s, int64_t n_cell, int32_t n_gene,
                                     int32_t n_species, int32_t n_type, int32_t n_condition,
                                     uint64_t seed)
{
    *s = (test_atlas){.d = {.n_cell = n_cell, .n_gene = n_gene}};
    name_list(&s->d.genes, "gene", n_gene);
    name_list(&s->d.species, "species", n_species);
    name_list(&s->d.cell_types, "type", n_type);
    name_list(&s->d.conditions, "condition", n_condition);
    test_atlas_labels(&s->d, seed);
    test_atlas_expression(&s->x, n_cell, n_gene, seed);
    s->packed = packed(&s->x);
}

static inline void test_atlas_destroy(test_atlas *s)
{
    scs_names_clear(&s->d.genes);
    scs_names_clear(&s->d.species);
    scs_names_clear(&s->d.cell_types);
    scs_names_clear(&s->d.conditions);
    free(s->d.cell_species);
    free(s->d.cell_type);
    free(s->d.cell_condition);
    free(s->d.role);
    scs_csr_clear(&s->x);
    scs_packed_clear(&s->packed);
}

static inline float test_atlas_value(const test_atlas *s, int64_t cell, int32_t gene)
{
    for (int64_t k = s->x.indptr[cell]; k < s->x.indptr[cell + 1]; k++)
        if (s->x.indices[k] == gene)
            return s->x.values[k];
    return 0;
}

static inline bool test_atlas_in_group(const test_atlas *s, const scs_group *g, int64_t cell)
{
    return s->d.role[cell] != SCS_ROLE_UNUSED && s->d.cell_species[cell] == g->species &&
           s->d.cell_type[cell] == g->cell_type && s->d.cell_condition[cell] == g->condition;
}

/** Genes [gene0, gene1) of all used cells, by gene and group. */
static inline void test_atlas_slice(const test_atlas *s, const scs_atlas *atlas, int32_t gene0,
                                    int32_t gene1, scs_gene_slice *slice)
{
    int64_t at = 0, list = 0;

    *slice = (scs_gene_slice){.gene0 = gene0, .gene1 = gene1, .n_group = atlas->n_group};
    CHECK_OK(SCS_ALLOC(slice->first, (int64_t)(gene1 - gene0) * atlas->n_group + 1));
    CHECK_OK(SCS_ALLOC(slice->value, s->x.indptr[s->x.n_row]));
    for (int32_t g = gene0; g < gene1; g++)
        for (int32_t group = 0; group < atlas->n_group; group++) {
            for (int64_t i = 0; i < s->d.n_cell; i++)
                for (int64_t k = s->x.indptr[i]; k < s->x.indptr[i + 1]; k++)
                    if (s->x.indices[k] == g && test_atlas_in_group(s, &atlas->group[group], i))
                        slice->value[at++] = s->x.values[k];
            slice->first[++list] = at;
        }
}

/** scs_deg_wilcoxon of one pair of groups. @param[out] z [gene1 - gene0] */
static inline scs_status wilcoxon_of_pair(const scs_atlas *atlas, const scs_gene_slice *slice,
                                          int32_t group, int32_t control_group, double *z)
{
    int32_t n = slice->gene1 - slice->gene0, *control = NULL;
    double *all = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(control, atlas->n_group));
    SCS_GO(st, SCS_ALLOC(all, (int64_t)atlas->n_group * n));
    for (int32_t g = 0; g < atlas->n_group; g++)
        control[g] = g == group ? control_group : -1;
    SCS_GO(st, scs_deg_wilcoxon(atlas, slice, control, all));
    memcpy(z, all + (int64_t)group * n, (size_t)n * sizeof *z);
done:
    free(control);
    free(all);
    return st;
}

/** An untrained network with batch norms away from the identity. */
static inline void untrained_model(const scs_arch *arch, int64_t seed, scs_model **model)
{
    CHECK_OK(scs_model_create(arch, model));
    scs_model_init(*model, seed);
    for (int64_t i = 0; i < (*model)->n_running; i++)
        (*model)->running[i] += uniform((uint64_t)seed, (uint64_t)i);
}

static inline scs_arch plain_arch(int profile, int32_t n_gene, int32_t n_hidden, int32_t n_latent)
{
    scs_config config = {0};

    config.model.profile = profile;
    config.model.hidden = n_hidden;
    config.model.layers = 2;
    config.model.latent = n_latent;
    config.model.kl_weight = 5e-5;
    return scs_model_arch_from_config(&config, n_gene);
}

#endif
