/* The list of verbs, which --help, the command line and the man page go through. */
#include "mpi/app/verbs.h"

#include "mpi/crossval/crossval.h"

const scs_verb *const scs_verbs[] = {
    &scs_verb_simulate, &scs_verb_check,       &scs_verb_train,
    &scs_verb_screen,   &scs_verb_run,         &scs_verb_predict,
    &scs_crossval_verb, &scs_verb_score,       &scs_verb_embed,
    &scs_verb_decode,   &scs_verb_interpolate, &scs_verb_integrate,
    &scs_verb_pca,      &scs_verb_inspect,     NULL,
};
