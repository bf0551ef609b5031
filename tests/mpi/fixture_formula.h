/** A made-up atlas whose every value is a function of cell and gene, so that any rank can say what
 * any other should hold. */
#ifndef SCS_TESTS_FIXTURE_FORMULA_H
#define SCS_TESTS_FIXTURE_FORMULA_H

#include "src/base/names.h"
#include "src/base/random.h"
#include "scscreen/shard.h"
#include "tests/unit/packing.h"

enum { FORMULA_CONDITIONS = 3, FORMULA_TYPES = 2 }; /* condition 0 is the control */

static inline float formula_uniform(int64_t cell, int32_t gene, uint32_t what)
{
    scs_stream stream = {.seed = 11,
                         .purpose = SCS_RANDOM_SIMULATE,
                         .epoch = (uint32_t)gene,
                         .cell = (uint64_t)cell};
    float u[4];

    scs_random_uniform(&stream, 4, u);
    return u[what];
}

/* Expression: two thirds are 0; integers from 1 to 8, so that ranks have ties; gene 0 is never
 * expressed. */
static inline float formula_value(int64_t cell, int32_t gene)
{
    if (gene == 0 || formula_uniform(cell, gene, 0) < 0.66F)
        return 0;
    return 1 + (float)(int)(8 * formula_uniform(cell, gene, 1));
}

static inline void formula_names(scs_names *names, const char *what, int32_t n)
{
    char name[32];

    for (int32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s%d", what, i);
        CHECK_OK(scs_names_add(names, name));
    }
}

/* One cell in five is for validation, one in seven is unused; type 1 under condition 2 is held out.
 */
static inline uint8_t formula_role(int64_t cell, int32_t type, int32_t condition)
{
    if (cell % 7 == 6)
        return SCS_ROLE_UNUSED;
    if (type == 1 && condition == 2)
        return SCS_ROLE_HELD_OUT;
    return cell % 5 == 4 ? SCS_ROLE_VALID : SCS_ROLE_TRAIN;
}

static inline void formula_label_cells(scs_dataset *d)
{
    for (int64_t i = 0; i < d->n_cell; i++) {
        d->cell_type[i] = (int32_t)(i / 2 % FORMULA_TYPES);
        d->cell_condition[i] = (int32_t)(i % FORMULA_CONDITIONS);
        d->role[i] = formula_role(i, d->cell_type[i], d->cell_condition[i]);
    }
}

/** Freed by scs_dataset_destroy. */
static inline scs_dataset *formula_dataset(int64_t n_cell, int32_t n_gene)
{
    scs_dataset *d = NULL;

    CHECK_OK(SCS_ALLOC(d, 1));
    d->n_cell = n_cell;
    d->n_gene = n_gene;
    formula_names(&d->genes, "gene", n_gene);
    formula_names(&d->species, "species", 1);
    formula_names(&d->cell_types, "type", FORMULA_TYPES);
    formula_names(&d->conditions, "condition", FORMULA_CONDITIONS);
    CHECK_OK(SCS_ALLOC(d->cell_species, n_cell));
    CHECK_OK(SCS_ALLOC(d->cell_type, n_cell));
    CHECK_OK(SCS_ALLOC(d->cell_condition, n_cell));
    CHECK_OK(SCS_ALLOC(d->role, n_cell));
    formula_label_cells(d);
    return d;
}

typedef float (*formula_fn)(int64_t row, int32_t column);

/** Rows [row0, row1) of a function's values. */
static inline scs_csr formula_matrix(formula_fn value, int64_t row0, int64_t row1, int32_t n_col)
{
    scs_csr x;
    int64_t k = 0;

    CHECK_OK(scs_csr_alloc(row1 - row0, n_col, (row1 - row0) * n_col, &x));
    for (int64_t i = row0; i < row1; i++) {
        for (int32_t j = 0; j < n_col; j++) {
            if (value(i, j) > 0) {
                x.indices[k] = j;
                x.values[k++] = value(i, j);
            }
        }
        x.indptr[i - row0 + 1] = k;
    }
    return x;
}

/** Cells [cell0, cell1). */
static inline scs_packed formula_cells(int64_t cell0, int64_t cell1, int32_t n_gene)
{
    scs_csr x = formula_matrix(formula_value, cell0, cell1, n_gene);

    return packed_away(&x);
}

static inline scs_packed formula_cells_plain(int64_t cell0, int64_t cell1, int32_t n_gene)
{
    scs_csr x = formula_matrix(formula_value, cell0, cell1, n_gene);
    scs_packed all = plainly_packed(&x);

    scs_csr_clear(&x);
    return all;
}

#endif
