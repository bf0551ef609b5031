/** Two files' cells seen as one panel: predicted and real cells of the same perturbations.
 *
 *  Cells are numbered through both files, predicted ones first. The genes are those of the file
 *  with the real cells, in its order. Perturbations are sorted by their bytes. Where a column of
 *  cell types is asked for there is a panel for each type, with its own controls.
 *
 *  All functions are Local, and alike on all ranks.
 */
#ifndef SCS_PANEL_H
#define SCS_PANEL_H

#include "src/data/h5ad.h"

/** Owned. */
typedef struct scs_panel {
    char *cell_type;     /**< NULL where no column of types was asked for */
    int64_t n_cell;      /**< of both files */
    int64_t n_predicted; /**< cells [0, n_predicted) are predicted */
    int32_t n_gene;
    scs_names perturbations; /**< without the control */
    int32_t *group;          /**< [n_cell] perturbation, perturbations.n for a control; -1: a cell
                                  without a label, or of another type */
    int32_t *target;         /**< [perturbations.n] the gene of the same name, or -1 */
} scs_panel;

/** Which of the real file's genes each column of a file is.
 *  @param[out] gene [file->n_var] malloc'ed
 *  @return SCS_EDATA where the two do not have the same genes, each once: how many differ, and
 * which; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_panel_match_genes(const scs_h5ad *file, const scs_h5ad *real,
                                              int32_t **gene);
/** One panel, or one for each cell type, by name.
 *  @param control the label of the controls
 *  @param[out] panels [n] caller clears with scs_panel_clear_all, also after a failure
 *  @return SCS_EDATA where the real cells have no controls, or the files do not have the same
 *          perturbations or types: which; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_panel_create_all(const scs_h5ad *predicted, const scs_h5ad *real,
                                             const char *control, scs_panel **panels, int32_t *n);
/** Free n panels and the array; *panels is NULL then, and may be before. */
void scs_panel_clear_all(scs_panel **panels, int32_t n);

#endif
