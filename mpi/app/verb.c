#include "mpi/app/verb.h"

#include "mpi/app/cli.h"
#include "mpi/job/session.h"

const scs_verb scs_verbs[] = {
    {
        .name = "simulate",
        .argument = "CONFIG.yaml",
        .argument_optional = true,
        .has_section = true,
        .summary = "write a simulated atlas with known shifts",
        .details =
            "Writes one .h5ad of raw counts per species, ortholog tables and truth.h5ad into\n"
            "simulate.dir. Every simulate.KEY is also an option: --dir, --genes, --cells (per\n"
            "species, type and condition), --cell_types, --perturbations, --species, --seed,\n"
            "--effect, --counts, --dispersion. Without a config: scscreen simulate --dir OUT",
        .serial = scs_verb_simulate,
    },
    {
        .name = "check",
        .argument = "CONFIG.yaml|FILE.h5ad",
        .summary = "read everything a run would read, and say what it is",
        .details = "With a config: reads all inputs on all ranks, joins genes, applies hold_out, "
                   "and prints\n"
                   "cells, groups and what would be dropped. With a file: says what the file "
                   "holds. Takes\n"
                   "--set data.matrix=raw and the like. Nothing is written.",
        .serial = scs_verb_check_file,
        .is_serial = scs_verb_check_is_file,
        .needs = SCS_NEED_INPUTS,
        .run = scs_verb_check,
    },
    {
        .name = "train",
        .argument = "CONFIG.yaml",
        .summary = "train the model and store it with its latent atlas",
        .details =
            "Writes output.dir/model.h5 and events.jsonl. Asked to end (SIGTERM, SIGUSR1, SIGINT,\n"
            "--max-hours, the end of a Slurm job, a file STOP in output.dir), it saves its state\n"
            "and ends with exit code 75; the same command then goes on, on any number of ranks.",
        .needs = SCS_NEED_INPUTS | SCS_NEED_WEIGHTS | SCS_NEED_OUTPUT | SCS_NEED_STATE,
        .run = scs_verb_train,
    },
    {
        .name = "screen",
        .argument = "CONFIG.yaml",
        .summary = "predict every combination with a trained model",
        .details = "Reads output.dir/model.h5 (or model.load) and writes output.dir/screen.h5ad.",
        .needs = SCS_NEED_INPUTS | SCS_NEED_MODEL | SCS_NEED_OUTPUT,
        .run = scs_verb_screen,
    },
    {
        .name = "run",
        .argument = "CONFIG.yaml",
        .summary = "train, screen and score the held-out combinations",
        .details =
            "Writes output.dir/model.h5, events.jsonl and screen.h5ad and prints the table of "
            "held-out\n"
            "combinations. Inputs that a `simulate` section describes are made first if missing. "
            "Interrupted,\nthe same command goes on where it was (see train).",
        .needs = SCS_NEED_INPUTS | SCS_NEED_WEIGHTS | SCS_NEED_OUTPUT | SCS_NEED_SIMULATED |
                 SCS_NEED_STATE,
        .run = scs_verb_run,
    },
    {
        .name = "validate",
        .argument = "CONFIG.yaml",
        .has_section = true,
        .summary = "hold out every combination in turn; compare with baselines",
        .details =
            "For every observed (species, cell type, perturbation) that the validate section "
            "selects:\n"
            "trains without it, predicts it, and scores the network beside no change and "
            "arithmetic on\n"
            "the groups' means. --group-size N: ranks that train one model together; the groups "
            "take\n"
            "the next model from one queue. --folds N: combinations held out by one model.\n"
            "Writes output.dir/validation.tsv; finished models are kept in output.dir/validation/, "
            "so a\n"
            "stopped grid goes on where it was. hold_out is not used.",
        .needs = SCS_NEED_INPUTS | SCS_NEED_OUTPUT | SCS_NEED_SIMULATED,
        .run = scs_verb_validate,
    },
    {
        .name = "pca",
        .argument = "CONFIG.yaml",
        .summary = "principal components of all cells",
        .details = "Exact, from the genes' covariance, which is spread over the ranks (ScaLAPACK). "
                   "Writes\n"
                   "output.dir/pca.h5ad: obsm/X_pca, varm/PCs, uns/pca with variance, "
                   "variance_ratio and mean.\n"
                   "Cells are numbered through data.inputs. model.latent: how many components. "
                   "hold_out is\n"
                   "not used.",
        .needs = SCS_NEED_INPUTS | SCS_NEED_OUTPUT | SCS_NEED_SIMULATED,
        .run = scs_verb_pca,
    },
    {
        .name = "inspect",
        .argument = "FILE",
        .summary = "say what a file or folder of results holds, and how to go on",
        .details = "Opens a model.h5, training.N.h5, screen.h5ad, pca.h5ad or other .h5ad in a "
                   "limited child process and says what it is, whether it is whole, and how to go "
                   "on; a folder: the same for what is in it. A damaged file is exit code 65.",
        .serial = scs_verb_inspect,
    },
    {.name = NULL},
};
