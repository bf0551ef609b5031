/* What a session makes of the table of perturbation features (screen_features.h). */
#include "mpi/screen/screen_features.h"

#include "src/base/collective.h"
#include "src/screen/features.h"
#include "scscreen/comm.h"

#include <stdlib.h>

scs_status scs_screen_features_add(const scs_session *s, scs_atlas *groups, int32_t *n)
{
    const char *path = s->config->screen.perturbation_features;
    scs_features *features;
    scs_status st;

    *n = 0;
    if (!*path)
        return SCS_OK;
    SCS_TRY(scs_features_read(path, &features));
    st = scs_features_add_unseen(features, groups, n);
    scs_features_destroy(&features);
    return st;
}

scs_status scs_screen_features_open(scs_session *s)
{
    int32_t n = 0;

    SCS_TRY(scs_comm_agree(s->comm, scs_screen_features_add(s, s->atlas, &n)));
    if (n > 0)
        scs_session_say(s, "%d perturbations of screen.perturbation_features are shown by no cell",
                        n);
    return scs_collective_ok();
}

scs_status scs_screen_features_distance(const scs_session *s, const scs_atlas *groups,
                                        double **distance)
{
    const char *path = s->config->screen.perturbation_features;
    int64_t n = scs_atlas_perturbations(groups)->n;
    scs_features *features;
    scs_status st;

    *distance = NULL;
    if (!*path)
        return SCS_OK;
    SCS_TRY(scs_features_read(path, &features));
    SCS_GO(st, SCS_ALLOC(*distance, n * n));
    SCS_GO(st, scs_features_distance(features, path, groups, s->config->screen.pair_separator,
                                     *distance));
done:
    if (st != SCS_OK) {
        free(*distance);
        *distance = NULL;
    }
    scs_features_destroy(&features);
    return st;
}
