/* What the program says of itself: help and versions. */
#include "config.h"
#include "mpi/cli.h"
#include "mpi/verb.h"
#include "scscreen/config.h"

#include <cblas.h>
#include <hdf5.h>
#include <mpi.h>
#include <string.h>

const scs_cli_option scs_cli_options[] = {
    {.name = "--set",
     .value = "KEY=VALUE",
     .help = "override a config key, e.g. --set train.batch=64; repeatable"},
    {.name = "--print-config", .help = "print the effective config and stop"},
    {.name = "--quiet", .brief = "-q", .help = "no progress"},
    {.name = "--max-hours",
     .value = "H",
     .help = "save the state of training and stop after H hours"},
    {.name = "--rank-by",
     .value = "NAME",
     .help = "write ranking.tsv by q_value, delta_norm, ...; see screen.rank_by"},
    {.name = "--restart", .help = "begin anew instead of going on from an interrupted run"},
    {.name = "--help", .brief = "-h", .help = "this text; with a verb, that verb's"},
    {.name = "--version", .help = "program, MPI, HDF5 and BLAS versions"},
    {.name = NULL},
};

static void help_option(const scs_cli_option *o, FILE *out)
{
    char words[40];

    snprintf(words, sizeof words, "%s%s%s%s%s", o->name, o->value ? " " : "",
             o->value ? o->value : "", o->brief ? ", " : "", o->brief ? o->brief : "");
    fprintf(out, "  %-17s %s\n", words, o->help);
}

static void help_program(FILE *out)
{
    fprintf(out, "scscreen: train scGen on sharded single-cell atlases, then screen every\n"
                 "cell type x perturbation x species combination.\n\n"
                 "usage: [mpirun -n RANKS] scscreen VERB FILE [options]\n\nverbs:\n");
    for (const scs_verb *v = scs_verbs; v->name; v++)
        fprintf(out, "  %-9s %-22s %s\n", v->name, v->argument, v->summary);
    fprintf(out, "\noptions:\n");
    for (const scs_cli_option *o = scs_cli_options; o->name; o++)
        help_option(o, out);
    fprintf(
        out,
        "\nexit codes: 0 done, 64 usage or config, 65 data refused, 70 internal, 73 cannot create\n"
        "(full disk), 74 input/output, 75 stopped and resumable\n\nconfig keys:\n");
    scs_config_help(out);
}

void scs_cli_help(const scs_cli *cli, FILE *out)
{
    const scs_verb *v = cli->verb;

    if (!v) {
        help_program(out);
        return;
    }
    fprintf(out, "usage: [mpirun -n RANKS] scscreen %s %s%s%s [options]\n\n%s\n\n%s\n", v->name,
            v->argument_optional ? "[" : "", v->argument, v->argument_optional ? "]" : "",
            v->summary, v->details);
    fprintf(out, "\nOptions and config keys: scscreen --help\n");
}

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
