/** What is true in a simulated atlas: the mean expression of every gene in every group.
 *
 *  log mean of gene g in species s, type k, condition c =
 *
 *      base_g + <loading_g, position_k> + species_gs + response_gksc
 *      response = effect responds_gc
 *                 (shared_gc + TYPE sin(<direction_gc, position_k> + phase_gc) + SPECIES own_gcs)
 *
 *  Types have positions in a space of 4 dimensions, two and two close together; as the
 *  type-specific term is smooth in the position, types that look alike respond alike. That is
 *  what a screen can learn, and how well it does can be told since the truth is known. At dose d
 *  the response is that of the largest times log(1 + d) / log(1 + largest); a pair's is the sum
 *  of its two.
 *
 *  A cell's counts are negative binomial around its library size times the gene's share, exp(log
 *  mean) over the sum of it. Libraries are log-normal.
 *
 *  Every number is f(seed, what, index) (src/base/random.h): nothing is stored that grows with
 *  species, perturbations or cells, and any of it can be made anew by itself. Sizes of the
 *  effects are in src/simulate/sim_model.c.
 *
 *  All functions are Local. The only failure, unless said otherwise, is SCS_ENOMEM.
 */
#ifndef SCS_SIM_MODEL_H
#define SCS_SIM_MODEL_H

#include "src/data/dose.h"
#include "src/simulate/sampler.h"
#include "scscreen/config.h"

/** A simulated atlas, before anything of it is drawn. */
typedef struct scs_sim {
    int32_t n_gene; /**< reference genes: in every species */
    int32_t n_own;  /**< + genes of a species without one-to-one ortholog, numbered from n_gene */
    int32_t n_species, n_type;
    int32_t n_drug, n_pair; /**< perturbations, and pairs of them (1 and 2, 1 and 3, ...) */
    int32_t n_null;         /**< the last so many perturbations do nothing */
    int32_t n_dose;         /**< 0: no doses */
    double *dose;           /**< [n_dose] ascending, > 0; owned */
    int32_t n_condition;    /**< condition 0 is control, then drugs and pairs, each at every dose */
    int64_t n_cell;         /**< of each (species, type, condition) */
    uint64_t seed;
    double effect;     /**< size of the response, log units */
    double counts;     /**< mean library size */
    double dispersion; /**< variance of a count = mean + mean^2 / dispersion */
    double *base;      /**< [n_gene] log units; owned */
    double *loading;  /**< [n_gene, 4] log units per unit of a position; 0 but for markers; owned */
    double *position; /**< [n_type, 4]; owned */
} scs_sim;

/** One (species, type, condition). */
typedef struct scs_sim_group {
    int32_t species, type, condition;
} scs_sim_group;

/** What a condition is. */
typedef struct scs_sim_treatment {
    int32_t label;         /**< 0: control, then drugs, then pairs */
    int32_t first, second; /**< drugs from 1 on; second 0: no pair; both 0: control */
    double dose;           /**< 0 for the control; NaN without doses */
    double share;          /**< of the full response */
} scs_sim_treatment;

/* ---- the atlas ---- */

/** Take the sizes from section simulate of the config and draw what all groups share. SCS_EARG for
 * sizes whose numbers do not fit (2^24 groups, 2^40 cells), or doses that do not ascend. */
SCS_MUST_USE scs_status scs_sim_create(const scs_config *config, scs_sim *sim);
/** Free everything. */
void scs_sim_clear(scs_sim *sim);

/* ---- groups ---- */

/** What a condition is. @param condition 0 .. n_condition - 1 */
scs_sim_treatment scs_sim_treatment_of(const scs_sim *sim, int32_t condition);
/** Change of the log mean by the group's condition: 0 for control. @param[out] response [n_gene] */
SCS_MUST_USE scs_status scs_sim_response(const scs_sim *sim, scs_sim_group group, double *response);
/** Expected share of each gene in a cell's counts; they sum to 1. @param[out] share [n_own] */
SCS_MUST_USE scs_status scs_sim_shares(const scs_sim *sim, scs_sim_group group, double *share);

/* ---- cells ---- */

/** Standard deviation of the logarithm of library sizes. */
#define SCS_SIM_LIBRARY_SD 0.3

/** The sampler of one cell of a group, at its start. @param cell 0 .. n_cell - 1 */
scs_sampler scs_sim_cell(const scs_sim *sim, scs_sim_group group, int64_t cell);
/** Library size of a cell: log-normal of mean sim->counts; the cell's first draw. */
double scs_sim_library(const scs_sim *sim, scs_sampler *sampler);
/** Order of a species' columns: column j holds model gene order[j]. The first species: as numbered;
 * the others: shuffled, as no two real files agree. @param[out] order [n_own] */
SCS_MUST_USE scs_status scs_sim_order(const scs_sim *sim, int32_t species, int32_t *order);

/* ---- names, each into out [SCS_SIM_NAME]; they return out ---- */

enum { SCS_SIM_NAME = 64 };

/** species_a, species_b, ... */
char *scs_sim_species_name(int32_t species, char *out);
/** type_1, type_2, ... */
char *scs_sim_type_name(int32_t type, char *out);
/** control, drug_1, ..., drug_1+drug_2, ... @param label of scs_sim_treatment */
char *scs_sim_label_name(const scs_sim *sim, int32_t label, char *out);
/** Name of column `column` in the file of `species`: gene_0001, b_gene_0001. For the first species
 * these are the reference names; its genes that no other species has are a_only_0001, ... */
char *scs_sim_gene_name(const scs_sim *sim, int32_t species, int32_t column, char *out);

/* ---- lists of names, added to `names` ---- */

/** All cell types. */
SCS_MUST_USE scs_status scs_sim_type_names(const scs_sim *sim, scs_names *names);
/** All labels from `first` on: 0 with the control, 1 without. */
SCS_MUST_USE scs_status scs_sim_label_names(const scs_sim *sim, int32_t first, scs_names *names);
/** The first n genes of a species' file. */
SCS_MUST_USE scs_status scs_sim_gene_names(const scs_sim *sim, int32_t species, int32_t n,
                                           scs_names *names);

#endif
