/* Command line, --help and --version. There is one way to set a key: every option that stands for
 * one becomes the same "key=value" as --set, so that parsing, checks and messages are those of the
 * config (src/config). Tables drive all texts; no list of verbs, options or keys stands here
 * twice. */
#include "mpi/app/cli.h"

#include "mpi/app/verbs.h"
#include "config.h"
#include "src/base/names.h"
#include "src/config/key_meant.h"
#include "scscreen/config.h"
#include "scscreen/status.h"

#include <cblas.h>
#include <hdf5.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The options of every verb, in the order of --help. To add one: a line here, and, where its value
 * is not for a key, a branch in parse_option. */
const scs_cli_option scs_cli_options[] = {
    {.name = "--ranks",
     .value = "N",
     .brief = "-n",
     .help = "start N ranks with mpirun, as this program needs it"},
    {.name = "--oversubscribe", .help = "with -n: also more ranks than this machine has cores"},
    {.name = "--set",
     .value = "KEY=VALUE",
     .help = "override a config key, e.g. --set train.batch=64; repeatable"},
    {.name = "--print-config", .help = "print the effective config and stop"},
    {.name = "--quiet", .brief = "-q", .help = "no progress"},
    {.name = "--max-hours",
     .value = "H",
     .key = "train.max_hours",
     .help = "save the state of training and stop after H hours"},
    {.name = "--rank-by",
     .value = "NAME",
     .key = "screen.rank_by",
     .help = "write ranking.tsv by q_value, delta_norm, ...; see screen.rank_by"},
    {.name = "--other-data",
     .help = "let a stored model be used on cells that it was not made from"},
    {.name = "--restart", .help = "begin anew instead of going on from an interrupted run"},
    {.name = "--help", .brief = "-h", .help = "this text; with a verb, that verb's"},
    {.name = "--version", .help = "program, MPI, HDF5 and BLAS versions"},
    {.name = NULL},
};

/* Words and help in two columns. */
static void help_option(const scs_cli_option *o, FILE *out)
{
    char words[40];

    snprintf(words, sizeof words, "%s%s%s%s%s", o->name, o->value ? " " : "",
             o->value ? o->value : "", o->brief ? ", " : "", o->brief ? o->brief : "");
    fprintf(out, "  %-17s %s\n", words, o->help);
}

/* Usage, verbs, options, exit codes, then every config key with its default. */
static void help_program(FILE *out)
{
    fprintf(out, "scscreen: train scGen on sharded single-cell atlases, then screen every\n"
                 "cell type x perturbation x species combination.\n\n"
                 "usage: scscreen [-n RANKS] VERB FILE [options]\n\nverbs:\n");
    for (const scs_verb *const *v = scs_verbs; *v; v++)
        fprintf(out, "  %-11s %-22s %s\n", (*v)->name, (*v)->argument, (*v)->summary);
    fprintf(out, "\noptions:\n");
    for (const scs_cli_option *o = scs_cli_options; o->name; o++)
        help_option(o, out);
    fprintf(
        out,
        "\nexit codes: 0 done, 64 usage or config, 65 data refused, 70 internal, 73 cannot create\n"
        "(full disk), 74 input/output, 75 stopped and resumable\n\nconfig keys:\n");
    scs_config_help(out);
}

/* A verb's help is its own paragraph; keys and options are the same for all. */
void scs_cli_help(const scs_cli *cli, FILE *out)
{
    const scs_verb *v = cli->verb;

    if (!v) {
        help_program(out);
        return;
    }
    fprintf(out, "usage: scscreen %s %s%s%s [-n RANKS] [options]\n\n%s\n\n%s\n", v->name,
            v->argument_optional ? "[" : "", v->argument, v->argument_optional ? "]" : "",
            v->summary, v->details);
    fprintf(out, "\nOptions and config keys: scscreen --help\n");
}

/* MPI's text without its build date. */
void scs_cli_version(FILE *out)
{
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    unsigned major, minor, release;
    int length;

    MPI_Get_library_version(mpi, &length);
    mpi[strcspn(mpi, ",\n")] = '\0';
    H5get_libversion(&major, &minor, &release);
    fprintf(out, "scscreen %s (commit %s)\nMPI   %s\nHDF5  %u.%u.%u\nBLAS  %s\n", PACKAGE_VERSION,
            SCS_COMMIT, mpi, major, minor, release, openblas_get_config());
}

/* SCS_EARG with the nearest known word, if one is near. */
static scs_status unknown(const char *what, const char *word, const scs_names *known)
{
    const char *nearest = scs_names_nearest(known, word);

    if (nearest)
        return SCS_FAIL(SCS_EARG, "unknown %s %s; did you mean %s?", what, word, nearest);
    return SCS_FAIL(SCS_EARG, "unknown %s %s; see scscreen --help", what, word);
}

/* By its full name. */
static scs_status find_verb(const char *word, scs_cli *cli)
{
    scs_names known = {0};
    scs_status status = SCS_OK;

    for (const scs_verb *const *v = scs_verbs; *v && status == SCS_OK; v++) {
        status = scs_names_add(&known, (*v)->name);
        if (strcmp((*v)->name, word) == 0)
            cli->verb = *v;
    }
    if (status == SCS_OK && !cli->verb)
        status = unknown("verb", word, &known);
    scs_names_clear(&known);
    return status;
}

/* The last setting of a key wins, as in the order of the words. */
static scs_status add_set(scs_cli *cli, const char *set)
{
    SCS_REQUIRE(cli->n_set < SCS_CLI_SETS, SCS_EARG, "more than %d --set", SCS_CLI_SETS);
    cli->sets[cli->n_set++] = set;
    return SCS_OK;
}

/* Among those that every verb takes; a verb's own are keys, whose spelling the config checks. One
 * that is called as a key is (--epochs, --lr) was meant as that. */
static scs_status unknown_option(const char *word)
{
    const char *name = word + strspn(word, "-"), *value = strchr(name, '=');
    scs_names known = {0};
    scs_status status = SCS_OK;
    char key[80], alone[80];

    snprintf(alone, sizeof alone, "%.*s", value ? (int)(value - name) : 79, name);
    if (scs_key_meant(alone, key, sizeof key))
        return SCS_FAIL(SCS_EARG, "unknown option %s; did you mean --set %s=%s?", word, key,
                        value ? value + 1 : "VALUE");
    if (value)
        return SCS_FAIL(SCS_EARG,
                        "unknown option %s; an option and its value are two words, as in "
                        "--max-hours 8",
                        word);
    for (const scs_cli_option *o = scs_cli_options; o->name && status == SCS_OK; o++)
        status = scs_names_add(&known, o->name);
    if (status == SCS_OK)
        status = unknown("option", word, &known);
    scs_names_clear(&known);
    return status;
}

/* `train --max-hours 8` is `--set train.max_hours=8`, but for its name in messages. The text is
 * owned by cli. */
static scs_status add_key(scs_cli *cli, const char *option, const char *key, const char *value)
{
    size_t size = strlen(option) + strlen(key) + strlen(value) + 16;
    char *set;

    SCS_REQUIRE(cli->n_owned < SCS_CLI_SETS, SCS_EARG, "more than %d options", SCS_CLI_SETS);
    SCS_TRY(SCS_ALLOC(set, (int64_t)size));
    snprintf(set, size, "%s %s=%s", option, key, value);
    cli->owned[cli->n_owned++] = set;
    return add_set(cli, set);
}

/* The same; `value` is malloc'ed and given up. */
static scs_status add_key_and_free(scs_cli *cli, const char *option, const char *key, char *value)
{
    scs_status st = add_key(cli, option, key, value);

    free(value);
    return st;
}

/* `--combination A --combination B` is `predict.combination=["A", "B"]`: the list so far, the new
 * entry in its place behind. */
static scs_status add_listed(scs_cli *cli, const char *option, const char *key, const char *value)
{
    size_t skip = strlen(option) + 1, n = strlen(key);
    char *list = NULL, *to;

    for (int i = 0; i < cli->n_owned; i++)
        if (strncmp(cli->owned[i], option, skip - 1) == 0 &&
            strncmp(cli->owned[i] + skip, key, n) == 0 && cli->owned[i][skip + n] == '=')
            list = cli->owned[i] + skip + n + 1;
    SCS_TRY(SCS_ALLOC(to, (int64_t)((list ? strlen(list) : 0) + 2 * strlen(value) + 8)));
    to[0] = '[';
    to[1] = '\0';
    if (list)
        sprintf(to, "%.*s, ", (int)strlen(list) - 1, list);
    list = to;
    to += strlen(to);
    *to++ = '"';
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            *to++ = '\\';
        *to++ = *value;
    }
    strcpy(to, "\"]");
    return add_key_and_free(cli, option, key, list);
}

/* NULL where it is not one that every verb takes. */
static const scs_cli_option *find_option(const char *word)
{
    for (const scs_cli_option *o = scs_cli_options; o->name; o++)
        if (strcmp(o->name, word) == 0 || (o->brief && strcmp(o->brief, word) == 0))
            return o;
    return NULL;
}

/* The one option whose value is not for the config: it is for the launcher. */
static bool is_ranks(const char *option)
{
    return strcmp(option, "-n") == 0 || strcmp(option, "--ranks") == 0;
}

/* Whether there are as many cores is asked where mpirun is started (mpi/app/launch.c). */
static scs_status set_ranks(scs_cli *cli, const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);

    SCS_REQUIRE(*value && !*end && n >= 1 && n <= INT32_MAX, SCS_EARG,
                "-n %s: the number of ranks, a whole number from 1 on", value);
    cli->ranks = (int)n;
    return SCS_OK;
}

/* The last case needs no list: `simulate --genes 500` is `--set simulate.genes=500`, `validate
 * --group-size 4` is `--set validate.group_size=4`; a key that does not exist is refused by the
 * config, with the nearest one. */
static scs_status add_option(scs_cli *cli, const char *option, const char *value)
{
    const scs_cli_option *o = find_option(option);
    char key[128];

    if (is_ranks(option))
        return set_ranks(cli, value);
    if (strcmp(option, "--set") == 0)
        return add_set(cli, value);
    if (o && o->key)
        return add_key(cli, o->name, o->key, value);
    SCS_REQUIRE(cli->verb, SCS_EARG, "%s stands before the verb", option);
    for (const scs_verb_option *own = cli->verb->options; own && own->name; own++)
        if (strcmp(option, own->name) == 0)
            return add_key(cli, option, own->key, value);
    snprintf(key, sizeof key, "%s.%s", cli->verb->name, option + 2);
    for (char *at = key; *at; at++)
        *at = *at == '-' ? '_' : *at;
    if (strcmp(key, "predict.combination") == 0)
        return add_listed(cli, option, key, value);
    return add_key(cli, option, key, value);
}

/* @param value the next word, NULL at the end  @param[out] used words taken, 1 or 2 */
static scs_status parse_option(scs_cli *cli, const char *word, const char *value, int *used)
{
    const scs_cli_option *o = find_option(word);
    bool section = cli->verb && cli->verb->has_section;

    *used = 1;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        cli->help = true;
    else if (strcmp(word, "--version") == 0)
        cli->version = true;
    else if (strcmp(word, "--print-config") == 0)
        cli->print_config = true;
    else if (strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0)
        cli->quiet = true;
    else if (strcmp(word, "--oversubscribe") == 0)
        cli->oversubscribe = true;
    else if (strcmp(word, "--other-data") == 0)
        return add_set(cli, "data.other_data=true");
    else if (strcmp(word, "--restart") == 0)
        return add_set(cli, "train.resume=false");
    else if (strncmp(word, "--set=", 6) == 0)
        return add_set(cli, word + 6);
    else if (!(o && o->value) && !section)
        return unknown_option(word);
    else {
        SCS_REQUIRE(value, SCS_EARG, "%s needs a value", word);
        *used = 2;
        return add_option(cli, word, value);
    }
    return SCS_OK;
}

/* Words in any order, but a verb's own options after the verb. A word that begins with - is an
 * option; "-" alone is a file. */
scs_status scs_cli_parse(int argc, char **argv, scs_cli *cli)
{
    int used;

    *cli = (scs_cli){0};
    for (int i = 1; i < argc; i += used) {
        used = 1;
        if (argv[i][0] == '-' && argv[i][1])
            SCS_TRY(parse_option(cli, argv[i], argv[i + 1], &used));
        else if (!cli->verb)
            SCS_TRY(find_verb(argv[i], cli));
        else if (!cli->file)
            cli->file = argv[i];
        else if (cli->verb->two_files && !cli->second)
            cli->second = argv[i];
        else
            return SCS_FAIL(SCS_EARG, "%s: %s at a time; see scscreen %s --help", argv[i],
                            cli->verb->two_files ? "two files" : "one file", cli->verb->name);
    }
    if (cli->help || cli->version)
        return SCS_OK;
    SCS_REQUIRE(cli->verb, SCS_EARG, "no verb given; see scscreen --help");
    SCS_REQUIRE((cli->file || cli->verb->argument_optional) &&
                    (cli->second || !cli->verb->two_files),
                SCS_EARG, "%s needs %s%s; see scscreen %s --help", cli->verb->name,
                cli->verb->two_files ? "" : "a ", cli->verb->argument, cli->verb->name);
    return SCS_OK;
}

/* Words of argv are not owned. */
void scs_cli_clear(scs_cli *cli)
{
    for (int i = 0; i < cli->n_owned; i++)
        free(cli->owned[i]);
    *cli = (scs_cli){0};
}
