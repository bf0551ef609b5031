/** data.filter: which of the inputs' cells are read at all.
 *
 *  A cell that fails a condition is left out of its file's description before a dataset is made of
 *  it: it has no number, no label and no row, and its values are neither checked nor looked at. So
 *  a run is the same as one on files that never held it. All functions are Local.
 */
#ifndef SCS_FILTER_H
#define SCS_FILTER_H

#include "src/data/h5ad.h"

/** The obs columns that data.filter, hold_out, data.hvg_batch and integrate.batch ask for, each
 * once.
 *  @param[in,out] labels, numbers empty before; caller clears both, also after an error */
SCS_MUST_USE scs_status scs_filter_columns(const scs_config *config, scs_names *labels,
                                           scs_names *numbers);
/** Leave out what data.filter says, and forget the columns that nothing else needs.
 *
 *  A cell without a value is in no list and within no limits: `not_in` alone takes it.
 *  @param metas [config->data.n_input] with the columns of scs_filter_columns
 *  @return SCS_EARG for a value that no cell of any input has (with the nearest) or a glob that
 *          selects none, SCS_EDATA where no cell is left of a file; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_filter_apply(const scs_config *config, scs_h5ad *const *metas);
/** Names of a file's rows become those of the cells that are taken.
 *  @param[in,out] names [meta->n_row], then [meta->n_obs] */
void scs_filter_names(const scs_h5ad *meta, scs_names *names);
/** Leave out further cells, once their values have been looked at.
 *  @param keep [meta->n_obs] 1: the cell stays  @param names of the cells, or NULL  @return
 * SCS_ENOMEM
 */
SCS_MUST_USE scs_status scs_filter_leave_out(scs_h5ad *meta, const uint8_t *keep, scs_names *names);
/** "120 of 500 cells are left out (a.h5ad 100 of 300, b.h5ad 20 of 200)"; NULL: no data.filter.
 *  @param[out] line malloc'ed, caller frees */
SCS_MUST_USE scs_status scs_filter_describe(const scs_config *config, const scs_h5ad *const *metas,
                                            char **line);

#endif
