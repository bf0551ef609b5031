/** Simulated atlases with known shifts: test data of any size, and a check whether a screen is
 *  right.
 *
 *  simulate.dir gets
 *
 *      SPECIES.h5ad            raw counts of each species (src/simulate/sim_counts.h)
 *      SPECIES.orthologs.tsv   own gene, reference gene; for every species but the first
 *      truth.h5ad              what a screen should predict (src/simulate/sim_truth.h)
 *
 *  Same section simulate and data.target_sum, same bytes, on any number of threads. Memory does
 *  not grow with cells.
 */
#ifndef SCS_SIMULATE_H
#define SCS_SIMULATE_H

#include "scscreen/config.h"

/** Write config->simulate's atlas. Files that are complete stay when a later one fails. SCS_EARG
 * for a config without simulate.dir or with sizes that do not fit; SCS_ECREATE, SCS_EIO,
 * SCS_ENOMEM. Local.
 *  @param log NULL, or a stream for one line per file: "DIR/species_a.h5ad: 2160 cells x 1023
 * genes,
 *         ... % of counts not 0" */
SCS_MUST_USE scs_status scs_simulate(const scs_config *config, FILE *log);
/** Whether scs_simulate would begin: sizes fit. Nothing is written. SCS_EARG, SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_simulate_check(const scs_config *config);

#endif
