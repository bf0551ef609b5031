/* Predicted cells, one from each template (recipe.h).
 *
 * Cost of a cell: its template's and its donor's counts, and the genes that must be drawn although
 * neither of the two shows them. These are few: a gene that rises by less than its donor type has
 * is a thinned donor's count, and nothing thinned is nothing. Which genes have to be drawn depends
 * on how the library of the template compares with the donor's, so lists are kept for powers of 2
 * of that ratio, and a cell takes the next larger one.
 *
 * Every random number is of the stream of its cell, at a place that its gene gives: a cell is the
 * same whichever rank, thread or block makes it. */
#include "src/cells/recipe.h"

#include "src/base/parallel.h"
#include "src/cells/draw.h"

#include <math.h>
#include <stdlib.h>

/* Lists are for ratios of libraries up to 2^LEAST .. 2^(LEAST + LEVELS - 2), the last for any. */
enum { LEAST = -4, LEVELS = 14 };

/* How far from the template's place in the order of libraries the donor may stand. */
enum { NEIGHBOURS = 3 };

/* A cell's own uniforms. */
enum { U_DONOR, U_PLACE };

/* Genes of one donor type and one ratio of libraries. */
typedef struct list {
    int32_t n, *gene; /* ascending */
} list;

struct scs_recipe {
    scs_recipe_parts parts;
    int32_t n_gene;
    double *keep;       /* [n_gene] share of the template's counts that stays, at most 1 */
    double *add;        /* [n_gene] counts to add for each count of the template's library */
    double *dispersion; /* [n_gene] of the donors' cells */
    double *until;      /* [donors] weights added up */
    list *drawn;        /* [donors, LEVELS] genes that are drawn even if no count is there */
};

/* ---- what is alike in all cells ---- */

/* Drawn a little to 0.5, for genes of few counts. */
static scs_status estimate_dispersion(scs_recipe *r)
{
    scs_dispersion sum = {0};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(sum.excess, r->n_gene));
    SCS_GO(st, SCS_ALLOC(sum.square, r->n_gene));
    for (int32_t i = 0; i < r->parts.donors->n; i++)
        SCS_GO(st, scs_count_group_disperse(r->parts.donor[i], &sum));
    for (int32_t g = 0; g < r->n_gene; g++)
        r->dispersion[g] = fmax(.001, (sum.excess[g] + 1) / (sum.square[g] + 2));
done:
    free(sum.excess);
    free(sum.square);
    return st;
}

/* What a template's count keeps, and what has to come to it: a gene either falls or rises. */
static void compare_means(scs_recipe *r)
{
    for (int32_t g = 0; g < r->n_gene; g++) {
        double control = r->parts.control->cpm[g],
               wanted = r->parts.library_factor * r->parts.mean[g];

        r->keep[g] = wanted < control ? wanted / control : 1;
        r->add[g] = wanted > control ? (wanted - control) * 1e-6 : 0;
    }
}

/* Genes that a donor of this type may lack and yet be drawn. @param ratio of the libraries, at most
 */
static scs_status list_drawn(const scs_recipe *r, const double *cpm, double ratio, list *l)
{
    SCS_TRY(SCS_ALLOC(l->gene, r->n_gene));
    for (int32_t g = 0; g < r->n_gene; g++)
        if (r->add[g] > 0 && r->add[g] * ratio > cpm[g] * 1e-6)
            l->gene[l->n++] = g;
    return SCS_OK;
}

/* O(donors LEVELS n_gene), once for all cells of a combination. */
static scs_status prepare(scs_recipe *r)
{
    int32_t n = r->parts.donors->n;
    double until = 0;

    SCS_TRY(SCS_ALLOC(r->keep, r->n_gene));
    SCS_TRY(SCS_ALLOC(r->add, r->n_gene));
    SCS_TRY(SCS_ALLOC(r->dispersion, r->n_gene));
    SCS_TRY(SCS_ALLOC(r->until, n));
    SCS_TRY(SCS_ALLOC(r->drawn, n * LEVELS));
    SCS_TRY(estimate_dispersion(r));
    compare_means(r);
    for (int32_t i = 0; i < n; i++) {
        r->until[i] = until += r->parts.donors->weight[i];
        for (int l = 0; l < LEVELS; l++)
            SCS_TRY(list_drawn(r, r->parts.donor[i]->cpm,
                               l < LEVELS - 1 ? ldexp(1, LEAST + l) : INFINITY,
                               &r->drawn[i * LEVELS + l]));
    }
    return SCS_OK;
}

/* The parts are borrowed until it is destroyed. */
scs_status scs_recipe_create(const scs_recipe_parts *parts, scs_recipe **recipe)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*recipe, 1));
    **recipe = (scs_recipe){.parts = *parts, .n_gene = parts->control->x.n_col};
    st = prepare(*recipe);
    if (st != SCS_OK)
        scs_recipe_destroy(recipe);
    return st;
}

/* NULL, and what was made in part, are let through. */
void scs_recipe_destroy(scs_recipe **recipe)
{
    scs_recipe *r = *recipe;

    if (!r)
        return;
    for (int32_t i = 0; r->drawn && i < r->parts.donors->n * LEVELS; i++)
        free(r->drawn[i].gene);
    free(r->drawn);
    free(r->until);
    free(r->dispersion);
    free(r->add);
    free(r->keep);
    free(r);
    *recipe = NULL;
}

/* ---- one cell ---- */

/* One cell in the making. */
typedef struct cell {
    const scs_recipe *recipe;
    scs_stream stream;
    scs_row control, donor; /* template's and donor's counts */
    double library, donor_library;
    const double *donor_cpm;
    const list *drawn;
    int32_t donor_at;
} cell;

/* A donor type by weight, of it the cell whose place among libraries is the template's. */
static void choose_donor(cell *c, int32_t control)
{
    const scs_recipe *r = c->recipe;
    double u = scs_draw_uniform(&c->stream, U_DONOR), place;
    const scs_count_group *d;
    int64_t at;

    while (c->donor_at < r->parts.donors->n - 1 && u > r->until[c->donor_at])
        c->donor_at++;
    d = r->parts.donor[c->donor_at];
    place = (r->parts.control->rank[control] + .5) / (double)r->parts.control->x.n_row;
    at = (int64_t)(place * (double)d->x.n_row) - NEIGHBOURS +
         (int64_t)(scs_draw_uniform(&c->stream, U_PLACE) * (2 * NEIGHBOURS + 1));
    at = at < 0 ? 0 : at >= d->x.n_row ? d->x.n_row - 1 : at;
    c->donor = scs_packed_row(&d->x, d->by_library[at]);
    c->donor_library = d->library[d->by_library[at]];
    c->donor_cpm = d->cpm;
}

/* The list of the next larger power of 2, or the last. */
static void choose_list(cell *c)
{
    int level = LEVELS - 1;

    if (c->donor_library > 0 && c->library < ldexp(c->donor_library, LEAST + LEVELS - 2))
        for (level = 0; ldexp(c->donor_library, LEAST + level) < c->library;)
            level++;
    c->drawn = &c->recipe->drawn[c->donor_at * LEVELS + level];
}

/* @param number of the predicted cell  @param control its template's place in the group */
static cell begin(const scs_recipe *r, int64_t number, int32_t control)
{
    const scs_count_group *g = r->parts.control;
    cell c = {.recipe = r,
              .stream = scs_draw_cell(r->parts.key, number),
              .control = scs_packed_row(&g->x, control),
              .library = g->library[control]};

    choose_donor(&c, control);
    choose_list(&c);
    return c;
}

/* Counts that are added to a gene that rises. @param y the donor's */
static int64_t added(const cell *c, int32_t gene, int64_t y)
{
    double mean = c->recipe->add[gene] * c->library;
    double own = c->donor_cpm[gene] * 1e-6 * c->donor_library;

    if (own <= 0)
        return scs_draw_poisson(&c->stream, gene, mean);
    if (mean <= own)
        return scs_draw_thin(&c->stream, gene, y, mean / own);
    return y + scs_draw_rise(&c->stream, gene, y, mean / own, own, c->recipe->dispersion[gene]);
}

/* @param y, d the template's and the donor's count */
static int64_t count_of(const cell *c, int32_t gene, int64_t y, int64_t d)
{
    if (c->recipe->add[gene] > 0)
        return y + added(c, gene, d);
    return scs_draw_thin(&c->stream, gene, y, c->recipe->keep[gene]);
}

/* The value of entry *at if it is this gene's, which is then passed. */
static int64_t take(const scs_row *row, int32_t *at, int32_t gene)
{
    if (*at >= row->n || scs_row_gene(row, *at) != gene)
        return 0;
    return (int64_t)scs_row_value(row, (*at)++);
}

/* Behind the last entry: a gene that is behind all others. */
static int32_t gene_at(const scs_row *row, int32_t at)
{
    return at < row->n ? scs_row_gene(row, at) : INT32_MAX;
}

/* Most entries that the cell may have. */
static int64_t most_entries(const cell *c)
{
    int64_t n = (int64_t)c->control.n + c->donor.n + c->drawn->n;

    return n < c->recipe->n_gene ? n : c->recipe->n_gene;
}

/* Three ascending lists of genes merged. @param[out] n entries  @return SCS_EDATA: a count that is
 * too large */
static scs_status make_cell(const cell *c, int32_t *gene, int32_t *count, int32_t *n,
                            int64_t *library)
{
    int32_t i = 0, j = 0, k = 0;

    *n = 0;
    *library = 0;
    for (;;) {
        int32_t x = gene_at(&c->control, i), y = gene_at(&c->donor, j);
        int32_t z = k < c->drawn->n ? c->drawn->gene[k] : INT32_MAX;
        int32_t g = x < y ? x : y;
        int64_t in_control, in_donor, made;

        g = g < z ? g : z;
        if (g == INT32_MAX)
            return SCS_OK;
        k += z == g;
        in_control = take(&c->control, &i, g);
        in_donor = take(&c->donor, &j, g);
        made = count_of(c, g, in_control, in_donor);
        if (made == 0)
            continue;
        SCS_REQUIRE(made <= INT32_MAX, SCS_EDATA,
                    "a predicted count of %lld: the input's counts are too large", (long long)made);
        gene[*n] = g;
        count[(*n)++] = (int32_t)made;
        *library += made;
    }
}

/* ---- blocks ---- */

/* Room for genes and counts comes with the first cells: how many there are is not known before. */
scs_status scs_recipe_block_make(int64_t capacity, scs_cell_block *block)
{
    *block = (scs_cell_block){.capacity = capacity};
    SCS_TRY(SCS_ALLOC(block->indptr, capacity + 1));
    SCS_TRY(SCS_ALLOC(block->control, capacity));
    SCS_TRY(SCS_ALLOC(block->donor, capacity));
    return SCS_ALLOC(block->library, capacity);
}

void scs_recipe_block_clear(scs_cell_block *block)
{
    free(block->indptr);
    free(block->gene);
    free(block->count);
    free(block->control);
    free(block->donor);
    free(block->library);
    *block = (scs_cell_block){0};
}

/* Old content is not wanted. */
static scs_status reserve(scs_cell_block *b, int64_t room)
{
    if (room <= b->room)
        return SCS_OK;
    free(b->gene);
    free(b->count);
    b->gene = b->count = NULL;
    b->room = 0;
    SCS_TRY(SCS_ALLOC(b->gene, room));
    SCS_TRY(SCS_ALLOC(b->count, room));
    b->room = room;
    return SCS_OK;
}

/* Each cell at its place with room for the most that it may have, then moved together. */
static scs_status make_cells(const cell *c, const int64_t *place, scs_cell_block *b, int32_t *n)
{
    scs_parallel_error failed = {0};

#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t i = 0; i < b->n; i++)
        scs_parallel_error_note(
            &failed, i,
            make_cell(&c[i], b->gene + place[i], b->count + place[i], &n[i], &b->library[i]));
    SCS_TRY(scs_parallel_error_raise(&failed));
    b->indptr[0] = 0;
    for (int64_t i = 0; i < b->n; i++) {
        for (int32_t k = 0; k < n[i]; k++) {
            b->gene[b->indptr[i] + k] = b->gene[place[i] + k];
            b->count[b->indptr[i] + k] = b->count[place[i] + k];
        }
        b->indptr[i + 1] = b->indptr[i] + n[i];
    }
    return SCS_OK;
}

/* Places first, one cell after another, then the cells on all threads: a thread writes into the
 * room of its own cells only. SCS_EDATA where a count does not fit into an int32. */
scs_status scs_recipe_make(const scs_recipe *recipe, scs_cell_block *block)
{
    int64_t *place = NULL;
    int32_t *n = NULL;
    cell *all = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(all, block->n));
    SCS_GO(st, SCS_ALLOC(place, block->n + 1));
    SCS_GO(st, SCS_ALLOC(n, block->n));
    for (int64_t i = 0; i < block->n; i++) {
        all[i] = begin(recipe, block->first + i, block->control[i]);
        block->donor[i] = all[i].donor_at;
        place[i + 1] = place[i] + most_entries(&all[i]);
    }
    SCS_GO(st, reserve(block, place[block->n]));
    st = make_cells(all, place, block, n);
done:
    free(all);
    free(place);
    free(n);
    return st;
}
