#include "src/packed.h"
#include "src/trainer.h"

#include <stdlib.h>

static void add_cell(scs_row cell, double *sum)
{
    for (int64_t k = 0; k < cell.n; k++)
        sum[scs_row_gene(&cell, k)] += scs_row_value(&cell, k);
}

/* Sums over each local shard's training cells. @param sum [n_local, n_gene] zeroed */
static void sum_genes(const scs_trainer *t, double *sum)
{
    for (int32_t i = 0; i < t->n_local; i++) {
        const scs_packed *x = &t->shard[i].x;

        for (int64_t r = 0; r < t->shard[i].n_train; r++)
            add_cell(scs_packed_row(x, r), sum + (int64_t)i * x->n_col);
    }
}

scs_status scs_trainer_center(scs_trainer *t)
{
    int32_t n_gene = t->model->arch.n_gene;
    double *sum, *total, n = 0;
    scs_real *bias = scs_model_data(t->model, scs_model_find(t->model, "decoder.linear_out.bias"));
    scs_status st = SCS_ALLOC(sum, ((int64_t)t->n_local + 1) * n_gene);

    SCS_GO(st, t->team->agree(t->team->ctx, st));
    sum_genes(t, sum);
    total = sum + (int64_t)t->n_local * n_gene;
    SCS_GO(st, t->team->sum(t->team->ctx, sum, n_gene, total));
    for (int32_t v = 0; v < t->deal->n_shard; v++)
        n += (double)t->deal->n_train[v];
    for (int32_t g = 0; g < n_gene; g++)
        bias[g] = (scs_real)(total[g] / n);
done:
    free(sum);
    return st;
}
