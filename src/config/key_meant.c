/** What the table of keys is searched with when a user's word is none of its names (key_meant.h).
 *
 *  A name that is right but for its section, or another word for it, is surely what was meant,
 *  however far apart the two look; only then is a word compared by its letters. Everything is
 *  linear in keys and synonyms, and runs once, before the program ends with the message.
 */
#include "src/config/key_meant.h"

#include "src/base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- other words ---- */

/* Other names for keys, as scanpy, scvi-tools, scGen, pertpy, PyTorch and scikit-learn have them,
 * in lower case and without "_". Words that say how many or of what (n_, max_, _size, _key) are
 * taken off before names are compared, so they do not stand here. */
static const struct synonym {
    const char *word, *key;
} synonyms[] = {
    {"adata", "data.inputs"},
    {"files", "data.inputs"},
    {"file", "data.inputs"},
    {"h5ad", "data.inputs"},
    {"datasets", "data.inputs"},
    {"layer", "data.matrix"},
    {"useraw", "data.matrix"},
    {"x", "data.matrix"},
    {"labelskey", "data.cell_type"},
    {"groupby", "data.cell_type"},
    {"cluster", "data.cell_type"},
    {"annotation", "data.cell_type"},
    {"batchkey", "data.condition"}, /* scGen's setup_anndata */
    {"perturbation", "data.condition"},
    {"treatment", "data.condition"},
    {"stim", "data.condition"},
    {"pert", "data.condition"},
    {"ctrl", "data.control"},
    {"reference", "data.control"},
    {"referencegroup", "data.control"},
    {"controlgroup", "data.control"},
    {"organism", "data.species"},
    {"dosage", "data.dose"},
    {"concentration", "data.dose"},
    {"normalise", "data.normalize"},
    {"normalization", "data.normalize"},
    {"normalisation", "data.normalize"},
    {"log1p", "data.normalize"},
    {"log", "data.normalize"},
    {"normalizetotal", "data.target_sum"},
    {"countspercellafter", "data.target_sum"},
    {"scalefactor", "data.target_sum"},
    {"sizefactor", "data.target_sum"},
    {"subset", "data.filter"},
    {"query", "data.filter"},
    {"genelist", "data.genes"},
    {"varnames", "data.genes"},
    {"heldout", "hold_out"},
    {"holdout", "hold_out"},
    {"exclude", "hold_out"},
    {"testset", "hold_out"},
    {"test", "hold_out"},
    {"split", "hold_out"},
    {"modeltype", "model.kind"},
    {"method", "model.kind"},
    {"units", "model.hidden"},
    {"width", "model.hidden"},
    {"hiddenlayer", "model.hidden"},
    {"depth", "model.layers"},
    {"z", "model.latent"},
    {"bottleneck", "model.latent"},
    {"embedding", "model.latent"},
    {"comps", "model.latent"},
    {"components", "model.latent"},
    {"pcs", "model.latent"},
    {"kl", "model.kl_weight"},
    {"beta", "model.kl_weight"},
    {"alpha", "model.kl_weight"},
    {"pretrained", "model.load"},
    {"checkpoint", "model.load"},
    {"modelpath", "model.load"},
    {"weights", "model.load"},
    {"minibatch", "train.batch"},
    {"iterations", "train.epochs"},
    {"lr", "train.learning_rate"},
    {"stepsize", "train.learning_rate"},
    {"eta", "train.learning_rate"},
    {"scheduler", "train.schedule"},
    {"lrscheduler", "train.schedule"},
    {"decay", "train.schedule"},
    {"randomstate", "train.seed"},
    {"randomseed", "train.seed"},
    {"rng", "train.seed"},
    {"val", "train.validation"},
    {"valid", "train.validation"},
    {"valsplit", "train.validation"},
    {"validationsplit", "train.validation"},
    {"earlystopping", "train.patience"},
    {"earlystoppingpatience", "train.patience"},
    {"earlystoppingmonitor", "train.monitor"},
    {"batchnormalization", "train.batch_norm"},
    {"usebatchnorm", "train.batch_norm"},
    {"timelimit", "train.max_hours"},
    {"time", "train.max_hours"},
    {"walltime", "train.max_hours"},
    {"saveevery", "train.checkpoint_minutes"},
    {"perms", "screen.permutations"},
    {"perm", "screen.permutations"},
    {"boot", "screen.bootstrap"},
    {"bootstraps", "screen.bootstrap"},
    {"geneset", "screen.gene_sets"},
    {"gmt", "screen.gene_sets"},
    {"pathways", "screen.gene_sets"},
    {"pairs", "screen.order"},
    {"combos", "screen.combinations"},
    {"perturbationembeddings", "screen.perturbation_features"},
    {"features", "screen.perturbation_features"},
    {"splits", "validate.folds"},
    {"cv", "validate.folds"},
    {"kfold", "validate.folds"},
    {"out", "output.dir"},
    {"outdir", "output.dir"},
    {"outputdir", "output.dir"},
    {"outputdirectory", "output.dir"},
    {"savepath", "output.dir"},
    {"results", "output.dir"},
    {"timeout", "output.deadline"},
};

static const char *const before_names[] = {"numberof", "num", "max", "n", NULL};
static const char *const behind_names[] = {"size", "rate",  "dim",   "key",      "column",
                                           "col",  "units", "field", "fraction", "frac",
                                           "prob", "path",  NULL};

/* Lower case without "_" and "-". @param[out] out [size]  @return out */
static char *plain_name(const char *name, char *out, size_t size)
{
    size_t n = 0;

    for (; *name && n + 1 < size; name++)
        if (*name != '_' && *name != '-')
            out[n++] = *name >= 'A' && *name <= 'Z' ? (char)(*name + 'a' - 'A') : *name;
    out[n] = '\0';
    return out;
}

/* The full name of the key that is called so in any section, or has it for a synonym; NULL: none.
 * @param plain of plain_name */
static const char *key_called(const char *plain, char *out, size_t size)
{
    const scs_key *key;
    char name[80];

    for (int i = 0; (key = scs_key_at(i)); i++)
        if (key->name && strcmp(plain_name(key->name, name, sizeof name), plain) == 0)
            return scs_key_full_name(key, out, size);
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
        if (strcmp(synonyms[i].word, plain) == 0) {
            snprintf(out, size, "%s", synonyms[i].key);
            return out;
        }
    return NULL;
}

const char *scs_key_meant_word(int i)
{
    return i >= 0 && (size_t)i < sizeof synonyms / sizeof *synonyms ? synonyms[i].word : NULL;
}

/* As it is, then without what may stand before, behind, or both. */
const char *scs_key_meant(const char *word, char *out, size_t size)
{
    char plain[80], part[80];
    const char *found = key_called(plain_name(word, plain, sizeof plain), out, size);

    for (int b = 0; !found && b <= 4; b++)
        for (int e = 0; !found && e <= 12; e++) {
            const char *before = before_names[b], *behind = behind_names[e];
            size_t n = before ? strlen(before) : 0, m = behind ? strlen(behind) : 0;
            size_t all = strlen(plain);

            if ((!before && !behind) || all <= n + m ||
                strncmp(plain, before ? before : "", n) != 0 ||
                strcmp(plain + all - m, behind ? behind : "") != 0)
                continue;
            snprintf(part, sizeof part, "%.*s", (int)(all - n - m), plain + n);
            found = key_called(part, out, size);
        }
    return found;
}

/* Within the section that was named: a quarter of the letters off, two at most. @param last what
 * stands behind the dot */
static const char *nearest_in_section(const char *wrong, const char *last, char *out, size_t size)
{
    int best = ((int)strlen(last) + 1) / 4 + 1;
    size_t n = last > wrong ? (size_t)(last - wrong) - 1 : 0;
    const char *found = NULL;
    const scs_key *key;

    best = best > 3 ? 3 : best;
    for (int i = 0; n > 0 && (key = scs_key_at(i)); i++) {
        int d = key->name && strlen(key->section) == n && strncmp(key->section, wrong, n) == 0
                    ? scs_text_distance(key->name, last)
                    : -1;

        if (d >= 0 && d < best) {
            best = d;
            found = scs_key_full_name(key, out, size);
        }
    }
    return found;
}

/* By edit distance: the limit is a third of the letters, and sections are tried as well, as a whole
 * section may be misspelt. */
static const char *nearest_of_all(const char *wrong, char *out, size_t size)
{
    int best = (int)(strlen(wrong) + 1) / 3 + 1;
    const scs_key *key;
    char name[80];

    out[0] = '\0';
    for (int i = 0; (key = scs_key_at(i)); i++)
        for (int whole = 0; whole < 2; whole++) {
            const char *candidate =
                whole ? scs_key_full_name(key, name, sizeof name) : key->section;
            int d = scs_text_distance(candidate, wrong);

            if (d >= 0 && d < best) {
                best = d;
                snprintf(out, size, "%s", candidate);
            }
        }
    return out[0] ? out : NULL;
}

const char *scs_key_meant_nearest(const char *wrong, char *out, size_t size)
{
    const char *dot = strrchr(wrong, '.'), *last = dot ? dot + 1 : wrong, *found;
    const scs_key *key;

    for (int i = 0; (key = scs_key_at(i)); i++)
        if (key->name && strcmp(key->name, last) == 0)
            return scs_key_full_name(key, out, size);
    found = nearest_in_section(wrong, last, out, size);
    if (!found)
        found = scs_key_meant(last, out, size);
    return found ? found : nearest_of_all(wrong, out, size);
}
