/** Cells in a random order that depends on their global ids alone. Local. */
#ifndef SCS_ORDER_H
#define SCS_ORDER_H

#include "src/random.h"
#include "scscreen/status.h"

/** Positions 0 .. n-1 sorted by f(seed, purpose, epoch, cell[position]); equal keys by cell id.
 *  @param stream seed, purpose and epoch; its cell is not looked at
 *  @param cell [n] distinct global ids; borrowed  @param[out] position [n] */
SCS_MUST_USE scs_status scs_order_cells(const scs_stream *stream, const int64_t *cell, int64_t n,
                                        int64_t *position);

#endif
