/** The command line. All functions are Local. */
#ifndef SCS_CLI_H
#define SCS_CLI_H

#include "mpi/job/command.h"

#include <stdio.h>

/** argv -> cli. SCS_EARG: unknown verb or option (with the nearest), missing file. */
SCS_MUST_USE scs_status scs_cli_parse(int argc, char **argv, scs_cli *cli);
void scs_cli_clear(scs_cli *cli);
/** --help, of the program or of cli->verb. */
void scs_cli_help(const scs_cli *cli, FILE *out);
/** --version: program, commit, MPI, HDF5, BLAS. */
void scs_cli_version(FILE *out);

/** An option that every verb takes. */
typedef struct scs_cli_option {
    const char *name;  /**< "--set" */
    const char *value; /**< "KEY=VALUE"; NULL: none */
    const char *brief; /**< "-q" or NULL */
    const char *help;
} scs_cli_option;

/** All of them; the last has name NULL. */
extern const scs_cli_option scs_cli_options[];

#endif
