/** Which control cell each predicted cell starts from. All functions are Local. */
#ifndef SCS_TEMPLATES_H
#define SCS_TEMPLATES_H

#include "scscreen/status.h"

/** Controls are gone through in random order, and again in another order: n predicted cells use
 *  each of n_control cells floor(n / n_control) times or once more. Cell i has the same template
 *  whatever n is.
 *  @param key of the combination (scs_draw_key)
 *  @param cell [n_control] global numbers of the control cells, by which they are ordered
 *  @param first, n the predicted cells [first, first + n)
 *  @param[out] control [n] positions in `cell`
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_templates_pick(uint64_t key, const int64_t *cell, int64_t n_control,
                                           int64_t first, int64_t n, int32_t *control);

#endif
