/* Places that halve the sorted points, a parabola by orthogonal polynomials at each, and cubics in
 * between (src/kernels/loess.h). */
#include "src/kernels/loess.h"

#include <math.h>
#include <stdlib.h>

/* A point: both coordinates are sorted together, ties by y, so that sums have one order. */
typedef struct point {
    double x, y;
} point;

/* A place at which the parabola is fitted. */
typedef struct knot {
    double x, value, slope;
} knot;

typedef struct curve {
    const point *p; /* [n] ascending by x */
    int64_t n;
    int64_t near; /* points that a fit looks at */
    int64_t most; /* points between two knots */
    knot *knot;   /* [n_knot] */
    int64_t n_knot;
} curve;

static int by_x(const void *a, const void *b)
{
    const point *p = a, *q = b;

    return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : (p->y > q->y) - (p->y < q->y);
}

static int by_place(const void *a, const void *b)
{
    const knot *p = a, *q = b;

    return (p->x > q->x) - (p->x < q->x);
}

/* ---- the parabola at one place ---- */

/* First of the `near` points nearest to z: the window moves up while its far end is nearer. O(log
 * n): whether it moves is monotone in its place. */
static int64_t first_near(const curve *c, double z)
{
    int64_t first = 0, last = c->n - c->near;

    while (first < last) {
        int64_t i = first + (last - first) / 2;

        if (z - c->p[i].x > c->p[i + c->near].x - z)
            first = i + 1;
        else
            last = i;
    }
    return first;
}

/* Weight of a point at distance u h of the place; the middle's weights are 1, and what the far end
 * adds is nothing, as in dloess. */
static double tricube(double u)
{
    if (u * u > 0.999)
        return 0;
    if (u * u < 0.001)
        return 1;
    return (1 - u * u * u) * (1 - u * u * u) * (1 - u * u * u);
}

/* Sums over the window of a place, about u = (x - place) / h. */
typedef struct window {
    const point *p;
    int64_t n;
    double place, h;
    double w, wu, wu2, wy; /* sums of the weights w, of w u, w u^2 and w y */
} window;

static double u_of(const window *s, int64_t i)
{
    return (s->p[i].x - s->place) / s->h;
}

/* Where all points of a window are as far as the farthest it is widened: somebody has to speak. */
static void open_window(const curve *c, double z, window *s)
{
    const point *p = c->p + first_near(c, z);
    double h = fmax(z - p[0].x, p[c->near - 1].x - z);

    for (*s = (window){.p = p, .n = c->near, .place = z, .h = h > 0 ? h : 1}; s->w == 0;) {
        for (int64_t i = 0; i < s->n; i++) {
            double u = u_of(s, i), w = tricube(fabs(u));

            s->w += w;
            s->wu += w * u;
            s->wu2 += w * u * u;
            s->wy += w * p[i].y;
        }
        s->h *= s->w > 0 ? 1 : 2;
    }
}

/* Weighted least squares on 1, l = u - a and q = u^2 - m - b l, which are made orthogonal one after
 * the other: there is no system to solve, and a polynomial that vanishes at all points is left out.
 * Value and slope are those at u = 0. */
static void fit_at(const curve *c, double z, knot *k)
{
    window s;
    double a, b, m, line = 0, ll = 0, l2 = 0, parabola = 0, qq = 0;

    open_window(c, z, &s);
    a = s.wu / s.w;
    m = s.wu2 / s.w;
    *k = (knot){.x = z, .value = s.wy / s.w};
    for (int64_t i = 0; i < s.n; i++) {
        double u = u_of(&s, i), w = tricube(fabs(u));

        ll += w * (u - a) * (u - a);
        l2 += w * (u - a) * u * u;
        line += w * (u - a) * s.p[i].y;
    }
    if (ll < 1e-12 * s.w)
        return;
    b = l2 / ll;
    k->value -= line / ll * a;
    k->slope = line / ll / s.h;
    for (int64_t i = 0; i < s.n; i++) {
        double u = u_of(&s, i), w = tricube(fabs(u)), q = u * u - m - b * (u - a);

        qq += w * q * q;
        parabola += w * q * s.p[i].y;
    }
    if (qq < 1e-12 * s.w)
        return;
    k->value += parabola / qq * (b * a - m);
    k->slope -= parabola / qq * b / s.h;
}

/* ---- the places ---- */

/* The point at which [first, last] is cut: the middle one, or the nearest whose next differs.
 *  @return -1: all are the same */
static int64_t cut_of(const curve *c, int64_t first, int64_t last)
{
    int64_t middle = first + (last - first) / 2;

    for (int64_t off = 0; middle - off >= first || middle + off < last; off++) {
        if (middle + off < last && c->p[middle + off].x < c->p[middle + off + 1].x)
            return middle + off;
        if (off > 0 && middle - off >= first && c->p[middle - off].x < c->p[middle - off + 1].x)
            return middle - off;
    }
    return -1;
}

/* Halve [first, last] until few enough points are left. Room: each cut leaves a point to either
 * side, so there are fewer cuts than points. */
static void cut(curve *c, int64_t first, int64_t last)
{
    int64_t at;

    if (last - first + 1 <= c->most)
        return;
    at = cut_of(c, first, last);
    if (at < 0)
        return;
    c->knot[c->n_knot++].x = c->p[at].x;
    cut(c, first, at);
    cut(c, at + 1, last);
}

static void place_knots(curve *c)
{
    double low = c->p[0].x, high = c->p[c->n - 1].x;
    double margin = 0.005 * fmax(high - low, 1e-10 * fmax(fabs(low), fabs(high)) + 1e-30);

    c->knot[c->n_knot++].x = low - margin;
    c->knot[c->n_knot++].x = high + margin;
    cut(c, 0, c->n - 1);
    qsort(c->knot, (size_t)c->n_knot, sizeof *c->knot, by_place);
}

/* ---- the curve ---- */

/* Cubic of Hermite through the two knots around x. */
static double value_at(const curve *c, double x)
{
    int64_t first = 0, last = c->n_knot - 2;
    double h, t;
    const knot *k;

    while (first < last) {
        int64_t i = first + (last - first) / 2;

        if (c->knot[i + 1].x < x)
            first = i + 1;
        else
            last = i;
    }
    k = c->knot + first;
    h = k[1].x - k[0].x;
    t = (x - k[0].x) / h;
    return (1 + 2 * t) * (1 - t) * (1 - t) * k[0].value + t * t * (3 - 2 * t) * k[1].value +
           h * t * (1 - t) * ((1 - t) * k[0].slope - t * k[1].slope);
}

scs_status scs_loess_fit(const double *x, const double *y, int64_t n, double span, double *fitted)
{
    curve c = {.n = n};
    point *p = NULL;
    scs_status st;

    if (n == 0)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(p, n));
    SCS_GO(st, SCS_ALLOC(c.knot, n + 2));
    for (int64_t i = 0; i < n; i++)
        p[i] = (point){x[i], y[i]};
    qsort(p, (size_t)n, sizeof *p, by_x);
    c.p = p;
    c.near = (int64_t)fmin((double)n, floor((double)n * span + 1e-5));
    c.near = c.near < 1 ? 1 : c.near;
    c.most = (int64_t)floor((double)n * span * 0.2);
    c.most = c.most < 1 ? 1 : c.most;
    place_knots(&c);
    for (int64_t k = 0; k < c.n_knot; k++)
        fit_at(&c, c.knot[k].x, &c.knot[k]);
    for (int64_t i = 0; i < n; i++)
        fitted[i] = value_at(&c, x[i]);
done:
    free(p);
    free(c.knot);
    return st;
}
