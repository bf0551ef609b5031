/* The skeleton of screen.h5ad: all that is known before a row is predicted. All functions are
 * Local.
 *
 *     obs/_index                       species|cell_type|perturbation[|dose], unique
 *     obs/species ... reason           labels, as categories: each once, and a code a row
 *     obs/dose                         where the data have doses
 *     obs/n_control, n_observed        cells that a row rests on, and is scored by
 *     obs/held_out                     whether those were kept from the model
 *     var/_index, gene_LABEL           the genes, and the inputs' own names of them
 *     uns/scscreen                     provenance
 *     uns/genes                        what became of the inputs' genes, by reason
 *     uns/gene_sets                    the sets that rows are scored by
 *     X, layers, obsm, scores in obs   reserved, written later by all ranks (result_fields.c)
 *
 * Rank 0 writes it alone and serially, since HDF5 1.10 cannot write strings of variable length
 * through MPI-IO. Numeric fields are contiguous, allocated early and never filled, and then the
 * file's full size is reserved: under MPI-IO a full disk can lose data without an error, so that
 * it has to show here, before anything is computed.
 *
 * A million rows have names of their own and share a few labels: names are written in batches of
 * NAMES_AT_ONCE, and labels are numbered through a hash table.
 */
#include "src/base/hash64.h"
#include "src/base/names.h"
#include "src/data/dose.h"
#include "src/data/genes.h"
#include "src/hdf5/h5anndata.h"
#include "src/hdf5/h5write.h"
#include "src/result/gene_sets.h"
#include "src/result/result_type.h"
#include "scscreen/result.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- labels that many rows share ---- */

/* Names, each once, in order of appearance: a hash table with open addressing. */
typedef struct interner {
    scs_names names;
    int64_t size;  /**< of slot: 0 or a power of two, at least twice names.n */
    int32_t *slot; /**< 1 + position in names; 0: free */
} interner;

/* The slot that holds the name, or the free one where it belongs. */
static int64_t find_slot(const interner *t, const char *name)
{
    int64_t at = (int64_t)(scs_hash64_of(name, (int64_t)strlen(name)) & (uint64_t)(t->size - 1));

    while (t->slot[at] && strcmp(t->names.name[t->slot[at] - 1], name) != 0)
        at = (at + 1) & (t->size - 1);
    return at;
}

/* Twice the slots, so that at most half are taken; positions of names stay. SCS_ENOMEM. */
static scs_status grow(interner *t)
{
    int64_t size = t->size ? 2 * t->size : 64;
    int32_t *slot;

    SCS_TRY(SCS_ALLOC(slot, size));
    free(t->slot);
    t->slot = slot;
    t->size = size;
    for (int32_t i = 0; i < t->names.n; i++)
        t->slot[find_slot(t, t->names.name[i])] = i + 1;
    return SCS_OK;
}

/* The position of a name, which is added if it is new. A zeroed interner is empty. SCS_ENOMEM. */
static scs_status interner_find(interner *t, const char *name, int32_t *at)
{
    int64_t slot;

    if (2 * ((int64_t)t->names.n + 1) > t->size)
        SCS_TRY(grow(t));
    slot = find_slot(t, name);
    if (!t->slot[slot]) {
        SCS_TRY(scs_names_add(&t->names, name));
        t->slot[slot] = t->names.n;
    }
    *at = t->slot[slot] - 1;
    return SCS_OK;
}

/* It is empty then, and may be used again. */
static void interner_clear(interner *t)
{
    scs_names_clear(&t->names);
    free(t->slot);
    *t = (interner){0};
}

/* ---- var, and what uns says of genes ---- */

/* uns["gene_sets"]: the columns of obsm["gene_set_score"], and how many genes of each set are
 * here: a score of three genes is not one of three hundred. */
static scs_status write_gene_sets(hid_t file, const scs_result_head *head)
{
    const scs_gene_sets *sets = head->gene_sets;
    int64_t n = sets ? sets->name.n : 0, *known;
    scs_status st;

    if (!sets)
        return SCS_OK;
    SCS_TRY(scs_h5_dict(file, "uns/gene_sets"));
    SCS_TRY(scs_h5_write_strings(file, "uns/gene_sets/name", &sets->name));
    SCS_TRY(scs_h5_array(file, "uns/gene_sets/n_listed", H5T_NATIVE_INT64, 1, &n, sets->n_listed));
    SCS_TRY(SCS_ALLOC(known, n));
    for (int64_t k = 0; k < n; k++)
        known[k] = sets->first[k + 1] - sets->first[k];
    st = scs_h5_array(file, "uns/gene_sets/n_known", H5T_NATIVE_INT64, 1, &n, known);
    free(known);
    return st;
}

/* "gene_LABEL" in var: what an input calls the genes, where that is not what the result does,
 * so that rows can be joined with its file. */
static scs_status write_own_names(hid_t file, const scs_gene_map *map)
{
    scs_status st;
    char *path;

    if (!map->translated)
        return SCS_OK;
    SCS_TRY(scs_file_path_print(&path, "var/gene_%s", map->label));
    st = scs_h5_write_strings(file, path, &map->own);
    free(path);
    return st;
}

/* uns["genes"][LABEL]: how many of the input's genes met which fate, so that no gene is lost
 * unseen. */
static scs_status write_fates(hid_t file, const scs_gene_map *map)
{
    char *path;
    scs_status st;

    SCS_TRY(scs_file_path_print(&path, "uns/genes/%s", map->label));
    st = scs_h5_dict(file, path);
    free(path);
    SCS_TRY(st);
    for (int f = 0; f < SCS_N_GENE_FATE; f++) {
        SCS_TRY(scs_file_path_print(&path, "uns/genes/%s/%s", map->label, scs_genes_fate_name(f)));
        st = scs_h5_scalar_double(file, path, (double)map->fate[f]);
        free(path);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* The columns of var besides the index, in the order of the inputs. */
static scs_status name_columns(const scs_gene_maps *maps, scs_names *columns)
{
    for (int32_t i = 0; i < maps->n; i++) {
        scs_status st;
        char *name;

        if (!maps->map[i].translated)
            continue;
        SCS_TRY(scs_file_path_print(&name, "gene_%s", maps->map[i].label));
        st = scs_names_add(columns, name);
        free(name);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* var["gene_LABEL"] and uns["genes"][LABEL] of every input. */
static scs_status write_maps(hid_t file, const scs_gene_maps *maps)
{
    SCS_TRY(scs_h5_dict(file, "uns/genes"));
    for (int32_t i = 0; i < maps->n; i++) {
        SCS_TRY(write_own_names(file, &maps->map[i]));
        SCS_TRY(write_fates(file, &maps->map[i]));
    }
    return SCS_OK;
}

/* var with the inputs' own names of its genes; uns["genes"] and uns["gene_sets"]. */
static scs_status write_genes(hid_t file, const scs_result_head *head)
{
    scs_names columns = {0};
    scs_status st = SCS_OK;

    if (head->gene_maps)
        SCS_GO(st, name_columns(head->gene_maps, &columns));
    SCS_GO(st, scs_h5_dataframe(file, "var", &head->atlas->genes, &columns));
    if (head->gene_maps)
        SCS_GO(st, write_maps(file, head->gene_maps));
    SCS_GO(st, write_gene_sets(file, head));
done:
    scs_names_clear(&columns);
    return st;
}

/* ---- obs ---- */

/* A row's label in one column. */
typedef const char *(*label_fn)(const scs_result_head *head, int64_t row);

/* A row's label in each categorical column. Borrowed from the atlas and the plan. */
static const char *species_of(const scs_result_head *head, int64_t row)
{
    return head->atlas->species.name[head->plan->item[row].species];
}

static const char *cell_type_of(const scs_result_head *head, int64_t row)
{
    return head->atlas->cell_types.name[head->plan->item[row].cell_type];
}

static const char *perturbation_of(const scs_result_head *head, int64_t row)
{
    return scs_plan_perturbation_label(head->atlas, &head->plan->pairs, &head->plan->item[row]);
}

static const char *source_of(const scs_result_head *head, int64_t row)
{
    return head->plan->sources.name[head->plan->item[row].source];
}

static const char *status_of(const scs_result_head *head, int64_t row)
{
    return scs_plan_row_status_name(head->plan->item[row].status);
}

static const char *reason_of(const scs_result_head *head, int64_t row)
{
    return head->plan->reasons.name[head->plan->item[row].reason];
}

/* The categorical columns, in order. */
static const struct {
    const char *name;
    label_fn label;
} labels[] = {
    {"species", species_of}, {"cell_type", cell_type_of}, {"perturbation", perturbation_of},
    {"source", source_of},   {"status", status_of},       {"reason", reason_of}};

enum { N_LABEL = sizeof labels / sizeof *labels, NAMES_AT_ONCE = 1 << 16 };

/* Numbers of cells, which are known before a row is predicted. */
static const char *const count_columns[] = {"n_control", "n_observed", "held_out"};

/* Rows then have a dose, in their names and as a column. */
static bool has_doses(const scs_result_head *head)
{
    return head->atlas->doses.n > 0;
}

/* As in the row's name; "" without doses. @return out */
static const char *dose_text(const scs_result_head *head, int64_t row, char out[SCS_DOSE_TEXT])
{
    out[0] = '\0';
    return has_doses(head) ? scs_dose_text(head->plan->item[row].dose, out) : out;
}

/* "species|cell_type|perturbation" of rows [first, first + n), then "|dose" if there are doses:
 * unique, as the rows of a plan are. */
static scs_status row_names(const scs_result_head *head, int64_t first, int64_t n, scs_names *names)
{
    char dose[SCS_DOSE_TEXT];

    for (int64_t i = first; i < first + n; i++)
        SCS_TRY(scs_dose_row_name_add(species_of(head, i), cell_type_of(head, i),
                                      perturbation_of(head, i), dose_text(head, i, dose), names));
    return SCS_OK;
}

/* In batches, so that a million names are never in memory at once. */
static scs_status write_row_names(hid_t file, const scs_result_head *head)
{
    for (int64_t first = 0; first < head->plan->n; first += NAMES_AT_ONCE) {
        int64_t left = head->plan->n - first, n = left < NAMES_AT_ONCE ? left : NAMES_AT_ONCE;
        scs_names names = {0};
        scs_status st = row_names(head, first, n, &names);

        if (st == SCS_OK)
            st = scs_h5_write_strings_part(file, "obs/_index", first, &names);
        scs_names_clear(&names);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* The columns of obs in the order in which a reader sees them: labels, dose, counts, scores. */
static scs_status obs_columns(const scs_result_head *head, scs_names *names)
{
    scs_result_field field[SCS_RESULT_FIELDS];
    int32_t n = scs_result_fields(head, field);

    for (int i = 0; i < N_LABEL; i++)
        SCS_TRY(scs_names_add(names, labels[i].name));
    if (has_doses(head))
        SCS_TRY(scs_names_add(names, "dose"));
    for (size_t i = 0; i < sizeof count_columns / sizeof *count_columns; i++)
        SCS_TRY(scs_names_add(names, count_columns[i]));
    for (int32_t i = 0; i < n; i++)
        if (strncmp(field[i].path, "obs/", 4) == 0)
            SCS_TRY(scs_names_add(names, field[i].path + 4));
    return SCS_OK;
}

/* The frame and its index; columns follow one by one. */
static scs_status write_obs_frame(hid_t file, const scs_result_head *head)
{
    scs_names columns = {0};
    scs_status st;

    SCS_GO(st, obs_columns(head, &columns));
    SCS_GO(st, scs_h5_reserve_dataframe(file, "obs", head->plan->n, &columns));
    SCS_GO(st, write_row_names(file, head));
done:
    scs_names_clear(&columns);
    return st;
}

/* A categorical column: each label once, in order of appearance, and 4 bytes a row. SCS_ENOMEM,
 * SCS_EIO, SCS_ECREATE. */
static scs_status write_key(hid_t file, const scs_result_head *head, int key)
{
    interner categories = {0};
    int32_t *codes = NULL;
    char *path = NULL;
    scs_status st;

    SCS_GO(st, scs_file_path_print(&path, "obs/%s", labels[key].name));
    SCS_GO(st, SCS_ALLOC(codes, head->plan->n));
    for (int64_t i = 0; i < head->plan->n; i++)
        SCS_GO(st, interner_find(&categories, labels[key].label(head, i), &codes[i]));
    SCS_GO(st, scs_h5_categorical(file, path, &categories.names, codes, head->plan->n));
done:
    interner_clear(&categories);
    free(codes);
    free(path);
    return st;
}

/* obs["dose"], where the data have doses. */
static scs_status write_doses(hid_t file, const scs_result_head *head)
{
    int64_t n = head->plan->n;
    double *dose;
    scs_status st;

    if (!has_doses(head))
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(dose, n));
    for (int64_t i = 0; i < n; i++)
        dose[i] = head->plan->item[i].dose;
    st = scs_h5_array(file, "obs/dose", H5T_NATIVE_DOUBLE, 1, &n, dose);
    free(dose);
    return st;
}

/* Cells of each row's controls and of its observed group; 0 where there is none. */
static scs_status write_counts(hid_t file, const scs_result_head *head)
{
    const scs_group *group = head->atlas->group;
    int64_t n = head->plan->n, *control = NULL, *observed = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(control, n));
    SCS_GO(st, SCS_ALLOC(observed, n));
    for (int64_t i = 0; i < n; i++) {
        const scs_combination *item = &head->plan->item[i];

        control[i] = item->control_group < 0 ? 0 : group[item->control_group].count;
        observed[i] = item->observed_group < 0 ? 0 : group[item->observed_group].count;
    }
    SCS_GO(st, scs_h5_array(file, "obs/n_control", H5T_NATIVE_INT64, 1, &n, control));
    SCS_GO(st, scs_h5_array(file, "obs/n_observed", H5T_NATIVE_INT64, 1, &n, observed));
done:
    free(observed);
    free(control);
    return st;
}

/* As h5py's booleans: an enumeration that anndata reads as bool. */
static scs_status write_held_out(hid_t file, const scs_result_head *head)
{
    hid_t type = scs_h5_bool_type();
    int64_t n = head->plan->n;
    int8_t *held_out = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(held_out, n));
    for (int64_t i = 0; i < n; i++)
        held_out[i] = head->plan->item[i].held_out;
    SCS_GO(st, scs_h5_array(file, "obs/held_out", type, 1, &n, held_out));
done:
    free(held_out);
    H5Tclose(type);
    return st;
}

/* Label columns first, as readers see them in this order. */
static scs_status write_obs(hid_t file, const scs_result_head *head)
{
    SCS_TRY(write_obs_frame(file, head));
    for (int i = 0; i < N_LABEL; i++)
        SCS_TRY(write_key(file, head, i));
    SCS_TRY(write_doses(file, head));
    SCS_TRY(write_counts(file, head));
    return write_held_out(file, head);
}

/* ---- fields and facts ---- */

/* A boolean and a copy of a predefined type alike are closed by the caller. */
hid_t scs_result_type(int type)
{
    if (type == SCS_VALUE_BOOL)
        return scs_h5_bool_type();
    if (type == SCS_VALUE_INT32)
        return H5Tcopy(H5T_NATIVE_INT32);
    return H5Tcopy(type == SCS_VALUE_DOUBLE ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT);
}

/* Every numeric field at its full size, without values: contiguous, so that ranks write rows at
 * known places. */
static scs_status reserve_fields(hid_t file, const scs_result_head *head)
{
    scs_result_field field[SCS_RESULT_FIELDS];
    int32_t n = scs_result_fields(head, field);

    for (int32_t i = 0; i < n; i++) {
        int64_t dims[2] = {head->plan->n, field[i].cols};
        hid_t type = scs_result_type(field[i].type);
        scs_status st =
            scs_h5_reserve_array(file, field[i].path, type, field[i].cols ? 2 : 1, dims);

        H5Tclose(type);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* uns["scscreen"]: provenance, texts and numbers, each under its own key. */
static scs_status write_facts(hid_t file, const scs_result_head *head)
{
    SCS_TRY(scs_h5_dict(file, "uns/scscreen"));
    for (int32_t i = 0; i < head->n_fact; i++) {
        const scs_fact *fact = &head->fact[i];
        scs_status st;
        char *path;

        SCS_TRY(scs_file_path_print(&path, "uns/scscreen/%s", fact->key));
        st = fact->text ? scs_h5_scalar_text(file, path, fact->text)
                        : scs_h5_scalar_double(file, path, fact->number);
        free(path);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* AnnData's groups first, in which everything else lies. */
static scs_status write_skeleton(hid_t file, const scs_result_head *head)
{
    SCS_TRY(scs_h5_anndata(file));
    SCS_TRY(write_obs(file, head));
    SCS_TRY(write_genes(file, head));
    SCS_TRY(reserve_fields(file, head));
    return write_facts(file, head);
}

/* Codes of categories are int32: more rows than that hold no code (SCS_EARG). On any failure
 * the file is removed: rank 0 alone has it open, and all ranks learn of it before they open it. */
scs_status scs_result_skeleton(const char *temp, const scs_result_head *head)
{
    scs_status st, closed;
    hid_t file;

    SCS_REQUIRE(head->plan->n <= INT32_MAX, SCS_EARG,
                "%.*s: %lld combinations are too many; at most %d", scs_file_written_length(temp),
                temp, (long long)head->plan->n, INT32_MAX);
    SCS_TRY(scs_h5_create(temp, &file));
    SCS_GO(st, write_skeleton(file, head));
    closed = scs_h5_finish(file, temp);
    file = H5I_INVALID_HID;
    SCS_GO(st, closed);
    SCS_GO(st, scs_file_reserve(temp));
done:
    if (file >= 0)
        scs_h5_discard(file);
    if (st != SCS_OK)
        (void)unlink(temp);
    return st;
}

/* The one moment at which screen.h5ad comes to be, or is replaced. */
scs_status scs_result_commit(const char *temp, const char *path)
{
    return scs_file_commit(temp, path);
}

/* ---- checksum ---- */

/* With its end, so that "ab", "c" and "a", "bc" differ. */
static void add_text(scs_hash64 *sum, const char *text)
{
    scs_hash64_add(sum, text, (int64_t)strlen(text) + 1);
}

/* What the skeleton says of a row: labels, dose, groups. Scores are not there yet. */
static void add_row(const scs_result_head *head, int64_t row, scs_hash64 *sum)
{
    const scs_combination *item = &head->plan->item[row];
    int32_t numbers[] = {item->control_group, item->observed_group, item->held_out};
    char dose[SCS_DOSE_TEXT];

    for (int i = 0; i < N_LABEL; i++)
        add_text(sum, labels[i].label(head, row));
    add_text(sum, dose_text(head, row, dose));
    scs_hash64_add(sum, numbers, sizeof numbers);
}

/* Names and genes. */
static void add_sets(const scs_gene_sets *sets, scs_hash64 *sum)
{
    for (int32_t k = 0; sets && k < sets->name.n; k++) {
        add_text(sum, sets->name.name[k]);
        scs_hash64_add(sum, sets->gene + sets->first[k],
                       (sets->first[k + 1] - sets->first[k]) * (int64_t)sizeof *sets->gene);
    }
}

/* A stopped screen goes on only where this is the same: rows, fields and provenance alike. */
uint64_t scs_result_head_sum(const scs_result_head *head)
{
    scs_result_field field[SCS_RESULT_FIELDS];
    int32_t n = scs_result_fields(head, field);
    scs_hash64 sum = scs_hash64_begin();

    for (int32_t i = 0; i < head->n_fact; i++) {
        add_text(&sum, head->fact[i].key);
        add_text(&sum, head->fact[i].text ? head->fact[i].text : "");
        scs_hash64_add(&sum, &head->fact[i].number, sizeof head->fact[i].number);
    }
    for (int32_t i = 0; i < n; i++) {
        add_text(&sum, field[i].path);
        scs_hash64_add(&sum, &field[i].cols, sizeof field[i].cols);
    }
    for (int64_t i = 0; i < head->plan->n; i++)
        add_row(head, i, &sum);
    add_sets(head->gene_sets, &sum);
    return scs_hash64_end(&sum);
}
