/* A table of the combinations to screen: refused with its line, or rows of the atlas. */
#include "src/screen/plan.h"
#include "tests/fuzz/target.h"

#include <unistd.h>

enum { SPECIES = 2, TYPES = 3, CONDITIONS = 3, GENES = 2 };

static scs_atlas *make_atlas(void)
{
    static char *animals[] = {"human", "mouse"}, *types[] = {"T", "B cell", "NK"},
                *conditions[] = {"control", "drug 1", "drug_2"}, *genes[] = {"g1", "g2"};
    static const scs_group group[] = {
        {0, 0, 0, false, 5}, {0, 0, 1, false, 5}, {0, 1, 0, false, 5}, {1, 0, 0, true, 5}};
    const scs_names s = {SPECIES, animals}, t = {TYPES, types}, c = {CONDITIONS, conditions},
                    g = {GENES, genes};
    scs_atlas *atlas = NULL;

    HOLDS(scs_atlas_create_from(&s, &t, &c, &g, 0, group, 4, 2, &atlas) == SCS_OK);
    return atlas;
}

static void check_rows(const scs_plan *plan)
{
    for (int64_t i = 0; i < plan->n; i++) {
        const scs_combination *row = &plan->item[i];
        HOLDS(row->species >= 0 && row->species < SPECIES);
        HOLDS(row->cell_type >= 0 && row->cell_type < TYPES);
        HOLDS(row->condition > 0 && row->condition < CONDITIONS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static scs_atlas *atlas;
    static scs_config *config;
    scs_plan *plan = calloc(1, sizeof *plan);
    char path[FUZZ_PATH];
    scs_config one;
    int fd = fuzz_file(data, size, path);

    HOLDS(plan);
    if (!atlas) {
        atlas = make_atlas();
        HOLDS(scs_config_parse("", "", NULL, 0, &config) == SCS_OK);
    }
    one = *config; /* but for the path, borrowed */
    one.screen.combinations = path;
    if (fuzz_accepts(scs_plan_read(&one, atlas, plan)))
        check_rows(plan);
    scs_plan_destroy(&plan);
    close(fd);
    return 0;
}
