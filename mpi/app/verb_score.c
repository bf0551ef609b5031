/* score: how good predicted cells are, by the real ones: a table, and the same as a file. */
#include "mpi/app/verbs.h"
#include "mpi/score/score_run.h"

/* Panels without a column of types are one. Rank 0 alone. */
static scs_status show(const scs_session *session, const scs_scorecard *card, int32_t n)
{
    const char *path = session->config->score.output;

    for (int32_t i = 0; i < n; i++)
        scs_scorecard_print(&card[i], stdout);
    return *path ? scs_scorecard_write(card, n, path) : SCS_OK;
}

/* Collective. */
static scs_status run(scs_session *session)
{
    scs_scorecard *card;
    scs_panel *panels;
    int32_t n;
    scs_status st;

    SCS_GO(st, scs_score_run(session, &panels, &card, &n));
    SCS_GO(st, scs_comm_agree(session->comm,
                              scs_session_leads(session) ? show(session, card, n) : SCS_OK));
done:
    scs_score_run_clear(&panels, &card, n);
    return st;
}

static const scs_verb_option options[] = {
    {"--condition-column", "data.condition"},
    {"--cell-type-column", "data.cell_type"},
    {"--control", "data.control"},
    {"--matrix", "data.matrix"},
    {NULL, NULL},
};

const scs_verb scs_verb_score = {
    .name = "score",
    .argument = "PRED.h5ad REAL.h5ad",
    .two_files = true,
    .has_section = true,
    .options = options,
    .summary = "score predicted cells by the real ones",
    .details =
        "Prints the six measures of the 2026 Virtual Cell Challenge, the three of 2025, those "
        "of means,\n"
        "variances and standard deviations, E-distance, energy distance and MMD; --output "
        "FILE.tsv also\n"
        "writes them, perturbation by perturbation. Both files hold raw counts of the same genes "
        "and perturbations; the "
        "real one holds\n"
        "controls, too. --condition-column, --control, --matrix: data.condition, "
        "data.control, data.matrix.\n"
        "--cell-type-column: every cell type is scored by itself. Every score.KEY is also "
        "an option:\n"
        "--baseline, --splits, --seed, --least-cpm, --components. Definitions: doc/score.md.",
    .needs = SCS_NEED_PAIR,
    .run = run,
};
