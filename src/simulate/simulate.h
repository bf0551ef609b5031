/** Simulated atlases with known shifts. All functions are Local. */
#ifndef SCS_SIMULATE_H
#define SCS_SIMULATE_H

#include "scscreen/config.h"

/** Write config->simulate's atlas into simulate.dir: SPECIES.h5ad per species (raw counts, CSR),
 * SPECIES.orthologs.tsv (own gene, reference gene) for every species but the first, truth.h5ad (the
 * true mean log expression and shift of each combination). Streams row blocks: memory does not grow
 * with cells. Same seed, same bytes.
 *  @param log NULL or a stream for one line per file. SCS_ECREATE / SCS_EIO. */
SCS_MUST_USE scs_status scs_simulate(const scs_config *config, FILE *log);

#endif
