/* A round is a permutation of all controls; the round's number is the epoch of its stream. */
#include "src/cells/templates.h"

#include "src/base/random.h"

#include <stdlib.h>

scs_status scs_templates_pick(uint64_t key, const int64_t *cell, int64_t n_control, int64_t first,
                              int64_t n, int32_t *control)
{
    int64_t *order = NULL, round = -1;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(order, n_control));
    for (int64_t i = 0; i < n; i++) {
        int64_t now = (first + i) / n_control;

        if (now != round) {
            scs_stream stream = {
                .seed = key, .purpose = SCS_RANDOM_TEMPLATE, .epoch = (uint32_t)now & 0xffffff};

            SCS_GO(st, scs_random_order_cells(&stream, cell, n_control, order));
            round = now;
        }
        control[i] = (int32_t)order[(first + i) % n_control];
    }
done:
    free(order);
    return st;
}
