/* A model that the public scGen trained (parity/scgen_model.h5: kang_ifnb.h5ad without stimulated
 * CD4T): its weights load by name, and its latent means, shifts, decoded moments and R2 come out of
 * our code. */
#include "src/atlas/atlas.h"
#include "src/data/h5ad_matrix.h"
#include "scscreen/checkpoint.h"
#include "src/data/h5ad.h"
#include "scscreen/screen.h"
#include "src/hdf5/h5read.h"
#include "tests/unit/fixture_atlas.h"

#define MODEL "parity/scgen_model.h5"
#define CELLS "data/kang_ifnb.h5ad"

enum { LATENT = 32 };

typedef struct setup {
    scs_h5 fixture;
    scs_checkpoint *file;
    scs_model *model;
    scs_h5ad *meta;
    scs_dataset d; /* borrows from meta */
    scs_csr x;
    scs_shard shard;
    int64_t *cell;
    scs_atlas *atlas;
    scs_real *z;
} setup;

static void load_model(setup *t)
{
    const char *path = real_file(MODEL);
    scs_arch arch;

    CHECK_OK(scs_h5_open(path, 0, &t->fixture));
    CHECK_OK(scs_checkpoint_probe(path, &t->file));
    CU_ASSERT_EQUAL(t->file->hidden, 128);
    CU_ASSERT_EQUAL(t->file->layers, 2);
    CU_ASSERT_EQUAL_FATAL(t->file->latent, LATENT);
    CU_ASSERT(!t->file->has_atlas);
    arch = plain_arch(t->file->profile, t->file->genes.n, (int32_t)t->file->hidden, LATENT);
    CHECK_OK(scs_model_create(&arch, &t->model));
    CHECK_OK(scs_checkpoint_read(t->file, t->model, NULL));
}

/* All cells as one shard, stimulated CD4T held out. */
static void load_cells(setup *t)
{
    scs_h5ad_request request = {.cell_type = "cell_type", .condition = "condition"};
    scs_dataset *d = &t->d;
    int32_t held_type, held_condition;

    CHECK_OK(scs_h5ad_probe(real_file(CELLS), &request, &t->meta));
    CHECK_OK(scs_h5ad_matrix_read_rows(t->meta, 0, t->meta->n_obs, &t->x));
    t->shard.x = packed(&t->x);
    *d = (scs_dataset){.n_cell = t->meta->n_obs,
                       .n_gene = t->meta->n_var,
                       .genes = t->meta->genes,
                       .cell_types = t->meta->cell_type.categories,
                       .conditions = t->meta->condition.categories,
                       .cell_type = t->meta->cell_type.codes,
                       .cell_condition = t->meta->condition.codes};
    name_list(&d->species, "human", 1);
    d->control = scs_names_find(&d->conditions, "control");
    held_condition = scs_names_find(&d->conditions, "stimulated");
    held_type = scs_names_find(&d->cell_types, "CD4T");
    CHECK_OK(SCS_ALLOC(d->cell_species, d->n_cell));
    CHECK_OK(SCS_ALLOC(d->role, d->n_cell));
    CHECK_OK(SCS_ALLOC(t->cell, d->n_cell));
    for (int64_t i = 0; i < d->n_cell; i++) {
        t->cell[i] = i;
        if (d->cell_type[i] == held_type && d->cell_condition[i] == held_condition)
            d->role[i] = SCS_ROLE_HELD_OUT;
    }
    t->shard.cell = t->cell;
}

/* All genes by gene, group and cell. */
static void transpose(const scs_csr *x, const scs_atlas *atlas, const int32_t *group,
                      scs_gene_slice *slice)
{
    int64_t lists = (int64_t)x->n_col * atlas->n_group;

    CHECK_OK(SCS_ALLOC(slice->first, lists + 2));
    CHECK_OK(SCS_ALLOC(slice->value, x->indptr[x->n_row]));
    for (int64_t i = 0; i < x->n_row; i++)
        for (int64_t k = x->indptr[i]; group[i] >= 0 && k < x->indptr[i + 1]; k++)
            slice->first[(int64_t)x->indices[k] * atlas->n_group + group[i] + 2]++;
    for (int64_t i = 0; i < lists; i++)
        slice->first[i + 2] += slice->first[i + 1];
    for (int64_t i = 0; i < x->n_row; i++)
        for (int64_t k = x->indptr[i]; group[i] >= 0 && k < x->indptr[i + 1]; k++) {
            int64_t list = (int64_t)x->indices[k] * atlas->n_group + group[i];

            slice->value[slice->first[list + 1]++] = x->values[k];
        }
}

/* Gene-space means, variances and the top genes of every perturbed group. */
static void fill_gene_space(setup *t)
{
    int32_t n_group = t->atlas->n_group, n = t->d.n_gene, *control, *group;
    scs_gene_slice slice = {.gene1 = n, .n_group = n_group};
    double *z, score[SCS_N_DEG];

    CHECK_OK(scs_atlas_cell_groups(t->atlas, &t->d, &group));
    transpose(&t->x, t->atlas, group, &slice);
    CHECK_OK(scs_gene_moments(t->atlas, &slice));
    CHECK_OK(SCS_ALLOC(z, (int64_t)n_group * n));
    CHECK_OK(SCS_ALLOC(control, n_group));
    for (int32_t g = 0; g < n_group; g++) {
        control[g] = scs_atlas_group(t->atlas, 0, t->atlas->group[g].cell_type, t->d.control);
        control[g] = control[g] == g ? -1 : control[g];
    }
    CHECK_OK(scs_deg_wilcoxon(t->atlas, &slice, control, z));
    for (int32_t g = 0; g < n_group; g++)
        if (control[g] >= 0)
            CHECK_OK(scs_deg_top_genes(z + (int64_t)g * n, n, 0, SCS_N_DEG,
                                       t->atlas->deg + (int64_t)g * SCS_N_DEG, score));
    free(z);
    free(control);
    free(group);
    scs_gene_moments_slice_clear(&slice);
}

static void begin(setup *t)
{
    scs_team team = scs_team_alone(1);

    *t = (setup){0};
    load_model(t);
    load_cells(t);
    CU_ASSERT_EQUAL_FATAL(t->d.n_gene, t->file->genes.n);
    for (int32_t g = 0; g < t->d.n_gene; g++)
        CU_ASSERT_STRING_EQUAL_FATAL(t->d.genes.name[g], t->file->genes.name[g]);
    CHECK_OK(scs_atlas_create(&t->d, LATENT, &t->atlas));
    CHECK_OK(scs_atlas_encode(t->atlas, t->model, &t->d, &t->shard, &team, &t->z));
    fill_gene_space(t);
}

static void end(setup *t)
{
    free(t->z);
    scs_atlas_destroy(&t->atlas);
    scs_csr_clear(&t->x);
    scs_packed_clear(&t->shard.x);
    free(t->cell);
    free(t->d.role);
    free(t->d.cell_species);
    scs_names_clear(&t->d.species);
    scs_h5ad_destroy(&t->meta);
    scs_model_destroy(&t->model);
    scs_checkpoint_destroy(&t->file);
    scs_h5_close(&t->fixture);
}

/* Largest difference from a vector of the fixture, relative to that vector's largest element. */
static double off(const setup *t, const char *path, const double *ours, int64_t n)
{
    double *theirs, largest = 0, worst = 0;

    CHECK_OK(SCS_ALLOC(theirs, n));
    CHECK_OK(scs_h5_read_double(&t->fixture, path, 0, n, theirs));
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(theirs[i]));
        worst = fmax(worst, fabs(ours[i] - theirs[i]));
    }
    free(theirs);
    fprintf(stderr, "\n    %s: off by %.2g of %.3g", path, worst, largest);
    return worst / largest;
}

static void latent_means(void)
{
    setup t;
    char path[128];

    begin(&t);
    for (int32_t g = 0; g < t.atlas->n_group; g++) {
        const scs_group *group = &t.atlas->group[g];

        if (group->held_out)
            continue;
        snprintf(path, sizeof path, "latent_mean/%s/%s", t.atlas->conditions.name[group->condition],
                 t.atlas->cell_types.name[group->cell_type]);
        CU_ASSERT(off(&t, path, t.atlas->mean + g * LATENT, LATENT) < 1e-4);
    }
    end(&t);
}

static scs_combination target(const setup *t)
{
    int32_t type = scs_names_find(&t->d.cell_types, "CD4T");
    int32_t stimulated = scs_names_find(&t->d.conditions, "stimulated");

    return (scs_combination){.cell_type = type,
                             .condition = stimulated,
                             .control_group = scs_atlas_group(t->atlas, 0, type, t->d.control),
                             .observed_group = scs_atlas_group(t->atlas, 0, type, stimulated),
                             .held_out = true};
}

/* Posterior means of the target's control cells. @return how many */
static int64_t control_cells(const setup *t, const scs_combination *c, scs_real *z)
{
    int64_t n = 0;

    for (int64_t i = 0; i < t->d.n_cell; i++)
        if (test_atlas_in_group(&(test_atlas){.d = t->d}, &t->atlas->group[c->control_group], i))
            memcpy(z + n++ * LATENT, t->z + i * LATENT, sizeof *z * LATENT);
    return n;
}

static double stored_r2(const setup *t, const char *path)
{
    hid_t group = H5Gopen2(t->fixture.file, path, H5P_DEFAULT);
    hid_t attr = H5Aopen(group, "r2_mean_all_genes", H5P_DEFAULT);
    double r2 = NAN;

    CU_ASSERT(H5Aread(attr, H5T_NATIVE_DOUBLE, &r2) >= 0);
    H5Aclose(attr);
    H5Gclose(group);
    return r2;
}

static void check_r2(const setup *t, const scs_combination *c, const char *group,
                     const double *mean)
{
    const float *observed = t->atlas->gene_mean + (int64_t)c->observed_group * t->d.n_gene;
    float *predicted;
    double r;

    CHECK_OK(SCS_ALLOC(predicted, t->d.n_gene));
    for (int32_t g = 0; g < t->d.n_gene; g++)
        predicted[g] = (float)mean[g];
    r = scs_score_pearson(predicted, observed, NULL, t->d.n_gene);
    fprintf(stderr, "\n    %s: R2 %.6f, stored %.6f", group, r * r, stored_r2(t, group));
    CU_ASSERT_DOUBLE_EQUAL(r * r, stored_r2(t, group), 1e-5);
    free(predicted);
}

/* @param change [n_gene] that of the sources in gene space, or NULL */
static void find_shift(const setup *t, int shift, double *delta, double *change)
{
    scs_combination c = target(t);
    scs_method method = {.shift = shift, .power = 4};
    scs_sources *sources;

    CHECK_OK(scs_shift_sources_create(t->atlas, &sources));
    CHECK_OK(scs_shift_sources_find(t->atlas, &method, &c, sources));
    CU_ASSERT_STRING_EQUAL(sources->text, "own");
    scs_shift_sources_latent(t->atlas, sources, delta);
    if (change)
        scs_shift_sources_genes(t->atlas, sources, t->atlas->gene_mean, change);
    scs_shift_sources_destroy(&sources);
}

static void check_prediction(const setup *t, int method, const char *group)
{
    scs_combination c = target(t);
    char path[128];
    double delta[LATENT], *mean, *variance;
    scs_real *z;
    int64_t n;

    CHECK_OK(SCS_ALLOC(z, t->d.n_cell * LATENT));
    CHECK_OK(SCS_ALLOC(mean, t->d.n_gene));
    CHECK_OK(SCS_ALLOC(variance, t->d.n_gene));
    n = control_cells(t, &c, z);
    find_shift(t, method, delta, NULL);
    snprintf(path, sizeof path, "%s/delta", group);
    CU_ASSERT(off(t, path, delta, LATENT) < 1e-4);
    CHECK_OK(scs_decode_model_moments(t->model, z, n, delta, mean, variance));
    snprintf(path, sizeof path, "%s/mean", group);
    CU_ASSERT(off(t, path, mean, t->d.n_gene) < 1e-3);
    snprintf(path, sizeof path, "%s/var", group);
    CU_ASSERT(off(t, path, variance, t->d.n_gene) < 1e-3);
    check_r2(t, &c, group, mean);
    free(z);
    free(mean);
    free(variance);
}

static void balanced_prediction(void)
{
    setup t;

    begin(&t);
    check_prediction(&t, SCS_SHIFT_BALANCED, "predict/balanced");
    end(&t);
}

static void paired_prediction(void)
{
    setup t;

    begin(&t);
    check_prediction(&t, SCS_SHIFT_PAIRED, "predict/paired");
    end(&t);
}

/* Scores of nearest shifts on this model, as measured in NumPy to three digits; there all
 * predictions were clipped at 0. */
static scs_scores scores_of(const setup *t, scs_method method)
{
    scs_combination c = target(t);
    int64_t n_gene = t->d.n_gene, n;
    const float *mean = t->atlas->gene_mean + c.control_group * n_gene;
    const float *variance = t->atlas->gene_variance + c.control_group * n_gene;
    double delta[LATENT], *moments;
    scs_prediction p;
    scs_scores s;
    scs_real *z;

    CHECK_OK(SCS_ALLOC(z, t->d.n_cell * LATENT));
    CHECK_OK(SCS_ALLOC(moments, 6 * n_gene)); /* of `from`, in turn; the change's variance is 0 */
    CHECK_OK(SCS_ALLOC(p.mean, 3 * n_gene));
    p.shift = p.mean + n_gene;
    p.variance = p.shift + n_gene;
    n = control_cells(t, &c, z);
    find_shift(t, SCS_SHIFT_NEAREST, delta, moments + 4 * n_gene);
    CHECK_OK(scs_decode_model_moments(t->model, z, n, delta, moments, moments + n_gene));
    CHECK_OK(
        scs_decode_model_moments(t->model, z, n, NULL, moments + 2 * n_gene, moments + 3 * n_gene));
    scs_predict(&method, (int32_t)n_gene,
                &(scs_evidence){mean,
                                variance,
                                {moments, moments + n_gene},
                                {moments + 2 * n_gene, moments + 3 * n_gene},
                                {moments + 4 * n_gene, moments + 5 * n_gene},
                                1,
                                1},
                &p);
    for (int64_t g = 0; g < n_gene; g++)
        p.mean[g] = fmaxf(0, p.mean[g]);
    s = scs_score(t->atlas, &c, &p);
    fprintf(stderr,
            "\n    r2_all %.4f r2_deg %.4f r2_variance %.4f delta_pearson %.4f no change %.4f %.4f",
            s.r2_all, s.r2_deg, s.r2_variance, s.delta_pearson, s.r2_all_control, s.r2_deg_control);
    free(z);
    free(moments);
    free(p.mean);
    return s;
}

static void check_scores(const setup *t, int decode, double r2_all, double delta_pearson)
{
    scs_scores s = scores_of(t, (scs_method){.power = 4, .decode = decode});

    CU_ASSERT_DOUBLE_EQUAL(s.r2_all, r2_all, 6e-4);
    CU_ASSERT_DOUBLE_EQUAL(s.delta_pearson, delta_pearson, 6e-4);
    CU_ASSERT_DOUBLE_EQUAL(s.r2_all_control, .861, 6e-4);
}

static void nearest_scores(void)
{
    setup t;

    begin(&t);
    check_scores(&t, SCS_DECODE_PLAIN, .969, .882);
    check_scores(&t, SCS_DECODE_EDIT, .972, .903);
    end(&t);
}

/* Half network, half arithmetic on the same types: ahead of each alone. */
static void blend_scores(void)
{
    scs_scores both, network, arithmetic;
    setup t;

    begin(&t);
    both = scores_of(&t, (scs_method){.power = 4, .decode = SCS_DECODE_BLEND, .blend = .5});
    network = scores_of(&t, (scs_method){.power = 4, .decode = SCS_DECODE_BLEND, .blend = 1});
    arithmetic = scores_of(&t, (scs_method){.power = 4, .decode = SCS_DECODE_BLEND, .blend = 0});
    CU_ASSERT_DOUBLE_EQUAL(network.r2_all, .972, 6e-4); /* edit */
    CU_ASSERT(both.r2_all > network.r2_all && both.r2_all > arithmetic.r2_all);
    CU_ASSERT(both.delta_pearson > network.delta_pearson &&
              both.delta_pearson > arithmetic.delta_pearson);
    end(&t);
}

int main(void)
{
    static const scs_test tests[] = {{"latent means", latent_means},
                                     {"balanced prediction", balanced_prediction},
                                     {"paired prediction", paired_prediction},
                                     {"nearest scores", nearest_scores},
                                     {"blend scores", blend_scores}};

    if (!has_real_file("all tests", MODEL) || !has_real_file("all tests", CELLS))
        return SKIPPED;
    return run_suite("parity with a trained scGen", tests, sizeof tests / sizeof *tests);
}
