/** The program's verbs. */
#ifndef SCS_VERB_H
#define SCS_VERB_H

#include "mpi/app/cli.h"
#include "mpi/job/session.h"

typedef struct scs_verb {
    const char *name;
    const char *argument; /**< "CONFIG.yaml" */
    bool argument_optional;
    bool has_section;    /**< every key of the section VERB is also an option: --group-size */
    const char *summary; /**< one line */
    const char *details; /**< a paragraph for `scscreen VERB --help` */
    scs_status (*serial)(const scs_cli *cli); /**< runs on one process without MPI, or NULL */
    bool (*is_serial)(const scs_cli *cli);    /**< NULL: `serial` always, if there is one */
    unsigned needs;                           /**< scs_need bits: what is read before MPI_Init */
    scs_status (*run)(scs_session *session);  /**< Collective */
} scs_verb;

/** All verbs; the last has name NULL. */
extern const scs_verb scs_verbs[];

scs_status scs_verb_simulate(const scs_cli *cli);
scs_status scs_verb_check_file(const scs_cli *cli);
bool scs_verb_check_is_file(const scs_cli *cli);
scs_status scs_verb_inspect(const scs_cli *cli);
scs_status scs_verb_check(scs_session *session);
scs_status scs_verb_train(scs_session *session);
scs_status scs_verb_screen(scs_session *session);
scs_status scs_verb_run(scs_session *session);
scs_status scs_verb_validate(scs_session *session);
scs_status scs_verb_pca(scs_session *session);

#endif
