/** Communication: the only public header that knows MPI.
 *
 *  A Collective function is called by all ranks of the communicator, in the same order. It returns
 *  the same status on all of them where it says so (scs_comm_agree); a failure of MPI itself is
 *  SCS_EIO with MPI's words. Allocating functions also return SCS_ENOMEM.
 */
#ifndef SCSCREEN_COMM_H
#define SCSCREEN_COMM_H

#include "scscreen/result.h"

#include <mpi.h>

/** Turns an MPI return code into SCS_EIO with MPI's own words. */
#define SCS_MPI(call) SCS_TRY(scs_comm_mpi_status((call), #call))
/** What SCS_MPI calls. @param what the call's source text, for the message. Local. */
SCS_MUST_USE scs_status scs_comm_mpi_status(int code, const char *what);

/** A communicator with the buffers its team's hooks need. */
typedef struct scs_comm scs_comm;
/** Duplicates `world`; MPI errors return instead of aborting. Collective.
 *  @param[out] comm caller destroys, before MPI_Finalize */
SCS_MUST_USE scs_status scs_comm_create(MPI_Comm world, scs_comm **comm);
/** Frees the copy and what its teams hold; sets *comm to NULL, which it may be. Collective. */
void scs_comm_destroy(scs_comm **comm);
/** This rank, from 0. Local. */
int32_t scs_comm_rank(const scs_comm *comm);
/** How many ranks it has. Local. */
int32_t scs_comm_size(const scs_comm *comm);
/** MPI's handle, for what has no function here; borrowed. Local. */
MPI_Comm scs_comm_mpi(const scs_comm *comm);

/** Seconds that a step of writing together may take (0, as at first: any time). The process ends
 * with exit code 74 when it takes longer. Local. */
void scs_comm_set_deadline(scs_comm *comm, double seconds);

/** Each rank's peak memory so far, in MiB, on rank 0. Collective.
 *  @param[out] sum over ranks  @param[out] most on one */
SCS_MUST_USE scs_status scs_comm_peak_memory(scs_comm *comm, double *sum, double *most);
/** All ranks return the status and message of the lowest failing rank (SCS_OK if none fails).
 * Collective. */
SCS_MUST_USE scs_status scs_comm_agree(scs_comm *comm, scs_status mine);
/** Rank 0's bytes to all ranks, in pieces that fit an int count. Collective. */
SCS_MUST_USE scs_status scs_comm_broadcast(scs_comm *comm, void *bytes, int64_t size);
/** Rank 0's block of any size; other ranks get a malloc'ed copy. Collective. @param[in,out] blob,
 * size */
SCS_MUST_USE scs_status scs_comm_broadcast_blob(scs_comm *comm, uint8_t **blob, int64_t *size);
/** Like MPI_Alltoallv on bytes with 64-bit counts: pairwise in pieces. Collective.
 *  @param send_count, recv_count [n_rank] bytes; blocks lie one after the other */
SCS_MUST_USE scs_status scs_comm_alltoallv(scs_comm *comm, const void *send,
                                           const int64_t *send_count, void *recv,
                                           const int64_t *recv_count);
/** recv_count[r] = what rank r's send_count says for this rank. Collective. */
SCS_MUST_USE scs_status scs_comm_exchange_counts(scs_comm *comm, const int64_t *send_count,
                                                 int64_t *recv_count);

/** The team whose hooks communicate over comm. comm must outlive it. Local. */
scs_team scs_comm_team(scs_comm *comm, int32_t n_shard);

/** Rows of the inputs, each rank its own contiguous part (about equal cells): read, totals, gene
 * map. Not yet normalised.
 *  @param[out] x      this rank's cells [first_cell, first_cell + x.n_row), reference genes
 *  @param[out] totals [x.n_row] sum over all of the file's genes, malloc'ed
 *  @param[out] scale  [dataset->n_input] what the values of each input are like, over all ranks;
 * NULL: not wanted. Collective. */
SCS_MUST_USE scs_status scs_read_cells(scs_comm *comm, const scs_dataset *dataset,
                                       const scs_h5ad *const *metas, int64_t *first_cell,
                                       scs_packed *x, double **totals, scs_scale *scale);
/** Words of 4 bytes that a packed cell takes, about, from what the files say of themselves. Local.
 */
double scs_read_cells_words(const scs_dataset *dataset, const scs_h5ad *const *metas);
/** What each rank has seen of the values becomes what all have. @param scale [n_input] Collective.
 */
SCS_MUST_USE scs_status scs_read_cells_unite(scs_comm *comm, scs_scale *scale, int32_t n_input);
/** Count values above 0, without keeping any.
 *  @param least     genes of its file that a cell has to have
 *  @param counted   [dataset->n_cell] cells to be counted for the genes, where they have as many
 *  @param[out] keep [dataset->n_cell] 1: the cell has as many
 *  @param[out] n    [dataset->n_gene] cells that have the gene
 *  @return SCS_EDATA, SCS_EIO, SCS_ENOMEM as scs_read_cells. Collective. */
SCS_MUST_USE scs_status scs_read_cells_count(scs_comm *comm, const scs_dataset *dataset,
                                             const scs_h5ad *const *metas, int64_t least,
                                             const uint8_t *counted, uint8_t *keep, int64_t *n);
/** The same cells into the shards that the deal gives them, while they are read.
 *  @param limit as scs_row_source has it  @param[out] shard, total as scs_redistribute_rows
 * @param[out] scale [dataset->n_input] as above. Collective. */
SCS_MUST_USE scs_status scs_read_cells_to_shards(scs_comm *comm, const scs_dataset *dataset,
                                                 const scs_h5ad *const *metas, const scs_deal *deal,
                                                 const scs_team *team, int64_t limit,
                                                 scs_shard **shard, double **total,
                                                 scs_scale *scale);
/** Some of a rank's cells: row i of x is cell[i], or (cell NULL) first + i. Borrowed. */
typedef struct scs_cell_part {
    scs_packed *x;
    const int64_t *cell;
    int64_t first;
} scs_cell_part;
/** The cell of row i. Local. */
static inline int64_t scs_cell_part_cell(const scs_cell_part *rows, int64_t i)
{
    return rows->cell ? rows->cell[i] : rows->first + i;
}

/** normalize: log1p with target_sum, or, when it is 0, the median total over the cells that have a
 * say (scs_roles_has_say).
 *  @param controls the median is of control cells alone, which no model of a grid holds out
 *  @param part [n_part] all cells of this rank  @param total [rows of all parts], part after part
 *  @param[out] target counts that each cell was scaled to; 0: none was. Collective. */
SCS_MUST_USE scs_status scs_read_cells_normalize(scs_comm *comm, const scs_config *config,
                                                 const scs_dataset *dataset, bool controls,
                                                 const scs_cell_part *part, int32_t n_part,
                                                 const double *total, double *target);
/** Rows [row, row + n) of x: those of cells [cell, cell + n), or of those that are listed.
 * Borrowed.
 */
typedef struct scs_row_batch {
    const scs_packed *x;
    int64_t row, n, cell;
    const int64_t *cells; /**< [n] the cell of each row; NULL: they follow one another from cell */
    const double *total;  /**< [n] of the cells' counts, or NULL */
} scs_row_batch;

/** Where rows come from, some at a time. */
typedef struct scs_row_source {
    void *ctx;
    /** Begin with the first, or next, part of the rows, all ranks together; NULL: there is one
     * part. Collective. @param[out] more false: there are no more */
    scs_status (*begin)(void *ctx, scs_comm *comm, bool *more);
    /** The next rows, which stay until the next call; n 0: there are no more of the part. Local. */
    scs_status (*next)(void *ctx, scs_row_batch *batch);
    double words;  /**< of a row, about: room is made for them */
    int64_t limit; /**< bytes that rows may take on a rank; 0: any. Of more none is held, but all
                      are counted: SCS_EARG with the number of ranks that have room */
} scs_row_source;

/** Where rows go. Both functions are Local. */
typedef struct scs_row_sink {
    void *ctx;
    /** The rank that a cell's row goes to; -1: to none. */
    int32_t (*rank)(void *ctx, int64_t cell);
    /** Take a row of this rank: n words of a packed row, which stay until it returns. */
    scs_status (*put)(void *ctx, int64_t cell, double total, const uint8_t *word, int64_t n);
} scs_row_sink;
/** Rows to the ranks that the sink names, while they come from the source, whose words and limit
 * are not looked at; some megabytes are on their way at a time. A source that fails is the failure
 * of all ranks, once all others are through: the lowest failing rank's message. Collective. */
SCS_MUST_USE scs_status scs_redistribute_send(scs_comm *comm, const scs_team *team,
                                              const scs_row_source *source,
                                              const scs_row_sink *sink);

/** Rows to the shards that the deal gives them, while they come: a rank holds its own shards' rows,
 * and some megabytes of others'. A source that fails is the failure of all ranks, once all others
 * are through: the lowest failing rank's message.
 *  @param[out] shard [team->last - team->first], malloc'ed, scs_redistribute_clear; NULL after an
 *    error  @param[out] total [rows of all of them, shard after shard] malloc'ed; NULL: not wanted.
 * Collective. */
SCS_MUST_USE scs_status scs_redistribute_rows(scs_comm *comm, const scs_deal *deal,
                                              const scs_team *team, int32_t n_gene,
                                              const scs_row_source *source, scs_shard **shard,
                                              double **total);
/** From contiguous cells to shards; x stays as it is, to deal the same cells again. Collective. */
SCS_MUST_USE scs_status scs_redistribute_copy(scs_comm *comm, const scs_deal *deal,
                                              const scs_team *team, int64_t first_cell,
                                              const scs_packed *x, scs_shard **shard);
/** Free n shards and the array; sets *shard to NULL, which it may be. Local. */
void scs_redistribute_clear(scs_shard **shard, int32_t n);

/** Gene-space half of the atlas, complete on every rank: a part of the genes after the other, so
 * that the cells never stand in memory twice. @param deal by which they were redistributed.
 * Collective. */
SCS_MUST_USE scs_status scs_atlas_genes(scs_comm *comm, scs_atlas *atlas,
                                        const scs_dataset *dataset, const scs_deal *deal,
                                        const scs_shard *shard, const scs_team *team);
/** Posterior means of the cells of the groups that each rank needs, in ascending cell order.
 *  @param needed  [n_rank, n_group] not 0: that rank needs that group; alike on all ranks
 *  @param z       [n_local] per local shard [n_row, n_latent]
 *  @param[out] group_z [atlas->n_group] pointers (NULL where not needed) to [count, n_latent],
 * malloc'ed. Collective. */
SCS_MUST_USE scs_status scs_redistribute_groups(scs_comm *comm, const scs_dataset *dataset,
                                                const scs_atlas *atlas, const uint8_t *needed,
                                                const scs_shard *shard, const scs_team *team,
                                                scs_real *const *z, scs_real **group_z);
/** The same for the control cells that this rank's rows of the plan need.
 *  @param observed the cells of the rows' observed groups as well
 *  @param first   [n_rank + 1] split of the plan
 *  @param z       [n_local] per local shard [n_row, n_latent]
 *  @param[out] group_z [atlas->n_group] pointers (NULL where not needed) to [count, n_latent],
 * malloc'ed. Collective. */
SCS_MUST_USE scs_status scs_redistribute_cells(scs_comm *comm, const scs_dataset *dataset,
                                               const scs_atlas *atlas, const scs_plan *plan,
                                               bool observed, const int64_t *first,
                                               const scs_shard *shard, const scs_team *team,
                                               scs_real *const *z, scs_real **group_z);

#endif
