#include "src/mean_decoder.h"

#include "src/simd.h"

#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 16, /* genes of a panel */
    PANELS = 4, /* of a task */
    ROWS = 8    /* at most, whose sums, of a panel, stay in registers */
};

struct scs_mean_decoder {
    int32_t n_gene, n_hidden, n_panel;
    scs_real *panel;      /* [n_panel, n_hidden, WIDTH] weights, 0 past the last gene */
    const scs_real *bias; /* [n_gene] */
};

scs_status scs_mean_decoder_create(const scs_model *model, scs_mean_decoder **decoder)
{
    const scs_real *weight =
        scs_model_data(model, scs_model_find(model, "decoder.linear_out.weight"));
    int32_t d = model->arch.n_hidden;
    scs_mean_decoder *m;
    scs_status st;

    SCS_TRY(SCS_ALLOC(*decoder, 1));
    m = *decoder;
    m->n_gene = model->arch.n_gene;
    m->n_hidden = d;
    m->n_panel = (m->n_gene + WIDTH - 1) / WIDTH;
    m->bias = scs_model_data(model, scs_model_find(model, "decoder.linear_out.bias"));
    SCS_GO(st, SCS_ALLOC(m->panel, (int64_t)m->n_panel * d * WIDTH));
    for (int64_t g = 0; g < m->n_gene; g++)
        for (int32_t j = 0; j < d; j++)
            m->panel[(g / WIDTH * d + j) * WIDTH + g % WIDTH] = weight[g * d + j];
    return SCS_OK;
done:
    scs_mean_decoder_destroy(decoder);
    return st;
}

void scs_mean_decoder_destroy(scs_mean_decoder **decoder)
{
    if (*decoder)
        free((*decoder)->panel);
    free(*decoder);
    *decoder = NULL;
}

int scs_mean_decoder_tasks(const scs_mean_decoder *decoder)
{
    return (decoder->n_panel + PANELS - 1) / PANELS;
}

int64_t scs_mean_decoder_work(const scs_mean_decoder *decoder)
{
    return (int64_t)decoder->n_hidden * WIDTH;
}

/* ---- kinds of processors ---- */

#define SCS_KERNEL(name) name##_plain
#define SCS_VECTOR_BYTES 16
#define SCS_ROWS 1
#include "src/mean_kernel.h"

#if SCS_HAS_CLONES
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define SCS_KERNEL(name) name##_v3
#define SCS_VECTOR_BYTES 32
#define SCS_ROWS 2
#include "src/mean_kernel.h"
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
#define SCS_KERNEL(name) name##_v4
#define SCS_VECTOR_BYTES 64
#define SCS_ROWS 8 /* ROWS */
#include "src/mean_kernel.h"
#pragma GCC pop_options
#endif

/* ---- panels ---- */

SCS_VECTOR static void widen(const scs_real *panel, int64_t n, double *out)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        out[i] = panel[i];
}

/* @param panel as doubles */
static void run_panel(const scs_mean_decoder *m, int32_t g0, const double *panel,
                      const double *hidden, int64_t n, double *mean)
{
    int32_t d = m->n_hidden, width = m->n_gene - g0 < WIDTH ? m->n_gene - g0 : WIDTH;
    double out[ROWS * WIDTH] = {0};

    for (int64_t first = 0, taken; first < n; first += taken) {
        taken = SCS_OF_PROCESSOR(multiply)(panel, hidden + first * d, d, n - first, out);
        for (int64_t i = 0; i < taken; i++)
            for (int32_t g = 0; g < width; g++)
                mean[(first + i) * m->n_gene + g0 + g] = out[i * WIDTH + g] + m->bias[g0 + g];
    }
}

void scs_mean_decoder_run(const scs_mean_decoder *decoder, int task, const double *hidden,
                          int64_t n, double *work, double *mean)
{
    int64_t size = scs_mean_decoder_work(decoder);

    for (int32_t p = task * PANELS; p < decoder->n_panel && p < (task + 1) * PANELS; p++) {
        widen(decoder->panel + p * size, size, work);
        run_panel(decoder, p * WIDTH, work, hidden, n, mean);
    }
}
