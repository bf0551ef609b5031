/** The program's verbs, in the order of --help. Each is defined at the end of the file that does it
 * (scs_verb in mpi/job/command.h says what a verb is); to add one, write its file and list it here
 * and in verbs.c. */
#ifndef SCS_VERBS_H
#define SCS_VERBS_H

#include "mpi/job/session.h"

/** All verbs; NULL after the last. */
extern const scs_verb *const scs_verbs[];

extern const scs_verb scs_verb_simulate;
extern const scs_verb scs_verb_check;
extern const scs_verb scs_verb_train;
extern const scs_verb scs_verb_screen;
extern const scs_verb scs_verb_run;
extern const scs_verb scs_verb_pca;
extern const scs_verb scs_verb_inspect;

#endif
