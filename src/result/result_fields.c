#include "src/result/gene_sets.h"
#include "scscreen/result.h"

#include <stddef.h>
#include <string.h>

typedef enum part { GENES, LATENT, TOP, SETS, ROW, SCORE, TRUST } part;

typedef enum need {
    ALWAYS,
    DENSE,
    VARIANCE,
    DENSE_BOOTSTRAP,
    BOOTSTRAP,
    PERMUTATIONS,
    TOP_GENES,
    GENE_SETS
} need;

/* Where a field's rows are: a pointer in scs_result_rows, or (SCORE, TRUST) a number in each
 * scs_scores or scs_confidence. */
typedef struct source {
    const char *path;
    part part;
    size_t offset;
    need need;
    int type;
} source;

enum { BLOCK_MOST = 256, BLOCK_BYTES = 16 << 20, BLOCKS_LEAST = 64, CHEAP_BLOCKS_LEAST = 16 };

/* Floating-point operations of a block that is done in a moment. */
static const double cheap = 5e10;

#define FIELD(name, of, owner, member, when, kind)                                                 \
    {                                                                                              \
        .path = (name), .part = (of), .offset = offsetof(owner, member), .need = (when),           \
        .type = SCS_VALUE_##kind                                                                   \
    }
#define ROWS(name, of, member, when, kind) FIELD(name, of, scs_result_rows, member, when, kind)
#define TRUSTS(member, when, kind) FIELD("obs/" #member, TRUST, scs_confidence, member, when, kind)
#define SCORES(member) FIELD("obs/" #member, SCORE, scs_scores, member, ALWAYS, DOUBLE)

static const source sources[] = {
    ROWS("X", GENES, x, DENSE, FLOAT),
    ROWS("layers/control", GENES, control, DENSE, FLOAT),
    ROWS("layers/shift", GENES, shift, DENSE, FLOAT),
    ROWS("layers/variance", GENES, variance, VARIANCE, FLOAT),
    ROWS("layers/shift_se", GENES, shift_se, DENSE_BOOTSTRAP, FLOAT),
    ROWS("obsm/delta", LATENT, delta, ALWAYS, FLOAT),
    ROWS("obsm/delta_se", LATENT, delta_se, BOOTSTRAP, FLOAT),
    ROWS("obsm/top_up", TOP, top_up, TOP_GENES, INT32),
    ROWS("obsm/top_up_shift", TOP, top_up_shift, TOP_GENES, FLOAT),
    ROWS("obsm/top_down", TOP, top_down, TOP_GENES, INT32),
    ROWS("obsm/top_down_shift", TOP, top_down_shift, TOP_GENES, FLOAT),
    ROWS("obsm/gene_set_score", SETS, set_score, GENE_SETS, FLOAT),
    ROWS("obsm/gene_set_z", SETS, set_z, GENE_SETS, FLOAT),
    ROWS("obs/delta_norm", ROW, delta_norm, ALWAYS, DOUBLE),
    TRUSTS(delta_se, BOOTSTRAP, DOUBLE),
    TRUSTS(energy_distance, ALWAYS, DOUBLE),
    TRUSTS(agreement, ALWAYS, DOUBLE),
    TRUSTS(support, ALWAYS, DOUBLE),
    TRUSTS(support_flag, ALWAYS, BOOL),
    TRUSTS(p_value, PERMUTATIONS, DOUBLE),
    TRUSTS(q_value, PERMUTATIONS, DOUBLE),
    SCORES(r2_all),
    SCORES(r2_deg),
    SCORES(r2_variance),
    SCORES(delta_pearson),
    SCORES(r2_all_control),
    SCORES(r2_deg_control),
};

enum { N_SOURCE = sizeof sources / sizeof *sources };

_Static_assert((int)N_SOURCE <= (int)SCS_RESULT_FIELDS, "scscreen/result.h has too little room");

size_t scs_result_fields_value_size(int type)
{
    static const size_t size[] = {[SCS_VALUE_FLOAT] = sizeof(float),
                                  [SCS_VALUE_DOUBLE] = sizeof(double),
                                  [SCS_VALUE_BOOL] = 1,
                                  [SCS_VALUE_INT32] = sizeof(int32_t)};

    return size[type];
}

/* Blocks enough for all ranks to have some; fewer where even one rank is soon done with all. */
static bool leaves_enough(const scs_plan *plan, int64_t rows)
{
    double cost = 0;

    for (int64_t i = 0; i < plan->n; i++)
        cost += plan->item[i].cost / (double)plan->n;
    return rows * BLOCKS_LEAST <= plan->n ||
           (rows * CHEAP_BLOCKS_LEAST <= plan->n && (double)rows * cost <= cheap);
}

int64_t scs_result_fields_block_rows(const scs_result_head *head)
{
    /* bytes of a row at work: four layers, and means and controls in double */
    int64_t row = (int64_t)head->atlas->n_gene * 32 + 1, rows = 1;

    while (2 * rows <= BLOCK_MOST && 2 * rows * row <= BLOCK_BYTES &&
           leaves_enough(head->plan, 2 * rows))
        rows *= 2;
    return rows;
}

int32_t scs_result_fields(const scs_result_head *head, scs_result_field *field)
{
    const int64_t cols[] = {[GENES] = head->atlas->n_gene,
                            [LATENT] = head->atlas->n_latent,
                            [TOP] = head->top_genes,
                            [SETS] = head->gene_sets ? head->gene_sets->name.n : 0,
                            [ROW] = 0,
                            [SCORE] = 0,
                            [TRUST] = 0};
    const bool is_there[] = {[ALWAYS] = true,
                             [DENSE] = head->dense,
                             [VARIANCE] = head->dense && head->variance,
                             [DENSE_BOOTSTRAP] = head->dense && head->bootstrap,
                             [BOOTSTRAP] = head->bootstrap,
                             [PERMUTATIONS] = head->permutations,
                             [TOP_GENES] = head->top_genes > 0,
                             [GENE_SETS] = head->gene_sets != NULL};
    int32_t n = 0;

    for (int i = 0; i < N_SOURCE; i++)
        if (is_there[sources[i].need])
            field[n++] = (scs_result_field){.path = sources[i].path,
                                            .type = sources[i].type,
                                            .cols = cols[sources[i].part],
                                            .late = sources[i].need == PERMUTATIONS};
    return n;
}

/* One member of each of n structs, close together. */
static const void *gather(const void *structs, size_t step, const source *s, int64_t n,
                          void *scratch)
{
    size_t size = scs_result_fields_value_size(s->type);

    for (int64_t i = 0; i < n; i++)
        memcpy((char *)scratch + (size_t)i * size,
               (const char *)structs + (size_t)i * step + s->offset, size);
    return scratch;
}

/* @return NULL for a path that is not in the table */
static const source *find(const char *path)
{
    for (const source *s = sources; s < sources + N_SOURCE; s++)
        if (strcmp(s->path, path) == 0)
            return s;
    return NULL;
}

bool scs_result_fields_place(const scs_result_field *field, const void *values, int64_t first,
                             int64_t n, scs_result_rows *rows)
{
    const source *s = find(field->path);
    size_t size = scs_result_fields_value_size(field->type), step;
    char *to;

    if (!s || (s->part != ROW && s->part != SCORE && s->part != TRUST))
        return false;
    step = s->part == ROW     ? size
           : s->part == SCORE ? sizeof *rows->score
                              : sizeof *rows->confidence;
    to = s->part == ROW     ? *(char *const *)((char *)rows + s->offset)
         : s->part == SCORE ? (char *)rows->score + s->offset
                            : (char *)rows->confidence + s->offset;
    for (int64_t i = 0; i < n; i++)
        memcpy(to + (size_t)(first + i) * step, (const char *)values + (size_t)i * size, size);
    return true;
}

const void *scs_result_fields_data(const scs_result_rows *rows, const scs_result_field *field,
                                   double *scratch)
{
    const source *s = find(field->path);

    if (!s)
        return NULL;
    if (s->part == SCORE)
        return gather(rows->score, sizeof *rows->score, s, rows->n, scratch);
    if (s->part == TRUST)
        return gather(rows->confidence, sizeof *rows->confidence, s, rows->n, scratch);
    return *(void *const *)((const char *)rows + s->offset);
}
