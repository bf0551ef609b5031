/** What the mixed model (src/screen/mixed.h) needs of an atlas, and what it says of one.
 *
 *  In: contexts are the control groups, shifts the perturbed groups beside them. The model wants
 *  products of group means over genes, never the means themselves: blocks of genes make them for
 *  the rows that scs_mixed_sample chose, [rows, 512] doubles at a time.
 *
 *  Out: the model's weights of contexts and shifts, put on groups. A shift of weight w is w of the
 *  perturbed group and -w of its controls, so that all that follows sees a weighted sum of group
 *  means (scs_sources).
 *
 *  Groups that are held out or silent (scs_atlas_is_hidden) get no number here, and what has no
 *  number has no part in anything. All functions are Local.
 */
#include "src/screen/mixed_atlas.h"

#include "src/atlas/atlas.h"
#include "src/base/random.h"
#include "src/base/vector.h"
#include "src/screen/mixed_atlas_internal.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Genes of a block of products. */
enum { GENES_AT_ONCE = 512 };

/* A group's own variance counts as that of its cells less one, the mean over all groups as that of
 * so many: of one cell nothing else is known. */
static const double pooled_cells = 3;

/* Mean over genes of the cells' variance in a group (ddof 1); 0 of one cell. */
static double mean_variance(const scs_atlas *a, int32_t group)
{
    const float *variance = scs_atlas_group_gene_variance(a, group);
    double n = (double)a->group[group].count, sum = 0;

    for (int32_t g = 0; g < a->n_gene; g++)
        sum += variance[g];
    return n > 1 ? sum / a->n_gene * n / (n - 1) : 0;
}

/* Mean over genes of the variance of each group's mean: v_g / n, with v_g the cells' variance of
 * the group drawn towards that of all groups, v,
 *
 *      v_g <- ((n - 1) v_g + 3 v) / (n - 1 + 3)
 *
 *  as a group of a few cells may show hardly any variance, and would count as known exactly.
 *  @param[out] noise [n_group] zeroed before; of hidden groups without meaning */
static void find_noise(const scs_atlas *a, double *noise)
{
    double sum = 0, cells = 0;

    for (int32_t g = 0; g < a->n_group; g++) {
        double freedom = (double)a->group[g].count - 1;

        if (scs_atlas_is_hidden(a, g))
            continue;
        noise[g] = mean_variance(a, g);
        sum += freedom * noise[g];
        cells += freedom;
    }
    for (int32_t g = 0; g < a->n_group; g++) {
        double n = (double)a->group[g].count, pool = cells > 0 ? sum / cells : 0;

        noise[g] = ((n - 1) * noise[g] + pooled_cells * pool) / (n - 1 + pooled_cells) / n;
    }
}

/* Variance of each gene within groups, all groups' cells together; 0 where each has one cell. */
static scs_status pool_variances(const scs_atlas *a, scs_mixed_atlas *m)
{
    double cells = 0;

    SCS_TRY(SCS_ALLOC(m->pooled, a->n_gene));
    for (int32_t g = 0; g < a->n_group; g++) {
        const float *variance = scs_atlas_group_gene_variance(a, g);
        double n = (double)a->group[g].count;

        if (scs_atlas_is_hidden(a, g))
            continue;
        cells += n - 1;
        for (int32_t k = 0; k < a->n_gene; k++)
            m->pooled[k] += n * variance[k];
    }
    for (int32_t k = 0; k < a->n_gene; k++)
        m->pooled[k] = cells > 0 ? m->pooled[k] / cells : 0;
    return SCS_OK;
}

/* sum over groups of w^2 v / n, v as in find_noise. O(n n_gene). */
scs_status scs_mixed_atlas_noise(const scs_mixed_atlas *m, const scs_atlas *a, const int32_t *group,
                                 const double *weight, int32_t n, double *noise)
{
    double *own, pooled = 0;

    SCS_TRY(SCS_ALLOC(own, n));
    for (int32_t i = 0; i < n; i++) {
        double cells = (double)a->group[group[i]].count;

        own[i] = weight[i] * weight[i] / (cells - 1 + pooled_cells);
        pooled += pooled_cells * own[i] / cells;
    }
    scs_vector_sum_rows(a->gene_variance, a->n_gene, group, own, n, noise);
    for (int32_t g = 0; g < a->n_gene; g++)
        noise[g] += pooled * m->pooled[g];
    free(own);
    return SCS_OK;
}

/* Sampling variance of a gene's mean; of one cell nothing is known. */
static double gene_noise(const scs_atlas *a, int32_t group, int32_t gene)
{
    int64_t n = a->group[group].count;

    return n > 1 ? scs_atlas_group_gene_variance(a, group)[gene] / (double)(n - 1) : 0;
}

/* A gene's seen shift squared, less what noise adds to it. */
static double response_of(const scs_atlas *a, int32_t group, int32_t control, int32_t gene)
{
    double shift = (double)scs_atlas_group_gene_mean(a, group)[gene] -
                   scs_atlas_group_gene_mean(a, control)[gene];

    return shift * shift - gene_noise(a, group, gene) - gene_noise(a, control, gene);
}

/* How much each gene answers to perturbations: what errors are spread over genes by.
 * O(shifts n_gene). */
static scs_status add_responses(const scs_atlas *a, scs_mixed_atlas *m)
{
    SCS_TRY(SCS_ALLOC(m->response, a->n_gene));
    for (int32_t i = 0; i < m->design.n_shift; i++)
        for (int32_t g = 0; g < a->n_gene; g++)
            m->response[g] += response_of(a, m->shift[i], m->control_of[i], g);
    return SCS_OK;
}

/* The place of a dose on the axis of the model's doses, on which effects begin at 0 and grow in a
 * straight line. */
static double dose_place(double dose)
{
    return log1p(fmax(0, dose));
}

/* Contexts and shifts in the order of the groups. */
static void number_groups(const scs_atlas *a, scs_mixed_atlas *m)
{
    scs_mixed_design *d = &m->design;

    for (int32_t g = 0; g < a->n_group; g++) {
        m->context_of[g] = m->shift_of[g] = -1;
        if (a->group[g].condition != a->control || scs_atlas_is_hidden(a, g))
            continue;
        m->context_of[g] = d->n_context;
        m->context[d->n_context] = g;
        m->species[d->n_context] = a->group[g].species;
        m->type[d->n_context++] = a->group[g].cell_type;
    }
    for (int32_t g = 0; g < a->n_group; g++) {
        const scs_group *group = &a->group[g];
        int32_t beside = scs_atlas_usable_control(a, g);

        if (beside < 0)
            continue;
        m->shift_of[g] = d->n_shift;
        m->shift[d->n_shift] = g;
        m->control_of[d->n_shift] = beside;
        m->seen[d->n_shift] = m->asked[group->condition];
        m->seen[d->n_shift++].context = m->context_of[beside];
    }
}

/* Rows of the likelihood, or control means, of some genes. */
typedef struct rows {
    int32_t n;
    const int32_t *group, *less; /* [n] less: the group that is taken off, -1: none */
} rows;

/* Rows of a block of genes. @param[out] x [r->n, n] */
static void fill_rows(const scs_atlas *a, const rows *r, int32_t first, int32_t n, double *x)
{
    for (int64_t i = 0; i < r->n; i++) {
        const float *of = scs_atlas_group_gene_mean(a, r->group[i]) + first;
        const float *less =
            r->less[i] < 0 ? NULL : scs_atlas_group_gene_mean(a, r->less[i]) + first;

        for (int32_t g = 0; g < n; g++)
            x[i * n + g] = less ? (double)of[g] - less[g] : of[g];
    }
}

/* Their products / genes, block by block of genes. @param[out] gram [n, n] */
static scs_status multiply(const scs_atlas *a, const rows *r, double *gram)
{
    double *x;

    SCS_TRY(SCS_ALLOC(x, (int64_t)r->n * GENES_AT_ONCE));
    memset(gram, 0, sizeof *gram * (size_t)r->n * (size_t)r->n);
    for (int32_t first = 0; first < a->n_gene; first += GENES_AT_ONCE) {
        int32_t n = a->n_gene - first < GENES_AT_ONCE ? a->n_gene - first : GENES_AT_ONCE;

        fill_rows(a, r, first, n, x);
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, r->n, n, 1. / a->n_gene, x, n, 1, gram,
                    r->n);
    }
    for (int64_t i = 0; i < r->n; i++)
        for (int64_t j = 0; j < i; j++)
            gram[j * r->n + i] = gram[i * r->n + j];
    free(x);
    return SCS_OK;
}

/* By the products of the control means, or in latent space. */
static void measure_distances(const scs_atlas *a, scs_mixed_atlas *m)
{
    int64_t n = m->design.n_context;

    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            const double *g = m->gram;
            double d = a->by_expression
                           ? fmax(0, g[i * n + i] + g[j * n + j] - 2 * g[i * n + j]) * a->n_gene
                           : scs_vector_squared_distance(scs_atlas_group_mean(a, m->context[i]),
                                                         scs_atlas_group_mean(a, m->context[j]),
                                                         a->n_latent);

            m->distance[i * n + j] = m->distance[j * n + i] = d;
        }
}

/* Gram and distances of the contexts, [n_context, n_context] each; O(n_context^2 n_gene). */
static scs_status measure_controls(const scs_atlas *a, scs_mixed_atlas *m)
{
    int64_t n = m->design.n_context;
    int32_t *less;
    scs_status st;

    SCS_TRY(SCS_ALLOC(less, n));
    for (int64_t i = 0; i < n; i++)
        less[i] = -1;
    SCS_GO(st, SCS_ALLOC(m->distance, n * n));
    SCS_GO(st, SCS_ALLOC(m->gram, n * n));
    SCS_GO(st, multiply(a, &(rows){(int32_t)n, m->context, less}, m->gram));
    measure_distances(a, m);
done:
    free(less);
    return st;
}

/* Of so many controls a basis of gene space is made, evenly picked, and it has so many vectors. */
enum { BASIS_FROM = 1024, BASIS = 128, CONTROLS_AT_ONCE = 256 };

/* The directions of gene space in which some control means differ most from 0: the eigenvectors u
 * of their products X X' / genes, taken back to genes, X'u / sqrt(lambda genes).
 *  @param[out] basis [n_gene, BASIS] zeroed  @param[out] n_basis how many of them there are */
static scs_status find_basis(const scs_atlas *a, const scs_mixed_atlas *m, double *basis,
                             int32_t *n_basis)
{
    int32_t n = m->design.n_context < BASIS_FROM ? m->design.n_context : BASIS_FROM;
    int32_t *group = NULL, *less = NULL;
    double *gram = NULL, *value = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(group, n));
    SCS_GO(st, SCS_ALLOC(less, n));
    SCS_GO(st, SCS_ALLOC(gram, (int64_t)n * n));
    SCS_GO(st, SCS_ALLOC(value, n));
    for (int64_t i = 0; i < n; i++) {
        group[i] = m->context[i * m->design.n_context / n];
        less[i] = -1;
    }
    SCS_GO(st, multiply(a, &(rows){n, group, less}, gram));
    SCS_GO(st, scs_mixed_eigen(gram, n, value));
    *n_basis = 0;
    for (int64_t k = n - 1; k >= 0 && *n_basis < BASIS && value[k] > 1e-9 * value[n - 1]; k--) {
        double scale = 1 / sqrt(value[k] * a->n_gene);

        for (int64_t i = 0; i < n; i++) {
            const float *mean = scs_atlas_group_gene_mean(a, group[i]);
            double weight = gram[k * n + i] * scale;

            for (int64_t g = 0; g < a->n_gene; g++)
                basis[g * BASIS + *n_basis] += weight * mean[g];
        }
        ++*n_basis;
    }
done:
    free(value);
    free(gram);
    free(less);
    free(group);
    return st;
}

/* Each control mean in the basis / sqrt(genes), so that products of two are those of the means /
 * genes. O(n_context n_gene BASIS). @param[out] m its product, [n_context, n_product] */
static scs_status project_controls(const scs_atlas *a, const double *basis, scs_mixed_atlas *m)
{
    int32_t n = m->design.n_context;
    double *x;

    SCS_TRY(SCS_ALLOC(m->product, (int64_t)n * m->n_product));
    SCS_TRY(SCS_ALLOC(x, (int64_t)CONTROLS_AT_ONCE * a->n_gene));
    for (int32_t first = 0; first < n; first += CONTROLS_AT_ONCE) {
        int32_t some = n - first < CONTROLS_AT_ONCE ? n - first : CONTROLS_AT_ONCE;

        for (int64_t i = 0; i < some; i++)
            for (int64_t g = 0; g < a->n_gene; g++)
                x[i * a->n_gene + g] = scs_atlas_group_gene_mean(a, m->context[first + i])[g];
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, some, m->n_product, a->n_gene,
                    1 / sqrt(a->n_gene), x, a->n_gene, basis, BASIS, 0,
                    m->product + (int64_t)first * m->n_product, m->n_product);
    }
    free(x);
    return SCS_OK;
}

/* Distances of controls are those of their places: in the basis, in the unit of genes, or in latent
 * space. */
static scs_status set_places(const scs_atlas *a, scs_mixed_atlas *m)
{
    int64_t n = m->design.n_context;

    m->n_place = a->by_expression ? m->n_product : a->n_latent;
    SCS_TRY(SCS_ALLOC(m->place, n * m->n_place));
    for (int64_t i = 0; i < n; i++)
        for (int32_t k = 0; k < m->n_place; k++)
            m->place[i * m->n_place + k] = a->by_expression
                                               ? m->product[i * m->n_product + k] * sqrt(a->n_gene)
                                               : scs_atlas_group_mean(a, m->context[i])[k];
    return SCS_OK;
}

/* Among very many controls what two have in common is seen in a few directions; all pairs of them
 * would fill the memory, and B would take a time of their number to the third. */
static scs_status place_controls(const scs_atlas *a, scs_mixed_atlas *m)
{
    double *basis;
    scs_status st;

    SCS_TRY(SCS_ALLOC(basis, (int64_t)a->n_gene * BASIS));
    SCS_GO(st, find_basis(a, m, basis, &m->n_product));
    SCS_GO(st, project_controls(a, basis, m));
    SCS_GO(st, set_places(a, m));
done:
    free(basis);
    return st;
}

/* Doses and perturbations of the conditions, as targets have them. */
static void list_conditions(const scs_atlas *a, scs_mixed_atlas *m)
{
    for (int32_t c = 0; c < a->conditions.n; c++) {
        m->asked[c].perturbation = scs_atlas_perturbation(a, c);
        m->asked[c].dose = a->doses.n ? dose_place(scs_atlas_dose(a, c)) : 0;
    }
}

/* Room for as many contexts and shifts as there are groups; the caller destroys it. */
static scs_status allocate(const scs_atlas *a, scs_mixed_atlas *m)
{
    int64_t n = a->n_group;

    SCS_TRY(SCS_ALLOC(m->context_of, n));
    SCS_TRY(SCS_ALLOC(m->shift_of, n));
    SCS_TRY(SCS_ALLOC(m->context, n));
    SCS_TRY(SCS_ALLOC(m->shift, n));
    SCS_TRY(SCS_ALLOC(m->control_of, n));
    SCS_TRY(SCS_ALLOC(m->species, n));
    SCS_TRY(SCS_ALLOC(m->type, n));
    SCS_TRY(SCS_ALLOC(m->seen, n));
    SCS_TRY(SCS_ALLOC(m->asked, a->conditions.n));
    SCS_TRY(SCS_ALLOC(m->control_noise, n));
    return SCS_ALLOC(m->noise, n);
}

/* Noise of each group, to contexts and to shifts, which are groups seen from two sides. */
static scs_status set_noise(const scs_atlas *a, scs_mixed_atlas *m)
{
    double *noise;

    SCS_TRY(SCS_ALLOC(noise, a->n_group));
    find_noise(a, noise);
    for (int32_t i = 0; i < m->design.n_context; i++)
        m->control_noise[i] = noise[m->context[i]];
    for (int32_t i = 0; i < m->design.n_shift; i++)
        m->noise[i] = noise[m->shift[i]];
    free(noise);
    return SCS_OK;
}

/* The whole design; without a single shift there is no model, and n_shift says so. */
static scs_status fill(const scs_atlas *a, scs_mixed_atlas *m)
{
    scs_mixed_design *d = &m->design;

    SCS_TRY(allocate(a, m));
    list_conditions(a, m);
    number_groups(a, m);
    if (d->n_shift == 0)
        return SCS_OK;
    SCS_TRY(d->n_context > SCS_MIXED_CONTEXTS ? place_controls(a, m) : measure_controls(a, m));
    SCS_TRY(set_noise(a, m));
    SCS_TRY(pool_variances(a, m));
    SCS_TRY(add_responses(a, m));
    *d = (scs_mixed_design){.n_context = d->n_context,
                            .n_perturbation = scs_atlas_perturbations(a)->n,
                            .n_shift = d->n_shift,
                            .species = m->species,
                            .type = m->type,
                            .distance = m->distance,
                            .control_gram = m->gram,
                            .place = m->place,
                            .product = m->product,
                            .n_place = m->n_place,
                            .n_product = m->n_product,
                            .control_noise = m->control_noise,
                            .shift = m->seen,
                            .noise = m->noise,
                            .perturbation_distance = m->likeness,
                            .has_dose = a->doses.n > 0};
    return scs_mixed_create(d, &m->model);
}

/* `likeness` is taken over, also where this fails. Without a shift that was seen there is nothing
 * to estimate from, and no model: NULL, which is no failure. */
scs_status scs_mixed_atlas_create(const scs_atlas *atlas, double *likeness, scs_mixed_atlas **mixed)
{
    scs_status st = SCS_ALLOC(*mixed, 1);

    if (st != SCS_OK)
        free(likeness);
    SCS_TRY(st);
    (*mixed)->likeness = likeness;
    (*mixed)->n_group = atlas->n_group;
    st = fill(atlas, *mixed);
    if (st != SCS_OK || (*mixed)->design.n_shift == 0)
        scs_mixed_atlas_destroy(mixed);
    return st;
}

void scs_mixed_atlas_destroy(scs_mixed_atlas **mixed)
{
    scs_mixed_atlas *m = *mixed;

    if (m) {
        scs_mixed_destroy(&m->model);
        free(m->context_of);
        free(m->shift_of);
        free(m->context);
        free(m->shift);
        free(m->control_of);
        free(m->species);
        free(m->type);
        free(m->seen);
        free(m->asked);
        free(m->distance);
        free(m->gram);
        free(m->place);
        free(m->product);
        free(m->control_noise);
        free(m->noise);
        free(m->pooled);
        free(m->response);
        free(m->likeness);
    }
    free(m);
    *mixed = NULL;
}

/* The rows that the likelihood looks at. @param group, less [n] */
static void list_sample(const scs_mixed_atlas *m, int32_t *group, int32_t *less)
{
    const int32_t *context, *shift;
    int32_t n_context, n_shift, n = 0;

    scs_mixed_sample(m->model, &n_context, &context, &n_shift, &shift);
    for (int32_t i = 0; i < n_context; i++, n++) {
        group[n] = m->context[context[i]];
        less[n] = -1;
    }
    for (int32_t i = 0; i < n_shift; i++, n++) {
        group[n] = m->shift[shift[i]];
        less[n] = m->control_of[shift[i]];
    }
}

/* O(rows^2 n_gene) for the products, then as src/screen/mixed.h says. */
scs_status scs_mixed_atlas_fit(scs_mixed_atlas *m, const scs_atlas *atlas)
{
    int32_t n_context, n_shift, n, *group = NULL, *less = NULL;
    const int32_t *unused;
    double *gram = NULL;
    scs_status st;

    scs_mixed_sample(m->model, &n_context, &unused, &n_shift, &unused);
    n = n_context + n_shift;
    SCS_GO(st, SCS_ALLOC(group, n));
    SCS_GO(st, SCS_ALLOC(less, n));
    SCS_GO(st, SCS_ALLOC(gram, (int64_t)n * n));
    list_sample(m, group, less);
    SCS_GO(st, multiply(atlas, &(rows){n, group, less}, gram));
    SCS_GO(st, scs_mixed_fit(m->model, gram));
done:
    free(gram);
    free(less);
    free(group);
    return st;
}

/* The estimates as doubles: the variances and lengths, then the perturbations' strengths, then
 * their convergences. */
enum { HYPER = sizeof(scs_mixed_hyper) / sizeof(double) };

_Static_assert(sizeof(scs_mixed_hyper) == HYPER * sizeof(double), "all of it are doubles");

int64_t scs_mixed_atlas_size(const scs_mixed_atlas *m)
{
    return HYPER + 2 * (int64_t)m->design.n_perturbation;
}

void scs_mixed_atlas_get(const scs_mixed_atlas *m, double *number)
{
    const double *strength, *convergence;
    size_t n = (size_t)m->design.n_perturbation;

    memcpy(number, scs_mixed_hyper_of(m->model, &strength, &convergence), sizeof(scs_mixed_hyper));
    memcpy(number + HYPER, strength, sizeof *strength * n);
    memcpy(number + HYPER + n, convergence, sizeof *convergence * n);
}

scs_status scs_mixed_atlas_set(scs_mixed_atlas *m, const double *number)
{
    scs_mixed_hyper hyper;

    memcpy(&hyper, number, sizeof hyper);
    return scs_mixed_set(m->model, &hyper, number + HYPER,
                         number + HYPER + m->design.n_perturbation);
}

const scs_mixed_hyper *scs_mixed_atlas_hyper(const scs_mixed_atlas *m)
{
    return scs_mixed_hyper_of(m->model, NULL, NULL);
}

void scs_mixed_atlas_convergence(const scs_mixed_atlas *m, int32_t *least, int32_t *most,
                                 const double **convergence)
{
    (void)scs_mixed_hyper_of(m->model, NULL, convergence);
    *least = *most = m->seen[0].perturbation;
    for (int32_t i = 0; i < m->design.n_shift; i++) {
        int32_t p = m->seen[i].perturbation;

        *least = (*convergence)[p] < (*convergence)[*least] ? p : *least;
        *most = (*convergence)[p] > (*convergence)[*most] ? p : *most;
    }
}

bool scs_mixed_atlas_knows_like(const scs_mixed_atlas *m)
{
    return m->likeness != NULL;
}

bool scs_mixed_atlas_weighs_all(const scs_mixed_atlas *m)
{
    return m->model->blocks != NULL;
}

int32_t scs_mixed_atlas_contexts(const scs_mixed_atlas *m)
{
    return m->design.n_context;
}

bool scs_mixed_atlas_has(const scs_mixed_atlas *m, int32_t control_group)
{
    return control_group >= 0 && m->context_of[control_group] >= 0;
}

bool scs_mixed_atlas_tells_parts(const scs_mixed_atlas *m)
{
    return scs_mixed_tells_parts(m->model);
}

/* A shift's weight goes to its perturbed group and, with the other sign, to its controls.
 * @param shift NULL: controls alone */
static void spread(const scs_mixed_atlas *m, const double *shift, const double *control,
                   double *weight)
{
    memset(weight, 0, sizeof *weight * (size_t)m->n_group);
    for (int32_t i = 0; i < m->design.n_context; i++)
        weight[m->context[i]] = control[i];
    for (int32_t i = 0; shift && i < m->design.n_shift; i++) {
        weight[m->shift[i]] = shift[i];
        weight[m->control_of[i]] -= shift[i];
    }
}

/* A group that is left out is one shift; its context's controls stay. O(n^2) of the model. */
scs_status scs_mixed_atlas_weigh(const scs_mixed_atlas *m, const scs_mixed_target *target,
                                 scs_mixed_group_weights *weights)
{
    scs_mixed_shift asked = {.context = m->context_of[target->control_group],
                             .perturbation = target->perturbation,
                             .dose = m->design.has_dose ? dose_place(target->dose) : 0};
    int32_t out = target->left_out < 0 ? -1 : m->shift_of[target->left_out];
    scs_mixed_weights of = {.common = weights->common};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(of.shift, m->design.n_shift));
    SCS_GO(st, SCS_ALLOC(of.control, m->design.n_context));
    if (weights->shrunk) {
        SCS_GO(st, SCS_ALLOC(of.shrunk_shift, m->design.n_shift));
        SCS_GO(st, SCS_ALLOC(of.shrunk_control, m->design.n_context));
        SCS_GO(st, SCS_ALLOC(of.denoised, m->design.n_context));
    }
    SCS_GO(st, scs_mixed_predict(m->model, &asked, out < 0 ? NULL : &out, out >= 0, &of));
    spread(m, of.shift, of.control, weights->weight);
    if (weights->shrunk) {
        spread(m, of.shrunk_shift, of.shrunk_control, weights->shrunk);
        spread(m, NULL, of.denoised, weights->denoised);
    }
    weights->has_common = of.has_common;
    weights->variance = of.variance;
done:
    free(of.denoised);
    free(of.shrunk_control);
    free(of.shrunk_shift);
    free(of.control);
    free(of.shift);
    return st;
}

/* A source list as the model has it: a perturbed group's weight is its shift's, whose control has
 * it with the other sign; what controls have beyond that are weights of control means.
 * @param[out] shift, shift_weight [sources]; control, control_weight [n_context], the weight zeroed
 * @return whether the model knows all sources */
static bool list_known(const scs_mixed_atlas *m, const scs_sources *sources, scs_mixed_sum *sum,
                       int32_t *shift, double *shift_weight, int32_t *control,
                       double *control_weight)
{
    double largest = 0;

    for (int32_t i = 0; i < sources->n; i++) {
        int32_t g = sources->group[i], s = m->shift_of[g];

        if (s < 0 && m->context_of[g] < 0)
            return false;
        largest = fmax(largest, fabs(sources->weight[i]));
        control_weight[s < 0 ? m->context_of[g] : m->context_of[m->control_of[s]]] +=
            sources->weight[i];
        if (s >= 0) {
            shift[sum->n_shift] = s;
            shift_weight[sum->n_shift++] = sources->weight[i];
        }
    }
    for (int32_t c = 0; c < m->design.n_context; c++)
        if (fabs(control_weight[c]) > 1e-9 * largest) {
            control_weight[sum->n_control] = control_weight[c];
            control[sum->n_control++] = c;
        }
    return true;
}

scs_status scs_mixed_atlas_expect(const scs_mixed_atlas *m, const scs_mixed_target *target,
                                  const scs_sources *sources, double *variance)
{
    int32_t *shift = NULL, *control = NULL, context = m->context_of[target->control_group];
    double *shift_weight = NULL, *control_weight = NULL;
    scs_mixed_sum sum = {0};
    scs_status st;

    *variance = NAN;
    if (context < 0 || sources->n > SCS_MIXED_ATLAS_EXPECT)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(shift, sources->n));
    SCS_GO(st, SCS_ALLOC(shift_weight, sources->n));
    SCS_GO(st, SCS_ALLOC(control, m->design.n_context));
    SCS_GO(st, SCS_ALLOC(control_weight, m->design.n_context));
    if (!list_known(m, sources, &sum, shift, shift_weight, control, control_weight))
        goto done;
    sum.shift = shift;
    sum.shift_weight = shift_weight;
    sum.control = control;
    sum.control_weight = control_weight;
    SCS_GO(st,
           scs_mixed_expect(m->model,
                            &(scs_mixed_shift){context, target->perturbation,
                                               m->design.has_dose ? dose_place(target->dose) : 0},
                            &sum, variance));
done:
    free(control_weight);
    free(control);
    free(shift_weight);
    free(shift);
    return st;
}

/* Genes that never responded keep this share of the mean one: nothing is known to the end. */
static const double least_response = .01;
/* Of the variance, what goes by the predicted shift: a gene that is to change by much can be wrong
 * by much. */
static const double by_shift = .5;
/* And no less of the variance than this is beyond the sampling of the sources. */
static const double least_rest = .05;

/* Of a group's variance, by that of its mean. */
static double sampling_weight(const scs_atlas *a, int32_t group, double weight)
{
    double free_cells = (double)a->group[group].count - 1;

    return free_cells > 0 ? weight * weight / free_cells : 0;
}

/* A source stands there once, so that a control that is one as well is squared once. */
void scs_mixed_atlas_sampling(const scs_atlas *a, int32_t control_group, const scs_sources *sources,
                              double *weight)
{
    memset(weight, 0, sizeof *weight * (size_t)a->n_group);
    weight[control_group] = sampling_weight(a, control_group, 1);
    for (int32_t i = 0; i < sources->n; i++) {
        int32_t g = sources->group[i];

        weight[g] = sampling_weight(a, g, sources->weight[i] + (g == control_group));
    }
}

void scs_mixed_atlas_sampling_floats(const scs_atlas *a, int32_t control_group,
                                     const scs_sources *sources, float *weight)
{
    memset(weight, 0, sizeof *weight * (size_t)a->n_group);
    weight[control_group] = (float)sampling_weight(a, control_group, 1);
    for (int32_t i = 0; i < sources->n; i++) {
        int32_t g = sources->group[i];

        weight[g] = (float)sampling_weight(a, g, sources->weight[i] + (g == control_group));
    }
}

/* Sampling variance of the predicted mean, from few sources. @param[out] sampled [n_gene] */
static scs_status sample_variance(const scs_atlas *a, int32_t control_group,
                                  const scs_sources *sources, double *sampled)
{
    int32_t n = 0, *group = NULL;
    double *weight = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(group, a->n_group));
    SCS_GO(st, SCS_ALLOC(weight, a->n_group));
    scs_mixed_atlas_sampling(a, control_group, sources, weight);
    for (int32_t g = 0; g < a->n_group; g++)
        if (weight[g] > 0) {
            group[n] = g;
            weight[n++] = weight[g];
        }
    scs_vector_sum_rows(a->gene_variance, a->n_gene, group, weight, n, sampled);
done:
    free(weight);
    free(group);
    return st;
}

/* Mean square of the shifts seen of each gene but one, not below 0. @param[out] response [n_gene]
 * @return their mean */
static double mean_response(const scs_mixed_atlas *m, const scs_atlas *a, int32_t but,
                            double *response)
{
    int32_t shift = but < 0 ? -1 : m->shift_of[but], n = m->design.n_shift - (shift >= 0);
    double sum = 0;

    for (int32_t g = 0; g < a->n_gene; g++) {
        double all = m->response[g];

        if (shift >= 0)
            all -= response_of(a, but, m->control_of[shift], g);
        sum += response[g] = n > 0 ? fmax(0, all / n) : 0;
    }
    return sum / a->n_gene;
}

/* se_g^2 = sampled_g + rest ((1 - k) (r_g + least) / (r + least) + k s_g^2 / s^2): what the model's
 * squared error has beyond sampling goes to the genes in proportion to the response r_g that they
 * showed, r its mean, and to the shift s_g that is predicted. O(sources n_gene). */
scs_status scs_mixed_atlas_error(const scs_mixed_atlas *m, const scs_atlas *a,
                                 int32_t control_group, int32_t observed_group,
                                 const scs_sources *sources, double variance, const float *shift,
                                 const double *sampled, float *se)
{
    double *drawn, *response, least, rest = 0, mean, square = 0;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(drawn, 2 * (int64_t)a->n_gene));
    response = drawn + a->n_gene;
    if (!sampled)
        SCS_GO(st, sample_variance(a, control_group, sources, drawn));
    sampled = sampled ? sampled : drawn;
    for (int32_t g = 0; g < a->n_gene; g++)
        rest += sampled[g];
    rest /= a->n_gene;
    rest = variance - rest;
    rest = isnan(rest) ? NAN : fmax(rest, least_rest * variance);
    mean = mean_response(m, a, observed_group, response);
    least = mean > 0 ? least_response * mean : 1;
    for (int32_t g = 0; g < a->n_gene; g++)
        square += (double)shift[g] * shift[g] / a->n_gene;
    for (int32_t g = 0; g < a->n_gene; g++) {
        double seen = (response[g] + least) / (mean + least);
        double own = square > 0 ? (double)shift[g] * shift[g] / square : seen;

        se[g] = (float)sqrt(sampled[g] + rest * ((1 - by_shift) * seen + by_shift * own));
    }
done:
    free(drawn);
    return st;
}

/* Shifts that are predicted from those of other perturbations, at most. */
enum { LIKE_TRIALS = 256 };

/* Mean shift of a context under other perturbations. @param out [n_gene]  @return whether any was
 * seen */
static bool mean_of_others(const scs_mixed_atlas *m, const scs_atlas *a, int32_t shift, double *out)
{
    const scs_mixed_shift *of = &m->seen[shift];
    int32_t n = 0;

    memset(out, 0, sizeof *out * (size_t)a->n_gene);
    for (int32_t i = 0; i < m->design.n_shift; i++) {
        const float *mean = scs_atlas_group_gene_mean(a, m->shift[i]);

        if (m->seen[i].context != of->context || m->seen[i].perturbation == of->perturbation)
            continue;
        n++;
        for (int32_t g = 0; g < a->n_gene; g++)
            out[g] += mean[g];
    }
    for (int32_t g = 0; g < a->n_gene && n > 0; g++)
        out[g] = out[g] / n - scs_atlas_group_gene_mean(a, m->control_of[shift])[g];
    return n > 0;
}

/* Products of predictions and seen shifts, over genes and shifts. */
typedef struct products {
    double predicted, both, seen;
} products;

/* Add one shift, seen and predicted. */
static void add_products(const scs_mixed_atlas *m, const scs_atlas *a, int32_t shift,
                         const double *predicted, products *p)
{
    const float *perturbed = scs_atlas_group_gene_mean(a, m->shift[shift]);
    const float *control = scs_atlas_group_gene_mean(a, m->control_of[shift]);

    for (int32_t g = 0; g < a->n_gene; g++) {
        double seen = (double)perturbed[g] - control[g];

        p->predicted += predicted[g] * predicted[g];
        p->both += predicted[g] * seen;
        p->seen += seen * seen;
    }
}

/* Squared error of the predictions; or of the best multiple of them. */
static double error_of(const products *p)
{
    return p->predicted - 2 * p->both + p->seen;
}

/* min over k of |k p - y|^2 = |y|^2 - (p'y)^2 / |p|^2, k not below 0. */
static double least_error(const products *p)
{
    return p->both > 0 ? p->seen - p->both * p->both / p->predicted : p->seen;
}

/* From other perturbations alone. @param out [n_gene]  @param left_out, of scratch */
static scs_status predict_like(const scs_mixed_atlas *m, const scs_atlas *a, int32_t shift,
                               int32_t *left_out, scs_mixed_weights *of, double *weight,
                               double *out)
{
    int32_t n = 0;

    for (int32_t i = 0; i < m->design.n_shift; i++)
        if (m->seen[i].perturbation == m->seen[shift].perturbation)
            left_out[n++] = i;
    SCS_TRY(scs_mixed_predict(m->model, &m->seen[shift], left_out, n, of));
    spread(m, of->shift, of->control, weight);
    memset(out, 0, sizeof *out * (size_t)a->n_gene);
    for (int32_t i = 0; i < m->n_group; i++)
        for (int32_t g = 0; g < a->n_gene && weight[i] != 0; g++)
            out[g] += weight[i] * scs_atlas_group_gene_mean(a, i)[g];
    return SCS_OK;
}

/* One multiple serves all trials of the mean, so that its error is the least it can have: the gain
 * is not flattered. O(trials (n_shift + n_group) n_gene). */
scs_status scs_mixed_atlas_like_gain(const scs_mixed_atlas *m, const scs_atlas *a, double *gain)
{
    int32_t n = m->design.n_shift, n_trial = n < LIKE_TRIALS ? n : LIKE_TRIALS, *left_out = NULL;
    double *weight = NULL, *out = NULL;
    products like = {0}, mean = {0};
    scs_mixed_weights of = {0};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(of.shift, n));
    SCS_GO(st, SCS_ALLOC(of.control, m->design.n_context));
    SCS_GO(st, SCS_ALLOC(left_out, n));
    SCS_GO(st, SCS_ALLOC(weight, m->n_group));
    SCS_GO(st, SCS_ALLOC(out, a->n_gene));
    for (int32_t k = 0; k < n_trial; k++) {
        int32_t i = (int32_t)((int64_t)k * n / n_trial);

        if (!mean_of_others(m, a, i, out))
            continue;
        add_products(m, a, i, out, &mean);
        SCS_GO(st, predict_like(m, a, i, left_out, &of, weight, out));
        add_products(m, a, i, out, &like);
    }
    *gain = mean.seen > 0 ? 1 - error_of(&like) / least_error(&mean) : NAN;
done:
    free(out);
    free(weight);
    free(left_out);
    free(of.control);
    free(of.shift);
    return st;
}

/* Numbers of the perturbations that groups show. @param[out] shown [n_perturbation]
 * @return how many */
static int32_t list_shown(const scs_mixed_atlas *m, int32_t *shown)
{
    int32_t n = 0;

    for (int32_t p = 0; p < m->design.n_perturbation; p++)
        for (int32_t i = 0; i < m->design.n_shift; i++)
            if (m->seen[i].perturbation == p) {
                shown[n++] = p;
                break;
            }
    return n;
}

/* A row of the table and where it comes in a random order. */
typedef struct draw {
    uint64_t key;
    int32_t row;
} draw;

static int by_key(const void *a, const void *b)
{
    const draw *x = a, *y = b;

    return x->key < y->key ? -1 : x->key > y->key;
}

/* The likeness of perturbations with the rows of the shown ones exchanged; that they all stay is no
 * exchange, and is drawn again. @param[in,out] stream its epoch is the next draw's
 * @param order [n]  @param[out] likeness [n_perturbation, n_perturbation] */
static void exchange(const scs_mixed_atlas *m, const int32_t *shown, int32_t n, scs_stream *stream,
                     draw *order, double *likeness)
{
    int64_t all = m->design.n_perturbation;
    bool same = true;

    while (same) {
        for (int32_t i = 0; i < n; i++) {
            stream->cell = (uint64_t)i;
            order[i] = (draw){scs_random_key(stream), i};
        }
        stream->epoch++;
        qsort(order, (size_t)n, sizeof *order, by_key);
        for (int32_t i = 0; i < n; i++)
            same = same && order[i].row == i;
    }
    memcpy(likeness, m->likeness, sizeof *likeness * (size_t)(all * all));
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++)
            likeness[shown[i] * all + shown[j]] =
                m->likeness[shown[order[i].row] * all + shown[order[j].row]];
}

/* The gain of another table. @param likeness the model's from now on */
static scs_status gain_of(const scs_atlas *a, double *likeness, double *gain)
{
    scs_mixed_atlas *other;
    scs_status st;

    SCS_TRY(scs_mixed_atlas_create(a, likeness, &other));
    SCS_GO(st, scs_mixed_atlas_fit(other, a));
    SCS_GO(st, scs_mixed_atlas_like_gain(other, a, gain));
done:
    scs_mixed_atlas_destroy(&other);
    return st;
}

/* A gain that needs no test, times the perturbations: the largest of 84 tables of random numbers,
 * for 4 to 20 perturbations, was 2.5. */
static const double beyond_chance = 5;

/* The perturbations are few: among 6 most tables of random numbers seem to gain something, if only
 * what the model knows of the controls' noise. */
scs_status scs_mixed_atlas_like_chance(const scs_mixed_atlas *m, const scs_atlas *a, double gain,
                                       int64_t seed, bool *chance)
{
    scs_stream stream = {(uint64_t)seed, SCS_RANDOM_TABLE, 0, 0};
    int64_t all = m->design.n_perturbation;
    int32_t *shown = NULL, n;
    draw *order = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(shown, all));
    SCS_GO(st, SCS_ALLOC(order, all));
    n = list_shown(m, shown);
    *chance = n < SCS_MIXED_ATLAS_LEAST_LIKE;
    for (int k = 0; k < SCS_MIXED_ATLAS_TABLES && !*chance && gain < beyond_chance / n; k++) {
        double *likeness, other;

        SCS_GO(st, SCS_ALLOC(likeness, all * all));
        exchange(m, shown, n, &stream, order, likeness);
        SCS_GO(st, gain_of(a, likeness, &other));
        *chance = other >= gain;
    }
done:
    free(order);
    free(shown);
    return st;
}
