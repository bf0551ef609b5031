/* Activations and gradients of the last step by the names that the parity fixtures use for them:
 * a block is "encoder" or "decoder", its number, and what of it. */
#include "tests/parity/network_peek.h"

#include "src/model/network.h"

#include <stdio.h>
#include <string.h>

/* @param name "decoder.1.norm"
 *  @param grad its gradient instead
 *  @return NULL where it is no block's */
static const scs_real *peek_block(const scs_network *net, const scs_lane *lane, const char *name,
                                  bool grad, int32_t *cols)
{
    char stack[16], what[16];
    int layer, end = 0;
    bool decoder;
    const scs_hidden *hidden;

    if (sscanf(name, "%15[a-z].%d.%15[a-z]%n", stack, &layer, what, &end) != 3 || name[end])
        return NULL;
    decoder = strcmp(stack, "decoder") == 0;
    if ((!decoder && strcmp(stack, "encoder") != 0) || layer < 0 || layer >= net->arch.n_layer)
        return NULL;
    hidden = &lane->hidden[layer + (decoder ? net->arch.n_layer : 0)];
    *cols = net->arch.n_hidden;
    if (strcmp(what, "linear") == 0)
        return grad ? hidden->linear.grad : hidden->linear.value;
    if (strcmp(what, "norm") == 0)
        return grad ? hidden->norm.grad : hidden->norm.value;
    if (strcmp(what, "out") == 0)
        return grad ? hidden->out.grad : hidden->out.value;
    return NULL;
}

const scs_real *scs_network_peek(const scs_network *net, int32_t local_shard, const char *name,
                                 int32_t *cols)
{
    const scs_lane *lane = &net->lane[local_shard];
    bool grad = strncmp(name, "grad.", 5) == 0;

    name += grad ? 5 : 0;
    *cols = net->arch.n_latent;
    if (strcmp(name, "q_mean") == 0)
        return grad ? lane->mean.grad : lane->mean.value;
    if (strcmp(name, "z") == 0)
        return grad ? lane->z.grad : lane->z.value;
    if (strcmp(name, "q_var") == 0)
        return grad ? NULL : lane->variance;
    return peek_block(net, lane, name, grad, cols);
}
