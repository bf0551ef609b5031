#include "src/output.h"

#include "src/linear.h"
#include "src/output_dense.h"
#include "src/output_factored.h"

#include <stdlib.h>

struct scs_output {
    scs_arch arch;
    int32_t n_part, max_rows;
    bool factored;        /* the way of the following steps */
    scs_tiled *tiled;     /* NULL until a step goes that way */
    int32_t tiled_rows;   /* that it has room for: few where only small batches go that way */
    scs_factors *factors; /* the same */
};

scs_status scs_output_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                             scs_output **output)
{
    SCS_TRY(SCS_ALLOC(*output, 1));
    (*output)->arch = *arch;
    (*output)->n_part = n_part;
    (*output)->max_rows = max_rows;
    return SCS_OK;
}

void scs_output_destroy(scs_output **output)
{
    if (!*output)
        return;
    scs_tiled_destroy(&(*output)->tiled);
    scs_factors_destroy(&(*output)->factors);
    free(*output);
    *output = NULL;
}

scs_status scs_output_prepare(scs_output *output, bool factored, int32_t rows)
{
    output->factored = factored;
    if (factored && !output->factors)
        return scs_factors_create(&output->arch, output->n_part, output->max_rows,
                                  &output->factors);
    if (!factored && rows > output->tiled_rows) {
        scs_tiled_destroy(&output->tiled);
        output->tiled_rows = 0;
        SCS_TRY(scs_tiled_create(&output->arch, output->n_part, rows, &output->tiled));
        output->tiled_rows = rows;
    }
    return SCS_OK;
}

scs_status scs_output_step(scs_output *output, const scs_real *param, double scale,
                           const scs_team *team, scs_output_part *part)
{
    if (output->factored)
        return scs_factors_step(output->factors, param, scale, team, part);
    scs_tiled_step(output->tiled, param, scale, part);
    return SCS_ALIKE;
}

scs_loss scs_loss_of(const scs_arch *arch, double squared_error, double kl, int32_t n)
{
    return (scs_loss){.objective = 0.5 * squared_error + arch->kl_factor * arch->kl_weight * kl,
                      .reconstruction = squared_error,
                      .kl = kl,
                      .n = n};
}

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
