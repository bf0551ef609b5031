/** Gene identifiers. All functions are Local. */
#ifndef SCS_GENE_ID_H
#define SCS_GENE_ID_H

#include "src/base/names.h"

#include <stddef.h>

/** Bytes of a gene's name without the version of an Ensembl ID: 15 of "ENSG00000141510.18", which
 * is the same gene as "ENSG00000141510"; all of any other name ("RP11-34P13.7"). */
size_t scs_gene_id_length(const char *name);
/** The same for a whole file: names without versions, unless two different ones would
 *  be one.
 *  @param[out] keys owned by the caller; empty before */
SCS_MUST_USE scs_status scs_gene_id_keys(const scs_names *names, scs_names *keys);

#endif
