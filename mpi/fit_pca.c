#include "mpi/fit_pca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static scs_status check_size(const scs_gram *gram, int32_t n_component)
{
    SCS_REQUIRE(n_component <= gram->n && n_component < gram->n_cell, SCS_EARG,
                "model.latent: %d components need as many genes and more cells; there are %d genes "
                "and %lld cells",
                n_component, gram->n, (long long)gram->n_cell);
    return SCS_OK;
}

/* Sum of squares of each component over some cells, added to `square`. */
static scs_status add_squares(const scs_pca *pca, const scs_cells *part, double *square)
{
    int64_t k = pca->n_component;
    scs_real *z;
    scs_status st;

    SCS_TRY(SCS_ALLOC(z, part->n * k));
    st = scs_pca_encode(pca, part->x, part->first, part->n, z);
    for (int64_t i = 0; st == SCS_OK && i < part->n; i++)
        for (int64_t c = 0; c < k; c++)
            square[c] += (double)z[i * k + c] * z[i * k + c];
    free(z);
    return st;
}

/* The cells' variance along orthogonal directions equals the falling eigenvalues only where these
 * are the eigenvectors. */
static scs_status compare_variance(const scs_pca *pca, const double *square)
{
    for (int32_t c = 0; c < pca->n_component; c++) {
        double found = square[c] / (double)(pca->n_cell - 1);

        SCS_REQUIRE(fabs(found - pca->variance[c]) <= 1e-4 * pca->variance[0], SCS_ENUMERIC,
                    "component %d: the cells vary by %g along it, its eigenvalue is %g: ScaLAPACK "
                    "gave wrong eigenvectors; try another number of ranks",
                    c + 1, found, pca->variance[c]);
    }
    return SCS_OK;
}

static scs_status check_components(scs_comm *comm, const scs_pca *pca, const scs_cells *part,
                                   int32_t n)
{
    double *square = NULL;
    scs_status st = SCS_ALLOC(square, pca->n_component);

    for (int32_t p = 0; p < n && st == SCS_OK; p++)
        st = add_squares(pca, &part[p], square);
    SCS_GO(st, scs_agree(comm, st));
    SCS_GO(st, scs_mpi_status(MPI_Allreduce(MPI_IN_PLACE, square, pca->n_component, MPI_DOUBLE,
                                            MPI_SUM, scs_comm_mpi(comm)),
                              "MPI_Allreduce"));
    SCS_GO(st, scs_agree(comm, compare_variance(pca, square)));
done:
    free(square);
    return st;
}

static scs_status fit(scs_gram *gram, const scs_cells *part, int32_t n, int32_t n_component,
                      scs_pca **pca)
{
    scs_comm *comm = gram->mesh.comm;
    scs_pca *p;

    SCS_TRY(scs_gram_add(gram, part, n));
    SCS_TRY(scs_agree(comm, check_size(gram, n_component)));
    SCS_TRY(scs_agree(comm, scs_pca_create(gram->n, n_component, pca)));
    p = *pca;
    SCS_TRY(scs_agree(comm, scs_gram_center(gram)));
    SCS_TRY(scs_gram_trace(gram, &p->total_variance));
    SCS_TRY(scs_gram_eigen(gram, n_component, p->variance, p->loading));
    memcpy(p->center, gram->sum, (size_t)gram->n * sizeof *p->center);
    p->n_cell = gram->n_cell;
    scs_pca_orient(p);
    return check_components(comm, p, part, n);
}

scs_status scs_pca_fit(scs_comm *comm, const scs_cells *part, int32_t n, int32_t n_gene,
                       int32_t n_component, scs_pca **pca)
{
    int block = scs_gram_block(n_gene, n_component, scs_comm_size(comm));
    scs_gram gram;
    scs_status st;

    *pca = NULL;
    st = scs_gram_open(comm, n_gene, block, &gram);
    if (st == SCS_OK)
        st = fit(&gram, part, n, n_component, pca);
    scs_gram_close(&gram);
    if (st != SCS_OK)
        scs_pca_destroy(pca);
    return st;
}
