#include "tests/unit/configs.h"

#include "src/config/key.h"
#include "src/config/path.h"
#include "src/config/profile.h"
#include "src/config/stored.h"

static void what_is_not_said_has_a_default(void)
{
    scs_config *c = NULL;

    CHECK_OK(parse("", &c));
    CU_ASSERT_EQUAL(c->data.n_input, 0);
    CU_ASSERT_STRING_EQUAL(c->data.matrix, "X");
    CU_ASSERT_STRING_EQUAL(c->data.species, "");
    CU_ASSERT_EQUAL(c->data.target_sum, 10000);
    CU_ASSERT_EQUAL(c->model.profile, SCS_PROFILE_AUTO);
    CU_ASSERT_EQUAL(c->model.hidden, 0);
    CU_ASSERT_EQUAL(c->model.latent, 0);
    CU_ASSERT_EQUAL(c->model.dropout, SCS_BY_PROFILE);
    CU_ASSERT_EQUAL(c->model.kl_weight, 5e-5);
    CU_ASSERT_EQUAL(c->train.batch, 32);
    CU_ASSERT_EQUAL(c->train.shards, 0);
    CU_ASSERT_EQUAL(c->train.learning_rate, SCS_BY_PROFILE);
    CU_ASSERT_EQUAL(c->train.schedule, SCS_SCHEDULE_AUTO);
    CU_ASSERT_EQUAL(c->screen.cell_types.n, 0);
    CU_ASSERT_EQUAL(c->screen.shift, SCS_SHIFT_AUTO);
    CU_ASSERT_EQUAL(c->screen.decode, SCS_DECODE_BLEND);
    CU_ASSERT(c->screen.variance);
    CU_ASSERT_STRING_EQUAL(c->output.dir, "results");
    CU_ASSERT_STRING_EQUAL(c->simulate.dir, "");
    scs_config_destroy(&c);
    CU_ASSERT_PTR_NULL(c);
}

static double rate_of(const scs_config *c, int64_t step, int64_t steps)
{
    scs_train_options options = scs_profile_train_options(c);

    return scs_profile_learning_rate(&options, step, steps);
}

/* The same rate at every step, torch's biases, the published sizes. */
static void check_scgen(const char *profile, double dropout)
{
    scs_config *c = NULL;
    char text[64];

    snprintf(text, sizeof text, "model: {profile: %s}\n", profile);
    CHECK_OK(parse(text, &c));
    CU_ASSERT_EQUAL(scs_profile_hidden(c), 800);
    CU_ASSERT_EQUAL(scs_profile_latent(c), 100);
    CU_ASSERT_EQUAL(scs_profile_dropout(c), dropout);
    CU_ASSERT_FALSE(scs_profile_train_options(c).center);
    for (int64_t step = 1; step <= 1000; step += 333)
        CU_ASSERT_EQUAL(rate_of(c, step, 1000), 1e-3);
    scs_config_destroy(&c);
}

static void profiles_of_scgen_leave_nothing_to_choose(void)
{
    check_scgen("scgen2", 0.2);
    check_scgen("paper", 0.2);
}

static void the_profile_chooses_what_is_not_said(void)
{
    scs_config *c = NULL;

    CHECK_OK(parse("train: {learning_rate: 0.5}\n", &c));
    CU_ASSERT_EQUAL(scs_profile_hidden(c), 128);
    CU_ASSERT_EQUAL(scs_profile_latent(c), 32);
    CU_ASSERT(scs_profile_train_options(c).center);
    CU_ASSERT_EQUAL(rate_of(c, 1, 100), 0.5);
    CU_ASSERT_EQUAL(rate_of(c, 51, 100), 0.25);
    CU_ASSERT_DOUBLE_EQUAL(rate_of(c, 100, 100), 0.005, 1e-12);
    scs_config_destroy(&c);
}

static void what_is_said_holds_in_every_profile(void)
{
    static const char text[] = "model: {profile: scgen2, hidden: 7, latent: 5, dropout: 0.3}\n"
                               "train: {schedule: cosine, learning_rate: 0.5, output_bias: mean}\n";
    scs_config *c = NULL;

    CHECK_OK(parse(text, &c));
    CU_ASSERT_EQUAL(scs_profile_hidden(c), 7);
    CU_ASSERT_EQUAL(scs_profile_latent(c), 5);
    CU_ASSERT_EQUAL(scs_profile_components(c), 5);
    CU_ASSERT_EQUAL(scs_profile_dropout(c), 0.3);
    CU_ASSERT(scs_profile_train_options(c).center);
    CU_ASSERT_EQUAL(rate_of(c, 1, 100), 0.5);
    CU_ASSERT_DOUBLE_EQUAL(rate_of(c, 51, 100), 0.25, 1e-12);
    scs_config_destroy(&c);
}

static void paths_start_at_the_files_folder(void)
{
    scs_config *c = NULL;

    CHECK_OK(parse("data:\n"
                   "  inputs:\n"
                   "    - x.h5ad\n"
                   "    - {path: /abs/y.h5ad, species: mouse, orthologs: t.tsv}\n"
                   "  genes: list.txt\n"
                   "output: {dir: here}\n",
                   &c));
    CU_ASSERT_EQUAL_FATAL(c->data.n_input, 2);
    CU_ASSERT_STRING_EQUAL(c->data.inputs[0].path, "folder/x.h5ad");
    CU_ASSERT_PTR_NULL(c->data.inputs[0].species);
    CU_ASSERT_STRING_EQUAL(c->data.inputs[1].path, "/abs/y.h5ad");
    CU_ASSERT_STRING_EQUAL(c->data.inputs[1].species, "mouse");
    CU_ASSERT_STRING_EQUAL(c->data.inputs[1].orthologs, "folder/t.tsv");
    CU_ASSERT_STRING_EQUAL(c->data.genes, "folder/list.txt");
    CU_ASSERT_STRING_EQUAL(c->output.dir, "here");
    scs_config_destroy(&c);
}

/* print(parse(print(c))) = print(c), whatever the values. */
static void check_round_trip(const char *const *sets, int n_set)
{
    scs_config *c = NULL, *again = NULL;
    char *text = NULL, *text_again = NULL;

    CHECK_OK(scs_config_parse("a.yaml", "", sets, n_set, &c));
    CHECK_OK(scs_config_print(c, &text));
    CHECK_OK(scs_config_parse("b.yaml", text, none, 0, &again));
    CHECK_OK(scs_config_print(again, &text_again));
    CU_ASSERT_STRING_EQUAL(text, text_again);
    free(text);
    free(text_again);
    scs_config_destroy(&c);
    scs_config_destroy(&again);
}

/* A home, a folder, and a variable whose value looks like a path that could be replaced again. */
static void set_variables(void)
{
    setenv("HOME", "/home/ann", 1);
    setenv("SCS_TEST_DATA", "/scratch/ann", 1);
    setenv("SCS_TEST_REST", "run_7/$HOME", 1);
}

/* As a shell would, had it seen the config. */
static void paths_name_home_and_variables(void)
{
    static const char *const sets[] = {"output.dir=~/results/${SCS_TEST_REST}",
                                       "score.output=$SCS_TEST_DATA/a.csv",
                                       "simulate.dir=$SCS_TEST_REST"};
    scs_config *c = NULL;

    set_variables();
    CHECK_OK(scs_config_parse("folder/a.yaml",
                              "data:\n"
                              "  inputs:\n"
                              "    - ~/x.h5ad\n"
                              "    - {path: $SCS_TEST_DATA/y.h5ad, species: $HOME,\n"
                              "       orthologs: 't/${SCS_TEST_DATA}.tsv'}\n"
                              "    - {path: a$$HOME$.h5ad, cell_type: ~/x}\n"
                              "  labels: ~/labels.csv\n"
                              "  genes: '${HOME}.txt'\n"
                              "  control: $HOME\n"
                              "model: {load: ~backup.h5}\n",
                              sets, 3, &c));
    CU_ASSERT_EQUAL_FATAL(c->data.n_input, 3);
    CU_ASSERT_STRING_EQUAL(c->data.inputs[0].path, "/home/ann/x.h5ad");
    CU_ASSERT_STRING_EQUAL(c->data.inputs[1].path, "/scratch/ann/y.h5ad");
    CU_ASSERT_STRING_EQUAL(c->data.inputs[1].species, "$HOME");
    CU_ASSERT_STRING_EQUAL(c->data.inputs[1].orthologs, "folder/t//scratch/ann.tsv");
    CU_ASSERT_STRING_EQUAL(c->data.inputs[2].path, "folder/a$HOME$.h5ad");
    CU_ASSERT_STRING_EQUAL(c->data.inputs[2].cell_type, "~/x");
    CU_ASSERT_STRING_EQUAL(c->data.labels[0].path, "/home/ann/labels.csv");
    CU_ASSERT_STRING_EQUAL(c->data.genes, "/home/ann.txt");
    CU_ASSERT_STRING_EQUAL(c->data.control, "$HOME");
    CU_ASSERT_STRING_EQUAL(c->model.load, "folder/~backup.h5");
    CU_ASSERT_STRING_EQUAL(c->output.dir, "/home/ann/results/run_7/$HOME");
    CU_ASSERT_STRING_EQUAL(c->score.output, "/scratch/ann/a.csv");
    CU_ASSERT_STRING_EQUAL(c->simulate.dir, "run_7/$HOME");
    scs_config_destroy(&c);
}

/* Print, read and print again: the paths that were found stay, whatever signs they hold. */
static void printed_paths_are_those_that_were_found(void)
{
    static const char *const sets[] = {"output.dir=./~/$$HOME/$$$$", "score.output=$SCS_TEST_REST",
                                       "data.inputs=[./~/a$$b.h5ad, ~b.h5ad]"};
    char *text = NULL;
    scs_config *c = NULL, *again = NULL;

    set_variables();
    check_round_trip(sets, 3);
    CHECK_OK(scs_config_parse("a.yaml", "", sets, 3, &c));
    CHECK_OK(scs_config_print(c, &text));
    unsetenv("SCS_TEST_REST");
    CHECK_OK(scs_config_parse("b.yaml", text, none, 0, &again));
    CU_ASSERT_STRING_EQUAL(c->output.dir, "./~/$HOME/$$");
    CU_ASSERT_STRING_EQUAL(again->output.dir, c->output.dir);
    CU_ASSERT_STRING_EQUAL(again->score.output, "run_7/$HOME");
    CU_ASSERT_STRING_EQUAL(again->data.inputs[0].path, "./~/a$b.h5ad");
    CU_ASSERT_STRING_EQUAL(again->data.inputs[1].path, "./~b.h5ad");
    free(text);
    scs_config_destroy(&c);
    scs_config_destroy(&again);
}

/* Another rank has another environment, and takes the paths of the one that read the config. */
static void another_process_takes_the_paths(void)
{
    static const char text[] = "data: {genes: $SCS_TEST_DATA/g.txt}\noutput: {dir: ~/r}\n";
    scs_bytes bytes = {0};
    scs_config *c = NULL, *other = NULL;

    set_variables();
    CHECK_OK(parse(text, &c));
    CHECK_OK(scs_path_put(c, &bytes));
    unsetenv("SCS_TEST_DATA");
    unsetenv("HOME");
    CHECK_OK(scs_config_parse_sent("folder/a.yaml", text, none, 0, &other));
    CHECK_OK(scs_path_get(&bytes, other));
    CU_ASSERT_STRING_EQUAL(other->data.genes, "/scratch/ann/g.txt");
    CU_ASSERT_STRING_EQUAL(other->output.dir, "/home/ann/r");
    CU_ASSERT_STRING_EQUAL(other->score.output, "");
    bytes.at = bytes.size - 1;
    CHECK_FAILS(scs_path_get(&bytes, other), SCS_EDATA, "");
    set_variables();
    scs_bytes_clear(&bytes);
    scs_config_destroy(&c);
    scs_config_destroy(&other);
}

/* What a user writes for one file or one combination. */
static void one_item_needs_no_list(void)
{
    scs_config *c = NULL;

    CHECK_OK(parse("data: {inputs: x.h5ad}\nhold_out: {cell_type: B, condition: drug}\n", &c));
    CU_ASSERT_EQUAL_FATAL(c->data.n_input, 1);
    CU_ASSERT_STRING_EQUAL(c->data.inputs[0].path, "folder/x.h5ad");
    CU_ASSERT_EQUAL_FATAL(c->n_hold_out, 1);
    CU_ASSERT_STRING_EQUAL(c->hold_out[0].cell_type.name[0], "B");
    scs_config_destroy(&c);
    CHECK_OK(parse("data: {inputs: {path: y.h5ad, species: mouse}}\n", &c));
    CU_ASSERT_EQUAL_FATAL(c->data.n_input, 1);
    CU_ASSERT_STRING_EQUAL(c->data.inputs[0].species, "mouse");
    scs_config_destroy(&c);
}

static void labels_keep_their_text_even_if_they_look_like_numbers(void)
{
    scs_config *c = NULL;

    CHECK_OK(parse("data: {control: 0, condition: 1e3}\n"
                   "hold_out:\n"
                   "  - {cell_type: 007, condition: yes}\n"
                   "screen: {perturbations: [01, 1.50]}\n",
                   &c));
    CU_ASSERT_STRING_EQUAL(c->data.control, "0");
    CU_ASSERT_STRING_EQUAL(c->data.condition, "1e3");
    CU_ASSERT_STRING_EQUAL(c->hold_out[0].cell_type.name[0], "007");
    CU_ASSERT_STRING_EQUAL(c->hold_out[0].condition.name[0], "yes");
    CU_ASSERT_EQUAL(c->hold_out[0].species.n, 0);
    CU_ASSERT_EQUAL(c->hold_out[0].line, 3);
    CU_ASSERT_STRING_EQUAL(c->screen.perturbations.name[0], "01");
    CU_ASSERT_STRING_EQUAL(c->screen.perturbations.name[1], "1.50");
    scs_config_destroy(&c);
}

static void set_overrides_any_key(void)
{
    const char *sets[] = {"train.batch=64",
                          "data.inputs=[{path: b.h5ad, species: rat}, c.h5ad]",
                          "hold_out=[{cell_type: T, condition: 'a=b'}]",
                          "screen.cell_types=T",
                          "data.target_sum=median",
                          "data.species=",
                          "screen.variance=off"};
    scs_config *c = NULL;

    CHECK_OK(scs_config_parse("folder/a.yaml",
                              "train: {batch: 16}\ndata: {species: s, inputs: [a.h5ad]}\n", sets, 7,
                              &c));
    CU_ASSERT_EQUAL(c->train.batch, 64);
    CU_ASSERT_EQUAL_FATAL(c->data.n_input, 2);
    CU_ASSERT_STRING_EQUAL(c->data.inputs[0].path, "b.h5ad"); /* from the working directory */
    CU_ASSERT_STRING_EQUAL(c->data.inputs[0].species, "rat");
    CU_ASSERT_STRING_EQUAL(c->hold_out[0].condition.name[0], "a=b");
    CU_ASSERT_EQUAL(c->hold_out[0].line, 0);
    CU_ASSERT_EQUAL(c->screen.cell_types.n, 1);
    CU_ASSERT_EQUAL(c->data.target_sum, 0);
    CU_ASSERT_STRING_EQUAL(c->data.species, "");
    CU_ASSERT_FALSE(c->screen.variance);
    scs_config_destroy(&c);
}

/* Text for key i that differs from its default and needs care when printed. */
static const char *unusual(const scs_key *key, char *out, size_t size)
{
    char name[80], value[160];

    scs_key_full_name(key, name, sizeof name);
    switch (key->type) {
    case SCS_KEY_INT:
        snprintf(value, sizeof value, "%.0f", key->max);
        break;
    case SCS_KEY_POWER:
        snprintf(value, sizeof value, "64");
        break;
    case SCS_KEY_NUMBER:
        snprintf(value, sizeof value, "%.17g", key->min + (key->max - key->min) / 3);
        break;
    case SCS_KEY_BOOL:
        snprintf(value, sizeof value, "%s", strcmp(key->fallback, "true") == 0 ? "false" : "true");
        break;
    case SCS_KEY_CHOICE:
        snprintf(value, sizeof value, "%s", scs_key_choice_next(key, key->choice)->text);
        break;
    case SCS_KEY_NAMES:
        snprintf(value, sizeof value,
                 "[all, 'it''s', \"t\\tab \\u2028\", '0', ' x', 'a: b # c', '']");
        break;
    case SCS_KEY_RECORDS:
        snprintf(value, sizeof value,
                 strcmp(name, "data.filter") == 0
                     ? "[{column: 'a/b', in: ['~', \"\\t\"], not_in: '0', min: -1e-3, max: 5}]"
                 : strcmp(name, "data.labels") == 0
                     ? "[/x y.csv, {path: /t, barcode_column: ' b', file_column: 'no'}]"
                 : strcmp(name, "data.rename") == 0 ? "{'a b': 'no', '1': \"\\t\"}"
                 : strcmp(name, "data.map") == 0
                     ? "{condition: {'no': yes, 'a: b': '# c'}, '~': {x: 'null', y: x}}"
                 : strcmp(key->section, "data") == 0
                     ? "[/x y.h5ad, {path: '/-', species: 'null', orthologs: /t, donor: '1'}]"
                     : "[{cell_type: ~T, condition: [\"\\\"\", 'b, c'], species: '1'}, {column: a, "
                       "value: [b, 'no']}]");
        break;
    default:
        snprintf(value, sizeof value, "%s",
                 key->words && key->type == SCS_KEY_TEXT
                     ? (strchr(key->words, '|') ? "layers/a b" : key->words)
                     : "\"/\\xe9: '#\\n\"");
    }
    snprintf(out, size, "%s=%s", name, value);
    return out;
}

static void printed_config_reads_back_the_same(void)
{
    char *plain = NULL, *changed = NULL;
    scs_config *c = NULL;

    check_round_trip(none, 0);
    CHECK_OK(parse("", &c));
    CHECK_OK(scs_config_print(c, &plain));
    scs_config_destroy(&c);
    for (int i = 0; scs_key_at(i); i++) {
        char set[256];
        const char *one = unusual(scs_key_at(i), set, sizeof set);

        check_round_trip(&one, 1);
        CHECK_OK(parse_set(one, &c));
        CHECK_OK(scs_config_print(c, &changed));
        CU_ASSERT(strcmp(plain, changed) != 0);
        free(changed);
        scs_config_destroy(&c);
    }
    free(plain);
}

/* Words and values of a choice are one to one, and the values are the enum's: all from 0 on. */
static void a_word_stands_for_each_value(void)
{
    int n_choice = 0;

    for (int i = 0; scs_key_at(i); i++) {
        const scs_key *key = scs_key_at(i);
        int n = 0;

        CU_ASSERT_EQUAL(key->choice != NULL, key->type == SCS_KEY_CHOICE);
        for (const scs_word *w = key->choice; w && w->text; w = scs_key_choice_next(key, w))
            n++;
        for (int value = 0; value < n; value++) {
            const char *text = scs_key_choice_text(key, value);

            CU_ASSERT_PTR_NOT_NULL_FATAL(text);
            CU_ASSERT_EQUAL(scs_key_choice_find(key, text)->value, value);
        }
        n_choice += n > 1;
    }
    CU_ASSERT_EQUAL(n_choice, 26);
}

/* A key that was changed is told of, and printed, where what it affects is asked for. */
static void check_affects(const scs_config *before, const scs_key *key)
{
    char set[256], name[80], words[512], line[90];
    const char *one = unusual(key, set, sizeof set);
    scs_config *c = NULL;

    scs_key_full_name(key, name, sizeof name);
    snprintf(line, sizeof line, "%s%s:", key->name ? "  " : "", key->name ? key->name : name);
    CHECK_OK(parse_set(one, &c));
    for (int asked = 1; asked <= SCS_AFFECTS_RESULT; asked++) {
        bool affected = (key->affects & asked) != 0;
        char *text = NULL;

        scs_config_differences(before, c, asked, words, sizeof words);
        if (key->type == SCS_KEY_PATH)
            CU_ASSERT_STRING_EQUAL(words, "");
        if (key->type != SCS_KEY_PATH)
            CU_ASSERT_EQUAL(strncmp(words, affected ? name : "", affected ? strlen(name) : 1), 0);
        CHECK_OK(scs_config_print_affecting(c, asked, &text));
        if (affected)
            CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
        free(text);
    }
    scs_config_destroy(&c);
}

static void what_a_key_affects_is_compared_and_printed(void)
{
    scs_config *before = NULL;
    char *text = NULL;

    CHECK_OK(parse("", &before));
    for (int i = 0; scs_key_at(i); i++)
        check_affects(before, scs_key_at(i));
    CHECK_OK(scs_config_print_affecting(before, SCS_AFFECTS_ROWS, &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "decode: blend\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "permutations:"));
    CU_ASSERT_PTR_NULL(strstr(text, "epochs:"));
    CU_ASSERT_PTR_NULL(strstr(text, "dir:"));
    free(text);
    scs_config_destroy(&before);
}

/* A model is made before it is screened; what says how a job is run changes nothing. */
static void keys_affect_what_comes_after_them(void)
{
    static const char *const nothing[] = {"data.other_data",
                                          "data.trust_values",
                                          "data.memory",
                                          "data.memory_per_rank",
                                          "train.checkpoint_minutes",
                                          "train.checkpoint_steps",
                                          "train.max_hours",
                                          "train.resume",
                                          "predict.combination",
                                          "predict.cells",
                                          "predict.values",
                                          "predict.layers",
                                          "predict.mean",
                                          "predict.latent",
                                          "predict.from",
                                          "predict.from_matrix",
                                          "decode.from",
                                          "decode.matrix",
                                          "interpolate.from",
                                          "interpolate.to",
                                          "interpolate.steps",
                                          "integrate.batch",
                                          "score.output",
                                          "score.baseline",
                                          "score.splits",
                                          "score.seed",
                                          "score.least_cpm",
                                          "score.components",
                                          "output.dir",
                                          "output.deadline",
                                          "check.trial"};
    size_t n = 0;

    for (int i = 0; scs_key_at(i); i++) {
        const scs_key *key = scs_key_at(i);
        bool trains = strcmp(key->section, "data") == 0 || strcmp(key->section, "model") == 0 ||
                      strcmp(key->section, "train") == 0 || strcmp(key->section, "hold_out") == 0;
        char name[80];

        scs_key_full_name(key, name, sizeof name);
        if (key->affects == SCS_AFFECTS_NOTHING)
            CU_ASSERT(n < sizeof nothing / sizeof *nothing && strcmp(name, nothing[n++]) == 0);
        if (key->affects)
            CU_ASSERT_EQUAL((key->affects & SCS_AFFECTS_WEIGHTS) != 0, trains);
    }
    CU_ASSERT_EQUAL(n, sizeof nothing / sizeof *nothing);
}

/* What scs_stored_check says of `text` beside a config of one --set. */
static scs_status stored_beside(const char *set, scs_stored stored)
{
    scs_config *now = NULL;
    scs_status st;

    stored.path = "made.h5";
    stored.was = "the model was made with";
    stored.otherwise = "or train again";
    CHECK_OK(parse_set(set, &now));
    st = scs_stored_check(&stored, now);
    scs_config_destroy(&now);
    return st;
}

static void a_stored_config_is_compared_by_what_it_means(void)
{
    const int weights = SCS_AFFECTS_WEIGHTS;
    const char *counts = "data: {normalize: log1p}\ntrain: {shards: 8}\n",
               *logged = "data: {normalize: none}\ntrain: {shards: 8}\n";
    scs_stored stored = {.text = counts, .affects = weights, .n_shard = 8};

    /* `auto` is whatever it was found to be; other words are compared */
    CHECK_OK(stored_beside("data.normalize=auto", stored));
    CHECK_FAILS(stored_beside("data.normalize=none", stored), SCS_EARG,
                "made.h5: the model was made with another configuration: "
                "data.normalize (log1p, now none); set that back or train again");
    CHECK_FAILS(stored_beside("train.shards=4", stored), SCS_EARG, "train.shards (8, now 4)");
    CHECK_OK(stored_beside("train.shards=8", stored));
    CHECK_FAILS(stored_beside("data.target_sum=5000", stored), SCS_EARG,
                "data.target_sum (10000, now 5000)");
    /* nothing is scaled */
    stored = (scs_stored){.text = "data: {normalize: none, target_sum: 5000}\n",
                          .affects = SCS_AFFECTS_SCALE};
    CHECK_OK(stored_beside("data.normalize=none", stored));
    /* keys that the caller does not ask about */
    stored = (scs_stored){.text = logged, .affects = SCS_AFFECTS_SCALE};
    CHECK_OK(stored_beside("train.epochs=3", stored));
    /* what differs is named, whatever it means */
    stored = (scs_stored){.text = counts, .affects = weights, .exact = true};
    CHECK_FAILS(stored_beside("train.shards=8", stored), SCS_EARG,
                "data.normalize (log1p, now auto)");
    stored = (scs_stored){.text = "output: {dir: x}\n", .affects = weights, .exact = true};
    CHECK_FAILS(stored_beside("output.dir=y", stored), SCS_EARG, "another configuration: a path;");
    /* damage is no difference */
    stored.text = "data: [";
    CHECK_FAILS(stored_beside("output.dir=y", stored), SCS_EARG, "made.h5:");
}

static void printed_values_are_exact(void)
{
    const char *sets[] = {"train.learning_rate=0.00037", "model.kl_weight=0.1234567890123456"};
    scs_config *c = NULL, *again = NULL;
    char *text = NULL;

    CHECK_OK(scs_config_parse("a.yaml", "", sets, 2, &c));
    CHECK_OK(scs_config_print(c, &text));
    CHECK_OK(parse(text, &again));
    CU_ASSERT_EQUAL(again->train.learning_rate, 0.00037);
    CU_ASSERT_EQUAL(again->model.kl_weight, 0.1234567890123456);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "learning_rate: 0.00037\n"));
    free(text);
    scs_config_destroy(&c);
    scs_config_destroy(&again);
}

static void empty_sections_and_lists_are_allowed(void)
{
    scs_config *c = NULL;

    CHECK_OK(parse("data:\n  inputs:\nhold_out:\ntrain: ~\n# the end\n", &c));
    CU_ASSERT_EQUAL(c->n_hold_out, 0);
    scs_config_destroy(&c);
    CHECK_OK(parse("hold_out: []\n", &c));
    CU_ASSERT_EQUAL(c->n_hold_out, 0);
    scs_config_destroy(&c);
}

static void help_names_every_key(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    scs_config_help(out);
    fclose(out);
    for (int i = 0; scs_key_at(i); i++) {
        const scs_key *key = scs_key_at(i);

        CU_ASSERT_PTR_NOT_NULL(strstr(text, key->name ? key->name : key->section));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, key->help));
    }
    free(text);
}

int main(void)
{
    static const scs_test tests[] = {
        {"one item needs no list", one_item_needs_no_list},
        {"what is not said has a default", what_is_not_said_has_a_default},
        {"profiles of scGen leave nothing to choose", profiles_of_scgen_leave_nothing_to_choose},
        {"the profile chooses what is not said", the_profile_chooses_what_is_not_said},
        {"what is said holds in every profile", what_is_said_holds_in_every_profile},
        {"paths start at the file's folder", paths_start_at_the_files_folder},
        {"paths name home and variables", paths_name_home_and_variables},
        {"printed paths are those that were found", printed_paths_are_those_that_were_found},
        {"another process takes the paths", another_process_takes_the_paths},
        {"labels keep their text", labels_keep_their_text_even_if_they_look_like_numbers},
        {"--set overrides any key", set_overrides_any_key},
        {"a printed config reads back the same", printed_config_reads_back_the_same},
        {"a word stands for each value", a_word_stands_for_each_value},
        {"what a key affects is compared and printed", what_a_key_affects_is_compared_and_printed},
        {"keys affect what comes after them", keys_affect_what_comes_after_them},
        {"a stored config is compared by what it means",
         a_stored_config_is_compared_by_what_it_means},
        {"printed values are exact", printed_values_are_exact},
        {"empty sections and lists", empty_sections_and_lists_are_allowed},
        {"help names every key", help_names_every_key},
    };

    return run_suite("config", tests, sizeof tests / sizeof *tests);
}
