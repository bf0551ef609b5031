/** A batch as the genes of one rank see it: the cells of all shards, the rank's own genes alone.
 *
 *  In a small batch the layers that touch genes have more weights than the batch has activations.
 *  Their gradients then never leave their ranks: a rank makes those of its own genes (layout.h)
 *  from all cells, whose entries and activations reach it instead. Collective functions say so.
 */
#ifndef SCS_GENE_SPLIT_H
#define SCS_GENE_SPLIT_H

#include "src/kernels/entries.h"
#include "scscreen/shard.h"

/** What goes to every rank and comes from it in one exchange. Arrays are owned, what they point to
 *  is borrowed. */
typedef struct scs_exchange_buffers {
    const void **out;      /**< [n_rank] */
    void **in;             /**< [n_rank] */
    int64_t *n_out, *n_in; /**< [n_rank] bytes */
} scs_exchange_buffers;

/** Zeroed is empty; arrays are owned unless it says otherwise. */
typedef struct scs_gene_split {
    int32_t n_shard, first, last; /**< this rank's shards are [first, last) */
    int64_t max_rows;             /**< cells of a batch at most */
    int32_t n_all, n_col;         /**< genes of the model; columns of rows */
    int32_t gene, n_gene;         /**< this rank's genes [gene, gene + n_gene) */
    int64_t *first_row; /**< [n_shard + 1] where each shard's cells begin among all of the batch */
    double *counts, *count_total; /**< [last - first, n_shard], [n_shard] to find them: doubles,
                                     because the team adds up doubles; exact */
    scs_entries *part;            /**< [n_shard] by cell [cells of the shard, n_gene]; this rank's
                                       shards' are views of what it was given */
    scs_entries by_gene;          /**< [n_gene, all cells] */
    scs_real *rows;               /**< [all cells, n_col] what was gathered last */
    int64_t *bound;               /**< [n_shard + 1] of rows */
    uint8_t **size;               /**< [n_shard] entries of each cell in each block of genes */
    scs_exchange_buffers buffers;
} scs_gene_split;

/** Room for a batch of this team; kept where it is enough. Local.
 *  @param n_all genes  @param n_col columns of what will be gathered  @param n_row cells of all
 *               shards, at most
 *  @return SCS_ENOMEM, and nothing is left behind */
SCS_MUST_USE scs_status scs_gene_split_prepare(scs_gene_split *split, const scs_team *team,
                                               int32_t n_all, int32_t n_col, int64_t n_row);
/** Free what it owns: the local shards' entries in `part` are the caller's. Zeroed is let through.
 *  Local. */
void scs_gene_split_clear(scs_gene_split *split);
/** The entries of a batch: first_row, bound, part and by_gene. Collective.
 *  @param own [last - first] entries by cell of the local shards' parts, [n, n_all]; borrowed until
 *             the next fill
 *  @return SCS_ENOMEM on all ranks where one has no room; as the team's calls */
SCS_MUST_USE scs_status scs_gene_split_fill(scs_gene_split *split, const scs_team *team,
                                            const scs_entries *const *own);
/** rows = all shards' rows, in order of shards. Collective.
 *  @param own [last - first] each [cells of the shard, n_col]; copied */
SCS_MUST_USE scs_status scs_gene_split_gather(scs_gene_split *split, const scs_team *team,
                                              const scs_real *const *own);

#endif
