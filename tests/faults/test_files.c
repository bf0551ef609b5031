/* Every call that reads or writes a file for us fails once: an error with a message, nothing left
 * in memory or open, no temporary file, and the file that stood there is the old or the new one. */
#include "src/data/h5ad_matrix.h"
#include "scscreen/checkpoint.h"
#include "scscreen/dataset.h"
#include "scscreen/result.h"
#include "src/data/h5ad.h"
#include "src/simulate/simulate.h"
#include "src/train/state.h"
#include "src/hdf5/h5anndata.h"
#include "src/hdf5/h5write.h"
#include "src/data/orthologs.h"
#include "src/screen/plan.h"
#include "src/crossval/report.h"
#include "tests/faults/calls.h"
#include "tests/unit/configs.h"
#include "tests/unit/fixture_training.h"
#include "tests/unit/scratch.h"
#include "tests/unit/fixture_atlas.h"

/* A folder, and what a test needs in it. */
typedef struct place {
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], other[2 * SCRATCH_PATH];
    char atlas_folder[SCRATCH_PATH]; /* is made by the call under test */
    scs_config config;
    test_atlas s;
    scs_atlas *atlas;
    scs_model *model;
    scs_names names;
    scs_h5ad *meta;
    scs_csr x;
    scs_checkpoint *checkpoint, *unpacked;
    scs_state *state;
    training_data training;
    int files; /* in the folder while nothing is being written */
} place;

static void begin(place *p, const char *file)
{
    *p = (place){0};
    scratch_make(p->folder);
    scratch_path(p->folder, file, p->path);
}

static void end(place *p)
{
    scratch_remove(p->folder);
}

/* ---- simulated atlases ---- */

static scs_status simulate(void *arg)
{
    place *p = arg;

    return scs_simulate(&p->config, NULL);
}

/* A file that is there is whole: it has its final name only then. */
static void after_simulate(void *arg, scs_status st)
{
    static const char *const files[] = {"species_a.h5ad", "species_b.h5ad",
                                        "species_b.orthologs.tsv", "truth.h5ad"};
    place *p = arg;
    char path[2 * SCRATCH_PATH];
    int n = 0;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        n += unlink(scratch_path(p->atlas_folder, files[i], path)) == 0;
    if (st == SCS_OK)
        CU_ASSERT_EQUAL(n, (int)(sizeof files / sizeof *files));
    if (access(p->atlas_folder, F_OK) == 0)
        CU_ASSERT_EQUAL(rmdir(p->atlas_folder), 0); /* nothing else was left there */
}

static void small_simulation(place *p, char *dir)
{
    p->config.simulate.dir = dir;
    p->config.simulate.genes = 4;
    p->config.simulate.cells = 2;
    p->config.simulate.cell_types = 2;
    p->config.simulate.perturbations = 1;
    p->config.simulate.species = 2;
    p->config.simulate.effect = 1;
    p->config.simulate.counts = 50;
    p->config.simulate.dispersion = 2;
}

static void simulation(void)
{
    static const calls_case c = {"simulate", simulate, after_simulate};
    place p;

    begin(&p, "");
    snprintf(p.atlas_folder, SCRATCH_PATH, "%.400s/new", p.folder);
    small_simulation(&p, p.atlas_folder);
    calls_sweep_all(&c, &p);
    end(&p);
}

/* ---- .h5ad files in three layouts ---- */

enum { CELLS = 6, GENES = 5 };

static void write_x(hid_t file, int layout)
{
    static const float dense[CELLS * GENES] = {1, 0, 0, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4,
                                               0, 5, 0, 6, 0, 7, 0, 0, 0, 0, 0, 0, 8, 0, 9};
    static const char *const encoding[] = {"csr_matrix", "csc_matrix"};
    int64_t shape[2] = {CELLS, GENES}, indptr[CELLS + 1] = {0}, n = 0;
    int32_t outer = layout == SCS_LAYOUT_CSR ? CELLS : GENES,
            inner = layout == SCS_LAYOUT_CSR ? GENES : CELLS, index[CELLS * GENES];
    float data[CELLS * GENES];

    if (layout == SCS_LAYOUT_DENSE) {
        CHECK_OK(scs_h5_array(file, "X", H5T_NATIVE_FLOAT, 2, shape, dense));
        return;
    }
    for (int32_t i = 0; i < outer; i++) {
        for (int32_t j = 0; j < inner; j++) {
            float v = layout == SCS_LAYOUT_CSR ? dense[i * GENES + j] : dense[j * GENES + i];

            if (v != 0) {
                index[n] = j;
                data[n++] = v;
            }
        }
        indptr[i + 1] = n;
    }
    CHECK_OK(scs_h5_group(file, "X"));
    CHECK_OK(scs_h5_encoding(file, "X", encoding[layout], "0.1.0"));
    CHECK_OK(scs_h5_attr_write_int64(file, "X", "shape", shape, 2, false));
    CHECK_OK(scs_h5_write(file, "X/data", H5T_NATIVE_FLOAT, 1, &n, data));
    CHECK_OK(scs_h5_write(file, "X/indices", H5T_NATIVE_INT32, 1, &n, index));
    CHECK_OK(scs_h5_write(file, "X/indptr", H5T_NATIVE_INT64, 1, &(int64_t){outer + 1}, indptr));
}

static void write_h5ad(const char *path, int layout)
{
    static char *columns[] = {"cell_type", "condition"}, *types[] = {"B", "T"},
                *conditions[] = {"ctrl", "drug"};
    static const int32_t code[CELLS] = {0, 1, 0, 1, -1, 1};
    scs_names keys = {2, columns}, type_names = {2, types}, condition_names = {2, conditions};
    scs_names genes = {0}, cells = {0}, no_names = {0};
    scs_h5_out out = {0};

    name_list(&genes, "gene", GENES);
    name_list(&cells, "cell", CELLS);
    CHECK_OK(scs_h5_out_create(path, &out));
    CHECK_OK(scs_h5_anndata(out.file));
    CHECK_OK(scs_h5_dataframe(out.file, "obs", &cells, &keys));
    CHECK_OK(scs_h5_categorical(out.file, "obs/cell_type", &type_names, code, CELLS));
    CHECK_OK(scs_h5_categorical(out.file, "obs/condition", &condition_names, code, CELLS));
    CHECK_OK(scs_h5_dataframe(out.file, "var", &genes, &no_names));
    write_x(out.file, layout);
    CHECK_OK(scs_h5_out_commit(&out));
    scs_names_clear(&genes);
    scs_names_clear(&cells);
}

static scs_status read_h5ad(void *arg)
{
    const scs_h5ad_request request = {
        .matrix = "X", .cell_type = "cell_type", .condition = "condition", .memory = 1 << 28};
    place *p = arg;
    uint8_t *blob = NULL;
    scs_h5ad *packed = NULL;
    int64_t size;
    scs_status st;

    SCS_GO(st, scs_h5ad_probe(p->path, &request, &packed));
    SCS_GO(st, scs_h5ad_pack(packed, &blob, &size));
    SCS_GO(st, scs_h5ad_unpack(blob, size, &p->meta));
    SCS_GO(st, scs_h5ad_matrix_read_rows(p->meta, 1, CELLS, &p->x));
done:
    free(blob);
    scs_h5ad_destroy(&packed);
    return st;
}

static void after_read_h5ad(void *arg, scs_status st)
{
    place *p = arg;

    if (st == SCS_OK) {
        CU_ASSERT_EQUAL(p->x.indptr[CELLS - 1], 7);
        CU_ASSERT_EQUAL(p->x.values[6], 9);
        CU_ASSERT_EQUAL(p->x.indices[6], 4);
        CU_ASSERT_STRING_EQUAL(p->meta->genes.name[4], "gene4");
    }
    scs_csr_clear(&p->x);
    scs_h5ad_destroy(&p->meta);
}

static void input_files(void)
{
    static const calls_case cases[] = {{"h5ad csr", read_h5ad, after_read_h5ad},
                                       {"h5ad csc", read_h5ad, after_read_h5ad},
                                       {"h5ad dense", read_h5ad, after_read_h5ad}};
    place p;

    begin(&p, "cells.h5ad");
    for (int layout = SCS_LAYOUT_CSR; layout <= SCS_LAYOUT_DENSE; layout++) {
        write_h5ad(p.path, layout);
        calls_sweep_all(&cases[layout], &p);
    }
    end(&p);
}

/* ---- model.h5 ---- */

static void begin_model(place *p)
{
    scs_arch arch = plain_arch(SCS_PROFILE_SCGEN2, 7, 4, 3);

    begin(p, "model.h5");
    test_atlas_create(&p->s, 60, 7, 1, 2, 2, 1);
    CHECK_OK(scs_atlas_create(&p->s.d, 3, &p->atlas));
    untrained_model(&arch, 1, &p->model);
}

static void end_model(place *p)
{
    scs_atlas_destroy(&p->atlas);
    scs_model_destroy(&p->model);
    test_atlas_destroy(&p->s);
    end(p);
}

static scs_status save_model(void *arg)
{
    place *p = arg;

    return scs_checkpoint_save(p->path, p->model, &p->s.d.genes, p->atlas, NULL,
                               "model: {hidden: 4}\n", SCS_PROFILE_SCGEN2);
}

/* The older file is whole where the new one is not; the last step, syncing the folder, may fail
 * behind it. */
static void after_save(void *arg, scs_status st)
{
    place *p = arg;

    (void)st;
    CU_ASSERT(scratch_same(p->path, p->other));
    CU_ASSERT_EQUAL(scratch_count(p->folder), p->files);
}

static scs_status read_model(void *arg)
{
    place *p = arg;
    uint8_t *blob = NULL;
    int64_t size;
    scs_status st;

    SCS_GO(st, scs_checkpoint_probe(p->path, &p->checkpoint));
    SCS_GO(st, scs_checkpoint_pack(p->checkpoint, &blob, &size));
    SCS_GO(st, scs_checkpoint_unpack(blob, size, &p->unpacked));
    SCS_GO(st, scs_checkpoint_read(p->unpacked, p->model, p->atlas));
done:
    free(blob);
    return st;
}

static void after_read_model(void *arg, scs_status st)
{
    place *p = arg;

    if (st == SCS_OK)
        CU_ASSERT_EQUAL(p->unpacked->genes.n, 7);
    scs_checkpoint_destroy(&p->checkpoint);
    scs_checkpoint_destroy(&p->unpacked);
}

static void copy_file(const char *from, const char *to)
{
    size_t size;
    char *bytes = scratch_read(from, &size);
    FILE *out = fopen(to, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, out), size);
    CU_ASSERT_EQUAL(fclose(out), 0);
    free(bytes);
}

static void models(void)
{
    static const calls_case saving = {"save a model", save_model, after_save},
                            reading = {"read a model", read_model, after_read_model};
    place p;

    begin_model(&p);
    CHECK_OK(save_model(&p));
    scratch_path(p.folder, "copy", p.other);
    copy_file(p.path, p.other);
    p.files = 2;
    calls_sweep_all(&saving, &p);
    calls_sweep_all(&reading, &p);
    end_model(&p);
}

/* ---- the state of a training_data run ---- */

static int request_stop(void *ctx)
{
    (void)ctx;
    return SCS_REQUEST_STOP;
}

static scs_status save_state(void *ctx, scs_training *training, const scs_position *position,
                             int requests)
{
    place *p = ctx;
    char config[] = "train: {}\n", data[] = "sha256:0", program[] = "0";
    scs_state facts = {
        .path = p->path, .position = *position, .config = config, .data = data, .program = program};

    (void)requests;
    return scs_state_save(training, &facts);
}

static scs_status train(place *p, int (*request)(void *), const scs_state *resume)
{
    scs_watch watch = {.ctx = p, .keep = {.ctx = p, .request = request, .save = save_state}};
    scs_outcome outcome;

    return scs_train(&p->training.config, p->training.model, p->training.shard, &p->training.deal,
                     &p->training.team, &watch, resume, &outcome);
}

static scs_status train_and_save(void *arg)
{
    return train(arg, request_stop, NULL);
}

static void after_train(void *arg, scs_status st)
{
    place *p = arg;

    if (st == SCS_OK)
        CU_ASSERT_EQUAL(access(p->path, F_OK), 0);
    (void)unlink(p->path);
    CU_ASSERT_EQUAL(scratch_count(p->folder), 0);
    scs_model_init(p->training.model, 5);
}

static scs_status resume(void *arg)
{
    place *p = arg;
    uint8_t *blob = NULL;
    scs_state *probed = NULL;
    int64_t size;
    scs_status st;

    SCS_GO(st, scs_state_probe(p->path, &probed));
    SCS_GO(st, scs_state_pack(probed, &blob, &size));
    SCS_GO(st, scs_state_unpack(blob, size, &p->state));
    SCS_GO(st, train(p, NULL, p->state));
done:
    free(blob);
    scs_state_destroy(&probed);
    return st;
}

static void after_resume(void *arg, scs_status st)
{
    place *p = arg;

    (void)st;
    scs_state_destroy(&p->state);
}

static void states(void)
{
    static const calls_case training = {"train and save", train_and_save, after_train},
                            resuming = {"resume", resume, after_resume};
    place p;

    begin(&p, "training.1.h5");
    open_training(2, 6, 2, &p.training);
    p.training.config.train.batch = 4;
    p.training.config.train.epochs = 1;
    calls_sweep_all(&training, &p);
    CHECK_OK(train(&p, request_stop, NULL));
    calls_sweep_all(&resuming, &p);
    close_training(&p.training);
    end(&p);
}

/* ---- the result ---- */

static scs_status write_result(void *arg)
{
    static scs_combination item = {.condition = 1, .observed_group = -1};
    static char *word[] = {""};
    static const scs_plan plan = {1, &item, {0, NULL}, {1, word}, {1, word}};
    static const scs_fact facts[] = {{"version", "1", 0}, {"seed", NULL, 7}};
    place *p = arg;
    scs_result_head head = {.atlas = p->atlas,
                            .plan = &plan,
                            .variance = true,
                            .bootstrap = true,
                            .top_genes = 3,
                            .permutations = true,
                            .fact = facts,
                            .n_fact = 2};

    SCS_TRY(scs_result_skeleton(p->other, &head));
    return scs_result_commit(p->other, p->path);
}

static void after_result(void *arg, scs_status st)
{
    place *p = arg;

    if (st == SCS_OK)
        CU_ASSERT_EQUAL(access(p->path, F_OK), 0);
    (void)unlink(p->path);
    (void)unlink(p->other); /* the caller's, who names it */
    CU_ASSERT_EQUAL(scratch_count(p->folder), 0);
}

static void results(void)
{
    static const calls_case c = {"write a result", write_result, after_result};
    place p;

    begin_model(&p);
    scratch_path(p.folder, "screen.h5ad", p.path);
    scratch_path(p.folder, "screen.h5ad.tmp", p.other);
    calls_sweep_all(&c, &p);
    end_model(&p);
}

/* ---- texts ---- */

static scs_status read_texts(void *arg)
{
    static const char *const sets[] = {"train.seed=3"};
    place *p = arg;
    char path[2 * SCRATCH_PATH], *text = NULL, *yaml = NULL, *result = NULL, words[200];
    scs_config *config = NULL, *other = NULL;
    scs_orthologs orthologs = {0};
    scs_report_table table = {0};
    scs_plan plan = {0};
    scs_status st;

    SCS_GO(st, scs_config_load(scratch_path(p->folder, "a.yaml", path), sets, 1, &config, &text));
    SCS_GO(st, scs_config_print(config, &yaml));
    SCS_GO(st, scs_config_print_affecting(config, SCS_AFFECTS_ROWS, &result));
    SCS_GO(st, scs_config_parse("b.yaml", yaml, NULL, 0, &other));
    (void)scs_config_differences(config, other, SCS_AFFECTS_RESULT, words, sizeof words);
    SCS_GO(st, scs_orthologs_load(
                   &(scs_ortholog_use){.table = scratch_path(p->folder, "orthologs.tsv", path),
                                       .input = "own.h5ad",
                                       .own = &p->s.d.genes},
                   &orthologs));
    SCS_GO(st, scs_plan_read(config, p->atlas, &plan));
    SCS_GO(st, scs_report_table_create(1, &table));
    SCS_GO(st, scs_report_read(scratch_path(p->folder, "v.tsv", path), 1, &table, NULL));
done:
    scs_plan_clear(&plan);
    scs_report_table_clear(&table);
    scs_orthologs_clear(&orthologs);
    scs_config_destroy(&other);
    scs_config_destroy(&config);
    free(result);
    free(yaml);
    free(text);
    return st;
}

static void write_texts(place *p)
{
    static const scs_combination item = {.condition = 1, .observed_group = 1};
    char path[2 * SCRATCH_PATH];
    double value[64] = {0};
    FILE *out;

    scratch_write(scratch_path(p->folder, "a.yaml", path),
                  "data:\n  inputs: [{path: a.h5ad, species: x, orthologs: o.tsv}]\n"
                  "  control: c\nhold_out:\n  - {cell_type: B, condition: d}\n"
                  "screen: {cell_types: [B*, T], combinations: wanted.csv}\n");
    scratch_write(scratch_path(p->folder, "orthologs.tsv", path),
                  "own\treference\ngene1\tG1\ngene2\tG2\ngene3\tG2\n");
    scratch_write(scratch_path(p->folder, "wanted.csv", path),
                  "cell_type,perturbation\ntype0,condition1\ntype1,condition1\n");
    out = fopen(scratch_path(p->folder, "v.tsv", path), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    scs_report_write_head(out);
    scs_report_write_row(out, p->atlas, &item, scs_report_predictor_at(1), &(scs_report_origin){0},
                         "own", value);
    CU_ASSERT_EQUAL(fclose(out), 0);
}

static void texts(void)
{
    static const calls_case c = {"read texts", read_texts, NULL};
    place p;

    begin_model(&p);
    write_texts(&p);
    calls_sweep_all(&c, &p);
    end_model(&p);
}

int main(void)
{
    static const scs_test tests[] = {
        {"simulated atlases", simulation},
        {"input files", input_files},
        {"models", models},
        {"states of training", states},
        {"results", results},
        {"configs and tables", texts},
    };

    return run_suite("failing calls: files", tests, sizeof tests / sizeof *tests);
}
