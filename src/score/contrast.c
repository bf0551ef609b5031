/* Cells are drawn by counter-based random numbers of their own ids, so that a draw is the same on
 * any number of ranks.
 *
 *  The epoch of a stream is what is drawn: 0 and 1 the two orders of the baseline, split + 2 a
 *  halving. Sorting costs O(cells log cells) a draw; a contrast is 8 bytes a cell. */
#include "src/score/contrast.h"

#include "src/base/random.h"

#include <stdlib.h>

/* Nobody is in a group yet. The caller clears it after a failure. */
static scs_status allocate(const scs_panel *panel, scs_contrast *c)
{
    *c = (scs_contrast){.n_cell = panel->n_cell, .n = panel->perturbations.n};
    for (int side = 0; side < SCS_N_SIDE; side++) {
        SCS_TRY(SCS_ALLOC(c->group[side], c->n_cell));
        SCS_TRY(SCS_ALLOC(c->count[side], c->n + 1));
        for (int64_t i = 0; i < c->n_cell; i++)
            c->group[side][i] = -1;
    }
    return SCS_OK;
}

/* Once, when all cells have their groups. */
static void count(scs_contrast *c)
{
    for (int side = 0; side < SCS_N_SIDE; side++)
        for (int64_t i = 0; i < c->n_cell; i++)
            if (c->group[side][i] >= 0)
                c->count[side][c->group[side][i]]++;
}

scs_status scs_contrast_predict(const scs_panel *panel, scs_contrast *contrast)
{
    SCS_TRY(allocate(panel, contrast));
    for (int64_t i = 0; i < panel->n_cell; i++)
        contrast->group[i < panel->n_predicted ? SCS_PREDICTED : SCS_REAL][i] = panel->group[i];
    count(contrast);
    return SCS_OK;
}

/* Whether a panel's group is g, or (g = -1) any perturbation. */
static bool is_wanted(const scs_panel *panel, int32_t group, int32_t g)
{
    return g < 0 ? group >= 0 && group < panel->perturbations.n : group == g;
}

/* Real cells of group g, or of all perturbations (g = -1), in a random order.
 * @param[out] cell malloc'ed, [*n] */
static scs_status draw_order(const scs_panel *panel, int32_t g, const scs_stream *stream,
                             int64_t **cell, int64_t *n)
{
    int64_t *all = NULL, *place = NULL;
    scs_status st;

    *cell = NULL;
    *n = 0;
    SCS_GO(st, SCS_ALLOC(all, panel->n_cell));
    for (int64_t i = panel->n_predicted; i < panel->n_cell; i++)
        if (is_wanted(panel, panel->group[i], g))
            all[(*n)++] = i;
    SCS_GO(st, SCS_ALLOC(place, *n));
    SCS_GO(st, SCS_ALLOC(*cell, *n));
    SCS_GO(st, scs_random_order_cells(stream, all, *n, place));
    for (int64_t i = 0; i < *n; i++)
        (*cell)[i] = all[place[i]];
done:
    free(all);
    free(place);
    return st;
}

/* The cells' own labels, dealt out again in a random order. Whoever gets its own back changes with
 * the next one, going round, for whom both labels are foreign: there is one as long as no group
 * has more than half of the cells.
 * @param cell [n] in random order  @param[in,out] label [n] drawn; what the cells get
 * @return false where there is no way out */
static bool make_foreign(const scs_panel *panel, const int64_t *cell, int32_t *label, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t own = panel->group[cell[i]];
        int64_t step = 1;

        if (label[i] != own)
            continue;
        for (; step < n; step++) {
            int64_t k = (i + step) % n;

            if (label[k] != own && panel->group[cell[k]] != own) {
                label[i] = label[k];
                label[k] = own;
                break;
            }
        }
        if (step == n)
            return false;
    }
    return true;
}

/* Real cells alone: the score of this prediction is what any method gets that knows the response to
 * perturbations as such, but not to which. */
scs_status scs_contrast_mean(const scs_panel *panel, int64_t seed, scs_contrast *contrast,
                             bool *possible)
{
    scs_stream stream = {.seed = (uint64_t)seed, .purpose = SCS_RANDOM_SCORE};
    int64_t *cell = NULL, *other = NULL, n, n_other;
    int32_t *label = NULL;
    scs_status st;

    *contrast = (scs_contrast){0};
    SCS_GO(st, draw_order(panel, -1, &stream, &cell, &n));
    stream.epoch = 1;
    SCS_GO(st, draw_order(panel, -1, &stream, &other, &n_other));
    SCS_GO(st, SCS_ALLOC(label, n));
    for (int64_t i = 0; i < n; i++)
        label[i] = panel->group[other[i]];
    *possible = make_foreign(panel, cell, label, n);
    if (!*possible)
        goto done;
    SCS_GO(st, allocate(panel, contrast));
    for (int64_t i = panel->n_predicted; i < panel->n_cell; i++)
        contrast->group[SCS_REAL][i] = panel->group[i];
    for (int64_t i = 0; i < n; i++)
        contrast->group[SCS_PREDICTED][cell[i]] = label[i];
    count(contrast);
done:
    free(cell);
    free(other);
    free(label);
    return st;
}

/* Group after group, so that what one draws does not depend on the others. */
scs_status scs_contrast_split(const scs_panel *panel, int64_t seed, int64_t split,
                              scs_contrast *contrast)
{
    scs_stream stream = {
        .seed = (uint64_t)seed, .purpose = SCS_RANDOM_SCORE, .epoch = (uint32_t)split + 2};
    int64_t *cell = NULL, n;
    scs_status st;

    SCS_GO(st, allocate(panel, contrast));
    contrast->own_control = true;
    for (int32_t g = 0; g <= contrast->n; g++) {
        SCS_GO(st, draw_order(panel, g, &stream, &cell, &n));
        for (int64_t i = 0; i < n / 2; i++) {
            contrast->group[SCS_REAL][cell[i]] = g;
            contrast->group[SCS_PREDICTED][cell[n / 2 + i]] = g;
        }
        free(cell);
        cell = NULL;
    }
    count(contrast);
done:
    free(cell);
    return st;
}

void scs_contrast_clear(scs_contrast *contrast)
{
    for (int side = 0; side < SCS_N_SIDE; side++) {
        free(contrast->group[side]);
        free(contrast->count[side]);
    }
    *contrast = (scs_contrast){0};
}
