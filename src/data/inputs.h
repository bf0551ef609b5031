/** data.inputs, from what the config says to a description of every file: globs become files, and
 *  what stands beside a matrix (constants of a file, tables of labels) becomes labels of its cells
 *  as if it stood in the file's obs.
 *
 *  Where a column of a file comes from: the constant that data.inputs gives for it, else a table
 *  of data.labels that has it, else the file. A constant is the value of the column that
 *  data.cell_type, data.condition or data.species names, or of one called batch or donor.
 *
 *  One process does all of this before MPI_Init (mpi/job/preflight.c); the others get the files
 *  that globs stand for, and the descriptions. All functions are Local.
 */
#ifndef SCS_INPUTS_H
#define SCS_INPUTS_H

#include "src/base/bytes.h"
#include "src/data/h5ad.h"

/** Whether an item of data.inputs stands for the files that it matches: it has one of *?[ and is
 * the name of none. */
bool scs_inputs_is_glob(const char *path);
/** How many files a glob matches now. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_inputs_count(const char *path, int32_t *n);
/** Replace each glob by the files that it matches, sorted by bytes, and fill in the checksums of
 *  data.labels.
 *  @return SCS_EDATA: a glob that matches no file, a table that cannot be read or has not the
 *          checksum that the config gives; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_inputs_settle(scs_config *config);
/** What scs_inputs_settle found, for another process. SCS_ENOMEM */
SCS_MUST_USE scs_status scs_inputs_put(const scs_config *config, scs_bytes *out);
/** And there. SCS_EDATA, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_inputs_get(scs_bytes *in, scs_config *config);

/** Describe all inputs: what the files hold, with the labels that stand beside them, less the cells
 *  that data.filter leaves out.
 *  @param config settled
 *  @param[out] metas [config->data.n_input] NULL before; caller destroys each, also after an error
 *  @param[in,out] notes what was joined and what did not fit, appended
 *  @return as scs_h5ad_probe, scs_label_table_load, scs_label_table_match and scs_filter_apply */
SCS_MUST_USE scs_status scs_inputs_probe(const scs_config *config, scs_h5ad **metas,
                                         scs_names *notes);

#endif
