/** Cells x genes as a rank keeps them: each row in as few bytes as hold it exactly.
 *
 *  A row is a run of words of 4 bytes, and can be moved (to another rank) as such:
 *
 *      int32_t  n         its entries
 *      uint16_t gene[n]   ascending (int32_t where there are more than 65536 columns)
 *      uint8_t  code[n]   entry k has the value level[code[k]]
 *      float    level[]   the row's distinct values, each part padded to whole words
 *
 *  which takes about 3 bytes an entry, where scs_csr takes 8. Counts have few distinct values in a
 *  cell, and so do counts normalised cell by cell, here or before. A row with so many that it would
 *  not be smaller has float value[n] for codes and levels. How a row is kept depends on that row
 *  alone, and the values are the same bits either way. All functions are Local.
 */
#ifndef SCS_PACKED_H
#define SCS_PACKED_H

#include "src/data/csr.h"
#include "scscreen/shard.h"

/** A row's entries in place, ascending by gene. Borrowed from the matrix, until a row is put or
 *  room is made. */
typedef struct scs_row {
    int32_t n;
    const uint16_t *gene16; /**< [n], or NULL */
    const int32_t *gene32;  /**< [n] where there is no gene16 */
    const uint8_t *code;    /**< [n], or NULL */
    const float *value;     /**< levels where there are codes, else [n] */
} scs_row;

/** Room for n_row rows, which are not there yet, and n_word words of 4 bytes.
 *  @param[out] x caller clears; empty after an error
 *  @return SCS_EINTERNAL for sizes that cannot be, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_packed_alloc(int64_t n_row, int32_t n_col, int64_t n_word,
                                         scs_packed *x);
/** Free both arrays; the rows are none then. */
void scs_packed_clear(scs_packed *x);
/** Rows [row, row + part->n_row) become those of part; the rows before them are there already, the
 *  ones behind them are not. Room grows to what the new rows take without codes.
 *  @param part columns ascend; n_col is that of x; borrowed
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_packed_append(scs_packed *x, int64_t row, const scs_csr *part);
/** Row i becomes what another matrix of as many columns has in n words, for which there is room;
 *  the rows before it are there already. */
void scs_packed_put(scs_packed *x, int64_t i, const void *word, int64_t n);
/** The same from row `row` of another matrix, whose rows may stand in any order. */
void scs_packed_copy(scs_packed *x, int64_t i, const scs_packed *from, int64_t row);
/** Room for n_row rows that come in any order, each once, by scs_packed_place.
 *  @param n_word that they take, about: room that is not used takes no memory
 *  @param[out] x caller clears; empty after an error
 *  @return as scs_packed_alloc */
SCS_MUST_USE scs_status scs_packed_alloc_any_order(int64_t n_row, int32_t n_col, int64_t n_word,
                                                   scs_packed *x);
/** Row i of such a matrix becomes what another one of as many columns has in n words. SCS_ENOMEM;
 *  SCS_EINTERNAL where it is there already. */
SCS_MUST_USE scs_status scs_packed_place(scs_packed *x, int64_t i, const void *word, int64_t n);
/** Take all rows out and make room for n_row others, as scs_packed_append fills it: the memory of
 *  the words is used again. SCS_ENOMEM; rows must follow one another. */
SCS_MUST_USE scs_status scs_packed_restart(scs_packed *x, int64_t n_row);
/** Give room back that no row needs, once all rows are there. */
SCS_MUST_USE scs_status scs_packed_trim(scs_packed *x);
/** All of a matrix.
 *  @param      x      borrowed
 *  @param[out] packed caller clears it; empty after an error
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_packed_make(const scs_csr *x, scs_packed *packed);

/** Keep and renumber columns: column j becomes to[j] (-1: dropped), in place.
 *  @param to [x->n_col] ascending where it is not -1  @param n_col of the new matrix
 *  @return SCS_OK or SCS_ENOMEM, and then x is as it was */
SCS_MUST_USE scs_status scs_packed_select(scs_packed *x, const int32_t *to, int32_t n_col);

/** x <- log1p(x * target / total) per row, in double, rounded once; rows with total 0 become 0.
 *  Only the distinct values are gone through, on all threads.
 *  @param totals [n_row] counts of each cell, of all its genes  @param target counts a cell */
void scs_packed_log_normalize(scs_packed *x, const double *totals, double target);

/** Words that row i takes. */
int64_t scs_packed_row_words(const scs_packed *x, int64_t i);
/** Row i, O(1). */
scs_row scs_packed_row(const scs_packed *x, int64_t i);
/** Sum of row i's entries; exact where they are whole numbers. O(its entries). */
double scs_packed_row_sum(const scs_packed *x, int64_t i);
/** The values that row i has: each once where it has codes, else one an entry. Borrowed likewise.
 *  @param[out] n how many */
const float *scs_packed_values(const scs_packed *x, int64_t i, int64_t *n);
/** Entries of all rows, O(n_row). */
int64_t scs_packed_nnz(const scs_packed *x);
/** Bytes that the rows take, with where they begin. */
int64_t scs_packed_bytes(const scs_packed *x);

/** Gene of entry k, 0 <= k < row->n. Inline: the loops over all entries of a batch are made of
 *  these two. */
static inline int32_t scs_row_gene(const scs_row *row, int64_t k)
{
    return row->gene16 ? row->gene16[k] : row->gene32[k];
}

/** Its value. */
static inline float scs_row_value(const scs_row *row, int64_t k)
{
    return row->value[row->code ? row->code[k] : k];
}

/** The first entry of a row whose gene is not below `gene`, or row->n. O(log n). */
int32_t scs_packed_row_find(const scs_row *row, int32_t gene);

#endif
