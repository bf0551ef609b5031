/** uns/scscreen of a result: what made it. Nothing here depends on the number of ranks or on the
 * time, so that results have the same bytes. */
#ifndef SCS_PROVENANCE_H
#define SCS_PROVENANCE_H

#include "mpi/job/session.h"
#include "config.h"

/** What wrote a file: version and commit, by which files of another program are told apart. */
#define SCS_PROGRAM PACKAGE_VERSION " " SCS_COMMIT

/** Entries at most; there are about 20. */
enum { SCS_FACTS = 64 };

/** Entries in the order in which they are written. Keys are literals; texts belong to this struct,
 * the session or the program. */
typedef struct scs_provenance {
    scs_fact fact[SCS_FACTS];
    int32_t n;
    char *yaml;         /**< the effective config, as far as results depend on it; owned */
    char *checksums;    /**< of the inputs, a line each; owned */
    char text[6][1024]; /**< room for texts that are made: versions, checksums, lists */
} scs_provenance;

/** What made the rows of this session by this method, which must outlive it. SCS_ENOMEM; destroy it
 * even then. Local, alike on all ranks.
 *  @param plan         resolved
 *  @param permutations that p-values rest on; 0: there are none */
SCS_MUST_USE scs_status scs_provenance_create(const scs_session *session, const scs_method *method,
                                              const scs_plan *plan, int64_t permutations,
                                              scs_provenance **provenance);
/** *provenance is NULL afterwards; NULL is let through. Local. */
void scs_provenance_destroy(scs_provenance **provenance);

#endif
