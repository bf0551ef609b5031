/** What scale the values of an input are on: raw counts, normalised but not logged, or logged. All
 *  functions are Local.
 *
 *  Sums of whole numbers and maxima alone, so that parts read by any number of ranks, in any order,
 *  add up to the same bits. */
#ifndef SCS_SCALE_H
#define SCS_SCALE_H

#include "src/data/csr.h"
#include "scscreen/dataset.h"

/** Ways to undo a logarithm; the sums of a cell's values under the right one are alike in all
 *  cells, where all genes are there. */
enum scs_unlog {
    SCS_UNLOG_NOT,   /**< x */
    SCS_UNLOG_E,     /**< exp(x) - 1 */
    SCS_UNLOG_2,     /**< 2^x - 1 */
    SCS_UNLOG_TWICE, /**< exp(exp(x) - 1) - 1 */
    SCS_UNLOG_ROOT,  /**< x^2: no logarithm, but made in its place */
    SCS_N_UNLOG
};

/** Genes of which variances are taken, at most, and whole numbers that are counted each. */
enum { SCS_SCALE_GENES = 128, SCS_SCALE_WHOLES = 32 };

/** Numbers that add up. */
enum scs_scale_sum {
    SCS_SCALE_CELLS,   /**< cells read, also those without values */
    SCS_SCALE_ZERO,    /**< of these, cells without values */
    SCS_SCALE_VALUES,  /**< values above 0 */
    SCS_SCALE_WHOLE,   /**< of these, whole numbers */
    SCS_SCALE_NEAR,    /**< of these, within 0.05 of one, whole ones included */
    SCS_SCALE_SAMPLED, /**< sampled cells */
    SCS_SCALE_SUMMED,  /**< of these, cells that have values */
    SCS_SCALE_MIDDLE,  /**< values of sampled cells from 1 to 100 that are not whole */
    SCS_SCALE_SQUARE,  /**< of these, square roots of whole numbers */
    SCS_SCALE_COUNTED, /**< sampled cells of some values, all of which are whole */
    SCS_SCALE_SMALL,   /**< sampled cells of some values that look logged: small, few near whole */
    SCS_SCALE_LOG,     /**< [SCS_N_UNLOG] sum over them of log(sum of the cell), in millionths */
    /** [SCS_SCALE_WHOLES] values of sampled cells that are 1, 2, ... */
    SCS_SCALE_WHOLE_AT = SCS_SCALE_LOG + SCS_N_UNLOG,
    /** [SCS_SCALE_GENES] each, of genes of the file that are evenly spaced: sampled cells that have
     *  values; their sum and that of their squares, in millionths */
    SCS_SCALE_GENE_CELLS = SCS_SCALE_WHOLE_AT + SCS_SCALE_WHOLES,
    SCS_SCALE_GENE_SUM = SCS_SCALE_GENE_CELLS + SCS_SCALE_GENES,
    SCS_SCALE_GENE_SQUARE = SCS_SCALE_GENE_SUM + SCS_SCALE_GENES,
    SCS_N_SCALE_SUM = SCS_SCALE_GENE_SQUARE + SCS_SCALE_GENES
};

/** Numbers of which the largest stands. Negated where the smallest is wanted; -inf: none yet. */
enum scs_scale_most {
    SCS_SCALE_LARGEST,
    SCS_SCALE_SMALLEST,                           /**< negated */
    SCS_SCALE_HIGH,                               /**< [SCS_N_UNLOG] largest sum of a cell */
    SCS_SCALE_LOW = SCS_SCALE_HIGH + SCS_N_UNLOG, /**< [SCS_N_UNLOG] negated smallest */
    SCS_N_SCALE_MOST = SCS_SCALE_LOW + SCS_N_UNLOG
};

struct scs_scale {
    int64_t sum[SCS_N_SCALE_SUM];
    double most[SCS_N_SCALE_MOST];
};

typedef enum scs_scale_kind {
    SCS_SCALE_EMPTY,
    SCS_SCALE_COUNTS, /**< whole numbers */
    SCS_SCALE_BINARY, /**< 0 and 1 alone, so many that they are no counts */
    SCS_SCALE_LINEAR, /**< too large for logarithms: CPM, corrected counts */
    SCS_SCALE_LOGGED,
    SCS_SCALE_UNCLEAR, /**< small, and not as logarithms of counts are */
    SCS_SCALE_LOGGED_TWICE,
    SCS_SCALE_ROOTS,      /**< square roots of counts, scaled or not */
    SCS_SCALE_SCALED,     /**< each gene by its standard deviation */
    SCS_SCALE_MIXED,      /**< some cells are counts, others logged */
    SCS_SCALE_PSEUDOCOUNT /**< not logged, and no value is 0 */
} scs_scale_kind;

/** Before any cell. */
void scs_scale_clear(scs_scale *scale);
/** Cells [row, row + x->n_row) of n_obs: all values; sums of a cell for some thousand of them,
 *  chosen by their row number. */
void scs_scale_add(scs_scale *scale, const scs_csr *x, int64_t row, int64_t n_obs);
/** to <- both. */
void scs_scale_merge(scs_scale *to, const scs_scale *from);
/** @param n_var genes of the input */
scs_scale_kind scs_scale_judge(const scs_scale *scale, int32_t n_var);
/** "raw counts: largest 2950, 100 % whole numbers, cells sum to 562 to 11537". @return out */
char *scs_scale_describe(const scs_scale *scale, int32_t n_var, char *out, size_t size);

/** What data.normalize means for these inputs: sets it where it is auto, and gives the dataset the
 *  line that says what was found and done. SCS_EDATA names the input whose values contradict it, or
 *  are unlike another's, or are nothing to start from.
 *  @param scale [dataset->n_input] */
SCS_MUST_USE scs_status scs_scale_settle(scs_config *config, const scs_h5ad *const *metas,
                                         const scs_scale *scale, scs_dataset *dataset);
/** The same from some cells of each input, before all are read: what to do with them. Refuses what
 *  those already contradict. */
SCS_MUST_USE scs_status scs_scale_foresee(scs_config *config, const scs_h5ad *const *metas,
                                          const scs_scale *scale, scs_dataset *dataset);

#endif
