/** From cells, which are divided over the ranks, to genes, of which each rank gets some with all
 *  their cells: the transposition that gene-space statistics need, a part of the genes at a time.
 *
 *  A part [gene0, gene1) is cut into as many runs of genes as there are ranks. Every rank goes
 *  through its cells by group, then number, and sends each rank what the cells have of that rank's
 *  genes; who has which cell is known from the deal, so that only values travel, 6 bytes each and 4
 *  for each cell and rank. Values of a gene come out by group and, within, by cell, on any number
 * of ranks.
 */
#ifndef SCS_GENE_COLUMNS_H
#define SCS_GENE_COLUMNS_H

#include "src/data/packed.h"
#include "scscreen/comm.h"

/** Where the reading of the rows stands. */
typedef struct scs_gene_columns {
    scs_comm *comm;          /**< borrowed */
    const scs_shard *shard;  /**< borrowed */
    int32_t n_group, n_rank; /**< groups of the atlas; ranks */
    int64_t *group_first;    /**< [n_group + 1] where each group's cells begin in `owner` */
    int32_t *owner;          /**< [used cells] by group, then number: the rank that has it */
    int64_t *cells_of;       /**< [n_rank] used cells of each rank */
    struct scs_own_row {
        int32_t group;
        int64_t cell;   /**< global number */
        scs_row row;    /**< in the shard; kept, as each part goes through all rows */
        int32_t next;   /**< first entry that no part has taken yet */
    } * own;            /**< [cells_of[rank]] this rank's, in the same order */
    int64_t *to, *from; /**< [n_rank] bytes of a part */
    int32_t end;        /**< genes below it have been taken */
} scs_gene_columns;

/** At gene 0. SCS_ENOMEM on all ranks alike; close it then, too. Collective.
 *  @param deal by which the cells were redistributed  @param shard, comm borrowed until it is
 * closed
 */
SCS_MUST_USE scs_status scs_gene_columns_open(scs_comm *comm, const scs_atlas *atlas,
                                              const scs_dataset *dataset, const scs_deal *deal,
                                              const scs_shard *shard, const scs_team *team,
                                              scs_gene_columns *columns);
/** The same of the cells [cell0, cell1) alone, which are the shards' rows, from gene0 on.
 *  @param group [cells of the dataset] of each cell, -1: none; borrowed for the call  Collective.
 */
SCS_MUST_USE scs_status scs_gene_columns_open_range(scs_comm *comm, int32_t n_group,
                                                    const int32_t *group, int64_t cell0,
                                                    int64_t cell1, const scs_deal *deal,
                                                    const scs_shard *shard, const scs_team *team,
                                                    int32_t gene0, scs_gene_columns *columns);
/** The next part: this rank's run of genes [columns->end, gene1), at most 65,536 of them.
 *  @param[out] slice caller clears (scs_gene_moments_slice_clear); empty after an error
 *  @return SCS_OK, SCS_ENOMEM, SCS_EIO; on all ranks alike. Collective. */
SCS_MUST_USE scs_status scs_gene_columns_next(scs_gene_columns *columns, int32_t gene1,
                                              scs_gene_slice *slice);
/** Free what it owns; shards and communicator stay. Local. */
void scs_gene_columns_close(scs_gene_columns *columns);

#endif
