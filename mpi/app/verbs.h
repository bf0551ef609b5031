/** The program's verbs, in the order of --help. */
#ifndef SCS_VERBS_H
#define SCS_VERBS_H

#include "mpi/job/session.h"

/** All verbs; NULL behind the last. */
extern const scs_verb *const scs_verbs[];

extern const scs_verb scs_verb_simulate;
extern const scs_verb scs_verb_check;
extern const scs_verb scs_verb_train;
extern const scs_verb scs_verb_screen;
extern const scs_verb scs_verb_run;
extern const scs_verb scs_verb_pca;
extern const scs_verb scs_verb_inspect;

#endif
