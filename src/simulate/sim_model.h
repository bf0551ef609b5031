/** What is true in a simulated atlas: the mean expression of every gene in every group. All
 * functions are Local.
 *
 *  log mean of gene g in species s, type k, condition c =
 *      base_g + <loading_g, position_k> + species_gs + response_gksc,
 *      response = effect * responds_gc * (shared_gc + TYPE sin(<direction_gc, position_k> +
 * phase_gc) + SPECIES own_gcs). Types have positions in a space of AXES dimensions, two and two
 * close together; as the type-specific part is smooth in the position, types that look alike
 * respond alike. At dose d the response is that of the largest times log(1 + d) / log(1 + largest);
 * a pair's is the sum of its two. A cell's counts are negative binomial around its library size
 * times the gene's share, exp(log mean) over the sum of it. Every number is f(seed, what, index):
 * nothing is stored that grows with species, perturbations or cells. */
#ifndef SCS_SIM_MODEL_H
#define SCS_SIM_MODEL_H

#include "src/data/dose.h"
#include "src/simulate/sampler.h"
#include "scscreen/config.h"

typedef struct scs_sim {
    int32_t n_gene; /**< reference genes: in every species */
    int32_t n_own;  /**< + genes of a species without one-to-one ortholog, numbered from n_gene */
    int32_t n_species, n_type;
    int32_t n_drug, n_pair; /**< perturbations, and pairs of them (1 and 2, 1 and 3, ...) */
    int32_t n_null;         /**< the last so many perturbations do nothing */
    int32_t n_dose;         /**< 0: no doses */
    double *dose;           /**< [n_dose] ascending */
    int32_t n_condition;    /**< condition 0 is control, then drugs and pairs, each at every dose */
    int64_t n_cell;         /**< of each (species, type, condition) */
    uint64_t seed;
    double effect, counts, dispersion;
    double *base;     /**< [n_gene] */
    double *loading;  /**< [n_gene, AXES] */
    double *position; /**< [n_type, AXES] */
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

scs_sim_treatment scs_sim_treatment_of(const scs_sim *sim, int32_t condition);

/** SCS_EARG for sizes whose numbers do not fit. */
SCS_MUST_USE scs_status scs_sim_create(const scs_config *config, scs_sim *sim);
void scs_sim_clear(scs_sim *sim);

/** Change of the log mean by the group's condition (0 for control). @param[out] response [n_gene]
 */
SCS_MUST_USE scs_status scs_sim_response(const scs_sim *sim, scs_sim_group group, double *response);
/** Expected share of each gene in a cell's counts; they sum to 1. @param[out] share [n_own] */
SCS_MUST_USE scs_status scs_sim_shares(const scs_sim *sim, scs_sim_group group, double *share);
/** Order of a species' columns: column j holds model gene order[j]. The first species: as numbered.
 * @param[out] order [n_own] */
SCS_MUST_USE scs_status scs_sim_order(const scs_sim *sim, int32_t species, int32_t *order);

/** The sampler of one cell of a group, at its start. @param cell 0 .. n_cell - 1 */
scs_sampler scs_sim_cell(const scs_sim *sim, scs_sim_group group, int64_t cell);
/** Library size of a cell: log-normal of mean sim->counts; the cell's first draw. */
double scs_sim_library(const scs_sim *sim, scs_sampler *sampler);

/** Standard deviation of the logarithm of library sizes. */
#define SCS_SIM_LIBRARY_SD 0.3

enum { SCS_SIM_NAME = 64 };

/** Names, each into out [SCS_SIM_NAME]. @return out */
char *scs_sim_species_name(int32_t species, char *out);
char *scs_sim_type_name(int32_t type, char *out);
char *scs_sim_label_name(const scs_sim *sim, int32_t label, char *out);
/** Name of column `column` in the file of `species`; for the first species these are the reference
 * names. */
char *scs_sim_gene_name(const scs_sim *sim, int32_t species, int32_t column, char *out);

/* The files of a simulated atlas. */

/** DIR/truth.h5ad. One row per (species, type, perturbation), reference genes.
 *
 *  X = expected log1p(target * count / total of the cell) of a perturbed cell minus that of a
 * control cell, over the distribution of library sizes and counts (src/simulate_expectation.h):
 * what a screen's layers/shift estimates. Layers `control` and `mean` are the two expectations,
 * `log_fold_change` the change of the model's log mean (before shares are normalised).
 *  @param target  counts per cell after normalisation; 0 = the median library size */
SCS_MUST_USE scs_status scs_sim_write_truth(const scs_sim *sim, double target, const char *path);

/** Names of all cell types; of labels from `first` on. */
SCS_MUST_USE scs_status scs_sim_type_names(const scs_sim *sim, scs_names *names);
SCS_MUST_USE scs_status scs_sim_label_names(const scs_sim *sim, int32_t first, scs_names *names);
/** Names of the first n genes of a species' file. */
SCS_MUST_USE scs_status scs_sim_gene_names(const scs_sim *sim, int32_t species, int32_t n,
                                           scs_names *names);

#endif
