/* The scale that an input's values are on, judged from few numbers of them, and what that means
 * for a run.
 *
 * Counts that a cell's total has normalised sum to the same in all cells. So the sums of a cell's
 * values are taken under each way to undo a logarithm; the way under which they agree is how the
 * data were made. Where the inputs lack genes, sums do not agree, and size and wholeness decide:
 * logarithms of counts are small (at most 20), counts are whole or nearly so.
 *
 * Judging needs sums of integers and maxima only. Logarithms of sums are added up in millionths,
 * as integers: floating-point sums would depend on which rank read which cells. All functions are
 * Local.
 */
#include "src/data/scale.h"

#include "src/base/names.h"
#include "src/base/simd.h"
#include "src/base/text.h"
#include "src/data/h5ad.h"
#include "src/data/notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Thresholds; doc/inputs.md says what they were measured on. */

/* No logarithm of counts is larger: log2(1 + 1,000,000) is 19.93. */
static const float LARGEST_LOG = 20;
/* What a cell may sum to once the logarithm is undone: counts per million, and rounding. */
static const double LARGEST_SUM = 1.001e6;
/* Logarithms of logarithms are smaller: log1p(log1p(1,000,000)) is 2.697. */
static const float LARGEST_LOG_OF_LOG = 2.7F;
/* Share of values within NEAR of whole numbers from which small values may be counts. */
static const double NEAR = 0.05, SHARE_NEAR = 0.5;
/* Sums of cells that differ by no more are alike. */
static const double ALIKE = 1.02;
/* Medians of cells' sums that differ by more are other scales. */
static const double OTHER_SCALE = 10;
/* Cells of an input of which sums are taken, at least where it has as many. */
enum { SAMPLE = 4096, ALIKE_CELLS = 8, GENES_WITHOUT_ZERO = 100, EVIDENCE = 320 };
/* Squares agree by chance more easily than what a logarithm hides: the largest values decide. */
static const double ALIKE_ROOTS = 1.001;
/* Share of values of 1 to 100 whose squares are whole from which they are roots of counts. Whole
 * values, to their last bits, say nothing: their squares are whole as well. A root of a count that
 * is none is at least 5e-5 of itself away. */
static const double SHARE_ROOTS = 0.99, OFF_WHOLE = 2e-5;
/* A cell of at least so many values looks logged where less than this share is near whole numbers.
 * Cells of either kind, from this share of the sampled ones on, make an input mixed. */
enum { CELL_VALUES = 16 };
static const double SMALL_NEAR = 0.3, SHARE_MIXED = 0.01;
/* So many values of 0 and 1 alone are no counts, of which some are larger. */
enum { ONES = 1000 };
/* Genes were divided by their standard deviations where this share of them, at least SCALED_GENES
 * that GENE_CELLS sampled cells express, have a variance of 1, to a tenth. */
enum { SCALED_GENES = 16, GENE_CELLS = 30 };
static const double SHARE_SCALED = 0.6, NEAR_ONE = 0.1;
/* What centred ones keep of it once they are cut off at 0; only of values too large for logarithms,
 * whose genes otherwise vary by orders of magnitude. */
static const double SHARE_CUT = 0.9, CUT_LOW = 0.3, CUT_HIGH = 1.2;
/* Values above are taken as this in the sums of genes, so that these never overflow. */
static const float LARGEST_OF_GENE = 1000;
/* Values were cut off at a whole number that so many of them are, where next to none are others. */
enum { CUT_VALUES = 20 };
static const double SHARE_BELOW_CUT = 0.05;
static const double MILLION = 1e6;

/* ---- what is added up ---- */

void scs_scale_clear(scs_scale *scale)
{
    *scale = (scs_scale){0};
    for (int k = 0; k < SCS_N_SCALE_MOST; k++)
        scale->most[k] = -INFINITY;
}

/* @param what scs_scale_most
 *  @param value taken where it is larger than what is there */
static void take(scs_scale *scale, int what, double value)
{
    if (value > scale->most[what])
        scale->most[what] = value;
}

/* @param how scs_unlog
 *  @return infinity where undoing it twice would be more than any count */
static double undo(int how, float value)
{
    double x = (double)value;

    switch (how) {
    case SCS_UNLOG_E:
        return expm1(x);
    case SCS_UNLOG_2:
        return exp2(x) - 1;
    case SCS_UNLOG_TWICE:
        return value <= LARGEST_LOG_OF_LOG ? expm1(expm1(x)) : INFINITY;
    case SCS_UNLOG_ROOT:
        return x * x;
    default:
        return x;
    }
}

/* Values that were undone before: a cell has few distinct ones. By their bits; 0 is none. */
typedef struct undone {
    float value[256];
    double x[256][SCS_N_UNLOG];
} undone;

/* Under every way; infinity where that cannot be. */
static const double *undo_all(undone *u, float value)
{
    uint32_t bits;
    double *x;

    memcpy(&bits, &value, sizeof bits);
    bits = bits * 2654435769U >> 24; /* Knuth's multiplicative hashing */
    x = u->x[bits];
    if (u->value[bits] == value)
        return x;
    u->value[bits] = value;
    for (int how = 0; how < SCS_N_UNLOG; how++)
        x[how] = how == SCS_UNLOG_NOT || how == SCS_UNLOG_ROOT || value <= LARGEST_LOG
                     ? undo(how, value)
                     : INFINITY;
    return x;
}

/* The cell's sums under every way to undo a logarithm, each in the order of its values. */
static void add_sums(scs_scale *scale, undone *u, const float *value, int64_t n)
{
    double sum[SCS_N_UNLOG] = {0};

    for (int64_t k = 0; k < n; k++) {
        const double *x = undo_all(u, value[k]);

        for (int how = 0; how < SCS_N_UNLOG; how++)
            sum[how] += x[how];
    }
    scale->sum[SCS_SCALE_SUMMED]++;
    for (int how = 0; how < SCS_N_UNLOG; how++) {
        take(scale, SCS_SCALE_HIGH + how, sum[how]);
        take(scale, SCS_SCALE_LOW + how, -sum[how]);
        if (sum[how] < INFINITY)
            scale->sum[SCS_SCALE_LOG + how] += llround(log(sum[how]) * MILLION);
    }
}

/* Of some genes: as many columns as are dealt with fit, evenly spaced.
 *  @param x row i */
static void add_genes(scs_scale *scale, const scs_csr *x, int64_t i)
{
    int shift = 0;

    while ((x->n_col - 1) >> shift >= SCS_SCALE_GENES)
        shift++;
    for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
        int32_t gene = x->indices[k] >> shift;
        double v;

        if (gene << shift != x->indices[k])
            continue;
        v = (double)(x->values[k] < LARGEST_OF_GENE ? x->values[k] : LARGEST_OF_GENE);
        scale->sum[SCS_SCALE_GENE_CELLS + gene]++;
        scale->sum[SCS_SCALE_GENE_SUM + gene] += llround(v * MILLION);
        scale->sum[SCS_SCALE_GENE_SQUARE + gene] += llround(v * v * MILLION);
    }
}

/* What one pass over some values finds. */
typedef struct look {
    float largest, smallest;
    int32_t whole, near;
} look;

/* The extremes, and whether all are whole numbers; values are above 0, so that their bits are in
 * their order.
 *  @param[out] found whole and near are n where all are whole
 *  @return false: they are to be counted */
SCS_VECTOR static bool look_at_whole(const float *value, int64_t n, look *found)
{
    const uint32_t most = 0x4a800000u; /* 2^22 */
    const scs_float_bits *bits = (const scs_float_bits *)(const void *)value;
    uint32_t highest = 0, lowest = UINT32_MAX;
    int32_t other = 0;

    for (int64_t k = 0; k < n; k++) {
        int32_t whole;

        other |= !scs_simd_is_whole(bits[k], most, &whole);
        highest = bits[k] > highest ? bits[k] : highest;
        lowest = bits[k] < lowest ? bits[k] : lowest;
    }
    memcpy(&found->largest, &highest, sizeof highest);
    memcpy(&found->smallest, &lowest, sizeof lowest);
    found->whole = found->near = (int32_t)n;
    return !other;
}

/*  @param n at most 2^30 */
static look look_at(const float *value, int64_t n)
{
    look found;

    if (look_at_whole(value, n, &found))
        return found;
    found.whole = found.near = 0;
    for (int64_t k = 0; k < n; k++) {
        float off = fabsf(value[k] - rintf(value[k]));

        found.whole += off == 0;
        found.near += off <= (float)NEAR;
    }
    return found;
}

/* What a sampled cell looks like by itself: files of which some cells were logged hold both kinds.
 * Values whose square is whole, to the last bits of a float, are its roots.
 *  @param value [n] above 0 */
static void add_cell(scs_scale *scale, const float *value, int64_t n)
{
    look f = look_at(value, n);

    for (int64_t k = 0; f.whole < n && k < n; k++) {
        double square = (double)value[k] * (double)value[k];

        if (value[k] <= SCS_SCALE_WHOLES && value[k] == rintf(value[k]))
            scale->sum[SCS_SCALE_WHOLE_AT + (int)value[k] - 1]++;
        if (value[k] >= 1 && value[k] <= 100 &&
            fabsf(value[k] - rintf(value[k])) > (float)OFF_WHOLE * value[k]) {
            scale->sum[SCS_SCALE_MIDDLE]++;
            scale->sum[SCS_SCALE_SQUARE] += fabs(square - rint(square)) <= 4e-7 * square;
        }
    }
    if (n < CELL_VALUES)
        return;
    scale->sum[SCS_SCALE_COUNTED] += f.whole == n;
    scale->sum[SCS_SCALE_SMALL] +=
        f.largest <= LARGEST_LOG && (double)f.near < SMALL_NEAR * (double)n;
}

/* All values of some cells.
 *  @param value [n] above 0 */
static void add_values(scs_scale *scale, const float *value, int64_t n)
{
    const int64_t most = 1 << 14; /* at a time: they stay in the first cache */

    for (int64_t k = 0; k < n; k += most) {
        look f = look_at(value + k, n - k < most ? n - k : most);

        take(scale, SCS_SCALE_LARGEST, (double)f.largest);
        take(scale, SCS_SCALE_SMALLEST, -(double)f.smallest);
        scale->sum[SCS_SCALE_WHOLE] += f.whole;
        scale->sum[SCS_SCALE_NEAR] += f.near;
    }
    scale->sum[SCS_SCALE_VALUES] += n;
}

/* Every stride-th row of the file, so that the sample is the same whatever blocks it is read in. */
void scs_scale_add(scs_scale *scale, const scs_csr *x, int64_t row, int64_t n_obs)
{
    int64_t stride = n_obs / SAMPLE > 0 ? n_obs / SAMPLE : 1;
    undone u = {0};

    scale->sum[SCS_SCALE_CELLS] += x->n_row;
    add_values(scale, x->values + x->indptr[0], x->indptr[x->n_row] - x->indptr[0]);
    for (int64_t i = 0; i < x->n_row; i++)
        scale->sum[SCS_SCALE_ZERO] += x->indptr[i + 1] == x->indptr[i];
    for (int64_t i = 0; i < x->n_row; i++) {
        scale->sum[SCS_SCALE_SAMPLED] += (row + i) % stride == 0;
        if ((row + i) % stride == 0 && x->indptr[i + 1] > x->indptr[i]) {
            add_genes(scale, x, i);
            add_sums(scale, &u, x->values + x->indptr[i], x->indptr[i + 1] - x->indptr[i]);
            add_cell(scale, x->values + x->indptr[i], x->indptr[i + 1] - x->indptr[i]);
        }
    }
}

void scs_scale_merge(scs_scale *to, const scs_scale *from)
{
    for (int k = 0; k < SCS_N_SCALE_SUM; k++)
        to->sum[k] += from->sum[k];
    for (int k = 0; k < SCS_N_SCALE_MOST; k++)
        take(to, k, from->most[k]);
}

/* ---- judging ---- */

/* Of all values of the input. */
static double largest(const scs_scale *s)
{
    return s->most[SCS_SCALE_LARGEST];
}

/* The largest sum of a sampled cell.
 *  @param how scs_unlog */
static double high(const scs_scale *s, int how)
{
    return s->most[SCS_SCALE_HIGH + how];
}

/* The smallest one. */
static double low(const scs_scale *s, int how)
{
    return -s->most[SCS_SCALE_LOW + how];
}

/* The way of undoing a logarithm under which all sampled cells sum to the same, best; -1: none. Of
 * small values several do, nearly. */
static int alike(const scs_scale *s)
{
    static const int ways[] = {SCS_UNLOG_E, SCS_UNLOG_2, SCS_UNLOG_TWICE, SCS_UNLOG_NOT};
    const int n = sizeof ways / sizeof *ways;
    double best = ALIKE;
    int found = -1;

    for (int k = 0; s->sum[SCS_SCALE_SUMMED] >= ALIKE_CELLS && k < n; k++)
        if (high(s, ways[k]) < best * low(s, ways[k])) {
            best = high(s, ways[k]) / low(s, ways[k]);
            found = ways[k];
        }
    return found;
}

/* Roots of counts, or of counts that were scaled to one sum. */
static bool are_roots(const scs_scale *s)
{
    int64_t n = s->sum[SCS_SCALE_MIDDLE];

    if (n > 0 && (double)s->sum[SCS_SCALE_SQUARE] >= SHARE_ROOTS * (double)n)
        return true;
    return alike(s) < 0 && s->sum[SCS_SCALE_SUMMED] >= ALIKE_CELLS &&
           high(s, SCS_UNLOG_ROOT) < ALIKE_ROOTS * low(s, SCS_UNLOG_ROOT);
}

/* Counts of some cells beside logarithms of others. */
static bool are_mixed(const scs_scale *s)
{
    double few = SHARE_MIXED * (double)s->sum[SCS_SCALE_SUMMED];

    return (double)s->sum[SCS_SCALE_COUNTED] > few && (double)s->sum[SCS_SCALE_SMALL] > few;
}

/* exp of the mean logarithm of the cells' sums. */
static double middle(const scs_scale *s, int how)
{
    return exp((double)s->sum[SCS_SCALE_LOG + how] / MILLION / (double)s->sum[SCS_SCALE_SUMMED]);
}

/* Every value of every cell is there and the smallest is 1: a pseudocount was added and no
 * logarithm taken. Not of a few genes, which may all be expressed. */
static bool has_no_zero(const scs_scale *s, int32_t n_var)
{
    return n_var >= GENES_WITHOUT_ZERO && -s->most[SCS_SCALE_SMALLEST] == 1 &&
           s->sum[SCS_SCALE_VALUES] == s->sum[SCS_SCALE_CELLS] * n_var;
}

/* The variance of gene k over the sampled cells. */
static double gene_variance(const scs_scale *s, int k)
{
    double n = (double)s->sum[SCS_SCALE_SAMPLED];
    double mean = (double)s->sum[SCS_SCALE_GENE_SUM + k] / MILLION / n;

    return (double)s->sum[SCS_SCALE_GENE_SQUARE + k] / MILLION / n - mean * mean;
}

/* Of the genes that enough sampled cells express, those with a variance in [least, most].
 *  @param share of them from which most do */
static bool vary_by(const scs_scale *s, double least, double most, double share)
{
    int n = 0, within = 0;

    for (int k = 0; k < SCS_SCALE_GENES; k++)
        if (s->sum[SCS_SCALE_GENE_CELLS + k] >= GENE_CELLS) {
            double variance = gene_variance(s, k);

            n++;
            within += variance >= least && variance <= most;
        }
    return n >= SCALED_GENES && within >= share * n;
}

/* Most genes vary alike: that is how they were made. Those of a part of the cells do nearly. */
static bool are_scaled(const scs_scale *s)
{
    return alike(s) < 0 &&
           (vary_by(s, 1 - NEAR_ONE, 1 + NEAR_ONE, SHARE_SCALED) ||
            (largest(s) > (double)LARGEST_LOG && vary_by(s, CUT_LOW, CUT_HIGH, SHARE_CUT)));
}

/* Values of sampled cells that are the largest one, where it is a whole number and hardly any
 * others are: they were cut off there. 0: they were not. */
static int64_t cut_values(const scs_scale *s)
{
    int64_t at, others = 0;
    int last = (int)fmin(largest(s), SCS_SCALE_WHOLES);

    if (largest(s) != last || s->sum[SCS_SCALE_WHOLE] == s->sum[SCS_SCALE_VALUES])
        return 0;
    for (int k = 1; k < last; k++)
        others += s->sum[SCS_SCALE_WHOLE_AT + k - 1];
    at = s->sum[SCS_SCALE_WHOLE_AT + last - 1];
    return at >= CUT_VALUES && (double)others <= SHARE_BELOW_CUT * (double)at ? at : 0;
}

/* What whole numbers are. */
static scs_scale_kind judge_whole(const scs_scale *s, int32_t n_var)
{
    if (has_no_zero(s, n_var))
        return SCS_SCALE_PSEUDOCOUNT;
    return largest(s) == 1 && s->sum[SCS_SCALE_VALUES] >= ONES ? SCS_SCALE_BINARY
                                                               : SCS_SCALE_COUNTS;
}

scs_scale_kind scs_scale_judge(const scs_scale *s, int32_t n_var)
{
    int64_t n = s->sum[SCS_SCALE_VALUES];
    bool whole = s->sum[SCS_SCALE_WHOLE] == n;

    if (n == 0)
        return SCS_SCALE_EMPTY;
    if (whole)
        return judge_whole(s, n_var);
    if (are_mixed(s))
        return SCS_SCALE_MIXED;
    if (are_roots(s))
        return SCS_SCALE_ROOTS;
    if (are_scaled(s))
        return SCS_SCALE_SCALED;
    if (largest(s) > (double)LARGEST_LOG)
        return has_no_zero(s, n_var) ? SCS_SCALE_PSEUDOCOUNT : SCS_SCALE_LINEAR;
    switch (alike(s)) {
    case SCS_UNLOG_E:
    case SCS_UNLOG_2:
        return SCS_SCALE_LOGGED;
    case SCS_UNLOG_TWICE:
        return SCS_SCALE_LOGGED_TWICE;
    case SCS_UNLOG_NOT:
        return SCS_SCALE_LINEAR;
    default:
        break;
    }
    if ((double)s->sum[SCS_SCALE_NEAR] >= SHARE_NEAR * (double)n ||
        (high(s, SCS_UNLOG_E) > LARGEST_SUM && high(s, SCS_UNLOG_2) > LARGEST_SUM))
        return SCS_SCALE_UNCLEAR;
    return SCS_SCALE_LOGGED;
}

/* ---- in words ---- */

/* As messages go on after "holds". */
static const char *kind_name(int kind)
{
    static const char *const names[] = {
        [SCS_SCALE_EMPTY] = "no value above 0",
        [SCS_SCALE_COUNTS] = "raw counts",
        [SCS_SCALE_BINARY] = "values of 0 and 1 alone",
        [SCS_SCALE_LINEAR] = "values that are normalised or corrected but not logged",
        [SCS_SCALE_LOGGED] = "values that are logged already",
        [SCS_SCALE_UNCLEAR] = "values that may be logged or not",
        [SCS_SCALE_LOGGED_TWICE] = "values that were logged twice",
        [SCS_SCALE_ROOTS] = "square roots of counts",
        [SCS_SCALE_SCALED] = "values that were scaled gene by gene",
        [SCS_SCALE_MIXED] = "counts of some cells and logged values of others",
        [SCS_SCALE_PSEUDOCOUNT] = "values to all of which 1 was added",
    };

    return names[kind];
}

/* "562 to 11537", or "10000" where all are alike. */
static char *range(const scs_scale *s, int how, char *out, size_t size)
{
    if (alike(s) == how || (how == SCS_UNLOG_ROOT && high(s, how) < ALIKE_ROOTS * low(s, how)))
        snprintf(out, size, "%.6g", middle(s, how));
    else
        snprintf(out, size, "%.5g to %.5g", low(s, how), high(s, how));
    return out;
}

/* The way in which the cells' sums are told. */
static int told(const scs_scale *s, scs_scale_kind kind)
{
    if (kind == SCS_SCALE_LOGGED_TWICE)
        return SCS_UNLOG_TWICE;
    if (kind == SCS_SCALE_ROOTS)
        return SCS_UNLOG_ROOT;
    if (kind != SCS_SCALE_LOGGED)
        return SCS_UNLOG_NOT;
    if (alike(s) >= 0)
        return alike(s);
    return high(s, SCS_UNLOG_E) > LARGEST_SUM ? SCS_UNLOG_2 : SCS_UNLOG_E;
}

char *scs_scale_describe(const scs_scale *s, int32_t n_var, char *out, size_t size)
{
    static const char *const before[] = {"", " before the logarithm",
                                         " before the logarithm to base 2",
                                         " before the logarithms", " once squared"};
    scs_scale_kind kind = scs_scale_judge(s, n_var);
    int how = told(s, kind);
    double share = 100 * (double)s->sum[SCS_SCALE_WHOLE] / (double)s->sum[SCS_SCALE_VALUES];
    char sums[64] = "";

    if (kind == SCS_SCALE_EMPTY)
        snprintf(out, size, "%s", kind_name(kind));
    else if (s->sum[SCS_SCALE_SUMMED] == 0)
        snprintf(out, size, "%s: largest %.5g, %.3g %% whole numbers", kind_name(kind), largest(s),
                 share);
    else
        snprintf(out, size, "%s: largest %.5g, %.3g %% whole numbers, cells sum to %s%s",
                 kind_name(kind), largest(s), share, range(s, how, sums, sizeof sums), before[how]);
    return out;
}

/* ---- what it means for a run ---- */

/* Config, metadata and scales of all inputs. All borrowed; arrays are [n_input]. */
typedef struct settling {
    const scs_config *config;
    const scs_h5ad *const *meta;
    const scs_scale *scale;
} settling;

/* Of input i. */
static scs_scale_kind kind_of(const settling *w, int32_t i)
{
    return scs_scale_judge(&w->scale[i], w->meta[i]->n_var);
}

/* What input i's values are, with the numbers that say so.
 *  @param[out] out [EVIDENCE]
 *  @return out / */
static char *evidence(const settling *w, int32_t i, char *out)
{
    return scs_scale_describe(&w->scale[i], w->meta[i]->n_var, out, EVIDENCE);
}

/* Often a matrix that was cleared to save room: the refusal names the others that have values. */
static scs_status refuse_empty(const settling *w, int32_t i)
{
    const scs_h5ad *meta = w->meta[i];
    char list[400];

    if (meta->filled.n == 0)
        return SCS_FAIL(SCS_EDATA,
                        "%s: %s holds no value above 0, nor was another matrix found that does",
                        meta->path, meta->matrix);
    return SCS_FAIL(SCS_EDATA,
                    "%s: %s holds no value above 0; set data.matrix to what has values: %s",
                    meta->path, meta->matrix, scs_names_list(&meta->filled, 10, list, sizeof list));
}

/* What no setting makes right, and what contradicts an explicit one. */
static scs_status check_kind(const settling *w, int32_t i)
{
    static const char trust[] = "data.trust_values: true if they are right as they are";
    const scs_h5ad *meta = w->meta[i];
    int normalize = w->config->data.normalize;
    scs_scale_kind kind = kind_of(w, i);
    bool is_log = kind == SCS_SCALE_LOGGED;
    char found[EVIDENCE];

    if (kind == SCS_SCALE_MIXED)
        return SCS_FAIL(SCS_EDATA,
                        "%s: %s holds %s; bring them to one scale, set data.matrix to another "
                        "matrix, or %s",
                        meta->path, meta->matrix, evidence(w, i, found), trust);
    if (kind == SCS_SCALE_LOGGED_TWICE || kind == SCS_SCALE_PSEUDOCOUNT ||
        kind == SCS_SCALE_ROOTS || kind == SCS_SCALE_SCALED)
        return SCS_FAIL(SCS_EDATA,
                        "%s: %s holds %s; take that back, set data.matrix to another matrix, or %s",
                        meta->path, meta->matrix, evidence(w, i, found), trust);
    if (kind == SCS_SCALE_UNCLEAR)
        return normalize != SCS_NORMALIZE_AUTO
                   ? SCS_OK
                   : SCS_FAIL(SCS_EDATA,
                              "%s: %s holds %s; set data.normalize to log1p if they are counts, to "
                              "none if they are logged",
                              meta->path, meta->matrix, evidence(w, i, found));
    if (normalize == SCS_NORMALIZE_AUTO || (normalize == SCS_NORMALIZE_NONE) == is_log)
        return SCS_OK;
    return SCS_FAIL(SCS_EDATA,
                    "%s: %s holds %s; yet data.normalize is %s: set it to %s or auto, or %s",
                    meta->path, meta->matrix, evidence(w, i, found), is_log ? "log1p" : "none",
                    is_log ? "none" : "log1p", trust);
}

/* Whether two inputs are on different scales: of another kind, undone by another logarithm, or
 * with sums of cells too far apart. Counts may differ, since they are scaled. */
static bool differ(const settling *w, int32_t a, int32_t b)
{
    scs_scale_kind kind = kind_of(w, a);
    const scs_scale *x = &w->scale[a], *y = &w->scale[b];
    int how = told(x, kind);
    double ratio;

    if (kind != kind_of(w, b))
        return true;
    if (kind != SCS_SCALE_LOGGED || !x->sum[SCS_SCALE_SUMMED] || !y->sum[SCS_SCALE_SUMMED])
        return false;
    if (how != told(y, kind))
        return true;
    ratio = middle(x, how) / middle(y, how);
    ratio = ratio < 1 ? 1 / ratio : ratio;
    return ratio > (alike(x) == how && alike(y) == how ? ALIKE : OTHER_SCALE);
}

/* Inputs of different scales would give shifts between data sets, not between conditions. */
static scs_status check_pair(const settling *w, int32_t a, int32_t b)
{
    char one[EVIDENCE], other[EVIDENCE];

    SCS_REQUIRE(!differ(w, a, b), SCS_EDATA,
                "%s holds %s, but %s holds %s; bring them to one scale, or data.trust_values: true "
                "with data.normalize none or log1p",
                w->meta[a]->path, evidence(w, a, one), w->meta[b]->path, evidence(w, b, other));
    return SCS_OK;
}

/* Whether the values are taken as the config says, whatever they look like. */
static bool is_trusted(const settling *w)
{
    return w->config->data.trust_values && w->config->data.normalize != SCS_NORMALIZE_AUTO;
}

/* Each input by itself, then each against the first. data.trust_values with an explicit
 * data.normalize leaves both out. */
static scs_status check_all(const settling *w, int32_t n)
{
    bool trusted = is_trusted(w);

    for (int32_t i = 0; i < n; i++) {
        if (kind_of(w, i) == SCS_SCALE_EMPTY)
            return refuse_empty(w, i);
        if (!trusted)
            SCS_TRY(check_kind(w, i));
    }
    for (int32_t i = 1; i < n && !trusted; i++)
        SCS_TRY(check_pair(w, 0, i));
    return SCS_OK;
}

/* "raw counts: ...; scaled to 10000 a cell, then log1p (data.normalize: auto)" */
static scs_status say(const settling *w, int32_t n, int normalize, char **line)
{
    const scs_config *c = w->config;
    char found[EVIDENCE], target[40] = "their median", done[120], all[2 * EVIDENCE];
    scs_scale both = w->scale[0];
    int32_t genes = w->meta[0]->n_var;

    for (int32_t i = 1; i < n; i++) {
        scs_scale_merge(&both, &w->scale[i]);
        genes = w->meta[i]->n_var < genes ? w->meta[i]->n_var : genes;
    }
    if (c->data.target_sum > 0)
        snprintf(target, sizeof target, "%.10g", c->data.target_sum);
    if (normalize == SCS_NORMALIZE_LOG1P)
        snprintf(done, sizeof done, "each cell is scaled to %s, then log1p", target);
    else
        snprintf(done, sizeof done, "taken as they are");
    snprintf(all, sizeof all, "%s; %s (data.normalize: %s%s)%s",
             scs_scale_describe(&both, genes, found, sizeof found), done,
             c->data.normalize == SCS_NORMALIZE_AUTO    ? "auto"
             : c->data.normalize == SCS_NORMALIZE_LOG1P ? "log1p"
                                                        : "none",
             c->data.trust_values ? ", data.trust_values" : "",
             normalize == SCS_NORMALIZE_NONE && largest(&both) < (double)LARGEST_LOG_OF_LOG
                 ? "; so small, they may be scaled or logged twice"
                 : "");
    return scs_text_copy(all, line);
}

/* Such a cell has no library to scale, and pulls its group's mean to 0. */
static scs_status note_zero(const settling *w, scs_dataset *dataset)
{
    for (int32_t i = 0; i < dataset->n_input; i++)
        if (w->scale[i].sum[SCS_SCALE_ZERO])
            SCS_TRY(scs_notes_add(dataset,
                                  "%s: %lld of %lld cells have no value above 0 in any gene; they "
                                  "are kept (data.filter leaves cells out)",
                                  w->meta[i]->path, (long long)w->scale[i].sum[SCS_SCALE_ZERO],
                                  (long long)w->scale[i].sum[SCS_SCALE_CELLS]));
    return SCS_OK;
}

/* What is taken, and yet is hardly what anybody wants: counts of which only zeros are left, and
 * values that were cut off, as scaled ones are. */
static scs_status note_values(const settling *w, scs_dataset *dataset)
{
    for (int32_t i = 0; i < dataset->n_input; i++) {
        const char *path = w->meta[i]->path, *matrix = w->meta[i]->matrix;
        int64_t cut = cut_values(&w->scale[i]);
        double most = largest(&w->scale[i]);

        if (kind_of(w, i) == SCS_SCALE_BINARY)
            SCS_TRY(scs_notes_add(dataset,
                                  "%s: %s holds 0 and 1 alone, as binarised counts do: it tells "
                                  "which genes a cell has, not how much; data.matrix names the "
                                  "matrix with the counts, if there is one",
                                  path, matrix));
        if (cut)
            SCS_TRY(scs_notes_add(dataset,
                                  "%s: %lld values of %s are %g, its largest: they were cut off "
                                  "there, as scanpy's pp.scale(max_value=%g) does; data.matrix "
                                  "names the matrix with counts or logged values, if there is one",
                                  path, (long long)cut, matrix, most, most));
    }
    return SCS_OK;
}

/* auto becomes what the first input asks for: all others agree with it by now. */
scs_status scs_scale_settle(scs_config *config, const scs_h5ad *const *metas,
                            const scs_scale *scale, scs_dataset *dataset)
{
    settling w = {config, metas, scale};
    int normalize = config->data.normalize;

    SCS_TRY(check_all(&w, dataset->n_input));
    SCS_TRY(note_zero(&w, dataset));
    SCS_TRY(note_values(&w, dataset));
    if (normalize == SCS_NORMALIZE_AUTO)
        normalize = kind_of(&w, 0) == SCS_SCALE_LOGGED ? SCS_NORMALIZE_NONE : SCS_NORMALIZE_LOG1P;
    SCS_TRY(say(&w, dataset->n_input, normalize, &dataset->values));
    config->data.normalize = normalize;
    return SCS_OK;
}

/* The first of n inputs of which a value above 0 was seen; 0: there is none. */
static int32_t first_seen(const settling *w, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        if (kind_of(w, i) != SCS_SCALE_EMPTY)
            return i;
    return 0;
}

/* What settle does, but for what only all values can tell: that there are none, and how many cells
 * have none. */
scs_status scs_scale_foresee(scs_config *config, const scs_h5ad *const *metas,
                             const scs_scale *scale, scs_dataset *dataset)
{
    settling w = {config, metas, scale};
    int32_t n = dataset->n_input, first = first_seen(&w, n);
    int normalize = config->data.normalize;

    for (int32_t i = first; i < n && !is_trusted(&w); i++)
        if (kind_of(&w, i) != SCS_SCALE_EMPTY) {
            SCS_TRY(check_kind(&w, i));
            SCS_TRY(check_pair(&w, first, i));
        }
    if (normalize == SCS_NORMALIZE_AUTO)
        normalize =
            kind_of(&w, first) == SCS_SCALE_LOGGED ? SCS_NORMALIZE_NONE : SCS_NORMALIZE_LOG1P;
    SCS_TRY(say(&w, n, normalize, &dataset->values));
    config->data.normalize = normalize;
    return SCS_OK;
}
