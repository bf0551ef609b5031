/* Rows through the decoder and the encoder, and means in latent space.
 *
 * Means are summed shard by shard in ascending order of rows, in double, and over shards in the
 * team's tree, as those of the atlas are (src/atlas/atlas_encode.c); sets are summed in blocks of
 * so many that all shards' sums stay below MOST_DOUBLES. */
#include "mpi/job/decoded.h"

#include "mpi/comm/collectives.h"
#include "mpi/job/session_model.h"
#include "src/base/parallel.h"
#include "src/data/packed.h"

#include <stdlib.h>

enum { STEP = 256, MOST_DOUBLES = 1 << 22 };

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

scs_status scs_decoded_rows(const scs_model *model, const scs_real *z, int64_t n, scs_real *x)
{
    int64_t n_step = (n + STEP - 1) / STEP;
    scs_parallel_error failure = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t b = 0; b < n_step; b++)
        scs_parallel_error_note(&failure, b,
                                scs_model_decode(model, z + b * STEP * model->arch.n_latent,
                                                 (int32_t)min64(STEP, n - b * STEP),
                                                 x + b * STEP * model->arch.n_gene));
    return scs_parallel_error_raise(&failure);
}

/* Rows as the encoder reads them: the values that are not 0. */
static scs_status encode_step(const scs_model *model, const scs_real *x, int64_t n, scs_real *z)
{
    int64_t n_gene = model->arch.n_gene, at = 0;
    scs_csr rows = {0};
    scs_packed packed = {0};
    scs_status st;

    SCS_GO(st, scs_csr_alloc(n, model->arch.n_gene, n * n_gene, &rows));
    for (int64_t i = 0; i < n; i++) {
        for (int64_t g = 0; g < n_gene; g++)
            if (x[i * n_gene + g] != 0) {
                rows.indices[at] = (int32_t)g;
                rows.values[at++] = (float)x[i * n_gene + g];
            }
        rows.indptr[i + 1] = at;
    }
    SCS_GO(st, scs_packed_make(&rows, &packed));
    SCS_GO(st, scs_model_encode(model, &packed, 0, (int32_t)n, z, NULL));
done:
    scs_csr_clear(&rows);
    scs_packed_clear(&packed);
    return st;
}

scs_status scs_decoded_encode(const scs_model *model, const scs_real *x, int64_t n, scs_real *z)
{
    for (int64_t i = 0; i < n; i += STEP)
        SCS_TRY(encode_step(model, x + i * model->arch.n_gene, min64(STEP, n - i),
                            z + i * model->arch.n_latent));
    return SCS_OK;
}

scs_cell_rows scs_decoded_share(const scs_comm *comm, int64_t n)
{
    int64_t n_step = (n + STEP - 1) / STEP, rank = scs_comm_rank(comm);
    int32_t n_rank = scs_comm_size(comm);
    int64_t first = min64(n_step * rank / n_rank * STEP, n);

    return (scs_cell_rows){.n = min64(n_step * (rank + 1) / n_rank * STEP, n) - first,
                           .first = first};
}

scs_status scs_decoded_check(const scs_session *session, const char *verb)
{
    SCS_REQUIRE(session->config->model.kind == SCS_MODEL_VAE, SCS_EARG,
                "%s: model.kind: %s has no network, and %s needs one; set it to vae",
                session->config->file,
                session->config->model.kind == SCS_MODEL_PCA ? "pca" : "mean", verb);
    return SCS_OK;
}

/* ---- means ---- */

/* Sums of sets [first, first + n) in one shard. @param[out] sum [n, n_latent] */
static void add_shard(const scs_shard *shard, const scs_real *z, int64_t n_latent,
                      const int32_t *set, int32_t first, int32_t n, double *sum)
{
    for (int64_t i = 0; i < n * n_latent; i++)
        sum[i] = 0;
    for (int64_t i = 0; i < shard->x.n_row; i++) {
        int32_t k = set[shard->cell[i]];

        if (k < first || k >= first + n)
            continue;
        for (int64_t j = 0; j < n_latent; j++)
            sum[(k - first) * n_latent + j] += z[i * n_latent + j];
    }
}

/* Some sets at a time. Collective. @param partial [n_local, block, n_latent] scratch */
static scs_status sum_sets(const scs_session *s, const int32_t *set, int32_t n_set, int32_t block,
                           double *partial, double *mean)
{
    int64_t d = scs_session_model_n_latent(s);
    int32_t n_local = s->team.last - s->team.first;

    for (int32_t k = 0; k < n_set; k += block) {
        int32_t n = n_set - k < block ? n_set - k : block;

#pragma omp parallel for schedule(dynamic)
        for (int32_t i = 0; i < n_local; i++)
            add_shard(&s->shard[i], s->z[i], d, set, k, n, partial + i * n * d);
        SCS_TRY(s->team.sum(s->team.ctx, partial, n * d, mean + k * d));
    }
    return SCS_OK;
}

scs_status scs_decoded_means(const scs_session *s, const int32_t *set, int32_t n_set,
                             int64_t *count, double *mean)
{
    int64_t d = scs_session_model_n_latent(s), n_local = s->team.last - s->team.first;
    int64_t block = MOST_DOUBLES / (d * s->team.n_shard);
    double *partial = NULL;
    scs_status st;

    block = min64(block > 0 ? block : 1, n_set);
    SCS_GO(st, scs_comm_agree(s->comm, SCS_ALLOC(partial, n_local * block * d)));
    SCS_GO(st, sum_sets(s, set, n_set, (int32_t)block, partial, mean));
    for (int32_t k = 0; k < n_set; k++)
        count[k] = 0;
    for (int64_t c = 0; c < s->dataset->n_cell; c++)
        if (set[c] >= 0)
            count[set[c]]++;
    for (int32_t k = 0; k < n_set; k++)
        for (int64_t j = 0; j < d && count[k] > 0; j++)
            mean[k * d + j] /= (double)count[k];
done:
    free(partial);
    return st;
}
