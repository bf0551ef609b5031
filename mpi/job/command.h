/** What the program was asked to do: a verb, and what the command line says beside it. Plain data,
 * which preflight, sessions and verbs all read; mpi/app/cli.c fills it.
 *
 *  A verb runs in one of two ways: `serial`, on one process and without MPI, or `run`, on all ranks
 *  with a session. `needs` says what is read before MPI starts. A verb that has both (check)
 *  chooses by is_serial.
 */
#ifndef SCS_COMMAND_H
#define SCS_COMMAND_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Settings of one command line at most; more are refused (SCS_EARG). */
enum { SCS_CLI_SETS = 256 };

/** A parsed command line. Words are argv's own, so argv must outlive it. */
typedef struct scs_cli {
    const struct scs_verb *verb; /**< NULL: only --help or --version */
    const char *file;            /**< the config, or the file to check or inspect; NULL if none */
    const char *second;          /**< where a verb takes two; NULL if none */
    const char *sets[SCS_CLI_SETS]; /**< "key=value"; "--option key=value" of options, owned */
    int n_set;
    char *owned[SCS_CLI_SETS]; /**< settings made from options such as --max-hours; freed by
                                  scs_cli_clear */
    int n_owned;
    bool help, version, print_config, quiet;
    int ranks;          /**< start so many by mpirun; 0: this process is one */
    bool oversubscribe; /**< also more than there are cores */
} scs_cli;

struct scs_session;

/** An option of one verb that stands for a key of another section. */
typedef struct scs_verb_option {
    const char *name; /**< "--control"; NULL after the last */
    const char *key;  /**< "data.control" */
} scs_verb_option;

/** What a verb is; each stands at the end of the file that does it, and mpi/app/verbs.c lists them.
 */
typedef struct scs_verb {
    const char *name;
    const char *argument; /**< "CONFIG.yaml" */
    bool argument_optional;
    bool two_files;   /**< it takes two files and no config */
    bool has_section; /**< every key of the section VERB is also an option: --group-size */
    const scs_verb_option *options; /**< besides these, where there is a section; or NULL */
    const char *summary;            /**< one line */
    const char *details;            /**< a paragraph for `scscreen VERB --help` */
    scs_status (*serial)(const scs_cli *cli); /**< runs on one process without MPI, or NULL */
    bool (*is_serial)(const scs_cli *cli);    /**< NULL: `serial` always, if there is one */
    unsigned needs;                           /**< scs_need bits: what is read before MPI_Init */
    scs_status (*run)(struct scs_session *session); /**< Collective */
} scs_verb;

#endif
