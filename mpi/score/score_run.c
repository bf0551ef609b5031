/* score of two files: the prediction, and the real cells that it is held against (score_run.h).
 *
 * Reading and sharing out are done once, for all panels: both files are read as if they were two
 * inputs of one dataset, each rank a contiguous part of the cells, and then cut by genes. The genes
 * are those of the real cells' file, in its order; the prediction's are found among them by name.
 *
 * Nothing is normalised on the way: measures of counts need the counts, and those of logarithms
 * take them from tables (src/score/levels.h). */
#include "mpi/score/score_run.h"

#include "mpi/score/score_panel.h"
#include "src/data/notes.h"
#include "src/data/scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 2 }; /* the prediction, the real cells */

/* ---- cells ---- */

/* What the reader needs to know of the two files. */
typedef struct files {
    scs_dataset dataset;
    int64_t first_cell[FILES + 1];
    int32_t *gene[FILES];
} files;

/* Names and metadata are the session's. */
static void files_clear(files *f)
{
    for (int i = 0; i < FILES; i++)
        free(f->gene[i]);
    free(f->dataset.role);
}

/* Local, alike on all ranks. */
static scs_status files_make(const scs_session *session, files *f)
{
    for (int i = 0; i < FILES; i++) {
        SCS_TRY(scs_panel_match_genes(session->meta[i], session->meta[FILES - 1], &f->gene[i]));
        f->first_cell[i + 1] = f->first_cell[i] + session->meta[i]->n_obs;
    }
    f->dataset = (scs_dataset){.n_cell = f->first_cell[FILES],
                               .n_gene = session->meta[FILES - 1]->n_var,
                               .n_input = FILES,
                               .first_cell = f->first_cell,
                               .gene_of_column = f->gene};
    SCS_REQUIRE(f->dataset.n_cell < INT32_MAX, SCS_EDATA, "%lld cells: more than %d in both files",
                (long long)f->dataset.n_cell, INT32_MAX);
    return SCS_ALLOC(f->dataset.role, f->dataset.n_cell);
}

/* The tests are of counts. Alike on all ranks. */
static scs_status check_values(const scs_session *session, const scs_scale *scale)
{
    char found[400];

    for (int i = 0; i < FILES; i++) {
        int32_t n_var = session->meta[i]->n_var;

        SCS_REQUIRE(scs_scale_judge(&scale[i], n_var) == SCS_SCALE_COUNTS, SCS_EDATA,
                    "%s: %s holds no counts: %s; score needs raw counts in both files, choose them "
                    "with --matrix layers/NAME",
                    session->meta[i]->path, session->meta[i]->matrix,
                    scs_scale_describe(&scale[i], n_var, found, sizeof found));
    }
    return SCS_OK;
}

/* Collective. */
static scs_status read_cells(scs_session *session, scs_score_cells *c)
{
    const scs_h5ad *const *metas = (const scs_h5ad *const *)session->meta;
    scs_scale scale[FILES];
    files f = {0};
    scs_packed x = {0};
    double *own = NULL;
    int64_t first;
    scs_status st;

    SCS_GO(st, scs_comm_agree(session->comm, files_make(session, &f)));
    SCS_GO(st, scs_read_cells(session->comm, &f.dataset, metas, &first, &x, &own, scale));
    SCS_GO(st, scs_comm_agree(session->comm, check_values(session, scale)));
    SCS_GO(st, scs_score_panel_cells_make(session->comm, &session->meta[FILES - 1]->genes,
                                          f.first_cell[1], f.dataset.n_cell, first, own, &x, c));
done:
    free(own);
    scs_packed_clear(&x);
    files_clear(&f);
    return st;
}

/* Cells that are in no panel are told of. Alike on all ranks; rank 0 says it. */
static void tell_missing(const scs_session *session)
{
    for (int i = 0; i < FILES; i++) {
        const scs_h5ad *file = session->meta[i];
        int64_t missing = 0;

        for (int64_t k = 0; k < file->n_obs; k++)
            missing += file->condition.codes[k] < 0 ||
                       (file->cell_type.column && file->cell_type.codes[k] < 0);
        if (missing)
            scs_session_say(session,
                            "warning: %s: %lld of %lld cells have no label and are left out",
                            file->path, (long long)missing, (long long)file->n_obs);
    }
}

/* Labels that may be one thing twice. Local; rank 0 says it. */
static scs_status tell_labels(const scs_session *session)
{
    scs_status st = SCS_OK;

    for (int i = 0; i < FILES && st == SCS_OK; i++) {
        const scs_h5ad *file = session->meta[i];
        scs_dataset d = {.n_cell = file->n_obs};

        st = scs_notes_labels(&d, file->condition.column, &file->condition.categories,
                              file->condition.codes, session->config->screen.pair_separator,
                              session->config->data.control);
        for (int32_t k = 0; k < d.notes.n; k++)
            scs_session_say(session, "note: %s: %s", file->path, d.notes.name[k]);
        scs_names_clear(&d.notes);
    }
    return st;
}

/* Nothing can be compared with controls that hold nothing. Alike on all ranks. */
static scs_status check_controls(const scs_session *session, const scs_score_cells *c,
                                 const scs_panel *panel)
{
    double total = 0;

    for (int64_t i = panel->n_predicted; i < panel->n_cell; i++)
        total += panel->group[i] == panel->perturbations.n ? c->total[i] : 0;
    SCS_REQUIRE(total > 0, SCS_EDATA, "%s: the controls%s%s have no counts",
                session->meta[FILES - 1]->path, panel->cell_type ? " of cell type " : "",
                panel->cell_type ? panel->cell_type : "");
    return SCS_OK;
}

scs_status scs_score_run(scs_session *session, scs_panel **panels, scs_scorecard **card, int32_t *n)
{
    scs_score_cells c = {0};
    const scs_score_how how = {.session = session,
                               .baseline = session->config->score.baseline,
                               .splits = session->config->score.splits,
                               .seed = session->config->score.seed,
                               .least_cpm = session->config->score.least_cpm,
                               .components = (int32_t)session->config->score.components};
    scs_status st;

    *panels = NULL;
    *card = NULL;
    *n = 0;
    SCS_GO(st, scs_comm_agree(session->comm,
                              scs_panel_create_all(session->meta[0], session->meta[FILES - 1],
                                                   session->config->data.control, panels, n)));
    SCS_GO(st, scs_comm_agree(session->comm, SCS_ALLOC(*card, *n)));
    tell_missing(session);
    SCS_GO(st, scs_comm_agree(session->comm, tell_labels(session)));
    SCS_GO(st, read_cells(session, &c));
    for (int32_t i = 0; i < *n; i++)
        SCS_GO(st, scs_comm_agree(session->comm, check_controls(session, &c, *panels + i)));
    for (int32_t i = 0; i < *n; i++)
        SCS_GO(st, scs_score_panel(&how, &c, *panels + i, *card + i));
done:
    scs_score_panel_cells_clear(&c);
    return st;
}

void scs_score_run_clear(scs_panel **panels, scs_scorecard **card, int32_t n)
{
    for (int32_t i = 0; *card && i < n; i++)
        scs_scorecard_clear(*card + i);
    free(*card);
    *card = NULL;
    scs_panel_clear_all(panels, n);
}
