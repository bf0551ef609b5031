/* predict: cells of combinations, with a model that is loaded or made without training. */
#include "mpi/app/verbs.h"
#include "mpi/cells/cells_run.h"
#include "mpi/job/session_model.h"

/* Whether the inputs hold counts is asked before the atlas is made. Collective. */
static scs_status predict(scs_session *session)
{
    SCS_TRY(scs_session_load_data(session));
    SCS_TRY(scs_cells_run_check(session));
    SCS_TRY(scs_session_model_make(session));
    SCS_TRY(scs_session_model_make_atlas(session));
    return scs_cells_run(session);
}

const scs_verb scs_verb_predict = {
    .name = "predict",
    .argument = "CONFIG.yaml",
    .has_section = true,
    .summary = "predicted cells of combinations, as counts",
    .details =
        "Writes output.dir/cells.h5ad: for each --combination SPECIES,TYPE,PERTURBATION[,DOSE]\n"
        "(SPECIES is `all` where there is one; repeatable; none: the rows that the section screen\n"
        "selects) as many cells as the cell type has controls, or --cells N of each: real control\n"
        "cells whose counts are changed until their mean is the predicted one, so that "
        "differential\n"
        "expression can be run on them. --values log1p: scaled and logged as the inputs were;\n"
        "--layers log1p: both. obsm/latent: where the encoder puts them. --from FILE.h5ad: your "
        "own\n"
        "control cells are changed instead, such as a new donor's; genes are found by name.\n"
        "The inputs must hold counts. Reads output.dir/model.h5 (or model.load) unless model.kind\n"
        "is mean or pca.",
    .needs =
        SCS_NEED_INPUTS | SCS_NEED_MODEL | SCS_NEED_OUTPUT | SCS_NEED_CELL_NAMES | SCS_NEED_FROM,
    .run = predict,
};
