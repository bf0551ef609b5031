/* An ortholog table: refused, or pairs of which every gene stands once on its side. */
#include "src/data/orthologs.h"
#include "tests/fuzz/target.h"

#include <unistd.h>

static void check_pairs(const scs_orthologs *o)
{
    HOLDS(o->own.n == o->reference.n && o->own.n > 0 && o->own.n <= o->n_row);
    for (scs_lidx i = 0; i < o->own.n; i++) {
        const char *found = scs_orthologs_find(o, o->own.name[i]);
        HOLDS(found == o->reference.name[i]);
    }
    HOLDS(o->n_unpaired + o->n_other_type + o->n_equal + o->n_ambiguous + o->own.n == o->n_row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *words[] = {"Kiss1", "ENSMUSG00000116158", "g1"};
    scs_names genes = {.name = words, .n = 3};
    scs_orthologs o;
    char path[FUZZ_PATH];
    int fd = fuzz_file(data, size, path);
    scs_status status = scs_orthologs_load(
        &(scs_ortholog_use){.table = path, .input = "own.h5ad", .own = &genes}, &o);

    if (fuzz_accepts(status))
        check_pairs(&o);
    scs_orthologs_clear(&o);
    close(fd);
    return 0;
}
