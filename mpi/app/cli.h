/** The command line: words of argv to a scs_cli (mpi/job/command.h), and what the program says of
 * itself. All functions are Local and run before MPI_Init. */
#ifndef SCS_CLI_H
#define SCS_CLI_H

#include "mpi/job/command.h"

#include <stdio.h>

/** argv -> cli. Options become `--set` lines where they stand for a key. SCS_EARG: unknown verb or
 * option (with the nearest), missing or second file, option without its value.
 *  @param argv must outlive cli
 *  @param[out] cli to be cleared, also after a failure
 */
SCS_MUST_USE scs_status scs_cli_parse(int argc, char **argv, scs_cli *cli);
/** Free what was made from options. */
void scs_cli_clear(scs_cli *cli);
/** --help, of the program or of cli->verb: from the tables of verbs, options and keys. */
void scs_cli_help(const scs_cli *cli, FILE *out);
/** --version: program, commit, MPI, HDF5, BLAS, as they are linked. */
void scs_cli_version(FILE *out);

/** An option that every verb takes. Options of one verb are its section's keys
 * (scs_verb.has_section). */
typedef struct scs_cli_option {
    const char *name;  /**< "--set" */
    const char *value; /**< "KEY=VALUE"; NULL: none */
    const char *brief; /**< "-q" or NULL */
    const char *key;   /**< config key that its value is for, or NULL */
    const char *help;
} scs_cli_option;

/** All of them; the last has name NULL. --help and the man page are made from it (doc/make_docs.c).
 */
extern const scs_cli_option scs_cli_options[];

#endif
