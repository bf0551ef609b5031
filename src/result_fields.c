#include "scscreen/result.h"

#include <string.h>

typedef enum part { GENES, LATENT, ROW, SCORE } part;

/* Where a field's rows are: a pointer in scs_result_rows, or (SCORE) a number in each scs_scores.
 */
typedef struct source {
    const char *path;
    part part;
    size_t offset;
} source;

#define ROWS(member) offsetof(scs_result_rows, member)
#define SCORES(member) "obs/" #member, SCORE, offsetof(scs_scores, member)

static const source sources[] = {
    {"X", GENES, ROWS(x)},
    {"layers/control", GENES, ROWS(control)},
    {"layers/shift", GENES, ROWS(shift)},
    {"layers/variance", GENES, ROWS(variance)},
    {"obsm/delta", LATENT, ROWS(delta)},
    {"obs/delta_norm", ROW, ROWS(delta_norm)},
    {SCORES(r2_all)},
    {SCORES(r2_deg)},
    {SCORES(r2_variance)},
    {SCORES(delta_pearson)},
    {SCORES(r2_all_control)},
    {SCORES(r2_deg_control)},
};
enum { N_SOURCE = sizeof sources / sizeof *sources };
_Static_assert((int)N_SOURCE <= (int)SCS_RESULT_FIELDS, "scscreen/result.h has too little room");

int32_t scs_result_fields(const scs_result_head *head, scs_result_field *field)
{
    const int64_t cols[] = {
        [GENES] = head->atlas->n_gene, [LATENT] = head->atlas->n_latent, [ROW] = 0, [SCORE] = 0};
    int32_t n = 0;

    for (int i = 0; i < N_SOURCE; i++) {
        part p = sources[i].part;

        if (sources[i].offset == ROWS(variance) && p == GENES && !head->variance)
            continue;
        field[n++] = (scs_result_field){sources[i].path, p == ROW || p == SCORE, cols[p]};
    }
    return n;
}

const void *scs_result_data(const scs_result_rows *rows, const scs_result_field *field,
                            double *scratch)
{
    const source *s = sources;

    while (s < sources + N_SOURCE && strcmp(s->path, field->path) != 0)
        s++;
    if (s == sources + N_SOURCE)
        return NULL;
    if (s->part != SCORE)
        return *(void *const *)((const char *)rows + s->offset);
    for (int64_t i = 0; i < rows->n; i++)
        memcpy(&scratch[i], (const char *)&rows->score[i] + s->offset, sizeof *scratch);
    return scratch;
}
