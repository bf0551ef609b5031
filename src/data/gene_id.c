/* Ensembl IDs with and without the version that some files append.
 *
 * One file says ENSG00000141510, another ENSG00000141510.18: the same gene in two releases. Names
 * are compared without the version, unless a file has two versions of one gene; other names may
 * have dots that mean something ("RP11-34P13.7") and stay whole. All functions are Local.
 */
#include "src/data/gene_id.h"

#include "src/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ENS, the species' letters, the kind of feature, eleven digits, and behind a dot the version. */
size_t scs_gene_id_length(const char *name)
{
    size_t all = strlen(name), n = 3, digits;

    if (strncmp(name, "ENS", 3) != 0)
        return all;
    while (isupper((unsigned char)name[n]))
        n++;
    digits = strspn(name + n, "0123456789");
    n += digits;
    if (digits != 11 || name[n] != '.')
        return all;
    digits = strspn(name + n + 1, "0123456789");
    return digits > 0 && n + 1 + digits == all ? n : all;
}

static scs_status cut(const scs_names *names, scs_names *keys)
{
    char *key;

    for (scs_lidx i = 0; i < names->n; i++) {
        scs_status st;

        SCS_TRY(scs_text_copy_n(names->name[i], scs_gene_id_length(names->name[i]), &key));
        st = scs_names_add(keys, key);
        free(key);
        SCS_TRY(st);
    }
    return SCS_OK;
}

scs_status scs_gene_id_keys(const scs_names *names, scs_names *keys)
{
    scs_index index;
    bool twice = false;

    SCS_TRY(cut(names, keys));
    SCS_TRY(scs_names_index_create(keys, &index));
    for (scs_lidx k = 1; k < names->n; k++) {
        scs_lidx a = index.order[k - 1], b = index.order[k];

        twice |= strcmp(keys->name[a], keys->name[b]) == 0 &&
                 strcmp(names->name[a], names->name[b]) != 0;
    }
    scs_names_index_clear(&index);
    if (!twice)
        return SCS_OK;
    scs_names_clear(keys);
    return scs_names_copy(names, keys);
}
