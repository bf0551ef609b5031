/* The latent atlas: its groups, their labels and how a group is found. All functions are Local.
 *
 * Only groups that have cells exist, in ascending order of (species, cell type, condition). Two
 * indices find them, both made once:
 *
 *     group_of [species, type, condition]   a group's number, or -1; 4 bytes a possible group
 *     type_first, type_of                   the types with cells of a species and condition: a
 *                                           shift looks at those alone, however many there are
 *
 * The order is part of the format: model.h5 stores groups in it, and a file that has them
 * otherwise is refused, so that group numbers mean the same to all who read it.
 *
 * Held-out groups are here with their count and their expression, which scores need; their latent
 * moments are 0 and never read (scs_atlas_usable_group).
 */
#include "src/atlas/atlas.h"

#include "src/base/names.h"
#include "src/data/dose.h"
#include "scscreen/latent.h"

#include <math.h>
#include <stdlib.h>

/* Place among all possible groups; labels within range. */
static int64_t group_slot(const scs_atlas *atlas, int32_t species, int32_t type, int32_t condition)
{
    return ((int64_t)species * atlas->cell_types.n + type) * atlas->conditions.n + condition;
}

/* Whether all three are labels of this atlas; callers may ask for -1 (no such condition), or
 * for what a file claims. */
static bool within(const scs_atlas *atlas, int32_t species, int32_t type, int32_t condition)
{
    return species >= 0 && species < atlas->species.n && type >= 0 && type < atlas->cell_types.n &&
           condition >= 0 && condition < atlas->conditions.n;
}

/* ---- labels and groups ---- */

const scs_names *scs_atlas_perturbations(const scs_atlas *atlas)
{
    return scs_dose_list_perturbations(&atlas->doses, &atlas->conditions);
}

/* A condition is a perturbation at a dose; without data.dose the two are the same list, and
 * every function here that asks for one of them falls back on that. */
int32_t scs_atlas_perturbation(const scs_atlas *atlas, int32_t condition)
{
    return scs_dose_list_perturbation(&atlas->doses, condition);
}

double scs_atlas_dose(const scs_atlas *atlas, int32_t condition)
{
    return atlas->doses.n ? atlas->doses.dose[condition] : NAN;
}

/* Without doses a condition is a perturbation, and the same number says which. */
int32_t scs_atlas_condition(const scs_atlas *atlas, int32_t perturbation, double dose)
{
    return atlas->doses.n ? scs_dose_list_find(&atlas->doses, perturbation, dose) : perturbation;
}

/* Takes any three numbers, -1 and those of a file included: what is no label has no group. */
int32_t scs_atlas_group(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                        int32_t condition)
{
    if (!within(atlas, species, cell_type, condition))
        return -1;
    return atlas->group_of[group_slot(atlas, species, cell_type, condition)];
}

/* The one place that decides whether a shift may look at a group: whatever is held out must not
 * reach a prediction of itself, by whichever rule. */
int32_t scs_atlas_usable_group(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                               int32_t condition)
{
    int32_t g = scs_atlas_group(atlas, species, cell_type, condition);

    return g < 0 || scs_atlas_is_hidden(atlas, g) ? -1 : g;
}

int32_t scs_atlas_usable_control(const scs_atlas *atlas, int32_t group)
{
    const scs_group *g = &atlas->group[group];

    if (g->condition == atlas->control || scs_atlas_is_hidden(atlas, group))
        return -1;
    return scs_atlas_usable_group(atlas, g->species, g->cell_type, atlas->control);
}

bool scs_atlas_is_hidden(const scs_atlas *atlas, int32_t group)
{
    return atlas->group[group].held_out || (atlas->silent && atlas->silent[group]);
}

/* These four hand out rows of the atlas' matrices. For a group that is held out the latent mean
 * is 0, the other three are its real ones. */
const double *scs_atlas_group_mean(const scs_atlas *atlas, int32_t group)
{
    return atlas->mean + (int64_t)group * atlas->n_latent;
}

const float *scs_atlas_group_gene_mean(const scs_atlas *atlas, int32_t group)
{
    return atlas->gene_mean + (int64_t)group * atlas->n_gene;
}

const float *scs_atlas_group_gene_variance(const scs_atlas *atlas, int32_t group)
{
    return atlas->gene_variance + (int64_t)group * atlas->n_gene;
}

const int32_t *scs_atlas_group_deg(const scs_atlas *atlas, int32_t group)
{
    return atlas->deg + (int64_t)group * SCS_N_DEG;
}

/* A condition of one species: [type_first, next type_first) of type_of. */
const int32_t *scs_atlas_types(const scs_atlas *atlas, int32_t species, int32_t condition,
                               int32_t *n)
{
    int64_t at = (int64_t)species * atlas->conditions.n + condition;

    *n = 0;
    if (!within(atlas, species, 0, condition))
        return NULL;
    *n = (int32_t)(atlas->type_first[at + 1] - atlas->type_first[at]);
    return atlas->type_of + atlas->type_first[at];
}

/* ---- create ---- */

/* Counting sort of the groups by species and condition, O(n_group). Counts begin two places on,
 * so that placing the types leaves each first where it belongs: type_first[i + 1] is where the
 * next type of condition i goes, and its end when all are placed. Types ascend as groups do. */
static scs_status index_types(scs_atlas *a)
{
    int64_t n = (int64_t)a->species.n * a->conditions.n, *first;

    SCS_TRY(SCS_ALLOC(a->type_first, n + 2));
    SCS_TRY(SCS_ALLOC(a->type_of, a->n_group));
    first = a->type_first;
    for (int32_t g = 0; g < a->n_group; g++)
        first[(int64_t)a->group[g].species * a->conditions.n + a->group[g].condition + 2]++;
    for (int64_t i = 0; i < n; i++)
        first[i + 2] += first[i + 1];
    for (int32_t g = 0; g < a->n_group; g++) {
        int64_t at = (int64_t)a->group[g].species * a->conditions.n + a->group[g].condition;

        a->type_of[first[at + 1]++] = a->group[g].cell_type;
    }
    return SCS_OK;
}

/* Number of possible groups, SCS_EDATA where it overflows; names.n are int32, so that only the
 * third factor can. */
static scs_status slot_count(const scs_names *species, const scs_names *types,
                             const scs_names *conditions, int64_t *n)
{
    SCS_REQUIRE(!__builtin_mul_overflow((int64_t)species->n * types->n, conditions->n, n),
                SCS_EDATA, "too many groups: %d species x %d cell types x %d conditions",
                species->n, types->n, conditions->n);
    return SCS_OK;
}

/* The atlas owns its labels: it outlives the data set and the file that it was made from. */
static scs_status copy_names(scs_atlas *a, const scs_names *species, const scs_names *types,
                             const scs_names *conditions, const scs_names *genes)
{
    SCS_TRY(scs_names_copy(species, &a->species));
    SCS_TRY(scs_names_copy(types, &a->cell_types));
    SCS_TRY(scs_names_copy(conditions, &a->conditions));
    return scs_names_copy(genes, &a->genes);
}

/* Zeros for all genes of all groups, in pages that are not touched: an atlas that is made for its
 * groups alone takes no memory for genes. */
static scs_status allocate_genes(const scs_atlas *a, float **value)
{
    size_t n, bytes;

    SCS_REQUIRE(!__builtin_mul_overflow((size_t)a->n_group, (size_t)a->n_gene, &n) &&
                    !__builtin_mul_overflow(n, sizeof **value, &bytes) && bytes < PTRDIFF_MAX,
                SCS_EDATA, "too many groups: %d with %d genes", a->n_group, a->n_gene);
    *value = calloc(n + 1, sizeof **value);
    SCS_REQUIRE(*value, SCS_ENOMEM, "out of memory: means of %d groups with %d genes", a->n_group,
                a->n_gene);
    return SCS_OK;
}

/* Zeroed moments and empty DEG lists for all groups. SCS_EDATA where sizes overflow: they may
 * come from a file. */
static scs_status allocate_moments(scs_atlas *a)
{
    int64_t second;

    SCS_REQUIRE(!__builtin_mul_overflow((int64_t)a->n_latent * a->n_latent, a->n_group, &second),
                SCS_EDATA, "too many groups: %d with %d latent units", a->n_group, a->n_latent);
    SCS_TRY(SCS_ALLOC(a->mean, (int64_t)a->n_group * a->n_latent));
    SCS_TRY(SCS_ALLOC(a->second, second));
    SCS_TRY(allocate_genes(a, &a->gene_mean));
    SCS_TRY(allocate_genes(a, &a->gene_variance));
    SCS_TRY(SCS_ALLOC(a->deg, (int64_t)a->n_group * SCS_N_DEG));
    for (int64_t i = 0; i < (int64_t)a->n_group * SCS_N_DEG; i++)
        a->deg[i] = -1;
    return SCS_OK;
}

/* Groups may come from a file: labels in range, in ascending order, each once, none empty
 * (SCS_EDATA). Fills group and group_of. */
static scs_status set_groups(scs_atlas *a, const scs_group *group)
{
    int64_t n_slot, last = -1;

    SCS_TRY(slot_count(&a->species, &a->cell_types, &a->conditions, &n_slot));
    SCS_TRY(SCS_ALLOC(a->group, a->n_group));
    SCS_TRY(SCS_ALLOC(a->group_of, n_slot));
    for (int64_t i = 0; i < n_slot; i++)
        a->group_of[i] = -1;
    for (int32_t g = 0; g < a->n_group; g++) {
        const scs_group *one = &group[g];
        int64_t slot;

        SCS_REQUIRE(within(a, one->species, one->cell_type, one->condition) && one->count > 0,
                    SCS_EDATA, "group %d of the latent atlas has a label or a count out of range",
                    g);
        slot = group_slot(a, one->species, one->cell_type, one->condition);
        SCS_REQUIRE(slot > last, SCS_EDATA, "groups of the latent atlas are out of order at %d", g);
        last = slot;
        a->group[g] = *one;
        a->group_of[slot] = g;
    }
    return SCS_OK;
}

/* All but the doses, which a file does not have; sizes are set already. On failure the caller
 * destroys what is there. */
static scs_status fill_atlas(scs_atlas *a, const scs_names *species, const scs_names *types,
                             const scs_names *conditions, const scs_names *genes,
                             const scs_group *group)
{
    SCS_REQUIRE(a->n_group >= 0 && a->n_latent > 0, SCS_EDATA,
                "a latent atlas of %d groups and %d latent units makes no sense", a->n_group,
                a->n_latent);
    SCS_REQUIRE(a->control >= 0 && a->control < conditions->n, SCS_EDATA,
                "the latent atlas' control is condition %d of %d", a->control, conditions->n);
    SCS_TRY(copy_names(a, species, types, conditions, genes));
    SCS_TRY(set_groups(a, group));
    SCS_TRY(index_types(a));
    return allocate_moments(a);
}

/* What is indexed by conditions is indexed anew. */
scs_status scs_atlas_add_conditions(scs_atlas *a, const scs_names *names)
{
    int64_t n_slot;

    if (names->n == 0)
        return SCS_OK;
    for (int32_t i = 0; i < names->n; i++)
        SCS_TRY(scs_names_add(&a->conditions, names->name[i]));
    SCS_TRY(slot_count(&a->species, &a->cell_types, &a->conditions, &n_slot));
    free(a->group_of);
    free(a->type_first);
    free(a->type_of);
    a->group_of = NULL;
    a->type_first = NULL;
    a->type_of = NULL;
    SCS_TRY(SCS_ALLOC(a->group_of, n_slot));
    for (int64_t i = 0; i < n_slot; i++)
        a->group_of[i] = -1;
    for (int32_t g = 0; g < a->n_group; g++)
        a->group_of[group_slot(a, a->group[g].species, a->group[g].cell_type,
                               a->group[g].condition)] = g;
    return index_types(a);
}

scs_status scs_atlas_create_from(const scs_names *species, const scs_names *cell_types,
                                 const scs_names *conditions, const scs_names *genes,
                                 int32_t control, const scs_group *group, int32_t n_group,
                                 int32_t n_latent, scs_atlas **atlas)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*atlas, 1));
    (*atlas)->control = control;
    (*atlas)->n_group = n_group;
    (*atlas)->n_latent = n_latent;
    (*atlas)->n_gene = genes->n;
    SCS_GO(st, fill_atlas(*atlas, species, cell_types, conditions, genes, group));
done:
    if (st != SCS_OK)
        scs_atlas_destroy(atlas);
    return st;
}

/* Every possible group in slot order with its count, 0 included; a group is held out if one of
 * its cells is. @param group [n_slot], zeroed */
static void count_cells(const scs_dataset *d, scs_group *group)
{
    for (int64_t i = 0; i < d->n_cell; i++) {
        scs_group *g;

        if (d->role[i] == SCS_ROLE_UNUSED) /* its labels were not asked for */
            continue;
        g = &group[((int64_t)d->cell_species[i] * d->cell_types.n + d->cell_type[i]) *
                       d->conditions.n +
                   d->cell_condition[i]];
        g->species = d->cell_species[i];
        g->cell_type = d->cell_type[i];
        g->condition = d->cell_condition[i];
        g->held_out = g->held_out || d->role[i] == SCS_ROLE_HELD_OUT;
        g->count++;
    }
}

/* Counts cells in an array over all possible groups, then keeps those that have some. */
scs_status scs_atlas_create(const scs_dataset *dataset, int32_t n_latent, scs_atlas **atlas)
{
    const scs_dataset *d = dataset;
    scs_group *group = NULL;
    int64_t n_slot, n = 0;
    scs_status st;

    SCS_TRY(slot_count(&d->species, &d->cell_types, &d->conditions, &n_slot));
    SCS_TRY(SCS_ALLOC(group, n_slot));
    count_cells(d, group);
    for (int64_t i = 0; i < n_slot; i++)
        if (group[i].count > 0)
            group[n++] = group[i];
    st = scs_atlas_create_from(&d->species, &d->cell_types, &d->conditions, &d->genes, d->control,
                               group, (int32_t)n, n_latent, atlas);
    free(group);
    SCS_TRY(st);
    st = scs_dose_list_copy(&d->doses, &(*atlas)->doses);
    if (st != SCS_OK)
        scs_atlas_destroy(atlas);
    return st;
}

void scs_atlas_destroy(scs_atlas **atlas)
{
    scs_atlas *a = *atlas;

    if (!a)
        return;
    scs_names_clear(&a->species);
    scs_names_clear(&a->cell_types);
    scs_names_clear(&a->conditions);
    scs_names_clear(&a->genes);
    scs_dose_list_clear(&a->doses);
    free(a->group);
    free(a->group_of);
    free(a->type_first);
    free(a->type_of);
    free(a->mean);
    free(a->second);
    free(a->gene_mean);
    free(a->gene_variance);
    free(a->deg);
    free(a->silent);
    free(a->control_at);
    free(a->control_distance);
    free(a);
    *atlas = NULL;
}

/* ---- cells ---- */

/* O(n_cell), 4 bytes a cell: made where it is needed, and given back at once. */
scs_status scs_atlas_cell_groups(const scs_atlas *atlas, const scs_dataset *dataset,
                                 int32_t **group)
{
    int32_t *of;

    SCS_TRY(SCS_ALLOC(of, dataset->n_cell));
    for (int64_t i = 0; i < dataset->n_cell; i++)
        of[i] = dataset->role[i] == SCS_ROLE_UNUSED
                    ? -1
                    : scs_atlas_group(atlas, dataset->cell_species[i], dataset->cell_type[i],
                                      dataset->cell_condition[i]);
    *group = of;
    return SCS_OK;
}

/* ---- gene space as the latent space ---- */

/* In double, 8 bytes a group and gene: shifts are summed in double in either space. Second
 * moments would be n_gene^2 a group, so there are none, and what needs them says NaN (support). */
scs_status scs_atlas_gene_space_view(const scs_atlas *atlas, scs_atlas *view)
{
    int64_t n = (int64_t)atlas->n_group * atlas->n_gene;

    *view = *atlas;
    view->n_latent = atlas->n_gene;
    view->mean = NULL; /* the one array of its own */
    view->second = NULL;
    SCS_TRY(SCS_ALLOC(view->mean, n));
    for (int64_t i = 0; i < n; i++)
        view->mean[i] = atlas->gene_mean[i];
    return SCS_OK;
}

void scs_atlas_gene_space_clear(scs_atlas *view)
{
    free(view->mean);
    *view = (scs_atlas){0};
}

/* The view borrows all but its means, so that taking its place frees only what it replaces. */
scs_status scs_atlas_gene_space_enter(scs_atlas *atlas)
{
    scs_atlas view;

    SCS_TRY(scs_atlas_gene_space_view(atlas, &view));
    free(atlas->mean);
    free(atlas->second);
    *atlas = view;
    return SCS_OK;
}
