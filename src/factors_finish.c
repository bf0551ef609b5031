/* W (Hc'Hc), added to the sum over all shards. */
#include "src/factors.h"
#include "src/simd.h"

#include <cblas.h>
#include <stdlib.h>

enum { TILE = SCS_FACTOR_TILE };

/* Elements [first, last) of one row of W. @param scratch [d] */
static void finish_part_of_row(const scs_factors *f, const scs_real *weight, int64_t first,
                               int64_t last, scs_real *scratch, scs_real *sum)
{
    int64_t row = first / f->d * f->d;

    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, 1, f->d, f->d, 1, weight + row, f->d,
             f->cell_gram, f->d, 0, scratch, f->d);
    for (int64_t i = first; i < last; i++)
        sum[i - first] += scratch[i - row];
}

static void finish_rows(const scs_factors *f, const scs_real *weight, int64_t first, int64_t last,
                        scs_real *sum)
{
    int64_t n_row = (last - first) / f->d;

#pragma omp parallel for if (SCS_WORTH_THREADS((double)n_row * f->d * f->d))
    for (int64_t row = 0; row < n_row; row += TILE)
        SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans,
                 (int32_t)(n_row - row < TILE ? n_row - row : TILE), f->d, f->d, 1,
                 weight + first + row * f->d, f->d, f->cell_gram, f->d, 1, sum + row * f->d, f->d);
}

/* Elements [first, last) of W: whole rows, and at both ends the rows that pieces share. */
static void finish_piece(const scs_factors *f, const scs_real *weight, int64_t first, int64_t last,
                         scs_real *scratch, scs_real *sum)
{
    int64_t d = f->d, head = (first + d - 1) / d * d, tail = last / d * d;

    if (head > last)
        head = last;
    if (first < head)
        finish_part_of_row(f, weight, first, head, scratch, sum);
    if (head < tail)
        finish_rows(f, weight, head, tail, sum + (head - first));
    else
        tail = head;
    if (tail < last)
        finish_part_of_row(f, weight, tail, last, scratch, sum + (tail - first));
}

scs_status scs_factors_finish(const scs_factors *f, const scs_real *param, const scs_team *team,
                              scs_real *slice)
{
    int64_t begin = f->dense.weight, size = (int64_t)f->dense.n_out * f->d, lo, hi;
    scs_real *scratch;

    SCS_TRY(SCS_ALLOC(scratch, f->d));
    scs_team_slice(team, f->n_param, &lo, &hi);
    for (int64_t v = team->first; v < team->last; v++) {
        int64_t first = f->n_param * v / team->n_shard - begin;
        int64_t last = f->n_param * (v + 1) / team->n_shard - begin;

        first = first < 0 ? 0 : first;
        last = last > size ? size : last;
        if (first < last)
            finish_piece(f, param + begin, first, last, scratch, slice + (begin + first - lo));
    }
    free(scratch);
    return SCS_OK;
}
