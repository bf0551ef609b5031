/* What a validation leaves on disk: a file per model, and in the end one table. */
#include "mpi/provenance.h"
#include "mpi/validation.h"
#include "src/checksum.h"
#include "src/file.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_DIGITS = 16 };

/* "sha256:HEX" of all that a model's rows depend on: this program and its columns, the keys
 * that affect them with what is held out, the cells. */
static scs_status fingerprint(const scs_validation *v, char *checksum)
{
    const scs_config *config = v->session->config;
    char *yaml = NULL, *text = NULL;
    size_t size = 0;
    FILE *out;
    scs_status st;

    SCS_TRY(scs_config_print_affecting(config, SCS_AFFECTS_WEIGHTS | SCS_AFFECTS_ROWS, &yaml));
    out = open_memstream(&text, &size);
    st = out ? SCS_OK : SCS_FAIL(SCS_ENOMEM, "out of memory: a model's fingerprint");
    if (out) {
        fprintf(out, "%s\n%s%s\n", SCS_PROGRAM, yaml, v->data);
        scs_validation_write_head(out);
        for (int p = 0; p < scs_predictor_count(); p++)
            if (scs_predictor_is_made(scs_predictor_at(p), config))
                fprintf(out, "%s\n", scs_predictor_at(p)->name);
        if (fclose(out) != 0)
            st = SCS_FAIL(SCS_ENOMEM, "out of memory: a model's fingerprint");
    }
    if (st == SCS_OK)
        scs_checksum_bytes(text, (int64_t)size, checksum);
    free(text);
    free(yaml);
    return st;
}

scs_status scs_validation_path(scs_validation *v, int64_t model, char **path)
{
    scs_session *s = v->session;
    char checksum[SCS_CHECKSUM_MAX];

    SCS_TRY(scs_grid_hold_out(v->grid, v->base, model, s->config));
    SCS_TRY(fingerprint(v, checksum));
    return scs_path_print(path, "%s/validation/%.*s.tsv", s->config->output.dir, NAME_DIGITS,
                          strchr(checksum, ':') + 1);
}

static int made_predictors(const scs_validation *v)
{
    int n = 0;

    for (int p = 0; p < scs_predictor_count(); p++)
        n += scs_predictor_is_made(scs_predictor_at(p), v->session->config);
    return n;
}

int64_t scs_validation_rows(const scs_validation *v, int64_t model)
{
    return scs_grid_size(v->grid, model) * made_predictors(v);
}

typedef struct model_rows {
    const scs_validation *v;
    int64_t model;
} model_rows;

static scs_status write_model(void *ctx, FILE *out)
{
    const model_rows *rows = ctx;
    const scs_validation *v = rows->v;
    const scs_session *s = v->session;
    int64_t model = rows->model;
    scs_lidx at = 0;

    scs_validation_write_head(out);
    for (int64_t k = 0; k < scs_grid_size(v->grid, model); k++)
        for (int p = 0; p < scs_predictor_count(); p++, at++)
            if (scs_predictor_is_made(scs_predictor_at(p), s->config))
                scs_validation_write_row(out, s->atlas, scs_grid_item(v->grid, model, k),
                                         scs_predictor_at(p), v->source.name[at],
                                         v->value + (int64_t)at * SCS_N_MEASURE);
    return SCS_OK;
}

scs_status scs_validation_record(scs_validation *v, int64_t model, const char *path)
{
    model_rows rows = {v, model};
    char folder[4096];

    SCS_TRY(scs_session_path(v->session, "validation", folder, sizeof folder));
    SCS_TRY(scs_make_folder(folder));
    return scs_file_write(path, write_model, &rows);
}

static scs_status write_all(void *ctx, FILE *out)
{
    scs_validation *v = ctx;
    scs_status st = SCS_OK;

    scs_validation_write_head(out);
    for (int64_t m = 0; m < v->grid->n_model && st == SCS_OK; m++) {
        char *path = NULL;

        st = scs_validation_path(v, m, &path);
        if (st == SCS_OK)
            st = scs_validation_read(path, scs_validation_rows(v, m), NULL, out);
        free(path);
    }
    return st;
}

scs_status scs_validation_merge(scs_validation *v)
{
    scs_validation_sums sums = {0};
    char path[4096];
    scs_status st;

    SCS_GO(st, scs_validation_sums_create(&sums));
    SCS_GO(st, scs_session_path(v->session, "validation.tsv", path, sizeof path));
    SCS_GO(st, scs_file_write(path, write_all, v));
    SCS_GO(st, scs_validation_read(path, v->grid->plan->n * made_predictors(v), &sums, NULL));
    printf("\nMeans over %lld held-out combinations:\n", (long long)v->grid->plan->n);
    scs_validation_summary(stdout, &sums);
    fflush(stdout);
    scs_session_say(v->session, "wrote %s", path);
done:
    scs_validation_sums_clear(&sums);
    return st;
}
