/* Labels of perturbations that name two. */
#include "src/data/pairing.h"
#include "tests/unit/fixture_h5ad.h"

#include <stdlib.h>

static scs_status pairing(scs_names *labels, const char *text, const char *separator,
                          scs_pairing *p)
{
    *labels = words(text);
    return scs_pairing_create(labels, scs_names_find(labels, "ctrl"), separator, p);
}

static int32_t at(const scs_pairing *p, const char *label)
{
    return scs_names_find(p->labels, label);
}

static void check_text(const scs_pairing *p, const char *a, const char *b, const char *expected)
{
    char *text;

    CHECK_OK(scs_pairing_text(p, at(p, a), at(p, b), &text));
    CU_ASSERT_STRING_EQUAL(text, expected);
    free(text);
}

/* Both sides must be labels; a side that is the control leaves the other alone; signs inside names
 * are no separators. */
static void labels_are_taken_to_pieces(void)
{
    scs_names labels;
    scs_pairing p;
    int32_t a, b;

    CHECK_OK(pairing(&labels, "A B C+ctrl B+A A+C A+Z CD4+ ctrl", "+", &p));
    CU_ASSERT_EQUAL(p.n, 2);
    CU_ASSERT_EQUAL(scs_pairing_label(&p, at(&p, "A"), at(&p, "B")), at(&p, "B+A"));
    CU_ASSERT_EQUAL(scs_pairing_label(&p, at(&p, "B"), at(&p, "A")), at(&p, "B+A"));
    CU_ASSERT_EQUAL(scs_pairing_label(&p, at(&p, "C+ctrl"), at(&p, "A")), at(&p, "A+C"));
    CU_ASSERT_EQUAL(scs_pairing_label(&p, at(&p, "C+ctrl"), at(&p, "B")), -1);
    CU_ASSERT_PTR_NULL(scs_pairing_of(&p, at(&p, "A")));
    CU_ASSERT_PTR_NULL(scs_pairing_of(&p, at(&p, "A+Z")));
    CU_ASSERT_EQUAL(scs_pairing_of(&p, at(&p, "A+C"))->second, at(&p, "C+ctrl"));
    CU_ASSERT(p.single[at(&p, "A")] && p.single[at(&p, "C+ctrl")] && p.single[at(&p, "CD4+")]);
    CU_ASSERT_FALSE(p.single[at(&p, "A+Z")] || p.single[at(&p, "ctrl")] || p.single[at(&p, "A+C")]);
    check_text(&p, "A", "B", "B+A");
    check_text(&p, "C+ctrl", "B", "B+C");
    check_text(&p, "CD4+", "A", "A+CD4+");
    CU_ASSERT(scs_pairing_parse(&p, "CD4++A", &a, &b) && a == at(&p, "A") && b == at(&p, "CD4+"));
    CU_ASSERT(scs_pairing_parse(&p, "C+B", &a, &b) && a == at(&p, "B"));
    CU_ASSERT_FALSE(scs_pairing_parse(&p, "A+A", &a, &b) ||
                    scs_pairing_parse(&p, "A+B+C", &a, &b) || scs_pairing_parse(&p, "A+", &a, &b) ||
                    scs_pairing_parse(&p, "A", &a, &b));
    scs_pairing_clear(&p);
    scs_names_clear(&labels);
}

static void other_separators_and_none(void)
{
    scs_names labels;
    scs_pairing p;

    CHECK_OK(pairing(&labels, "A B A_and_B ctrl", "_and_", &p));
    CU_ASSERT_EQUAL(scs_pairing_label(&p, 0, 1), 2);
    scs_pairing_clear(&p);
    scs_names_clear(&labels);
    CHECK_OK(pairing(&labels, "A B A+B B+A ctrl", NULL, &p));
    CU_ASSERT_EQUAL(p.n, 0);
    CU_ASSERT(p.single[2]);
    scs_pairing_clear(&p);
    scs_names_clear(&labels);
}

static void two_labels_of_one_thing_are_refused(void)
{
    scs_names labels;
    scs_pairing p;

    CHECK_FAILS(pairing(&labels, "A B A+B B+A ctrl", "+", &p), SCS_EARG,
                "\"A+B\" and \"B+A\" name the same pair");
    scs_names_clear(&labels);
    CHECK_FAILS(pairing(&labels, "A B A+ctrl ctrl", "+", &p), SCS_EARG,
                "\"A\" and \"A+ctrl\" name the same perturbation");
    scs_names_clear(&labels);
}

/* In any order, of any number, with the control anywhere; and no others. */
static void twins_are_seen_in_larger_combinations(void)
{
    static const struct {
        const char *labels, *words;
    } refused[] = {{"A+B+C B+A+C ctrl", "\"A+B+C\" and \"B+A+C\" name the same combination"},
                   {"A A+B+ctrl B+A ctrl", "\"A+B+ctrl\" and \"B+A\" name the same pair"},
                   {"A+ctrl+B A+B ctrl", "\"A+ctrl+B\" and \"A+B\" name the same pair"},
                   {"ctrl+A+ctrl A ctrl", "\"ctrl+A+ctrl\" and \"A\" name the same perturbation"},
                   {"ctrl+ctrl A ctrl", "\"ctrl+ctrl\" and \"ctrl\" name the same perturbation"}};
    scs_names labels;
    scs_pairing p;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK_FAILS(pairing(&labels, refused[i].labels, "+", &p), SCS_EARG, refused[i].words);
        scs_names_clear(&labels);
    }
    CHECK_OK(pairing(&labels, "A+A A CD4+ CD4 ctrl+ B+C+ctrl B C+ctrl A+B+C ctrl", "+", &p));
    CU_ASSERT_EQUAL(p.n, 1);
    CU_ASSERT_EQUAL(scs_pairing_label(&p, at(&p, "C+ctrl"), at(&p, "B")), at(&p, "B+C+ctrl"));
    CU_ASSERT_FALSE(p.single[at(&p, "B+C+ctrl")]);
    scs_pairing_clear(&p);
    scs_names_clear(&labels);
}

/* A control's own separators do not cut it. */
static void a_control_may_hold_the_separator(void)
{
    scs_names labels = words("A-non-targeting B HLA-A-non-targeting non-targeting A-B");
    scs_pairing p;

    CHECK_OK(scs_pairing_create(&labels, 3, "-", &p));
    CU_ASSERT_STRING_EQUAL(p.name.name[0], "A");
    CU_ASSERT_STRING_EQUAL(p.name.name[2], "HLA-A");
    CU_ASSERT(p.single[0] && p.single[1] && p.single[2]);
    CU_ASSERT_EQUAL(scs_pairing_label(&p, 0, 1), 4);
    scs_pairing_clear(&p);
    scs_names_clear(&labels);
}

int main(void)
{
    static const scs_test tests[] = {
        {"labels are taken to pieces", labels_are_taken_to_pieces},
        {"other separators, and none", other_separators_and_none},
        {"two labels of one thing are refused", two_labels_of_one_thing_are_refused},
        {"twins in larger combinations", twins_are_seen_in_larger_combinations},
        {"a control with the separator", a_control_may_hold_the_separator},
    };

    return run_suite("pairing", tests, sizeof tests / sizeof *tests);
}
