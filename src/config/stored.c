/* Which keys are compared is said by the caller's mask; here is when two different values mean the
 * same. */
#include "src/config/stored.h"

#include <stdio.h>

/* `before` becomes what it would have been, had its `auto` been written as now. */
static void settle(scs_config *before, const scs_config *now, int64_t n_shard)
{
    if (now->data.normalize == SCS_NORMALIZE_AUTO)
        before->data.normalize = SCS_NORMALIZE_AUTO;
    if (before->data.normalize == SCS_NORMALIZE_NONE && now->data.normalize == SCS_NORMALIZE_NONE)
        before->data.target_sum = now->data.target_sum; /* not looked at */
    if (n_shard > 0)
        before->train.shards =
            now->train.shards == 0 || now->train.shards == n_shard ? now->train.shards : n_shard;
}

scs_status scs_stored_differences(const scs_stored *stored, const scs_config *now, char *out,
                                  size_t size)
{
    scs_config *before = NULL;

    SCS_TRY(scs_config_parse_sent(stored->path, stored->text, NULL, 0, &before));
    if (!stored->exact)
        settle(before, now, stored->n_shard);
    scs_config_differences(before, now, stored->affects, out, size);
    if (stored->exact && !out[0])
        snprintf(out, size, "a path");
    scs_config_destroy(&before);
    return SCS_OK;
}

scs_status scs_stored_check(const scs_stored *stored, const scs_config *now)
{
    char differences[SCS_MESSAGE_MAX / 2];

    SCS_TRY(scs_stored_differences(stored, now, differences, sizeof differences));
    SCS_REQUIRE(!differences[0], SCS_EARG, "%s: %s another configuration: %s; set that back %s",
                stored->path, stored->was, differences, stored->otherwise);
    return SCS_OK;
}
