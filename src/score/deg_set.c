/* The formulae stand in deg_set.h; cell-eval2's conventions for what is not defined are kept, so
 * that means over perturbations are over the same perturbations.
 *
 *  q holds three states on the way: NaN for a gene that is not tested, any number for one that is,
 *  and after `adjust` its q. Sorting is by the bits of p (a radix sort, src/kernels/radix.h):
 *  O(n_gene), with 24 bytes a gene of scratch. */
#include "src/score/deg_set.h"

#include "src/kernels/radix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The false discovery rate; what keeps a fold change finite; the share of right signs of `reach`.
 */
static const double alpha = .05, epsilon = 1e-9, purity = .9;

enum { FEWEST = 10, TOP = 100 }; /* significant genes of nmae; genes of top_100 */

/* ---- making a set ---- */

static scs_status allocate(int32_t n_gene, const double *p, scs_deg_set *set)
{
    *set = (scs_deg_set){.n_gene = n_gene, .p = p};
    SCS_TRY(SCS_ALLOC(set->q, n_gene));
    SCS_TRY(SCS_ALLOC(set->lfc, n_gene));
    return SCS_ALLOC(set->significant, n_gene);
}

/* A number >= 0 as its bits, which ascend with it. */
static inline uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The last place of sorted[0, n) whose value is x, which is among them. */
static int32_t last_place(const uint64_t *sorted, int32_t n, uint64_t x)
{
    int32_t low = 0, high = n;

    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;

        if (sorted[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* q_(i) = min over j >= i of p_(j) m / j, at most 1, of the genes whose q is not NaN. Equal p have
 * equal q, so that a gene finds its own by its p.
 *
 *  The factor m / j is rounded first and then multiplied, as scipy's false_discovery_control
 *  does: q < 0.05 and the order by q are held against cell-eval2's to the last gene. q_value of a
 * screen (confidence.c) is p m / j, rounded in another order, and its bytes are part of a result;
 * hence two loops. */
static scs_status adjust(scs_deg_set *set)
{
    uint64_t *sorted = NULL, *scratch = NULL;
    double *adjusted = NULL, least = 1;
    int32_t m = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(sorted, set->n_gene));
    SCS_GO(st, SCS_ALLOC(scratch, set->n_gene));
    SCS_GO(st, SCS_ALLOC(adjusted, set->n_gene));
    for (int32_t g = 0; g < set->n_gene; g++)
        if (!isnan(set->q[g]))
            sorted[m++] = bits_of(set->p[g]);
    scs_radix_sort(sorted, scratch, m, 0, 64);
    for (int32_t i = m - 1; i >= 0; i--) {
        double p;

        memcpy(&p, &sorted[i], sizeof p);
        least = fmin(least, p * ((double)m / (i + 1)));
        adjusted[i] = least;
    }
    for (int32_t g = 0; g < set->n_gene; g++)
        if (!isnan(set->q[g]))
            set->q[g] = adjusted[last_place(sorted, m, bits_of(set->p[g]))];
done:
    free(sorted);
    free(scratch);
    free(adjusted);
    return st;
}

/* The own gene is tested with the others, so that their q are those of the whole family, and then
 * never called. @param target -1: none */
static void mark(scs_deg_set *set, int32_t target)
{
    for (int32_t g = 0; g < set->n_gene; g++) {
        set->significant[g] = set->q[g] < alpha && g != target;
        set->n_significant += set->significant[g];
    }
}

/* Genes of which controls have no more than `least` counts per million are not tested (least < 0:
 * all are): q is NaN for them, and they do not count among the tests of Benjamini and Hochberg. */
scs_status scs_deg_set_make(const double *p, const double *cpm, const double *control_cpm,
                            int32_t n_gene, double least, int32_t target, scs_deg_set *set)
{
    SCS_TRY(allocate(n_gene, p, set));
    for (int32_t g = 0; g < n_gene; g++) {
        set->q[g] = least < 0 || control_cpm[g] > least ? 1 : NAN;
        set->lfc[g] = log2((cpm[g] + epsilon) / (control_cpm[g] + epsilon));
    }
    SCS_TRY(adjust(set));
    mark(set, target);
    return SCS_OK;
}

/* 0 / 0, a gene that neither side has, is no change; x / 0 stays infinite, and ranks first. */
scs_status scs_deg_set_make_geometric(const double *p, const double *mean,
                                      const double *control_mean, int32_t n_gene, scs_deg_set *set)
{
    SCS_TRY(allocate(n_gene, p, set));
    for (int32_t g = 0; g < n_gene; g++) {
        double lfc = log2(expm1(mean[g]) / expm1(control_mean[g]));

        set->q[g] = 1;
        set->lfc[g] = isnan(lfc) ? 0 : lfc;
    }
    SCS_TRY(adjust(set));
    mark(set, -1);
    return SCS_OK;
}

void scs_deg_set_clear(scs_deg_set *set)
{
    free(set->q);
    free(set->lfc);
    free(set->significant);
    *set = (scs_deg_set){0};
}

/* ---- comparing two ---- */

/* By this set's own controls: predicted and real ones may differ. */
static bool is_tested(const scs_deg_set *set, int32_t g)
{
    return !isnan(set->q[g]);
}

/* Whether both change, and in the same direction. */
static bool agree(const scs_deg_set *predicted, const scs_deg_set *real, int32_t g)
{
    return (predicted->lfc[g] > 0 && real->lfc[g] > 0) ||
           (predicted->lfc[g] < 0 && real->lfc[g] < 0);
}

/* Two empty sets are the same: 1, as cell-eval2 has it. */
double scs_deg_set_jaccard(const scs_deg_set *predicted, const scs_deg_set *real)
{
    int32_t both = 0, any;

    for (int32_t g = 0; g < real->n_gene; g++)
        both += predicted->significant[g] && real->significant[g];
    any = predicted->n_significant + real->n_significant - both;
    return any ? (double)both / any : 1;
}

/* Right calls over the larger of calls and real genes: calling a few sure genes is not rewarded. */
double scs_deg_set_fidelity(const scs_deg_set *predicted, const scs_deg_set *real)
{
    int32_t called = 0, right = 0, most;

    for (int32_t g = 0; g < real->n_gene; g++)
        if (predicted->significant[g] && is_tested(real, g) && real->lfc[g] != 0) {
            called++;
            right += agree(predicted, real, g);
        }
    most = called > real->n_significant ? called : real->n_significant;
    return most ? (double)right / most : NAN;
}

/* A real significant gene as the prediction ranks it. */
typedef struct called {
    bool significant;
    double q, p, size;
    int32_t order, gene;
} called;

/* Descending confidence; the name's place last, so that the order is total. */
static int by_confidence(const void *a, const void *b)
{
    const called *x = a, *y = b;

    if (x->significant != y->significant)
        return x->significant ? -1 : 1;
    if (x->q != y->q)
        return x->q < y->q ? -1 : 1;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Genes without a real direction count neither for nor against. */
scs_status scs_deg_set_reach(const scs_deg_set *predicted, const scs_deg_set *real,
                             const int32_t *order, double *reach)
{
    int32_t n = 0, right = 0, seen = 0, longest = 0;
    called *pool;

    *reach = NAN;
    if (real->n_significant == 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(pool, real->n_significant));
    for (int32_t g = 0; g < real->n_gene; g++)
        if (real->significant[g] && is_tested(predicted, g))
            pool[n++] = (called){predicted->significant[g], predicted->q[g], predicted->p[g],
                                 fabs(predicted->lfc[g]),   order[g],        g};
    qsort(pool, (size_t)n, sizeof *pool, by_confidence);
    for (int32_t k = 0; k < n; k++) {
        seen += real->lfc[pool[k].gene] != 0;
        right += agree(predicted, real, pool[k].gene);
        if (seen && (double)right / seen >= purity)
            longest = seen;
    }
    free(pool);
    *reach = (double)longest / real->n_significant;
    return SCS_OK;
}

/* Genes in the order of their confidence, the first n_top marked. @param[out] top [n_gene] zeroed
 * @return how many are marked */
static int32_t mark_surest(const scs_deg_set *set, int32_t target, called *pool, bool *top)
{
    int32_t n = 0, n_top;

    for (int32_t g = 0; g < set->n_gene; g++)
        if (is_tested(set, g) && g != target)
            pool[n++] = (called){false, 0, set->p[g], fabs(set->lfc[g]), g, g};
    qsort(pool, (size_t)n, sizeof *pool, by_confidence);
    n_top = n < TOP ? n : TOP;
    for (int32_t k = 0; k < n_top; k++)
        top[pool[k].gene] = true;
    return n_top;
}

scs_status scs_deg_set_top(const scs_deg_set *predicted, const scs_deg_set *real, int32_t target,
                           double *share)
{
    called *pool = NULL;
    bool *top[2] = {NULL, NULL};
    int32_t n, both = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(pool, real->n_gene));
    SCS_GO(st, SCS_ALLOC(top[0], real->n_gene));
    SCS_GO(st, SCS_ALLOC(top[1], real->n_gene));
    mark_surest(predicted, target, pool, top[0]);
    n = mark_surest(real, target, pool, top[1]);
    for (int32_t g = 0; g < real->n_gene; g++)
        both += top[0][g] && top[1][g];
    *share = n ? (double)both / n : NAN;
done:
    free(pool);
    free(top[0]);
    free(top[1]);
    return st;
}

/* A gene that this side did not test, or whose fold change is infinite, counts as unchanged. */
static double lfc_or_zero(const scs_deg_set *set, int32_t g)
{
    return is_tested(set, g) && isfinite(set->lfc[g]) ? set->lfc[g] : 0;
}

/* The denominator is the gate's, whichever side's set `real` is. */
double scs_deg_set_nmae(const scs_deg_set *predicted, const scs_deg_set *real,
                        const scs_deg_set *gate)
{
    double error = 0, size = 0;
    int32_t n = 0;

    for (int32_t g = 0; g < gate->n_gene; g++)
        if (gate->significant[g] && isfinite(gate->lfc[g])) {
            error += fabs(lfc_or_zero(predicted, g) - lfc_or_zero(real, g));
            size += fabs(gate->lfc[g]);
            n++;
        }
    return n >= FEWEST && size > 0 ? error / size : NAN;
}

/* ---- the 2025 score ---- */

/* Equal sizes by position, as a stable sort leaves them. */
static int by_size(const void *a, const void *b)
{
    const called *x = a, *y = b;

    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

/* Marks the k significant genes of largest |lfc|; in float, as cell-eval compares them. */
static void mark_top(const scs_deg_set *set, int32_t k, called *pool, uint8_t *marked)
{
    int32_t n = 0;

    for (int32_t g = 0; g < set->n_gene; g++)
        if (set->significant[g])
            pool[n++] = (called){.size = (double)(float)fabs(set->lfc[g]), .gene = g};
    qsort(pool, (size_t)n, sizeof *pool, by_size);
    for (int32_t i = 0; i < k && i < n; i++)
        marked[pool[i].gene]++;
}

/* As many of each side's largest changes as the real side has significant genes, and of these the
 * share that is in both; 0, not NaN, where there are none. */
scs_status scs_deg_set_overlap(const scs_deg_set *predicted, const scs_deg_set *real,
                               double *overlap)
{
    int32_t k = real->n_significant, both = 0;
    called *pool = NULL;
    uint8_t *marked = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(pool, real->n_gene));
    SCS_GO(st, SCS_ALLOC(marked, real->n_gene));
    mark_top(predicted, k, pool, marked);
    mark_top(real, k, pool, marked);
    for (int32_t g = 0; g < real->n_gene; g++)
        both += marked[g] == 2;
    *overlap = k ? (double)both / k : 0;
done:
    free(pool);
    free(marked);
    return st;
}
