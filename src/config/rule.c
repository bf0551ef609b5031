/* Words, values and properties of the shift rules and the decode modes. */
#include "src/config/rule.h"

#include <stddef.h>

const scs_rule_shift scs_rule_shifts[] = {
    [SCS_SHIFT_NEAREST] = {.word = {"nearest", SCS_SHIFT_NEAREST},
                           .needs_pairs = true,
                           .uses_power = true,
                           .tried_by_auto = true},
    [SCS_SHIFT_PAIRED] = {.word = {"paired", SCS_SHIFT_PAIRED},
                          .needs_pairs = true,
                          .tried_by_auto = true},
    [SCS_SHIFT_BALANCED] = {.word = {"balanced", SCS_SHIFT_BALANCED}, .tried_by_auto = true},
    [SCS_SHIFT_REGRESSION] = {.word = {"regression", SCS_SHIFT_REGRESSION},
                              .needs_pairs = true,
                              .uses_latent = true,
                              .tried_by_auto = true},
    [SCS_SHIFT_CONVERGING] = {.word = {"converging", SCS_SHIFT_CONVERGING},
                              .needs_pairs = true,
                              .uses_convergence = true,
                              .learns = true},
    [SCS_SHIFT_MIXED] = {.word = {"mixed", SCS_SHIFT_MIXED},
                         .needs_pairs = true,
                         .needs_mixed = true,
                         .learns = true,
                         .tried_by_auto = true},
    [SCS_SHIFT_LIMITED] = {.word = {"limited", SCS_SHIFT_LIMITED},
                           .needs_pairs = true,
                           .needs_mixed = true,
                           .learns = true,
                           .tried_by_auto = true},
    [SCS_SHIFT_AUTO] = {.word = {"auto", SCS_SHIFT_AUTO}},
    {.word = {0}},
};

_Static_assert(sizeof scs_rule_shifts / sizeof *scs_rule_shifts == SCS_SHIFT_AUTO + 2,
               "a row for each scs_shift_method, and the end");
_Static_assert(offsetof(scs_rule_shift, word) == 0, "rows are read as words");

const scs_rule_decode scs_rule_decodes[] = {
    [SCS_DECODE_EDIT] = {.word = {"edit", SCS_DECODE_EDIT},
                         .needs_baseline = true,
                         .uses_magnitude = true},
    [SCS_DECODE_PLAIN] = {.word = {"decode", SCS_DECODE_PLAIN}},
    [SCS_DECODE_BLEND] = {.word = {"blend", SCS_DECODE_BLEND},
                          .needs_baseline = true,
                          .uses_magnitude = true,
                          .uses_share = true},
    {.word = {0}},
};

_Static_assert(sizeof scs_rule_decodes / sizeof *scs_rule_decodes == SCS_N_DECODE + 1,
               "a row for each scs_decode_method, and the end");
_Static_assert(offsetof(scs_rule_decode, word) == 0, "rows are read as words");

const scs_rule_shift *scs_rule_shift_at(int shift)
{
    return shift >= 0 && shift < SCS_SHIFT_AUTO ? &scs_rule_shifts[shift] : NULL;
}

const scs_rule_decode *scs_rule_decode_at(int decode)
{
    return decode >= 0 && decode < SCS_N_DECODE ? &scs_rule_decodes[decode] : NULL;
}
