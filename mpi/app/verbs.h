/** The program's verbs, in the order of --help. Each is defined at the end of the file that does
 * it; scs_verb in mpi/job/command.h says what a verb is. To add one:
 *
 *      mpi/app/verb_NAME.c     the code, and `const scs_verb scs_verb_NAME` at its end
 *      here and in verbs.c     its declaration, its place in the list
 *      Makefile.am             the file
 *      tests/e2e               what it does; tests/e2e/cli.sh what it refuses
 *
 *  Help, the man page and the command line follow from the list.
 */
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
extern const scs_verb scs_verb_predict;
extern const scs_verb scs_verb_score;
extern const scs_verb scs_verb_embed;
extern const scs_verb scs_verb_decode;
extern const scs_verb scs_verb_interpolate;
extern const scs_verb scs_verb_integrate;
extern const scs_verb scs_verb_pca;
extern const scs_verb scs_verb_inspect;

/** What a run does before anything is trained: data, a network (of model.kind: vae) with its
 * weights where some are loaded, and everything that it would refuse. Collective. */
SCS_MUST_USE scs_status scs_verb_run_prepare(scs_session *session);

#endif
