/** Wilcoxon's rank-sum test of many groups of cells against the same controls, a gene at a time.
 *
 *  p is that of Mann and Whitney (1947) by the normal approximation, two-sided, with the
 *  correction for ties and for continuity. With U the pairs in which the group's cell is the
 *  higher one, ties counting half, and t the sizes of the sets of tied cells:
 *
 *      s^2 = n m / 12 (n + m + 1 - sum (t^3 - t) / ((n + m) (n + m - 1)))
 *      z   = (max(U, n m - U) - n m / 2 - 1/2) / s,   p = 2 Phi(-z), at most 1
 *
 *  as numba-mwu, which pdex and so cell-eval2 call, and scipy's mannwhitneyu have it.
 *
 *  Values are whole numbers that ascend with what is compared (src/score/levels.h). The controls'
 *  are sorted once; all groups' values are sorted together and walked beside them once. Zeros are
 *  not stored: they are one tie, below everything.
 *
 *  All functions are Local; any thread with arrays of its own.
 */
#ifndef SCS_RANK_SUM_H
#define SCS_RANK_SUM_H

#include <stdint.h>

/** What a group's test is made of. */
typedef struct scs_rank_tally {
    int64_t above;    /**< 2 U, without the pairs of two zeros */
    double ties;      /**< sum of t^3 - t, beyond the controls' own, without zeros */
    int64_t non_zero; /**< values of the group */
    uint32_t rank;    /**< the value last met ... */
    int64_t same;     /**< ... and how often */
} scs_rank_tally;

/** The controls' values of a gene. */
typedef struct scs_rank_control {
    const uint64_t *key; /**< [n] ascending, value << 32; borrowed */
    int64_t n, zeros;
    double ties; /**< sum of t^3 - t over key */
} scs_rank_control;

/** @param key [n] sorted; borrowed for as long as the controls are used */
scs_rank_control scs_rank_sum_control(const uint64_t *key, int64_t n, int64_t zeros);
/** @param key   [n] ascending by value, value << 32 | group
 *  @param tally [groups] zeroed before */
void scs_rank_sum_tally(const scs_rank_control *control, const uint64_t *key, int64_t n,
                        scs_rank_tally *tally);
/** p of a group of n_group cells; 1 where all values are tied. */
double scs_rank_sum_p(const scs_rank_control *control, const scs_rank_tally *tally,
                      int64_t n_group);

#endif
