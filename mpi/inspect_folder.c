#include "mpi/inspect_folder.h"

#include "scscreen/checkpoint.h"
#include "src/state.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was found. */
typedef struct found {
    const char *folder;
    int files, damaged;
    bool model, result;
    int64_t steps, epoch; /* of the newest sound state; steps -1: none */
    char newest[4096];
} found;

bool scs_inspect_is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* @param[out] path [size] @return whether it is there */
static bool is_there(found *f, const char *name, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/%s", f->folder, name);

    if (n < 0 || (size_t)n >= size || access(path, F_OK) != 0)
        return false;
    f->files++;
    return true;
}

static void tell(found *f, const char *name, scs_status status, const char *sound)
{
    printf("  %-16s %s\n", name, status == SCS_OK ? sound : scs_message());
    f->damaged += status != SCS_OK;
    scs_message_clear();
}

static void look_at_model(found *f)
{
    char path[4096], text[256] = "";
    scs_checkpoint *c = NULL;
    scs_status status;

    if (!is_there(f, "model.h5", path, sizeof path))
        return;
    status = scs_checkpoint_probe(path, &c);
    if (c)
        snprintf(text, sizeof text, "a trained model of %d genes, whole", c->genes.n);
    tell(f, "model.h5", status, text);
    f->model = status == SCS_OK;
    scs_checkpoint_destroy(&c);
}

static void look_at_state(found *f, const char *name)
{
    char path[4096], text[256] = "";
    scs_state *s = NULL;
    scs_status status;

    if (!is_there(f, name, path, sizeof path))
        return;
    status = scs_state_probe(path, &s);
    if (s)
        snprintf(text, sizeof text, "the state of a training, whole: %lld steps, epoch %lld",
                 (long long)s->position.step, (long long)s->position.epoch);
    tell(f, name, status, text);
    if (status == SCS_OK && (s->position.step > f->steps ||
                             (s->position.step == f->steps && s->position.epoch > f->epoch))) {
        f->steps = s->position.step;
        f->epoch = s->position.epoch;
        snprintf(f->newest, sizeof f->newest, "%s", name);
    }
    scs_state_destroy(&s);
}

static void look_at_others(found *f)
{
    static const struct {
        const char *name, *what;
        bool is_result;
    } others[] = {
        {.name = "screen.h5ad",
         .what = "a screen; scscreen inspect it, or open it with anndata.read_h5ad",
         .is_result = true},
        {.name = "ranking.tsv", .what = "rows of the screen, ranked"},
        {.name = "pca.h5ad", .what = "principal components of the cells"},
        {.name = "validation", .what = "finished models of a validation, one file each"},
        {.name = "validation.tsv", .what = "a finished validation"},
        {.name = "events.jsonl", .what = "a line for each epoch of training"},
        {.name = "STOP", .what = "a running training ends when it sees this file"},
    };
    char path[4096];

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_there(f, others[i].name, path, sizeof path)) {
            tell(f, others[i].name, SCS_OK, others[i].what);
            f->result |= others[i].is_result;
        }
}

static void say_how_to_go_on(const found *f)
{
    if (f->steps >= 0)
        printf("Interrupted after %lld steps: the command that was interrupted goes on from %s.\n",
               (long long)f->steps, f->newest);
    else if (f->model && !f->result)
        printf("Trained, not screened: go on with scscreen screen CONFIG.yaml.\n");
    else if (f->result)
        printf("Finished: look at it with scripts/report %s.\n", f->folder);
}

scs_status scs_inspect_folder(const char *path)
{
    found f = {.folder = path, .steps = -1};

    printf("%s: a folder\n", path);
    look_at_model(&f);
    look_at_state(&f, "training.1.h5");
    look_at_state(&f, "training.2.h5");
    look_at_others(&f);
    SCS_REQUIRE(f.files > 0, SCS_EDATA, "%s: holds no file of scscreen's", path);
    say_how_to_go_on(&f);
    SCS_REQUIRE(!f.damaged, SCS_EDATA, "%s: %d of these files %s damaged", path, f.damaged,
                f.damaged == 1 ? "is" : "are");
    return SCS_OK;
}
