/* model.h5: what is saved comes back to the last bit; what is damaged or foreign is refused; a
 * failed save loses nothing. */
#include "scscreen/checkpoint.h"
#include "src/base/checksum.h"
#include "tests/unit/scratch.h"
#include "tests/unit/fixture_atlas.h"

#include <dirent.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_GENE = 21, HIDDEN = 6, LATENT = 4 };

static const char yaml[] = "model:\n  hidden: 6\n# \xc3\xa9\n";

typedef struct setup {
    char folder[64], path[96];
    test_atlas s;
    scs_atlas *atlas;
    scs_model *model;
    scs_checkpoint *read;
} setup;

static void fill_atlas(scs_atlas *a)
{
    for (int64_t i = 0; i < (int64_t)a->n_group * a->n_latent; i++)
        a->mean[i] = uniform(1, (uint64_t)i) / 3.;
    for (int64_t i = 0; i < (int64_t)a->n_group * a->n_latent * a->n_latent; i++)
        a->second[i] = uniform(2, (uint64_t)i) / 3.;
    for (int64_t i = 0; i < (int64_t)a->n_group * a->n_gene; i++) {
        a->gene_mean[i] = uniform(3, (uint64_t)i);
        a->gene_variance[i] = uniform(4, (uint64_t)i);
    }
    for (int64_t i = 0; i < (int64_t)a->n_group * SCS_N_DEG; i++)
        a->deg[i] = (int32_t)(i % 7 == 0 ? -1 : i % N_GENE);
}

static void begin(setup *t, int profile)
{
    scs_arch arch = plain_arch(profile, N_GENE, HIDDEN, LATENT);

    *t = (setup){.folder = "checkpoint-test-XXXXXX"};
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(t->folder));
    snprintf(t->path, sizeof t->path, "%s/model.h5", t->folder);
    test_atlas_create(&t->s, 300, N_GENE, 2, 2, 3, 1);
    CHECK_OK(scs_atlas_create(&t->s.d, LATENT, &t->atlas));
    fill_atlas(t->atlas);
    untrained_model(&arch, 1, &t->model);
}

/* Files in the folder, hidden ones too. */
static int files_in(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while ((entry = readdir(dir)))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return n;
}

static void end(setup *t)
{
    (void)unlink(t->path);
    CU_ASSERT_EQUAL(rmdir(t->folder), 0); /* nothing else was left there */
    scs_checkpoint_destroy(&t->read);
    scs_atlas_destroy(&t->atlas);
    scs_model_destroy(&t->model);
    test_atlas_destroy(&t->s);
}

static scs_status save(const setup *t, const scs_atlas *atlas)
{
    return scs_checkpoint_save(t->path, t->model, &t->s.d.genes, atlas, NULL, yaml,
                               SCS_PROFILE_SCGEN2);
}

static void check_atlas(const scs_atlas *a, const scs_atlas *b)
{
    size_t n = (size_t)a->n_group, d = (size_t)a->n_latent, g = (size_t)a->n_gene;

    CU_ASSERT_EQUAL_FATAL(a->n_group, b->n_group);
    CU_ASSERT(memcmp(a->mean, b->mean, n * d * sizeof *a->mean) == 0);
    CU_ASSERT(memcmp(a->second, b->second, n * d * d * sizeof *a->second) == 0);
    CU_ASSERT(memcmp(a->gene_mean, b->gene_mean, n * g * sizeof *a->gene_mean) == 0);
    CU_ASSERT(memcmp(a->gene_variance, b->gene_variance, n * g * sizeof *a->gene_mean) == 0);
    CU_ASSERT(memcmp(a->deg, b->deg, n * SCS_N_DEG * sizeof *a->deg) == 0);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(a->group[i].count, b->group[i].count);
        CU_ASSERT_EQUAL(a->group[i].held_out, b->group[i].held_out);
        CU_ASSERT_EQUAL(a->group[i].condition, b->group[i].condition);
    }
}

static void check_words(const setup *t, const scs_checkpoint *c)
{
    CU_ASSERT(c->hidden == HIDDEN && c->layers == 2 && c->latent == LATENT);
    CU_ASSERT(c->has_atlas && c->control == t->atlas->control);
    CU_ASSERT_EQUAL(c->profile, SCS_PROFILE_SCGEN2);
    CU_ASSERT_STRING_EQUAL(c->config, yaml);
    CU_ASSERT_EQUAL_FATAL(c->genes.n, N_GENE);
    CU_ASSERT_STRING_EQUAL(c->genes.name[20], "gene20");
    CU_ASSERT_EQUAL(c->cell_types.n, 2);
    CU_ASSERT_STRING_EQUAL(c->conditions.name[2], "condition2");
}

/* A second model and atlas, made from the file's words, get the same bits from its numbers. */
static void saved_comes_back_to_the_last_bit(void)
{
    setup t;
    const scs_checkpoint *c;
    scs_model *model;
    scs_atlas *atlas;

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_OK(save(&t, t.atlas));
    CHECK_OK(scs_checkpoint_probe(t.path, &t.read));
    c = t.read;
    check_words(&t, c);
    CHECK_OK(scs_model_create(&t.model->arch, &model));
    CHECK_OK(scs_atlas_create_from(&c->species, &c->cell_types, &c->conditions, &c->genes,
                                   c->control, c->group, c->n_group, (int32_t)c->latent, &atlas));
    CHECK_OK(scs_checkpoint_read(c, model, atlas));
    CU_ASSERT(memcmp(model->param, t.model->param, sizeof *model->param * (size_t)model->n_param) ==
              0);
    CU_ASSERT(memcmp(model->running, t.model->running,
                     sizeof *model->running * (size_t)model->n_running) == 0);
    check_atlas(atlas, t.atlas);
    scs_model_destroy(&model);
    scs_atlas_destroy(&atlas);
    end(&t);
}

/* What torch's load_state_dict(strict=True) wants beside our own tensors. */
static void torch_finds_its_counters(void)
{
    static const char *const stack[] = {"z_encoder.encoder", "decoder.decoder"};
    setup t;
    hid_t file;
    char path[128];

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_OK(save(&t, NULL));
    file = H5Fopen(t.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "state_dict/%s.fc_layers.Layer %d.1.num_batches_tracked",
                 stack[i / 2], i % 2);
        CU_ASSERT(H5Lexists(file, path, H5P_DEFAULT) > 0);
    }
    CU_ASSERT(H5Fclose(file) >= 0);
    end(&t);
}

static void weights_alone_are_enough(void)
{
    setup t;

    begin(&t, SCS_PROFILE_PAPER);
    CHECK_OK(
        scs_checkpoint_save(t.path, t.model, &t.s.d.genes, NULL, NULL, NULL, SCS_PROFILE_PAPER));
    CHECK_OK(scs_checkpoint_probe(t.path, &t.read));
    CU_ASSERT(!t.read->has_atlas && t.read->n_group == 0);
    CU_ASSERT_STRING_EQUAL(t.read->config, "");
    CU_ASSERT_EQUAL(t.read->profile, SCS_PROFILE_PAPER);
    CHECK_OK(scs_checkpoint_read(t.read, t.model, NULL));
    end(&t);
}

static void packs_and_unpacks(void)
{
    setup t;
    uint8_t *blob;
    int64_t size;
    scs_checkpoint *back = NULL;

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_OK(save(&t, t.atlas));
    CHECK_OK(scs_checkpoint_probe(t.path, &t.read));
    CHECK_OK(scs_checkpoint_pack(t.read, &blob, &size));
    CHECK_OK(scs_checkpoint_unpack(blob, size, &back));
    check_words(&t, back);
    CU_ASSERT_STRING_EQUAL(back->path, t.path);
    CU_ASSERT_EQUAL(back->group[3].count, t.atlas->group[3].count);
    scs_checkpoint_destroy(&back);
    for (int64_t n = 0; n < size; n++) { /* every shorter block is refused */
        CU_ASSERT_EQUAL(scs_checkpoint_unpack(blob, n, &back), SCS_EDATA);
        CU_ASSERT_PTR_NULL(back);
    }
    free(blob);
    end(&t);
}

static void foreign_files_are_refused(void)
{
    setup t;
    hid_t file;

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_FAILS(scs_checkpoint_probe(t.path, &t.read), SCS_EDATA, "model.h5");
    scratch_write(t.path, "no model");
    CHECK_FAILS(scs_checkpoint_probe(t.path, &t.read), SCS_EDATA, "model.h5");
    (void)unlink(t.path);
    file = H5Fcreate(t.path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(file >= 0 && H5Fclose(file) >= 0);
    CHECK_FAILS(scs_checkpoint_probe(t.path, &t.read), SCS_EDATA, "no state_dict/z_encoder");
    CHECK_OK((unlink(t.path), save(&t, t.atlas)));
    CU_ASSERT_EQUAL(truncate(t.path, 3000), 0);
    CHECK_FAILS(scs_checkpoint_probe(t.path, &t.read), SCS_EDATA, "model.h5");
    CU_ASSERT_PTR_NULL(t.read);
    end(&t);
}

/* The file is changed and its checksum made right again: not damage, but not what was saved. */
static void drop_link(const char *path, const char *name)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    CU_ASSERT(file >= 0 && H5Ldelete(file, name, H5P_DEFAULT) >= 0 && H5Fclose(file) >= 0);
    CHECK_OK(scs_checksum_file_write(path));
}

/* Every single byte counts: one flipped bit, in the checksum or behind it, is found. */
static void every_flipped_byte_is_found(void)
{
    setup t;
    size_t size, found = 0;
    char *bytes;
    FILE *file;

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_OK(save(&t, t.atlas));
    bytes = scratch_read(t.path, &size);
    file = fopen(t.path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    setvbuf(file, NULL, _IONBF, 0);
    CHECK_OK(scs_checksum_file_check(t.path, true));
    for (size_t i = 0; i < size; i++) {
        fseek(file, (long)i, SEEK_SET);
        fputc(bytes[i] ^ (1 << i % 8), file);
        found += scs_checkpoint_probe(t.path, &t.read) == SCS_EDATA;
        fseek(file, (long)i, SEEK_SET);
        fputc(bytes[i], file);
    }
    CU_ASSERT_EQUAL(found, size);
    CHECK_OK(scs_checksum_file_check(t.path, true));
    fclose(file);
    free(bytes);
    end(&t);
}

static void a_missing_tensor_is_named(void)
{
    setup t;

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_OK(save(&t, t.atlas));
    CHECK_OK(scs_checkpoint_probe(t.path, &t.read));
    drop_link(t.path, "state_dict/decoder.decoder.fc_layers.Layer 1.0.bias");
    CHECK_FAILS(scs_checkpoint_read(t.read, t.model, t.atlas), SCS_EDATA,
                "state_dict/decoder.decoder.fc_layers.Layer 1.0.bias is missing");
    drop_link(t.path, "var_names");
    scs_checkpoint_destroy(&t.read);
    CHECK_FAILS(scs_checkpoint_probe(t.path, &t.read), SCS_EDATA, "no var_names");
    end(&t);
}

/* Before memory is asked for. */
static void a_hidden_layer_that_is_not_there_is_refused(void)
{
    static const char path[] = "state_dict/decoder.decoder.fc_layers.Layer 1.0.weight";
    hsize_t dim[2] = {1 << 16, 1 << 16};
    setup t;
    hid_t file, space, set;

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_OK(save(&t, t.atlas));
    drop_link(t.path, path);
    CHECK_FAILS(scs_checkpoint_probe(t.path, &t.read), SCS_EDATA, path);
    file = H5Fopen(t.path, H5F_ACC_RDWR, H5P_DEFAULT);
    space = H5Screate_simple(2, dim, NULL);
    set = H5Dcreate2(file, path, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(H5Dclose(set) >= 0 && H5Sclose(space) >= 0 && H5Fclose(file) >= 0);
    CHECK_OK(scs_checksum_file_write(t.path));
    CHECK_FAILS(scs_checkpoint_probe(t.path, &t.read), SCS_EDATA, "Layer 1.0.weight declares");
    end(&t);
}

static void another_shape_is_refused(void)
{
    setup t;
    scs_model *wider;
    scs_arch arch;

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_OK(save(&t, t.atlas));
    CHECK_OK(scs_checkpoint_probe(t.path, &t.read));
    arch = t.model->arch;
    arch.n_hidden++;
    CHECK_OK(scs_model_create(&arch, &wider));
    CHECK_FAILS(scs_checkpoint_read(t.read, wider, NULL), SCS_EDATA,
                "has shape [6, 21], expected [7, 21]");
    scs_model_destroy(&wider);
    t.atlas->deg[5] = N_GENE;
    CHECK_OK(save(&t, t.atlas));
    CHECK_FAILS(scs_checkpoint_read(t.read, t.model, t.atlas), SCS_EDATA, "names gene 21 of 21");
    end(&t);
}

/* NaN weights are refused on saving, by the check that reads them back; the older file stays as it
 * was. */
static void a_failed_save_keeps_the_older_file(void)
{
    setup t;
    scs_real kept;

    begin(&t, SCS_PROFILE_SCGEN2);
    CHECK_OK(save(&t, t.atlas));
    kept = t.model->param[3];
    t.model->param[3] = NAN;
    CHECK_FAILS(save(&t, t.atlas), SCS_EDATA, "NaN");
    t.model->param[3] = kept;
    CU_ASSERT_EQUAL(files_in(t.folder), 1);
    CHECK_OK(scs_checkpoint_probe(t.path, &t.read));
    t.model->param[3] = 0;
    CHECK_OK(scs_checkpoint_read(t.read, t.model, t.atlas));
    CU_ASSERT_EQUAL(t.model->param[3], kept);
    end(&t);
}

static void a_missing_folder_is_named(void)
{
    setup t;

    begin(&t, SCS_PROFILE_SCGEN2);
    snprintf(t.path, sizeof t.path, "%s/none/model.h5", t.folder);
    CHECK_FAILS(save(&t, t.atlas), SCS_ECREATE, "none");
    end(&t);
}

int main(void)
{
    static const scs_test tests[] = {
        {"saved comes back to the last bit", saved_comes_back_to_the_last_bit},
        {"torch finds its counters", torch_finds_its_counters},
        {"weights alone are enough", weights_alone_are_enough},
        {"packs and unpacks", packs_and_unpacks},
        {"foreign files are refused", foreign_files_are_refused},
        {"a missing tensor is named", a_missing_tensor_is_named},
        {"every flipped byte is found", every_flipped_byte_is_found},
        {"a hidden layer that is not there is refused",
         a_hidden_layer_that_is_not_there_is_refused},
        {"another shape is refused", another_shape_is_refused},
        {"a failed save keeps the older file", a_failed_save_keeps_the_older_file},
        {"a missing folder is named", a_missing_folder_is_named}};

    return run_suite("checkpoint", tests, sizeof tests / sizeof *tests);
}
