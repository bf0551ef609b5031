/** Products A'A of a tall matrix with itself: upper triangles, in double where shards are added up.
 * Local. */
#ifndef SCS_GRAM_H
#define SCS_GRAM_H

#include "scscreen/status.h"

#include <stdint.h>

/** Into how many pieces the rows are cut, a task each; more rows make no fewer. */
int scs_gram_tasks(int32_t n);
/** A piece's share of scale a'a, from the diagonal on. @param a [n, d]
 *  @param[out] square [d, d] */
void scs_gram_run(const scs_real *a, int32_t n, int32_t d, double scale, int task,
                  scs_real *square);
/** Numbers of an upper triangle. */
int64_t scs_gram_size(int32_t d);
/** The upper triangle, row after row: the sum of all pieces' shares.
 *  @param square [scs_gram_tasks(n), d, d]  @param[out] packed [scs_gram_size(d)] */
void scs_gram_pack(const scs_real *square, int32_t n, int32_t d, double *packed);
/** Both triangles from the upper one. @param[out] square [d, d] */
void scs_gram_unpack(const double *packed, int32_t d, scs_real *square);

#endif
