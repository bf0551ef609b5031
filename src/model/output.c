/* The output layer: which of its two forms a step takes, and the sum of dH over genes in the
 * dense one.
 *
 * A cost model decides from batch, genes, hidden units and density, which are alike on all ranks,
 * and never from the number of ranks: a choice that depended on it would change bits. Measured on
 * one thread (hidden 800, CPU time a step, dense -> factored): 7,000 genes, batch 512 217 -> 230
 * ms, 1,024 406 -> 327, 4,096 1,532 -> 874; 20,000 genes, 1,024 963 -> 739.
 */
#include "src/model/output.h"

#include "src/kernels/nonzeros.h"
#include "src/model/gene_split.h"
#include "src/model/layout.h"
#include "src/model/linear.h"
#include "src/model/output_dense.h"
#include "src/model/output_factored.h"
#include "scscreen/model.h"

#include <stdlib.h>
#include <string.h>

/* Dense multiply-adds that take the time of one of a sparse product (OpenBLAS beside
 * src/kernels/sparse.c, both on one core with AVX-512). */
static const double sparse_cost = 2.5;

/* Triangles of W'W and H'H cost half of d^2 a row each; H (W'W) and W (H'H) cost all of it. */
bool scs_output_factors(const scs_arch *arch, double n_global, double density)
{
    double n_gene = arch->n_gene, d = arch->n_hidden;
    /* x_hat, its gradient times W, its gradient times H */
    double dense = 3 * n_global * n_gene * d;
    /* X W and X'H; of W'W and H'H the upper triangles; H (W'W) and W (H'H) */
    double factored =
        2 * sparse_cost * density * n_global * n_gene * d + 1.5 * d * d * (n_gene + n_global);

    return !arch->output_relu && factored < dense;
}

/* Activations and their gradients are gathered for the two layers that touch genes; otherwise the
 * gradients of both would be summed over ranks. */
bool scs_output_splits(const scs_arch *arch, int64_t n_global)
{
    return 2 * n_global <= arch->n_gene;
}

/* ---- the layer ---- */

/* Both forms' workspaces are made when a step first takes them: the last, small step of an epoch
 * may go dense where all others are factored. */
struct scs_output {
    scs_arch arch;
    int32_t n_part, max_rows;
    bool use_factored;       /* in the following steps */
    scs_output_dense *dense; /* NULL until a step goes that way */
    int64_t dense_rows;      /* that it has room for: few where only small batches go that way */
    scs_output_factored *factored; /* NULL until a step goes that way */
    const scs_real **hidden;       /* [n_part] the parts' */
    scs_real **share;              /* [n_part] what the parts' slices add to dH */
};

scs_status scs_output_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                             scs_output **output)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*output, 1));
    **output = (scs_output){.arch = *arch, .n_part = n_part, .max_rows = max_rows};
    SCS_GO(st, SCS_ALLOC((*output)->hidden, n_part));
    SCS_GO(st, SCS_ALLOC((*output)->share, n_part));
    return SCS_OK;
done:
    scs_output_destroy(output);
    return st;
}

void scs_output_destroy(scs_output **output)
{
    if (!*output)
        return;
    scs_output_dense_destroy(&(*output)->dense);
    scs_output_factored_destroy(&(*output)->factored);
    free((*output)->hidden);
    free((*output)->share);
    free(*output);
    *output = NULL;
}

/* Room for the dense form grows with the batch and is made again where it is too small; the
 * factored form's is for max_rows from the start. */
scs_status scs_output_prepare(scs_output *output, bool factored, const scs_team *team,
                              int64_t n_row)
{
    output->use_factored = factored;
    if (factored && !output->factored)
        return scs_output_factored_create(&output->arch, output->n_part, output->max_rows,
                                          &output->factored);
    if (!factored && n_row > output->dense_rows) {
        scs_output_dense_destroy(&output->dense);
        output->dense_rows = 0;
        SCS_TRY(scs_output_dense_create(&output->arch, team->n_shard, output->n_part, n_row,
                                        &output->dense));
        output->dense_rows = n_row;
    }
    return SCS_OK;
}

/* dH [cells of all shards, n_hidden] is the sum of what all slices of the genes add; each rank
 * takes its own cells' rows. Collective. */
static scs_status sum_hidden_gradients(scs_output *output, const scs_team *team,
                                       const scs_gene_split *split, scs_output_part *part)
{
    scs_real *own = scs_output_dense_share(output->dense, 0) + split->bound[split->first];

    for (int32_t p = 0; p < output->n_part; p++)
        output->share[p] = scs_output_dense_share(output->dense, p);
    SCS_TRY(team->reduce_slice(team->ctx, output->share, split->bound, false, own));
    for (int32_t p = 0; p < output->n_part; p++) {
        const int64_t *bound = split->bound + split->first + p;

        memcpy(part[p].grad_hidden, own + (bound[0] - split->bound[split->first]),
               (size_t)(bound[1] - bound[0]) * sizeof *own);
    }
    return SCS_OK;
}

/* The squared error of a slice's genes over all cells is put down as a part's: only the sum over
 * parts is read. */
static scs_status dense_step(scs_output *output, scs_real *param, double scale,
                             const scs_team *team, const scs_gene_split *split,
                             const scs_step_hooks *hooks, scs_output_part *part)
{
    scs_output_dense_step(output->dense, param, scale, split, hooks, part[0].grad);
    for (int32_t p = 0; p < output->n_part; p++)
        part[p].squared_error = scs_output_dense_error(output->dense, p);
    return sum_hidden_gradients(output, team, split, part);
}

scs_status scs_output_step(scs_output *output, scs_real *param, double scale, const scs_team *team,
                           scs_gene_split *split, const scs_step_hooks *hooks,
                           scs_output_part *part)
{
    for (int32_t p = 0; p < output->n_part; p++)
        output->hidden[p] = part[p].hidden;
    if (split)
        SCS_TRY(scs_gene_split_gather(split, team, output->hidden));
    if (output->use_factored)
        return scs_output_factored_step(output->factored, param, scale, team, split, part);
    return dense_step(output, param, scale, team, split, hooks, part);
}

/* ---- losses and predictions ---- */

scs_loss scs_output_loss(const scs_arch *arch, double squared_error, double kl, int32_t n)
{
    return (scs_loss){.objective = 0.5 * squared_error + arch->kl_factor * arch->kl_weight * kl,
                      .reconstruction = squared_error,
                      .kl = kl,
                      .n = n};
}

/* Dense, for a few cells: the only place where [n, n_gene] predictions exist. */
void scs_output_decode(const scs_arch *arch, const scs_real *param, const scs_real *hidden,
                       int32_t n, scs_real *x)
{
    scs_layout layout;
    scs_flow flow = {.n = n, .in = hidden, .out = x};

    scs_layout_build(arch, &layout);
    scs_linear_forward(&layout.out, param, &flow, 1);
    for (int64_t i = 0; arch->output_relu && i < (int64_t)n * arch->n_gene; i++)
        x[i] = x[i] < 0 ? 0 : x[i]; /* a NaN stays one */
}
