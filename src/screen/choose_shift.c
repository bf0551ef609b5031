/* `screen.shift: auto` and `nearest_power: auto`: what has been seen decides. All functions are
 * Local.
 *
 * Which rule is best differs between data sets (closeness matters between the cell types of a
 * tissue, hardly between patients), so each group that was seen is predicted from the others by
 * every rule, in latent space, and the rule with the smallest
 *
 *     error = sum |predicted - seen shift|^2 / sum |seen shift|^2        over the groups
 *
 * is taken. At most SCS_SHIFT_TRIALS groups, evenly picked: cost SCS_SHIFT_TRIALS estimates a
 * rule. The same for the powers of `nearest`.
 */
#include "src/base/vector.h"
#include "src/screen/leave_out.h"
#include "src/screen/plan.h"
#include "src/screen/shift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* From a wide average to almost the nearest type alone. */
double scs_choose_shift_power_tried(int i)
{
    static const double power[SCS_N_POWER] = {1, 2, 3, 4, 6, 8, 12, 16};

    return power[i];
}

/* Squared length of what a prediction misses, and of the shift itself; both 0: no test. */
typedef struct miss {
    double missed, shift;
} miss;

/* One method at a time, over the same groups. */
typedef struct trials {
    const scs_atlas *atlas;
    scs_method method;
    scs_plan plan; /* the groups */
    miss *miss;    /* [plan.n] */
} trials;

/* One group predicted from the others (scs_left_out). @param work [2 n_latent] */
static scs_status try_group(void *ctx, int64_t i, const scs_sources *sources, double *work)
{
    trials *t = ctx;
    const scs_atlas *a = t->atlas;
    const scs_combination *c = &t->plan.item[i];
    const double *seen = scs_atlas_group_mean(a, c->observed_group);
    const double *baseline = scs_atlas_group_mean(a, c->control_group);
    double *delta = work, *truth = work + a->n_latent;

    scs_shift_sources_latent(a, sources, delta);
    for (int32_t j = 0; j < a->n_latent; j++)
        truth[j] = seen[j] - baseline[j];
    t->miss[i] = (miss){scs_vector_squared_distance(delta, truth, a->n_latent),
                        scs_vector_dot(truth, truth, a->n_latent)};
    return SCS_OK;
}

/* The error of t->method over all groups; those that nothing else predicts count on neither
 * side.
 * @param[out] error NaN where nothing can be left out */
static scs_status try_method(trials *t, double *error)
{
    miss sum = {0, 0};

    memset(t->miss, 0, (size_t)t->plan.n * sizeof *t->miss);
    SCS_TRY(scs_leave_out(t->atlas, &t->method, &t->plan, 0, t->plan.n,
                          2 * (int64_t)t->atlas->n_latent, try_group, t));
    for (int64_t i = 0; i < t->plan.n; i++) {
        sum.missed += t->miss[i].missed;
        sum.shift += t->miss[i].shift;
    }
    *error = sum.shift > 0 ? sum.missed / sum.shift : NAN;
    return SCS_OK;
}

/* The groups that are left out in turn. close_trials frees them, also after a failure. */
static scs_status open_trials(const scs_atlas *atlas, const scs_method *method, trials *t)
{
    *t = (trials){.atlas = atlas, .method = *method};
    SCS_TRY(scs_plan_seen(atlas, &t->plan));
    scs_leave_out_thin(&t->plan, SCS_SHIFT_TRIALS);
    return SCS_ALLOC(t->miss, t->plan.n);
}

static void close_trials(trials *t)
{
    scs_plan_clear(&t->plan);
    free(t->miss);
}

/* Of equal errors, and where all are NaN, the first rule stays: comparisons with NaN are false. */
scs_status scs_choose_shift(const scs_atlas *atlas, const scs_method *method, int *chosen,
                            double *error)
{
    trials t = {0};
    scs_status st;

    *chosen = 0;
    SCS_GO(st, open_trials(atlas, method, &t));
    for (int i = 0; i < SCS_N_SHIFT; i++) {
        error[i] = NAN;
        if (!scs_shift_rule_at(i)->tried_by_auto)
            continue;
        t.method.shift = i;
        SCS_GO(st, try_method(&t, &error[i]));
        if (error[i] < error[*chosen])
            *chosen = i;
    }
done:
    close_trials(&t);
    return st;
}

/* The usual power stays unless another one's error is smaller. */
scs_status scs_choose_shift_power(const scs_atlas *atlas, const scs_method *method, int *chosen,
                                  double *error)
{
    trials t = {0};
    scs_status st;

    *chosen = SCS_USUAL_POWER;
    SCS_GO(st, open_trials(atlas, method, &t));
    t.method.shift = SCS_SHIFT_NEAREST;
    for (int i = 0; i < SCS_N_POWER; i++) {
        t.method.power = scs_choose_shift_power_tried(i);
        SCS_GO(st, try_method(&t, &error[i]));
    }
    for (int i = 0; i < SCS_N_POWER; i++)
        if (error[i] < error[*chosen])
            *chosen = i;
done:
    close_trials(&t);
    return st;
}
