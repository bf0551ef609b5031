/* The atlas' moments in latent space: for every group that is not held out, with z the posterior
 * means of its n cells,
 *
 *     mean = 1/n sum z        second = 1/n sum z z'        in double
 *
 * Each shard encodes its cells in blocks that are counted from the shard's start, and sums them
 * by group, in ascending row order; shards are added in the order of the team's tree. So the bits
 * do not depend on ranks or threads. Cost: one pass of the encoder over all cells, and n_cell d^2
 * / 2 additions. A sum takes d + d (d + 1) / 2 doubles a group (z z' is symmetric), and groups
 * may be many thousands: they are summed in blocks of so many that all shards' sums stay below
 * MOST_DOUBLES.
 */
#include "src/atlas/atlas.h"

#include "src/base/parallel.h"
#include "scscreen/latent.h"

#include <stdlib.h>

/* The analyzer cannot know that ranks which agree on success have no failure among them. */
#pragma GCC diagnostic ignored "-Wanalyzer-null-dereference"
#pragma GCC diagnostic ignored "-Wanalyzer-double-free"

enum {
    CELL_BLOCK = 256, /* cells encoded at once, counted from a shard's start: fixed BLAS shapes */
    MOST_DOUBLES = 1 << 22 /* doubles that all shards' sums may take at once: 32 MiB */
};

/* One shard's rows in the order of their groups, ascending within a group: sums run in that
 * order, and a group's rows are found at once. */
typedef struct rows_by_group {
    int64_t *first; /* [n_group + 1] into row */
    int64_t *row;
} rows_by_group;

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Threads take blocks; the first block that fails is the one reported. */
scs_status scs_atlas_encode_rows(const scs_model *model, const scs_packed *x, scs_real *z)
{
    int64_t n_block = (x->n_row + CELL_BLOCK - 1) / CELL_BLOCK;
    scs_parallel_error failure = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t b = 0; b < n_block; b++)
        scs_parallel_error_note(
            &failure, b,
            scs_model_encode(model, x, b * CELL_BLOCK,
                             (int32_t)min64(CELL_BLOCK, x->n_row - b * CELL_BLOCK),
                             z + b * CELL_BLOCK * model->arch.n_latent, NULL));
    return scs_parallel_error_raise(&failure);
}

/* @param[out] z [n_local] allocated here; the caller frees them, also after a failure */
static scs_status encode_all(const scs_model *model, const scs_shard *shard, int32_t n_local,
                             scs_real **z)
{
    for (int32_t s = 0; s < n_local; s++) {
        SCS_TRY(SCS_ALLOC(z[s], shard[s].x.n_row * model->arch.n_latent));
        SCS_TRY(scs_atlas_encode_rows(model, &shard[s].x, z[s]));
    }
    return SCS_OK;
}

/* Counting sort of a shard's rows by group, O(n_row + n_group); held-out groups and unused
 * cells get none. As in atlas.c counts begin two places on. SCS_ENOMEM; the caller frees. */
static scs_status sort_rows(const scs_atlas *atlas, const int32_t *group_of_cell,
                            const scs_shard *shard, rows_by_group *rows)
{
    int64_t n_row = shard->x.n_row;

    SCS_TRY(SCS_ALLOC(rows->first, (int64_t)atlas->n_group + 2));
    SCS_TRY(SCS_ALLOC(rows->row, n_row));
    for (int64_t i = 0; i < n_row; i++) {
        int32_t g = group_of_cell[shard->cell[i]];

        if (g >= 0 && !atlas->group[g].held_out)
            rows->first[g + 2]++;
    }
    for (int32_t g = 0; g < atlas->n_group; g++)
        rows->first[g + 2] += rows->first[g + 1];
    for (int64_t i = 0; i < n_row; i++) {
        int32_t g = group_of_cell[shard->cell[i]];

        if (g >= 0 && !atlas->group[g].held_out)
            rows->row[rows->first[g + 1]++] = i;
    }
    return SCS_OK;
}

/* Of all local shards; rows may be NULL. */
static void free_rows(rows_by_group *rows, int32_t n_local)
{
    for (int32_t s = 0; rows && s < n_local; s++) {
        free(rows[s].first);
        free(rows[s].row);
    }
    free(rows);
}

/* @param[out] rows [n_local] zeroed; free_rows frees them, also after a failure */
static scs_status sort_all(const scs_atlas *atlas, const scs_dataset *dataset,
                           const scs_shard *shard, int32_t n_local, rows_by_group *rows)
{
    int32_t *group_of_cell = NULL;
    scs_status st;

    SCS_GO(st, scs_atlas_cell_groups(atlas, dataset, &group_of_cell));
    for (int32_t s = 0; s < n_local; s++)
        SCS_GO(st, sort_rows(atlas, group_of_cell, &shard[s], &rows[s]));
done:
    free(group_of_cell);
    return st;
}

/* Doubles of a group: n_latent sums of z, then the upper triangle of the sums of z z'. */
static int64_t sum_length(int64_t n_latent)
{
    return n_latent + n_latent * (n_latent + 1) / 2;
}

/* Sums of one shard's cells of one group, products of the upper triangle alone. In double: z is
 * float32 and a group may have a million cells.
 * @param row [n_row] ascending  @param[out] sum [sum_length] */
static void add_cells(const scs_real *z, const int64_t *row, int64_t n_row, int32_t n_latent,
                      double *sum)
{
    for (int64_t i = 0; i < sum_length(n_latent); i++)
        sum[i] = 0;
    for (int64_t r = 0; r < n_row; r++) {
        const scs_real *cell = z + row[r] * n_latent;
        double *square = sum + n_latent;

        for (int32_t j = 0; j < n_latent; j++) {
            sum[j] += cell[j];
            for (int32_t k = j; k < n_latent; k++)
                *square++ += (double)cell[j] * cell[k];
        }
    }
}

/* Sums to means, the triangle to a full matrix: readers multiply by it.
 * @param sum of all shards [sum_length] */
static void set_moments(scs_atlas *atlas, int32_t group, const double *sum)
{
    int64_t d = atlas->n_latent;
    double n = (double)atlas->group[group].count;
    double *mean = atlas->mean + group * d, *second = atlas->second + group * d * d;

    for (int64_t j = 0; j < d; j++)
        mean[j] = sum[j] / n;
    sum += d;
    for (int64_t j = 0; j < d; j++)
        for (int64_t k = j; k < d; k++)
            second[j * d + k] = second[k * d + j] = *sum++ / n;
}

/* Sums of n groups from g0 over all shards, and their moments. A task is one group in one
 * shard. Collective.
 * @param partial [n_local, n, sum_length] scratch  @param total [n, sum_length] scratch */
static scs_status sum_groups(scs_atlas *atlas, const scs_team *team, const rows_by_group *rows,
                             scs_real *const *z, int32_t g0, int32_t n, double *partial,
                             double *total)
{
    int64_t len = sum_length(atlas->n_latent), n_task = (int64_t)(team->last - team->first) * n;

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < n_task; i++) {
        const rows_by_group *of = &rows[i / n];
        int64_t first = of->first[g0 + i % n];

        add_cells(z[i / n], of->row + first, of->first[g0 + i % n + 1] - first, atlas->n_latent,
                  partial + i * len);
    }
    SCS_TRY(team->sum(team->ctx, partial, n * len, total));
    for (int32_t g = 0; g < n; g++)
        set_moments(atlas, g0 + g, total + g * len);
    return SCS_OK;
}

/* All groups, block by block. A block is cut by what every rank knows alike (V and the sum's
 * length), as all must call the collective sum equally often. Collective. */
static scs_status sum_all(scs_atlas *atlas, const scs_team *team, const rows_by_group *rows,
                          scs_real *const *z)
{
    int64_t len = sum_length(atlas->n_latent), n_local = team->last - team->first;
    int64_t block = MOST_DOUBLES / (len * team->n_shard);
    double *partial = NULL, *total = NULL;
    scs_status st;

    block = min64(block > 0 ? block : 1, atlas->n_group);
    st = SCS_ALLOC(partial, n_local * block * len);
    if (st == SCS_OK)
        st = SCS_ALLOC(total, block * len);
    SCS_GO(st, team->agree(team->ctx, st));
    for (int64_t g = 0; g < atlas->n_group; g += block)
        SCS_GO(st, sum_groups(atlas, team, rows, z, (int32_t)g,
                              (int32_t)min64(block, atlas->n_group - g), partial, total));
done:
    free(partial);
    free(total);
    return st;
}

/* Of each shard; the array itself stays. */
static void free_latent(scs_real **z, int32_t n_local)
{
    for (int32_t s = 0; z && s < n_local; s++) {
        free(z[s]);
        z[s] = NULL;
    }
}

/* Sorts before it sums: the ranks agree once, and the collective sums that follow are the same
 * number on each. */
scs_status scs_atlas_encode_sum(scs_atlas *atlas, const scs_dataset *dataset,
                                const scs_shard *shard, const scs_team *team, scs_real *const *z)
{
    int32_t n_local = team->last - team->first;
    rows_by_group *rows = NULL;
    scs_status st = SCS_ALLOC(rows, n_local);

    if (st == SCS_OK)
        st = sort_all(atlas, dataset, shard, n_local, rows);
    SCS_GO(st, team->agree(team->ctx, st));
    SCS_GO(st, sum_all(atlas, team, rows, z));
done:
    free_rows(rows, n_local);
    return st;
}

/* What one rank can check and do alone; the ranks agree afterwards. SCS_EINTERNAL, SCS_ENOMEM. */
static scs_status encode_checked(const scs_atlas *atlas, const scs_model *model,
                                 const scs_shard *shard, int32_t n_local, scs_real **z)
{
    SCS_REQUIRE(atlas->n_latent == model->arch.n_latent, SCS_EINTERNAL,
                "atlas of %d latent units, model of %d", atlas->n_latent, model->arch.n_latent);
    return encode_all(model, shard, n_local, z);
}

/* On success the latent cells go to the caller, where asked for; else all are freed here. */
scs_status scs_atlas_encode(scs_atlas *atlas, const scs_model *model, const scs_dataset *dataset,
                            const scs_shard *shard, const scs_team *team, scs_real **z)
{
    int32_t n_local = team->last - team->first;
    scs_real **latent = NULL;
    scs_status st = SCS_ALLOC(latent, n_local);

    if (st == SCS_OK)
        st = encode_checked(atlas, model, shard, n_local, latent);
    SCS_GO(st, team->agree(team->ctx, st));
    SCS_GO(st, scs_atlas_encode_sum(atlas, dataset, shard, team, latent));
    for (int32_t s = 0; z && s < n_local; s++) {
        z[s] = latent[s];
        latent[s] = NULL;
    }
done:
    free_latent(latent, n_local);
    free(latent);
    return st;
}
