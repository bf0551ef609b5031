/* The basis V [n, m] grows by a block Q of eight columns:
 *
 *      A Q = V H + Q' B        V'Q' = 0, Q'Q' = 1
 *
 *  Q' is the next block. Products are orthogonalised against the whole basis, twice, so that H =
 *  V'AV is known in full and a restart needs nothing but its eigenvectors. With A V = V H + Q' B E'
 *  (E: the last eight columns), the pair (theta, V s) has the residual |B s_last|.
 *
 *  A column that is left over with nothing but rounding (the basis spans an invariant space)
 *  becomes a random one, with 0 in B.
 *
 *  What it costs, with m columns: 8 n m multiply-adds for each of four products by BLAS a step, 10
 *  m^3 for H's eigenvectors, which are made every fourth step. */
#include "src/kernels/lanczos.h"

#include "src/base/random.h"
#include "src/base/vector.h"
#include "src/kernels/blas.h"
#include "src/kernels/lapack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    B = SCS_LANCZOS_BLOCK,
    SPARE = 32,  /* vectors beyond the wanted ones that a restart keeps */
    OFTEN = 4,   /* steps from one look at the eigenvectors to the next */
    CONFIRM = 8, /* steps with random vectors that have to bring nothing new */
    PANEL = 128  /* rows that are turned at once */
};

/* A column that is shorter than this share of the matrix' largest eigenvalue is rounding. */
#define NOTHING 1e-13

typedef struct search {
    int32_t n, n_top;
    int room, n_basis; /* columns */
    double *basis;     /* [n, room] V */
    double *block;     /* [n, B] what is applied to next */
    double *image;     /* [n, B] A times the block */
    double *h;         /* [room, room] V'AV, of which h[i, j], i <= j, is filled */
    double *value;     /* [room] its eigenvalues, ascending, of the last look */
    double *turn;      /* [n_basis, n_basis] a row for each of its eigenvectors */
    double *part;      /* [room, B] coefficients; [PANEL, room] rows of the basis */
    double *work;      /* of LAPACK */
    int n_work;
    double coupling[B * B]; /* B above, upper triangle */
    uint32_t n_drawn;       /* random columns so far */
} search;

static int room_for(int32_t n_top)
{
    return 2 * (n_top + SPARE);
}

int64_t scs_lanczos_least(int32_t n_top)
{
    return 2 * ((int64_t)n_top + SPARE) + B;
}

static void clear(search *s)
{
    free(s->basis);
    free(s->block);
    free(s->image);
    free(s->h);
    free(s->value);
    free(s->turn);
    free(s->part);
    free(s->work);
}

/* All that it takes, before the first product: nothing can fail for memory later. */
static scs_status allocate(search *s)
{
    int64_t n = s->n, room = s->room;

    s->n_work = (int)(40 * room);
    SCS_TRY(SCS_ALLOC(s->basis, n * room));
    SCS_TRY(SCS_ALLOC(s->block, n * B));
    SCS_TRY(SCS_ALLOC(s->image, n * B));
    SCS_TRY(SCS_ALLOC(s->h, room * room));
    SCS_TRY(SCS_ALLOC(s->value, room));
    SCS_TRY(SCS_ALLOC(s->turn, room * room));
    SCS_TRY(SCS_ALLOC(s->part, PANEL * room));
    return SCS_ALLOC(s->work, s->n_work);
}

/* ---- columns of a block, [n, B] ---- */

static double dot(const double *x, int a, int b, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i * B + a] * x[i * B + b];
    return sum;
}

static void scale(double *x, int c, double by, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i * B + c] *= by;
}

/* Column c, without what it has of column a. @return how much that was */
static double take_out(double *x, int a, int c, int64_t n)
{
    double much = dot(x, a, c, n);

    for (int64_t i = 0; i < n; i++)
        x[i * B + c] -= much * x[i * B + a];
    return much;
}

static void draw(search *s, double *x, int c)
{
    for (int64_t i = 0; i < s->n; i += 2) {
        scs_stream stream = {
            .purpose = SCS_RANDOM_COMPONENTS, .epoch = s->n_drawn, .cell = (uint64_t)i};
        double pair[2];

        scs_random_normal(&stream, 2, pair);
        x[i * B + c] = pair[0];
        if (i + 1 < s->n)
            x[(i + 1) * B + c] = pair[1];
    }
    s->n_drawn++;
}

/* Columns made orthonormal (Gram and Schmidt, twice); those with nothing left are drawn.
 *  @param least length below which a column is nothing
 *  @param[out] r [B, B] x before = x after times r, upper triangle */
static void orthonormalize(search *s, double *x, double least, double *r)
{
    memset(r, 0, B * B * sizeof *r);
    for (int c = 0; c < B; c++) {
        double length;

        for (int a = 0; a < 2 * c; a++)
            r[a % c * B + c] += take_out(x, a % c, c, s->n);
        length = sqrt(dot(x, c, c, s->n));
        if (length > least) {
            r[c * B + c] = length;
        } else {
            draw(s, x, c);
            for (int a = 0; a < 2 * c; a++)
                take_out(x, a % c, c, s->n);
            length = sqrt(dot(x, c, c, s->n));
        }
        scale(x, c, 1 / length, s->n);
    }
}

/* x without what it has of the basis. @param[out] part [n_basis, B] what that was */
static void leave_basis(const search *s, double *x, double *part)
{
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, s->n_basis, B, s->n, 1, s->basis, s->room,
                x, B, 0, part, B);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s->n, B, s->n_basis, -1, s->basis,
                s->room, part, B, 1, x, B);
}

/* ---- steps ---- */

/* The block begins, or begins anew, with random columns outside the basis. */
static void begin(search *s)
{
    double r[B * B];

    for (int c = 0; c < B; c++)
        draw(s, s->block, c);
    orthonormalize(s, s->block, 0, r);
    for (int again = 0; again < 2; again++) {
        leave_basis(s, s->block, s->part);
        orthonormalize(s, s->block, 0, r);
    }
}

/* Columns [n_basis - B, n_basis) of V'AV, rows up to the diagonal. @param[in,out] add to what is
 * there  @param part [n_basis, B] */
static void note(search *s, const double *part, const double *times, bool add)
{
    int first = s->n_basis - B;

    for (int i = 0; i < s->n_basis; i++)
        for (int c = 0; c < B; c++) {
            double sum = times ? 0 : part[i * B + c];

            for (int k = 0; times && k <= c; k++)
                sum += part[i * B + k] * times[k * B + c];
            if (i <= first + c)
                s->h[i * s->room + first + c] = sum + (add ? s->h[i * s->room + first + c] : 0);
        }
}

/* The largest number in V'AV stands for the matrix' largest eigenvalue. */
static double size(const search *s)
{
    double largest = 0;

    for (int i = 0; i < s->n_basis; i++)
        largest = fmax(largest, fabs(s->h[i * s->room + i]));
    return largest;
}

/* The block joins the basis; what A makes of it, outside the basis, is the next block. Between the
 * two times that the basis is taken out, columns are brought to unit length, or what rounding has
 * left of the basis in a short one would grow with it. */
static scs_status step(search *s, scs_lanczos_apply apply, void *ctx)
{
    double r[B * B], *swap;

    for (int64_t i = 0; i < s->n; i++)
        memcpy(s->basis + i * s->room + s->n_basis, s->block + i * B, B * sizeof *s->block);
    SCS_TRY(apply(ctx, s->block, s->image));
    s->n_basis += B;
    leave_basis(s, s->image, s->part);
    note(s, s->part, NULL, false);
    orthonormalize(s, s->image, NOTHING * size(s), s->coupling);
    leave_basis(s, s->image, s->part);
    note(s, s->part, s->coupling, true);
    orthonormalize(s, s->image, 0, r);
    swap = s->block;
    s->block = s->image;
    s->image = swap;
    return SCS_OK;
}

/* Eigenvalues and eigenvectors of V'AV. */
static scs_status look(search *s)
{
    int m = s->n_basis, info;

    for (int i = 0; i < m; i++)
        memcpy(s->turn + i * m, s->h + i * s->room, (size_t)m * sizeof *s->h);
    dsyev_("V", "L", &m, s->turn, &m, s->value, s->work, &s->n_work, &info);
    SCS_REQUIRE(info == 0, SCS_ENUMERIC, "dsyev: info %d for %d Lanczos vectors", info, m);
    return SCS_OK;
}

/* Whether the n_top largest are what is wanted: the residual |B s_last| of each. */
static bool all_found(const search *s)
{
    int m = s->n_basis;
    double rounding = NOTHING * size(s);

    for (int k = m - s->n_top; k < m; k++) {
        const double *last = s->turn + (int64_t)k * m + m - B;
        double square = 0;

        for (int a = 0; a < B; a++) {
            double sum = 0;

            for (int c = a; c < B; c++)
                sum += s->coupling[a * B + c] * last[c];
            square += sum * sum;
        }
        if (!(sqrt(square) <= fmax(SCS_LANCZOS_TOLERANCE * fabs(s->value[k]), rounding)))
            return false;
    }
    return true;
}

/* to = V S for the `keep` largest, falling; `to` may be the basis, as rows are copied first.
 *  @param[out] to [n, keep] rows `stride` apart */
static void turn_basis(const search *s, int keep, double *to, int stride)
{
    int m = s->n_basis;

    for (int64_t row = 0; row < s->n; row += PANEL) {
        int n = s->n - row < PANEL ? (int)(s->n - row) : PANEL;

        for (int i = 0; i < n; i++)
            memcpy(s->part + i * m, s->basis + (row + i) * s->room, (size_t)m * sizeof *s->part);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, keep, m, 1, s->part, m,
                    s->turn + (int64_t)(m - keep) * m, m, 0, to + row * stride, stride);
    }
}

/* LAPACK has them ascending. */
static void fall(double *x, int n, int64_t n_row, int stride)
{
    for (int64_t i = 0; i < n_row; i++)
        for (int a = 0, b = n - 1; a < b; a++, b--) {
            double swap = x[i * stride + a];

            x[i * stride + a] = x[i * stride + b];
            x[i * stride + b] = swap;
        }
}

/* The best of the basis become the basis. */
static void restart(search *s, int keep)
{
    int m = s->n_basis;

    turn_basis(s, keep, s->basis, s->room);
    memset(s->h, 0, (size_t)s->room * (size_t)s->room * sizeof *s->h);
    for (int i = 0; i < keep; i++)
        s->h[i * s->room + i] = s->value[m - keep + i];
    s->n_basis = keep;
}

/* Steps, looks and restarts, until all are found and nothing else is found beside them. */
static scs_status run(search *s, scs_lanczos_apply apply, void *ctx, int most, bool *found)
{
    bool confirming = false;
    int since = 0;

    begin(s);
    for (int i = 0; i < most; i++) {
        bool full;

        SCS_TRY(step(s, apply, ctx));
        full = s->n_basis + B > s->room;
        if (s->n_basis < s->n_top + B || (++since < (confirming ? CONFIRM : OFTEN) && !full))
            continue;
        since = 0;
        SCS_TRY(look(s));
        *found = all_found(s);
        if (*found && confirming)
            return SCS_OK;
        confirming = *found;
        if (*found) {
            restart(s, s->n_top);
            begin(s);
        } else if (full) {
            restart(s, s->n_top + SPARE);
        }
    }
    *found = false;
    return SCS_OK;
}

scs_status scs_lanczos(scs_lanczos_apply apply, void *ctx, int32_t n, int32_t n_top, int most,
                       double *value, double *vector, bool *found)
{
    search s = {.n = n, .n_top = n_top, .room = room_for(n_top)};
    scs_status st;

    *found = false;
    SCS_GO(st, n >= scs_lanczos_least(n_top)
                   ? SCS_OK
                   : SCS_FAIL(SCS_EINTERNAL, "%d eigenvectors of %d are too many", n_top, n));
    SCS_GO(st, allocate(&s));
    SCS_GO(st, run(&s, apply, ctx, most, found));
    if (*found) {
        memcpy(value, s.value + s.n_basis - n_top, (size_t)n_top * sizeof *value);
        turn_basis(&s, n_top, vector, n_top);
        fall(value, n_top, 1, n_top);
        fall(vector, n_top, n, n_top);
    }
done:
    clear(&s);
    return st;
}
