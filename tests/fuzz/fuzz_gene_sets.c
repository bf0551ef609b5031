/* A GMT file: refused with its line, or sets of known genes, each once. */
#include "src/result/gene_sets.h"
#include "tests/fuzz/target.h"

#include <unistd.h>

enum { GENES = 4 };

static void check_sets(const scs_gene_sets *s)
{
    HOLDS(s->name.n > 0 && s->first[0] == 0);
    for (scs_lidx i = 0; i < s->name.n; i++) {
        bool seen[GENES] = {false};
        HOLDS(*s->name.name[i] && s->n_listed[i] > 0);
        HOLDS(s->first[i + 1] >= s->first[i] && s->first[i + 1] - s->first[i] <= s->n_listed[i]);
        for (int64_t k = s->first[i]; k < s->first[i + 1]; k++) {
            HOLDS(s->gene[k] >= 0 && s->gene[k] < GENES && !seen[s->gene[k]]);
            seen[s->gene[k]] = true;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *words[GENES] = {"TNF", "IL6", "g 3", "Kiss1"};
    const scs_names genes = {.name = words, .n = GENES};
    scs_gene_sets *sets = NULL;
    char path[FUZZ_PATH];
    int fd = fuzz_file(data, size, path);

    if (fuzz_accepts(scs_gene_sets_read(path, &genes, &sets)))
        check_sets(sets);
    scs_gene_sets_destroy(&sets);
    close(fd);
    return 0;
}
