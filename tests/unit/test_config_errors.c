#include "tests/unit/configs.h"

#include "src/config/key_meant.h"

#define REFUSED(text, words)                                                                       \
    do {                                                                                           \
        scs_config *c_ = NULL;                                                                     \
        CHECK_FAILS(parse((text), &c_), SCS_EARG, (words));                                        \
        CU_ASSERT_PTR_NULL(c_);                                                                    \
        scs_config_destroy(&c_);                                                                   \
    } while (0)

#define SET_REFUSED(set, words)                                                                    \
    do {                                                                                           \
        scs_config *c_ = NULL;                                                                     \
        CHECK_FAILS(parse_set((set), &c_), SCS_EARG, (words));                                     \
        scs_config_destroy(&c_);                                                                   \
    } while (0)

static void unknown_keys_are_named_with_line_and_nearest(void)
{
    REFUSED("data:\n  control: a\ntrain:\n  bach: 3\n",
            "folder/a.yaml:4: unknown key train.bach; did you mean train.batch?");
    REFUSED("trian: {}\n", "folder/a.yaml:1: unknown key trian; did you mean train?");
    REFUSED("model: {batch: 3}\n", "unknown key model.batch; did you mean train.batch?");
    REFUSED("train.batch: 3\n", "write batch: below train:");
    REFUSED("train: {xyzzyxyzzy: 1}\n", "unknown key train.xyzzyxyzzy; see");
    REFUSED("data:\n  inputs:\n    - {pth: x}\n",
            "folder/a.yaml:3: unknown key pth in data.inputs");
    SET_REFUSED("train.bach=3",
                "--set train.bach: unknown key train.bach; did you mean train.batch?");
    SET_REFUSED("train=3", "unknown key train");
    SET_REFUSED("epochs=3", "--set epochs: unknown key epochs; did you mean train.epochs?");
    SET_REFUSED("train.lr=1", "--set train.lr: unknown key train.lr; did you mean "
                              "train.learning_rate?");
    REFUSED("train:\n  lr: 1\n",
            "folder/a.yaml:2: unknown key train.lr; did you mean train.learning_rate?");
    REFUSED("model: {layer: 1}\n", "unknown key model.layer; did you mean model.layers?");
    REFUSED("validate: {n_cells: 1}\n", "did you mean validate.min_cells?");
    SET_REFUSED("train.batch", "expected section.key=value");
    SET_REFUSED("--folds validate.fold=3",
                "--folds: unknown key validate.fold; did you mean validate.folds?");
    SET_REFUSED("--max-hours train.max_hours=-1",
                "--max-hours: train.max_hours is '-1'; expected a number from 0");
    SET_REFUSED("--train.max_hours=-1", "--set --train.max_hours: unknown key");
    SET_REFUSED("-- train.max_hours=-1", "--: train.max_hours is '-1'");
}

/* As other programs of the field call them. */
static void other_words_for_keys_are_known(void)
{
    static const char *const meant[][2] = {{"lr", "train.learning_rate"},
                                           {"LearningRate", "train.learning_rate"},
                                           {"batch_size", "train.batch"},
                                           {"batchsize", "train.batch"},
                                           {"n_epochs", "train.epochs"},
                                           {"max_epochs", "train.epochs"},
                                           {"num_epochs", "train.epochs"},
                                           {"n_latent", "model.latent"},
                                           {"latent_dim", "model.latent"},
                                           {"z_dim", "model.latent"},
                                           {"n_comps", "model.latent"},
                                           {"n_hidden", "model.hidden"},
                                           {"hidden_dim", "model.hidden"},
                                           {"n_layers", "model.layers"},
                                           {"dropout_rate", "model.dropout"},
                                           {"alpha", "model.kl_weight"},
                                           {"early_stopping_patience", "train.patience"},
                                           {"random_state", "train.seed"},
                                           {"lr_scheduler", "train.schedule"},
                                           {"validation_size", "train.validation"},
                                           {"cell_type_key", "data.cell_type"},
                                           {"labels_key", "data.cell_type"},
                                           {"condition_key", "data.condition"},
                                           {"ctrl_key", "data.control"},
                                           {"organism", "data.species"},
                                           {"layer", "data.matrix"},
                                           {"adata", "data.inputs"},
                                           {"held_out", "hold_out"},
                                           {"n_perms", "screen.permutations"},
                                           {"n_splits", "score.splits"},
                                           {"outdir", "output.dir"},
                                           {"xyzzy", NULL},
                                           {"n_", NULL},
                                           {"key", NULL},
                                           {"", NULL}};
    char key[80];

    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++) {
        const char *found = scs_key_meant(meant[i][0], key, sizeof key);

        CU_ASSERT_EQUAL(found == NULL, meant[i][1] == NULL);
        if (found && meant[i][1]) {
            CU_ASSERT_STRING_EQUAL(found, meant[i][1]);
            CU_ASSERT_PTR_NOT_NULL(scs_key_find(found));
        }
    }
}

/* No synonym that stands for a key which is not there: each is reached by its own word. */
static void words_for_keys_lead_to_keys(void)
{
    char key[80];

    for (int i = 0; scs_key_meant_word(i); i++) {
        const char *found = scs_key_meant(scs_key_meant_word(i), key, sizeof key);

        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        CU_ASSERT_PTR_NOT_NULL(scs_key_find(found));
    }
}

static void keys_that_contradict_are_refused(void)
{
    REFUSED("screen: {bootstrap: 1}\n", "screen.bootstrap is 1; a standard error needs 2");
    REFUSED("screen: {rank_by: q_value, permutations: 0}\n", "screen.permutations is 0");
    REFUSED("screen: {rank_by: p_value}\nmodel: {kind: mean}\n", "neither p-values nor energy");
    REFUSED("model: {kind: mean}\nscreen: {rank_by: energy_distance}\n", "delta_norm is there");
}

static void values_out_of_bounds_are_refused(void)
{
    REFUSED("train:\n  batch: 0\n",
            "folder/a.yaml:2: train.batch is '0'; expected a whole number from 1");
    REFUSED("train: {batch: 3.5}\n", "'3.5'");
    REFUSED("train: {batch: 99999999999999999999}\n", "train.batch");
    REFUSED("train: {batch: }\n", "train.batch is ''");
    REFUSED("train: {shards: 3}\n", "expected auto or a power of two");
    REFUSED("train: {validation: 1}\n", "a number from 0 to 0.9");
    REFUSED("train: {validation: nan}\n", "a number from 0 to 0.9");
    REFUSED("train: {validation: 0x1}\n", "a number from 0 to 0.9");
    REFUSED("train: {validation: 1e-1-}\n", "a number from 0 to 0.9");
    REFUSED("data: {normalize: log2p}\n", "expected one of auto|none|log1p; did you mean log1p?");
    REFUSED("model: {kind: VAE}\n", "did you mean vae?");
    REFUSED("data: {matrix: counts}\n", "did you mean layers/counts?");
    REFUSED("data: {matrix: raw.X}\n", "did you mean raw?");
    REFUSED("model: {kind: mean, load: model.h5}\n",
            "model.load: model.kind: mean has no weights to load");
    REFUSED("model: {kind: pca, load: model.h5}\n", "model.kind: pca has no weights to load");
    SET_REFUSED("screen.pair_separator=,", "needs quotes, as in --set");
    REFUSED("data: {matrix: layers/}\n", "X|raw|layers/NAME");
    REFUSED("data: {matrix: layers/a/b}\n", "X|raw|layers/NAME");
    REFUSED("data: {control: }\n", "data.control is ''; expected some text");
    REFUSED("screen: {variance: maybe}\n", "true or false");
    REFUSED("screen: {cell_types: []}\n", "an empty list");
    REFUSED("screen: {cell_types: [a, a]}\n", "stands in the list twice");
    SET_REFUSED("train.seed=-1", "--set train.seed: train.seed is '-1'");
}

static void values_of_the_wrong_kind_are_refused(void)
{
    REFUSED("- a\n", "expected sections");
    REFUSED("train: 3\n", "train is text; write its keys below it");
    REFUSED("train: {batch: [1]}\n", "train.batch is a list");
    REFUSED("train: {batch: {a: 1}}\n", "train.batch is a mapping");
    REFUSED("hold_out: B\n", "hold_out is text; expected a list of {cell_type, condition, species, "
                             "dose, column, value}");
    REFUSED("data: {inputs: [[x]]}\n", "data.inputs is a list with a list in it");
    REFUSED("data: {inputs: [{species: a}]}\n", "item 1 has no path");
    REFUSED("data: {inputs: [{path: [a]}]}\n", "path is a list; expected plain text");
    REFUSED("hold_out: [a]\n", "hold_out is a list with text in it");
    REFUSED("hold_out: [{cell_type: a}]\n", "hold_out: item 1 has no condition");
    REFUSED("hold_out:\n- {condition: a}\n", "folder/a.yaml:2: hold_out: item 1 has no cell_type");
    REFUSED("hold_out: [{column: split}]\n", "item 1 has a column, but no value: name both");
    REFUSED("hold_out: [{value: test}]\n", "item 1 has a value, but no column: name both");
    REFUSED("hold_out: [{cell_type: [], condition: c}]\n", "cell_type is an empty list");
    REFUSED("hold_out: [{cell_type: [a, a], condition: c}]\n", "a stands in the list twice");
    REFUSED("hold_out: [{column: [a], value: b}]\n", "column is a list; expected plain text");
    REFUSED("data: {rename: [a]}\n", "data.rename is a list; expected a map {column: name, ...}");
    REFUSED("data: {rename: {a: [b]}}\n", "a is a list; expected plain text");
    REFUSED("data: {rename: {a: }}\n", "data.rename: item 1 has no name");
    REFUSED("data: {rename: {a: b, a: c}}\n", "a stands here twice");
    REFUSED("data: {map: x}\n",
            "data.map is text; expected a map {column: {value: name, ...}, ...}");
    REFUSED("data: {map: {a: b}}\n", "data.map: a has text; expected {value: name, ...}");
    REFUSED("data: {map: {a: {}}}\n", "data.map: a has nothing below it");
    REFUSED("data:\n  map:\n    a:\n      b: c\n      d:\n",
            "folder/a.yaml:5: data.map: 'd' has no name");
    REFUSED("data: {map: {a: {b: c, b: d}}}\n", "b stands here twice");
    REFUSED("? [a]\n: b\n", "a key is a list");
    REFUSED("data: {control: \"a\\0b\"}\n", "NUL");
}

static void filters_that_say_nothing_are_refused(void)
{
    REFUSED("data:\n  filter:\n  - {in: a}\n", "data.filter: item 1 has no column");
    REFUSED("data:\n  filter:\n  - {column: a}\n",
            "folder/a.yaml:3: data.filter: item 1 says nothing of the column a");
    REFUSED("data: {filter: {column: a, min: few}}\n", "min is 'few'; expected a number");
    REFUSED("data: {filter: {column: a, min: 1, max: 0x10}}\n", "max is '0x10'; expected a number");
    REFUSED("data: {filter: {column: a, max: 1e999}}\n", "max is '1e999'; expected a number");
    REFUSED("data: {filter: {column: a, min: 2, max: 1}}\n", "min 2 is above max 1");
    REFUSED("data: {filter: {column: a, is: b}}\n", "unknown key is in data.filter");
    SET_REFUSED("data.filter=[{column: a}]", "--set data.filter: item 1 says nothing");
}

static void duplicates_are_refused(void)
{
    REFUSED("train:\n  batch: 1\n  batch: 2\n",
            "folder/a.yaml:3: batch stands here twice (first on line 2)");
    REFUSED("train: {}\ndata: {}\ntrain: {}\n", "folder/a.yaml:3: train stands here twice");
    REFUSED("hold_out: [{cell_type: a, cell_type: b, condition: c}]\n",
            "cell_type stands here twice");
}

static void text_that_is_no_yaml_is_refused(void)
{
    char deep[20001];

    REFUSED("train:\n\tbatch: 3\n", "folder/a.yaml:2: not valid YAML");
    REFUSED("train:\n\tbatch: 3\n", "indent with spaces, not tabs");
    REFUSED("train: [1\n", "not valid YAML");
    REFUSED("train:\n  seed: 1\n# caf\xe9!!!\n", "folder/a.yaml:3: not valid YAML: invalid");
    REFUSED("\xff\xfe\n", "not valid YAML");
    REFUSED("train: {}\n---\ntrain: {}\n", "folder/a.yaml:2: a second YAML document");
    REFUSED("train: {}\n---\n[\n", "a second YAML document");
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    REFUSED(deep, "nested deeper than");
    for (size_t i = 0; i + 2 < sizeof deep; i += 2)
        memcpy(deep + i, "- ", 2);
    REFUSED(deep, "nested deeper than");
}

/* Aliases are allowed but cannot blow up: nothing is expanded. */
static void aliases_are_harmless(void)
{
    scs_config *c = NULL;

    CHECK_OK(parse("data: {condition: &x day, control: *x}\n", &c));
    CU_ASSERT_STRING_EQUAL(c->data.control, "day");
    scs_config_destroy(&c);
    REFUSED("hold_out: &a [*a]\n", "hold_out is a list with a list in it");
    REFUSED("data: &a\n  inputs: [*a]\n", "unknown key inputs in data.inputs");
    REFUSED("hold_out: *nothing\n", "undefined alias");
}

static void paths_that_only_a_shell_knows_are_refused(void)
{
    unsetenv("SCS_TEST_UNSET");
    setenv("SCS_TEST_EMPTY", "", 1);
    REFUSED("data:\n  inputs:\n    - $SCS_TEST_UNSET/x.h5ad\n",
            "folder/a.yaml:3: data.inputs is '$SCS_TEST_UNSET/x.h5ad', but the environment has no "
            "SCS_TEST_UNSET; set it, or write the path out");
    REFUSED("data:\n  inputs:\n    - path: x\n      orthologs: 'a${SCS_TEST_EMPTY}'\n",
            "folder/a.yaml:4: data.inputs is 'a${SCS_TEST_EMPTY}', but the environment has no "
            "SCS_TEST_EMPTY that is not empty");
    SET_REFUSED("output.dir=$SCS_TEST_UNSET",
                "--set output.dir: output.dir is '$SCS_TEST_UNSET', but the environment has no");
    SET_REFUSED("output.dir=$(date)", "output.dir is '$(date)'; of what a shell replaces");
    SET_REFUSED("output.dir='${HOME:-x}'", "output.dir is '${HOME:-x}'; of what a shell replaces");
    SET_REFUSED("output.dir='${HOME'", "output.dir is '${HOME'; of what a shell replaces");
    SET_REFUSED("output.dir='${}'", "output.dir is '${}'; of what a shell replaces");
    SET_REFUSED("output.dir=~bob/x", "output.dir is '~bob/x'; only ~/ is replaced, by your own");
    SET_REFUSED("output.dir=~", "output.dir is '~', which is nothing in YAML; write ~/");
    SET_REFUSED("data.genes=~", "data.genes is '~', which is nothing in YAML");
    SET_REFUSED("output.dir=", "output.dir is ''; expected a path");
    unsetenv("HOME");
    SET_REFUSED("output.dir=~/x", "output.dir is '~/x', but the environment has no HOME");
}

static void unreadable_files_are_refused_by_name(void)
{
    scs_config *c = NULL;

    CHECK_FAILS(scs_config_load("/nowhere/a.yaml", none, 0, &c, NULL), SCS_EARG, "/nowhere/a.yaml");
    CHECK_FAILS(scs_config_load("/", none, 0, &c, NULL), SCS_EARG, "/: is a folder, and a config");
    CHECK_FAILS(scs_config_load("/dev/zero", none, 0, &c, NULL), SCS_EARG, "larger than");
    CU_ASSERT_PTR_NULL(c);
}

int main(void)
{
    static const scs_test tests[] = {
        {"unknown keys: line and nearest", unknown_keys_are_named_with_line_and_nearest},
        {"other words for keys", other_words_for_keys_are_known},
        {"words for keys lead to keys", words_for_keys_lead_to_keys},
        {"values out of bounds", values_out_of_bounds_are_refused},
        {"keys that contradict", keys_that_contradict_are_refused},
        {"values of the wrong kind", values_of_the_wrong_kind_are_refused},
        {"filters that say nothing", filters_that_say_nothing_are_refused},
        {"duplicates", duplicates_are_refused},
        {"text that is no YAML", text_that_is_no_yaml_is_refused},
        {"aliases are harmless", aliases_are_harmless},
        {"paths that only a shell knows", paths_that_only_a_shell_knows_are_refused},
        {"unreadable files", unreadable_files_are_refused_by_name},
    };

    return run_suite("config errors", tests, sizeof tests / sizeof *tests);
}
