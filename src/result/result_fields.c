/* The numeric fields of a result, one row of a table each: path, where its values are, when it is
 * there, type. All functions are Local.
 *
 * The skeleton, the writer of rows, a stopped screen that goes on, and the checksum of what a
 * file holds all walk along this table, so that a new column of obs is one line here and a member
 * in its struct. Fields stand in the order in which they are written.
 *
 * Rows are written in blocks. A block is a power of two of rows that fits some MiB, with blocks
 * enough for all ranks to have some: by the screen alone and never by the number of ranks, so
 * that a stopped screen goes on with the same blocks on any number of them.
 *
 * A new column: a member of scs_scores or scs_confidence (NaN for rows without a prediction), and
 * its line in the table. Writing, going on and reading back follow; doc/result-format.md has to
 * name it, or a test fails.
 */
#include "src/result/gene_sets.h"
#include "scscreen/result.h"

#include <stddef.h>
#include <string.h>

/* What a field has in each row: a value a gene, a latent unit, a top gene, a set; or one
 * number, in an array of its own, in scs_scores or in scs_confidence. */
typedef enum place { GENES, LATENT, TOP, SETS, ROW, SCORE, CONFIDENCE } place;

/* When a field is there. */
typedef enum need {
    ALWAYS,
    DENSE,
    VARIANCE,
    DENSE_ERRORS,
    TESTS,
    BOOTSTRAP,
    PERMUTATIONS,
    TOP_GENES,
    GENE_SETS
} need;

/* A row of the table. Where the values are: a pointer in scs_result_rows, or (SCORE,
 * CONFIDENCE) a number in each scs_scores or scs_confidence. */
typedef struct field_row {
    const char *path;
    place place;
    size_t offset;
    need need;
    int type;
} field_row;

enum {
    BLOCK_MOST = 256,       /* rows of a block */
    BLOCK_BYTES = 16 << 20, /* of a block while it is made */
    BLOCKS_LEAST = 64,      /* of a screen, where it has so many rows */
    CHEAP_BLOCKS_LEAST = 16 /* where a block is done in a moment */
};

/* Floating-point operations of a block that is done in a moment. */
static const double cheap_block = 5e10;

#define FIELD(name, of, owner, member, when, kind)                                                 \
    {                                                                                              \
        .path = (name), .place = (of), .offset = offsetof(owner, member), .need = (when),          \
        .type = SCS_VALUE_##kind                                                                   \
    }
#define ROWS(name, of, member, when, kind) FIELD(name, of, scs_result_rows, member, when, kind)
#define CONFIDENCES(member, when, kind)                                                            \
    FIELD("obs/" #member, CONFIDENCE, scs_confidence, member, when, kind)
#define SCORES(member) FIELD("obs/" #member, SCORE, scs_scores, member, ALWAYS, DOUBLE)

static const field_row fields[] = {
    ROWS("X", GENES, x, DENSE, FLOAT),
    ROWS("layers/control", GENES, control, DENSE, FLOAT),
    ROWS("layers/shift", GENES, shift, DENSE, FLOAT),
    ROWS("layers/variance", GENES, variance, VARIANCE, FLOAT),
    ROWS("layers/shift_se", GENES, shift_se, DENSE_ERRORS, FLOAT),
    ROWS("layers/log2fc", GENES, log2fc, TESTS, FLOAT),
    ROWS("layers/p_de", GENES, p_de, TESTS, DOUBLE),
    ROWS("layers/q_de", GENES, q_de, TESTS, DOUBLE),
    ROWS("obsm/delta", LATENT, delta, ALWAYS, FLOAT),
    ROWS("obsm/delta_se", LATENT, delta_se, BOOTSTRAP, FLOAT),
    ROWS("obsm/top_up", TOP, top_up, TOP_GENES, INT32),
    ROWS("obsm/top_up_shift", TOP, top_up_shift, TOP_GENES, FLOAT),
    ROWS("obsm/top_down", TOP, top_down, TOP_GENES, INT32),
    ROWS("obsm/top_down_shift", TOP, top_down_shift, TOP_GENES, FLOAT),
    ROWS("obsm/gene_set_score", SETS, set_score, GENE_SETS, FLOAT),
    ROWS("obsm/gene_set_z", SETS, set_z, GENE_SETS, FLOAT),
    ROWS("obs/delta_norm", ROW, delta_norm, ALWAYS, DOUBLE),
    CONFIDENCES(delta_se, BOOTSTRAP, DOUBLE),
    CONFIDENCES(energy_distance, ALWAYS, DOUBLE),
    CONFIDENCES(agreement, ALWAYS, DOUBLE),
    CONFIDENCES(support, ALWAYS, DOUBLE),
    CONFIDENCES(support_flag, ALWAYS, BOOL),
    CONFIDENCES(p_value, PERMUTATIONS, DOUBLE),
    CONFIDENCES(q_value, PERMUTATIONS, DOUBLE),
    SCORES(r2_all),
    SCORES(r2_deg),
    SCORES(r2_variance),
    SCORES(delta_pearson),
    SCORES(r2_all_control),
    SCORES(r2_deg_control),
    SCORES(change_size),
};

enum { N_FIELD = sizeof fields / sizeof *fields };

_Static_assert((int)N_FIELD <= (int)SCS_RESULT_FIELDS, "scscreen/result.h has too little room");

/* As scs_result_type has it in memory and in the file. */
size_t scs_result_fields_value_size(int type)
{
    static const size_t size[] = {[SCS_VALUE_FLOAT] = sizeof(float),
                                  [SCS_VALUE_DOUBLE] = sizeof(double),
                                  [SCS_VALUE_BOOL] = 1,
                                  [SCS_VALUE_INT32] = sizeof(int32_t)};

    return size[type];
}

/* Whether blocks of so many rows are enough for all ranks to have some: BLOCKS_LEAST of them,
 * or fewer where the mean row is so cheap that even one rank is soon done with all. By the
 * screen alone. */
static bool leaves_enough(const scs_plan *plan, int64_t rows)
{
    double cost = 0;

    for (int64_t i = 0; i < plan->n; i++)
        cost += plan->item[i].cost / (double)plan->n;
    return rows * BLOCKS_LEAST <= plan->n ||
           (rows * CHEAP_BLOCKS_LEAST <= plan->n && (double)rows * cost <= cheap_block);
}

/* Powers of two as long as a block fits the memory, is not too many rows, and leaves blocks
 * enough. */
int64_t scs_result_fields_block_rows(const scs_result_head *head)
{
    /* bytes of a row at work: four layers, and means and controls in double */
    int64_t row = (int64_t)head->atlas->n_gene * 32 + 1, rows = 1;

    while (2 * rows <= BLOCK_MOST && 2 * rows * row <= BLOCK_BYTES &&
           leaves_enough(head->plan, 2 * rows))
        rows *= 2;
    return rows;
}

/* The rows of the table whose need is met, in its order. p and q are late: they are known when
 * all permutations of all rows are. */
int32_t scs_result_fields(const scs_result_head *head, scs_result_field *field)
{
    const int64_t cols[] = {[GENES] = head->atlas->n_gene,
                            [LATENT] = head->atlas->n_latent,
                            [TOP] = head->top_genes,
                            [SETS] = head->gene_sets ? head->gene_sets->name.n : 0,
                            [ROW] = 0,
                            [SCORE] = 0,
                            [CONFIDENCE] = 0};
    const bool is_there[] = {[ALWAYS] = true,
                             [DENSE] = head->dense,
                             [VARIANCE] = head->dense && head->variance,
                             [DENSE_ERRORS] = head->dense && head->errors,
                             [TESTS] = head->dense && head->tests,
                             [BOOTSTRAP] = head->bootstrap,
                             [PERMUTATIONS] = head->permutations,
                             [TOP_GENES] = head->top_genes > 0,
                             [GENE_SETS] = head->gene_sets != NULL};
    int32_t n = 0;

    for (int i = 0; i < N_FIELD; i++)
        if (is_there[fields[i].need])
            field[n++] = (scs_result_field){.path = fields[i].path,
                                            .type = fields[i].type,
                                            .cols = cols[fields[i].place],
                                            .late = fields[i].need == PERMUTATIONS ||
                                                    fields[i].need == TESTS};
    return n;
}

/* One member of each of n structs, close together. @param step bytes of a struct  @return
 * scratch */
static const void *gather_member(const void *structs, size_t step, const field_row *s, int64_t n,
                                 void *scratch)
{
    size_t size = scs_result_fields_value_size(s->type);

    for (int64_t i = 0; i < n; i++)
        memcpy((char *)scratch + (size_t)i * size,
               (const char *)structs + (size_t)i * step + s->offset, size);
    return scratch;
}

/* @return NULL for a path that is not in the table */
static const field_row *find(const char *path)
{
    for (const field_row *s = fields; s < fields + N_FIELD; s++)
        if (strcmp(s->path, path) == 0)
            return s;
    return NULL;
}

/* The number goes to where its row has it; the table's offset says which member. Fields of more
 * than one number a row are not asked for when a screen goes on: they are in the file. */
bool scs_result_fields_place(const scs_result_field *field, const void *values, int64_t first,
                             int64_t n, scs_result_rows *rows)
{
    const field_row *s = find(field->path);
    size_t size = scs_result_fields_value_size(field->type), step;
    char *to;

    if (!s || (s->place != ROW && s->place != SCORE && s->place != CONFIDENCE))
        return false;
    step = s->place == ROW     ? size
           : s->place == SCORE ? sizeof *rows->score
                               : sizeof *rows->confidence;
    to = s->place == ROW     ? *(char *const *)((char *)rows + s->offset)
         : s->place == SCORE ? (char *)rows->score + s->offset
                             : (char *)rows->confidence + s->offset;
    for (int64_t i = 0; i < n; i++)
        memcpy(to + (size_t)(first + i) * step, (const char *)values + (size_t)i * size, size);
    return true;
}

/* No copy where the rows lie close together as they are; NULL for a path that is not in the
 * table. */
const void *scs_result_fields_data(const scs_result_rows *rows, const scs_result_field *field,
                                   double *scratch)
{
    const field_row *s = find(field->path);

    if (!s)
        return NULL;
    if (s->place == SCORE)
        return gather_member(rows->score, sizeof *rows->score, s, rows->n, scratch);
    if (s->place == CONFIDENCE)
        return gather_member(rows->confidence, sizeof *rows->confidence, s, rows->n, scratch);
    return *(void *const *)((const char *)rows + s->offset);
}
