/** The screen as a step of a job: from an atlas to output.dir/screen.h5ad and the tables on stdout.
 *
 *      scs_screen_run_check    before training: would it find its rows?
 *      scs_screen_run_foresee  which rows will there be?
 *      scs_screen_run_try      how long would it take?
 *      scs_screen_run          method, plan, cells, file, work, p-values, commit, tables
 *
 *  A screen that is stopped, or killed, goes on with the blocks that it has (mpi/screen/store.h).
 */
#ifndef SCS_SCREEN_RUN_H
#define SCS_SCREEN_RUN_H

#include "mpi/job/session.h"

/** What fills the layers of a screen that are made when all its rows are there. */
typedef struct scs_screen_late {
    const scs_method *method; /**< borrowed, as the next two */
    const scs_plan *plan;
    scs_real *const
        *control_z; /**< [n_group] latent cells of the rows' control groups, all ranks */
    /** Write rows' late fields; rank 0 alone. */
    scs_status (*put)(void *ctx, const scs_result_rows *rows);
    void *ctx;
} scs_screen_late;
/** The one who does (mpi/cells, which stands after this folder). Collective. */
typedef scs_status (*scs_screen_tests)(const scs_session *session, const scs_screen_late *late);

/** Whether the screen section selects rows of these data (names, globs, the file of combinations,
 * gene sets): before training, so that a mistake does not cost hours. SCS_EARG, SCS_EDATA with
 * what is wrong. Nothing is kept. Collective. */
SCS_MUST_USE scs_status scs_screen_run_check(const scs_session *session);
/** Print, on rank 0, how many rows there will be, and how many will have no prediction and why.
 * Errors as before. Collective. */
SCS_MUST_USE scs_status scs_screen_run_foresee(const scs_session *session);

/** What a screen takes, in seconds on these ranks. */
typedef struct scs_screen_cost {
    double before; /**< up to its first row: the rule that `auto` comes to, the plan, cells that
                      travel */
    double permutations; /**< foretold from units of them */
    double rows;         /**< foretold from blocks of them */
} scs_screen_cost;

/** Begin a screen, to see what it takes: all that comes before the rows, then permutations and rows
 * for a second each. session->atlas and z are there. Nothing is written. Errors as scs_screen_run,
 * but those of files. Collective.
 *  @param[out] cost alike on all ranks */
SCS_MUST_USE scs_status scs_screen_run_try(scs_session *session, scs_screen_cost *cost);

/** @param tests with screen.de, else NULL.
 *  Predict every selected combination, write output.dir/screen.h5ad (and ranking.tsv), print the
 * tables. session->atlas and z are there. Collective.
 *  @return SCS_OK; SCS_ESTOP: stopped as asked, what is done is kept; SCS_EARG, SCS_EDATA: the
 *    section does not fit, or the stopped screen there is another one; SCS_ECREATE, SCS_EIO: the
 *    file
 */
SCS_MUST_USE scs_status scs_screen_run(scs_session *session, scs_screen_tests tests);

#endif
