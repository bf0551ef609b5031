/* Rounding before adding: shift = 1.5 2^E with 2^E > 2 n bound, then (shift + t) - shift is t to a
 * multiple of 2^(E - 52), and n of these stay below 2^53 of these multiples. What that leaves of t
 * is added beside it in the same way, to multiples that are finer by 2^52 / (8 n): one cell whose
 * values are a million times those of the others takes nothing from their sums.
 *
 * One pass through the cells for a product: a cell's row is near when its eight numbers y = V'(x -
 * c) are made and when x y' is added to the genes' sums. Beside the genes stands one more row, of
 * the sums of y, which takes c's own rounding out of the product: sum x y' - c (sum y)' is the
 * product of a symmetric matrix whatever c is.
 *
 * Rank 0 searches, the others serve: they wait for a block, or for word that there are no more. */
#include "mpi/pca/cell_product.h"

#include "src/base/simd.h"
#include "src/base/vector.h"
#include "src/data/packed.h"
#include "src/kernels/lanczos.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { B = SCS_LANCZOS_BLOCK };

typedef struct product {
    scs_comm *comm;
    const scs_cells *part;
    int32_t n_part, n_gene;
    int64_t n_cell;       /* of all ranks */
    const double *center; /* [n_gene] */
    double bound;         /* no x y of a cell is larger, for a unit vector */
    double *block;        /* [n_gene, B] */
    double *sum;          /* [n_thread, n_gene + 1, 2, B], coarse and fine */
    int n_thread;
} product;

typedef struct shifts {
    double coarse, fine;
} shifts;

/* See the head. @param bound no term is larger */
static double shift_for(double bound, int64_t n)
{
    double most = bound * (double)n;

    return most > 0 ? ldexp(1.5, ilogb(most) + 2) : 0;
}

/* What the coarse rounding leaves is at most one of its multiples. */
static shifts shifts_for(double bound, int64_t n)
{
    double coarse = shift_for(bound, n);

    return (shifts){coarse, shift_for(ldexp(coarse, -52), n)};
}

/* t into two sums whose terms can come in any order. */
static inline void add(double t, shifts s, double *coarse, double *fine)
{
    double much = (s.coarse + t) - s.coarse;

    *coarse += much;
    *fine += (s.fine + (t - much)) - s.fine;
}

static scs_status allocate(product *p)
{
    p->n_thread = omp_get_max_threads();
    SCS_TRY(SCS_ALLOC(p->block, (int64_t)p->n_gene * B));
    return SCS_ALLOC(p->sum, (int64_t)p->n_thread * (p->n_gene + 1) * 2 * B);
}

static scs_status add_over_ranks(const product *p, double *sum, int n)
{
    return scs_comm_mpi_status(
        MPI_Allreduce(MPI_IN_PLACE, sum, n, MPI_DOUBLE, MPI_SUM, scs_comm_mpi(p->comm)),
        "MPI_Allreduce");
}

static scs_status largest_over_ranks(const product *p, double *value, int n)
{
    return scs_comm_mpi_status(
        MPI_Allreduce(MPI_IN_PLACE, value, n, MPI_DOUBLE, MPI_MAX, scs_comm_mpi(p->comm)),
        "MPI_Allreduce");
}

/* ---- means and total variance ---- */

/* What bounds need to know of the cells. */
typedef struct extent {
    double value;  /* largest |x| */
    double square; /* largest |x|^2 of a cell */
    double both;   /* largest |x_g| |x| of a cell */
} extent;

/* Added along the row: the same bits wherever the cell is. */
static double row_square(const scs_row *cell)
{
    double sum = 0;

    for (int64_t k = 0; k < cell->n; k++)
        sum += (double)scs_row_value(cell, k) * (double)scs_row_value(cell, k);
    return sum;
}

static void measure(const product *p, extent *e)
{
    for (int32_t part = 0; part < p->n_part; part++)
        for (int64_t i = 0; i < p->part[part].n; i++) {
            scs_row cell = scs_packed_row(p->part[part].x, p->part[part].first + i);
            double largest = 0, square = row_square(&cell);

            for (int64_t k = 0; k < cell.n; k++)
                largest = fmax(largest, fabs((double)scs_row_value(&cell, k)));
            e->value = fmax(e->value, largest);
            e->square = fmax(e->square, square);
            e->both = fmax(e->both, largest * sqrt(square));
        }
}

/* Sums of genes into sum [n_gene + 1, 2], of squares behind them. */
static void add_cells(const product *p, const extent *e, double *sum)
{
    shifts value = shifts_for(e->value, p->n_cell), square = shifts_for(e->square, p->n_cell);
    double *last = sum + (int64_t)p->n_gene * 2;

    for (int32_t part = 0; part < p->n_part; part++)
        for (int64_t i = 0; i < p->part[part].n; i++) {
            scs_row cell = scs_packed_row(p->part[part].x, p->part[part].first + i);

            for (int64_t k = 0; k < cell.n; k++) {
                double *to = sum + (int64_t)scs_row_gene(&cell, k) * 2;

                add(scs_row_value(&cell, k), value, to, to + 1);
            }
            add(row_square(&cell), square, last, last + 1);
        }
}

/* (sum of x^2 - n c'c) / (n - 1). Collective. */
static scs_status center(product *p, scs_pca *pca)
{
    extent e = {0};
    double n = (double)p->n_cell, square;

    measure(p, &e);
    SCS_TRY(largest_over_ranks(p, &e.value, 1));
    SCS_TRY(largest_over_ranks(p, &e.square, 1));
    SCS_TRY(largest_over_ranks(p, &e.both, 1));
    add_cells(p, &e, p->sum);
    SCS_TRY(add_over_ranks(p, p->sum, 2 * (p->n_gene + 1)));
    for (int32_t g = 0; g < p->n_gene; g++)
        pca->center[g] = (p->sum[2 * g] + p->sum[2 * g + 1]) / n;
    p->center = pca->center;
    square = scs_vector_dot(p->center, p->center, p->n_gene);
    pca->total_variance =
        (p->sum[2 * p->n_gene] + p->sum[2 * p->n_gene + 1] - n * square) / (n - 1);
    /* |y| <= |x| + |c| for a vector of length 1, which lengths are but for rounding; the row of
     * sums of y stands for a value of 1. */
    p->bound = 1.001 * fmax(e.both + e.value * sqrt(square), sqrt(e.square) + sqrt(square));
    return SCS_OK;
}

/* ---- product ---- */

/* One cell. @param origin [B] V'c  @param sum [n_gene + 1, 2, B]  @param last row of it */
static SCS_VECTOR void add_cell(const scs_row *cell, const double *block, const double *origin,
                                shifts s, double *sum, double *last)
{
    double y[B];

    for (int c = 0; c < B; c++)
        y[c] = -origin[c];
    for (int64_t k = 0; k < cell->n; k++) {
        const double *v = block + (int64_t)scs_row_gene(cell, k) * B;
        double x = scs_row_value(cell, k);

        for (int c = 0; c < B; c++)
            y[c] += x * v[c];
    }
    for (int64_t k = 0; k < cell->n; k++) {
        double *to = sum + (int64_t)scs_row_gene(cell, k) * 2 * B, x = scs_row_value(cell, k);

        for (int c = 0; c < B; c++)
            add(x * y[c], s, to + c, to + B + c);
    }
    for (int c = 0; c < B; c++)
        add(y[c], s, last + c, last + B + c);
}

/* This rank's cells, on all threads, into sum [n_gene + 1, 2, B]. */
static void add_products(const product *p)
{
    int64_t size = (int64_t)(p->n_gene + 1) * 2 * B;
    shifts s = shifts_for(p->bound, p->n_cell);
    double origin[B] = {0};

    for (int64_t g = 0; g < p->n_gene; g++)
        scs_vector_add(origin, p->block + g * B, p->center[g], B);
    memset(p->sum, 0, (size_t)p->n_thread * (size_t)size * sizeof *p->sum);
#pragma omp parallel num_threads(p->n_thread)
    {
        double *sum = p->sum + omp_get_thread_num() * size;

        for (int32_t part = 0; part < p->n_part; part++) {
#pragma omp for schedule(static) nowait
            for (int64_t i = 0; i < p->part[part].n; i++) {
                scs_row cell = scs_packed_row(p->part[part].x, p->part[part].first + i);

                add_cell(&cell, p->block, origin, s, sum, sum + size - (int64_t)2 * B);
            }
        }
    }
    for (int t = 1; t < p->n_thread; t++)
        scs_vector_add(p->sum, p->sum + t * size, 1, size);
}

/* All ranks have the block; the sum comes to rank 0. Collective. */
static scs_status multiply(const product *p)
{
    int size = (p->n_gene + 1) * 2 * B;
    MPI_Comm mpi = scs_comm_mpi(p->comm);
    bool leads = scs_comm_rank(p->comm) == 0;

    SCS_MPI(MPI_Bcast(p->block, p->n_gene * B, MPI_DOUBLE, 0, mpi));
    add_products(p);
    SCS_MPI(MPI_Reduce(leads ? MPI_IN_PLACE : p->sum, p->sum, size, MPI_DOUBLE, MPI_SUM, 0, mpi));
    return SCS_OK;
}

/* Word from rank 0 whether there is a block to come. Collective. */
static scs_status tell(const product *p, int *more)
{
    SCS_MPI(MPI_Bcast(more, 1, MPI_INT, 0, scs_comm_mpi(p->comm)));
    return SCS_OK;
}

/* Hook of the search, on rank 0. */
static scs_status apply(void *ctx, const double *block, double *image)
{
    const product *p = ctx;
    const double *all = p->sum + (int64_t)p->n_gene * 2 * B;
    int more = 1;

    memcpy(p->block, block, (size_t)p->n_gene * B * sizeof *block);
    SCS_TRY(tell(p, &more));
    SCS_TRY(multiply(p));
    for (int64_t g = 0; g < p->n_gene; g++)
        for (int c = 0; c < B; c++) {
            const double *sum = p->sum + g * 2 * B + c;

            image[g * B + c] =
                (sum[0] + sum[B] - p->center[g] * (all[c] + all[B + c])) / (double)(p->n_cell - 1);
        }
    return SCS_OK;
}

static scs_status lead(product *p, int most, scs_pca *pca, bool *found)
{
    scs_status st = scs_lanczos(apply, p, p->n_gene, pca->n_component, most, pca->variance,
                                pca->loading, found);
    int more = 0;
    scs_status told = tell(p, &more);

    return st != SCS_OK ? st : told;
}

static scs_status serve(const product *p)
{
    int more = 1;

    for (;;) {
        SCS_TRY(tell(p, &more));
        if (!more)
            return SCS_OK;
        SCS_TRY(multiply(p));
    }
}

/* From rank 0 to all. Collective. */
static scs_status share(const product *p, scs_pca *pca, bool *found)
{
    MPI_Comm mpi = scs_comm_mpi(p->comm);
    int all = *found;

    SCS_MPI(MPI_Bcast(&all, 1, MPI_INT, 0, mpi));
    *found = all;
    SCS_MPI(MPI_Bcast(pca->variance, pca->n_component, MPI_DOUBLE, 0, mpi));
    for (int32_t g = 0; g < p->n_gene; g += 1024) {
        int n = p->n_gene - g < 1024 ? p->n_gene - g : 1024;

        SCS_MPI(MPI_Bcast(pca->loading + (int64_t)g * pca->n_component, n * pca->n_component,
                          MPI_DOUBLE, 0, mpi));
    }
    return SCS_OK;
}

scs_status scs_cell_product_components(scs_comm *comm, const scs_cells *part, int32_t n_part,
                                       int64_t n_cell, int most, scs_pca *pca, bool *found)
{
    product p = {
        .comm = comm, .part = part, .n_part = n_part, .n_gene = pca->n_gene, .n_cell = n_cell};
    scs_status st;

    *found = false;
    SCS_GO(st, scs_comm_agree(comm, allocate(&p)));
    SCS_GO(st, center(&p, pca));
    SCS_GO(st,
           scs_comm_agree(comm, scs_comm_rank(comm) == 0 ? lead(&p, most, pca, found) : serve(&p)));
    SCS_GO(st, share(&p, pca, found));
    pca->n_cell = n_cell;
done:
    free(p.block);
    free(p.sum);
    return st;
}
