/** uns/scscreen: what made a result. Nothing here depends on the number of ranks or on the time. */
#ifndef SCS_PROVENANCE_H
#define SCS_PROVENANCE_H

#include "mpi/job/session.h"
#include "config.h"

/** What wrote a file, where files of another program are told apart. */
#define SCS_PROGRAM PACKAGE_VERSION " " SCS_COMMIT

enum { SCS_FACTS = 64 };

typedef struct scs_provenance {
    scs_fact fact[SCS_FACTS];
    int32_t n;
    char *yaml;      /**< the effective config */
    char *checksums; /**< of the inputs, a line each */
    char text[3][256];
} scs_provenance;

SCS_MUST_USE scs_status scs_provenance_create(const scs_session *session, const scs_method *method,
                                              scs_provenance **provenance); /**< Local. */
void scs_provenance_destroy(scs_provenance **provenance);

#endif
