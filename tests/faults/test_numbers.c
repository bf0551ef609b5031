/* Every allocation of the computations fails once: SCS_ENOMEM with a message, nothing left in
 * memory, and the same numbers afterwards. */
#include "scscreen/config.h"
#include "src/screen/confidence.h"
#include "src/screen/cell_distance.h"
#include "src/screen/decode.h"
#include "src/atlas/atlas.h"
#include "src/crossval/grid.h"
#include "src/screen/score.h"
#include "src/result/ranking.h"
#include "tests/faults/calls.h"
#include "tests/unit/datasets.h"
#include "tests/unit/fixture_training.h"
#include "tests/unit/fixture_atlas.h"

enum { CELLS = 120, GENES = 9, LATENT = 3 };

typedef struct lab {
    test_atlas s;
    scs_atlas *atlas;
    scs_model *model;
    scs_gene_slice slice;
    scs_shard shard;
    scs_team team;
    const char *text; /* of a config */
    scs_config *config;
    scs_h5ad *meta[MOST_INPUTS];
    scs_dataset *dataset;
    scs_deal *deal;
    training_data training;
    scs_real *untrained; /* its model's numbers before training */
    scs_plan *plan;
    scs_grid *grid;
    scs_method method;
    double first; /* the number that came out without a failure; NAN: none yet */
    double number;
} lab;

static void open_lab(lab *l)
{
    scs_arch arch = plain_arch(SCS_PROFILE_SCGEN2, GENES, 5, LATENT);

    *l = (lab){.first = NAN};
    test_atlas_create(&l->s, CELLS, GENES, 2, 3, 2, 3);
    CHECK_OK(scs_atlas_create(&l->s.d, LATENT, &l->atlas));
    untrained_model(&arch, 2, &l->model);
    l->shard = (scs_shard){.cell = number_range(0, CELLS), .n_train = CELLS, .x = l->s.packed};
    l->team = scs_team_alone(1);
    test_atlas_slice(&l->s, l->atlas, 0, GENES, &l->slice);
}

static void close_lab(lab *l)
{
    scs_gene_moments_slice_clear(&l->slice);
    free((void *)(uintptr_t)l->shard.cell);
    scs_model_destroy(&l->model);
    scs_atlas_destroy(&l->atlas);
    test_atlas_destroy(&l->s);
}

/* What came out is the same each time that something does. */
static void after(void *arg, scs_status st)
{
    lab *l = arg;

    if (st != SCS_OK)
        return;
    if (isnan(l->first))
        l->first = l->number;
    CU_ASSERT_EQUAL(l->number, l->first);
}

static void sweep(lab *l, const char *name, scs_status (*call)(void *arg))
{
    const calls_case c = {name, call, after};
    int n;

    l->first = NAN;
    n = calls_sweep(CALLS_MEMORY, &c, l);
    CU_ASSERT(n > 0);
    printf("%s: %d allocations failed\n", name, n);
}

/* ---- cells in memory ---- */

static scs_status pack(void *arg)
{
    lab *l = arg;
    const scs_csr *x = &l->s.x;
    double totals[CELLS];
    scs_packed p;
    scs_status st;

    SCS_GO(st, scs_packed_alloc(2 * CELLS, GENES, 0, &p));
    SCS_GO(st, scs_packed_append(&p, 0, x));
    SCS_GO(st, scs_packed_append(&p, CELLS, x));
    SCS_GO(st, scs_packed_trim(&p));
    scs_csr_row_sums(x, totals);
    p.n_row = CELLS;
    scs_packed_log_normalize(&p, totals, 100);
    l->number = scs_row_value(&(scs_row){.value = scs_packed_row(&p, 1).value}, 0);
done:
    scs_packed_clear(&p);
    return st;
}

static void cells(void)
{
    lab l;

    open_lab(&l);
    sweep(&l, "packed cells", pack);
    close_lab(&l);
}

/* ---- from labelled cells to an atlas ---- */

static scs_status make_dataset(void *arg)
{
    lab *l = arg;
    scs_dataset *d = NULL;
    scs_deal *deal = NULL;
    int64_t rows[CELLS];
    scs_shard shard;
    scs_status st;

    SCS_GO(st, scs_dataset_create(l->config, (const scs_h5ad *const *)l->meta, &d));
    SCS_GO(st, scs_roles_hold_out(l->config, d));
    SCS_GO(st, scs_shard_deal_create(d, 1, 2, &deal));
    shard = (scs_shard){.cell = deal->cell, .n_train = deal->n_train[0]};
    SCS_GO(st, scs_shard_epoch_order(&shard, 1, 1, rows));
    l->number = (double)(d->n_cell * 100 + deal->n_train[0]) + d->n_gene / 100.;
done:
    scs_shard_deal_destroy(&deal);
    scs_dataset_destroy(&d);
    return st;
}

static void dataset(void)
{
    lab l = {0};

    two_files(l.meta);
    CHECK_OK(scs_config_parse("c.yaml",
                              TWO "hold_out:\n  - {species: h, cell_type: T, condition: drug}\n",
                              NULL, 0, &l.config));
    sweep(&l, "dataset", make_dataset);
    for (int i = 0; i < 2; i++)
        drop_meta(l.meta[i]);
    scs_config_destroy(&l.config);
}

static scs_status make_atlas(void *arg)
{
    lab *l = arg;
    scs_atlas *atlas = NULL;
    scs_real *z = NULL;
    double score[GENES], top[2];
    int32_t gene[2];
    scs_status st;

    SCS_GO(st, scs_atlas_create(&l->s.d, LATENT, &atlas));
    SCS_GO(st, scs_atlas_encode(atlas, l->model, &l->s.d, &l->shard, &l->team, &z));
    SCS_GO(st, scs_atlas_encode_sum(atlas, &l->s.d, &l->shard, &l->team, &z));
    SCS_GO(st, scs_gene_moments(atlas, &l->slice));
    SCS_GO(st, wilcoxon_of_pair(atlas, &l->slice, 1, 0, score));
    SCS_GO(st, scs_deg_top_genes(score, GENES, 0, 2, gene, top));
    l->number = atlas->mean[1] + atlas->gene_mean[3] + top[0];
done:
    free(z);
    scs_atlas_destroy(&atlas);
    return st;
}

static void atlas(void)
{
    lab l;

    open_lab(&l);
    sweep(&l, "atlas", make_atlas);
    close_lab(&l);
}

/* ---- training ---- */

static void copy_numbers(scs_real *to, const scs_real *from, int64_t n)
{
    memcpy(to, from, (size_t)n * sizeof *to);
}

static scs_status train(void *arg)
{
    lab *l = arg;
    scs_model *m = l->training.model;
    scs_watch watch = {0};
    scs_outcome outcome;

    copy_numbers(m->running, l->untrained, m->n_running);
    copy_numbers(m->param, l->untrained + m->n_running, m->n_param);
    SCS_TRY(scs_train(&l->training.config, l->training.model, l->training.shard, &l->training.deal,
                      &l->training.team, &watch, NULL, &outcome));
    l->number = l->training.model->param[0] + outcome.best;
    return SCS_OK;
}

static void training(void)
{
    static const char *const names[] = {"training, dense", "training, factored"};
    lab l = {0};
    scs_model *m;

    open_training(2, 8, 4, &l.training);
    l.training.config.train.batch = 4;
    l.training.config.train.epochs = 1;
    m = l.training.model;
    CHECK_OK(SCS_ALLOC(l.untrained, m->n_running + m->n_param));
    copy_numbers(l.untrained, m->running, m->n_running);
    copy_numbers(l.untrained + m->n_running, m->param, m->n_param);
    for (int factored = 0; factored < 2; factored++) {
        l.training.config.train.output_layer = factored ? SCS_OUTPUT_FACTORED : SCS_OUTPUT_DENSE;
        sweep(&l, names[factored], train);
    }
    free(l.untrained);
    close_training(&l.training);
}

/* ---- screening ---- */

static void fill_atlas(scs_atlas *a)
{
    for (int64_t i = 0; i < (int64_t)a->n_group * a->n_latent; i++)
        a->mean[i] = uniform(1, (uint64_t)i);
    for (int64_t i = 0; i < (int64_t)a->n_group * a->n_latent * a->n_latent; i++)
        a->second[i] = 1 + uniform(2, (uint64_t)i);
    for (int64_t i = 0; i < (int64_t)a->n_group * a->n_gene; i++) {
        a->gene_mean[i] = uniform(3, (uint64_t)i);
        a->gene_variance[i] = uniform(4, (uint64_t)i);
    }
    for (int64_t i = 0; i < (int64_t)a->n_group * SCS_N_DEG; i++)
        a->deg[i] = i % SCS_N_DEG < GENES ? (int32_t)(i % SCS_N_DEG) : -1;
}

static scs_status make_plan(void *arg)
{
    lab *l = arg;
    scs_config *config = NULL;
    scs_plan *plan = NULL;
    scs_grid *grid = NULL;
    double miss[SCS_N_POWER];
    scs_shift_choice choice;
    int power;
    scs_status st;

    SCS_GO(st, scs_config_parse("c.yaml", l->text, NULL, 0, &config));
    SCS_GO(st, scs_plan_create(config, l->atlas, &l->model->arch, &plan));
    SCS_GO(st, scs_plan_resolve(l->atlas, &l->method, plan));
    SCS_GO(st, scs_choose_shift(l->atlas, &l->method, &choice));
    SCS_GO(st, scs_choose_shift_power(l->atlas, &l->method, &power, miss));
    SCS_GO(st, scs_grid_create(config, l->atlas, &grid));
    SCS_GO(st, scs_grid_hold_out(grid, l->atlas, 0, config));
    l->number = (double)plan->n + choice.shift * 100 + choice.error[0] + power + miss[0];
done:
    scs_grid_destroy(&grid);
    scs_plan_destroy(&plan);
    scs_config_destroy(&config);
    return st;
}

static scs_status measure(void *arg)
{
    lab *l = arg;
    const scs_combination *target = &l->plan->item[0];
    float mean[GENES] = {1, 2, 3}, shift[GENES] = {1}, variance[GENES] = {1};
    scs_prediction predicted = {mean, shift, variance};
    double value[SCS_N_MEASURE];
    scs_atlas view = {0};
    scs_status st;

    SCS_GO(st, scs_score_measure_means(l->atlas, target, &predicted, NULL, value));
    SCS_GO(st, scs_atlas_gene_space_view(l->atlas, &view));
    l->number = value[SCS_MSE] + view.mean[0];
done:
    scs_atlas_gene_space_clear(&view);
    return st;
}

static scs_status judge(void *arg)
{
    lab *l = arg;
    scs_combination *target = &l->plan->item[0];
    const scs_combination *const targets[] = {target};
    scs_sources *sources = NULL;
    scs_bootstrap *b = NULL;
    scs_decoder decoder = {.model = l->model};
    scs_real z[10 * LATENT];
    double delta[LATENT], replicate[4 * LATENT], mean[GENES], variance[GENES], energy, mmd;
    double percentile, p[2] = {.1, .2}, q[2];
    float se[GENES], top[2];
    int32_t gene[2];
    scs_sample x = {z, 5, NULL}, y = {z + 5 * LATENT, 5, NULL};
    scs_shifted_cells cells = {0};
    scs_cell_spread spread = {0};
    scs_cell_difference difference;
    double along[5];
    scs_evidence from = {.control_mean = l->atlas->gene_mean,
                         .control_variance = l->atlas->gene_variance};
    scs_status st;

    for (int i = 0; i < 10 * LATENT; i++)
        z[i] = uniform(9, (uint64_t)i);
    SCS_GO(st, scs_shift_sources_create(l->atlas, &sources));
    SCS_GO(st, scs_shift_sources_find(l->atlas, &l->method, target, sources));
    scs_shift_sources_latent(l->atlas, sources, delta);
    SCS_GO(st, scs_confidence_support(l->atlas, target, sources, &percentile));
    SCS_GO(st, scs_cell_distance_compare(&x, &y, LATENT, &spread, &difference));
    SCS_GO(st, scs_cell_distance_shifted_make(&x, LATENT, &cells));
    energy = difference.energy + scs_cell_distance_shifted_energy(&cells, delta, along);
    mmd = difference.mmd2;
    SCS_GO(st, scs_resample_bootstrap_create(l->atlas, sources, 7, &b));
    SCS_GO(st, scs_resample_replicate(l->atlas, &l->method, targets, 1, 4,
                                      scs_resample_bootstrap_draw, b, replicate));
    SCS_GO(st, scs_decode_moments(&decoder, z, 10, delta, mean, variance));
    from.shifted = from.baseline = from.change = (scs_moments){mean, variance};
    SCS_GO(st, scs_resample_shift_error(l->atlas, &decoder, &l->method, sources, z, 10, replicate,
                                        4, &from, se));
    SCS_GO(st, scs_resample_permute_pair(&(scs_stream){.seed = 1}, z, 5, z + 5 * LATENT, 5, LATENT,
                                         0, 2, replicate));
    SCS_GO(st, scs_confidence_false_discovery(p, 2, q));
    SCS_GO(st, scs_deg_top_shift(se, GENES, 1, 2, gene, top));
    l->number = percentile + energy + mmd + mean[1] + (double)se[0] + q[0];
done:
    scs_cell_distance_shifted_clear(&cells);
    scs_resample_bootstrap_destroy(&b);
    scs_shift_sources_destroy(&sources);
    return st;
}

static scs_status rank(void *arg)
{
    lab *l = arg;
    scs_confidence confidence[64];
    scs_scores score[64];
    double norm[64];
    int64_t order[64];
    const scs_ranking ranking = {.atlas = l->atlas,
                                 .plan = l->plan,
                                 .delta_norm = norm,
                                 .confidence = confidence,
                                 .score = score,
                                 .by = SCS_RANK_DELTA_NORM};

    CU_ASSERT_FATAL(l->plan->n <= 64);
    for (int i = 0; i < 64; i++) {
        norm[i] = i % 7;
        confidence[i] = scs_confidence_none();
        score[i] = scs_score_none();
    }
    SCS_TRY(scs_ranking_order(&ranking, order));
    l->number = (double)order[0];
    return SCS_OK;
}

static scs_status analyse_components(void *arg)
{
    lab *l = arg;
    scs_pca *pca = NULL;
    scs_real z[CELLS * 2];
    double mean[GENES], variance[GENES], delta[2] = {1, 2};
    scs_status st;

    SCS_GO(st, scs_pca_create(GENES, 2, &pca));
    for (int i = 0; i < 2 * GENES; i++)
        pca->loading[i] = uniform(8, (uint64_t)i);
    scs_pca_orient(pca);
    SCS_GO(st, scs_pca_encode(pca, &l->s.packed, 0, CELLS, z));
    SCS_GO(st, scs_pca_decoded_moments(pca, z, CELLS, delta, mean, variance));
    l->number = mean[1] + variance[2];
done:
    scs_pca_destroy(&pca);
    return st;
}

static void screening(void)
{
    lab l;

    open_lab(&l);
    fill_atlas(l.atlas);
    l.text = "data: {inputs: [a.h5ad]}\nscreen: {cell_types: [type*], perturbations: [\"*1\"]}\n";
    CHECK_OK(scs_config_parse("c.yaml", l.text, NULL, 0, &l.config));
    for (int shift = SCS_SHIFT_NEAREST; shift <= SCS_SHIFT_REGRESSION; shift++) {
        l.method = scs_shift_method_from_config(l.config);
        l.method.shift = shift;
        sweep(&l, "plan", make_plan);
        CHECK_OK(scs_plan_create(l.config, l.atlas, &l.model->arch, &l.plan));
        CHECK_OK(scs_plan_resolve(l.atlas, &l.method, l.plan));
        sweep(&l, "trust", judge);
        if (shift == SCS_SHIFT_NEAREST) {
            sweep(&l, "measures", measure);
            sweep(&l, "ranking", rank);
            sweep(&l, "principal components", analyse_components);
        }
        scs_plan_destroy(&l.plan);
    }
    scs_config_destroy(&l.config);
    close_lab(&l);
}

int main(void)
{
    static const scs_test tests[] = {
        {"cells", cells},       {"data sets", dataset},   {"atlas", atlas},
        {"training", training}, {"screening", screening},
    };

    return run_suite("failing calls: numbers", tests, sizeof tests / sizeof *tests);
}
