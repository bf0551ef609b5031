/* Writes two samples of points and their distances to a file: "x ...", "y ...", "delta ...", then
 * "energy E" and "mmd2 M". For check_distance.py. */
#include "src/screen/cell_distance.h"
#include "tests/unit/fixture_atlas.h"

enum { N_X = 70, N_Y = 90, DIM = 5 };

static const char *path;

static void print_points(FILE *out, const char *name, const scs_real *x, int n)
{
    for (int i = 0; i < n; i++) {
        fprintf(out, "%s", name);
        for (int j = 0; j < DIM; j++)
            fprintf(out, " %.9g", x[i * DIM + j]);
        fprintf(out, "\n");
    }
}

static void dump(void)
{
    scs_real x[N_X * DIM], y[N_Y * DIM];
    double delta[DIM];
    scs_cell_spread spread = {0};
    scs_cell_difference found, again;
    scs_sample a = {x, N_X, delta}, b = {y, N_Y, NULL};
    FILE *out = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    for (uint64_t i = 0; i < N_X * DIM; i++)
        x[i] = uniform(1, i);
    for (uint64_t i = 0; i < N_Y * DIM; i++)
        y[i] = 2 * uniform(2, i);
    fprintf(out, "delta");
    for (int j = 0; j < DIM; j++)
        fprintf(out, " %.17g", delta[j] = .1 * j);
    fprintf(out, "\n");
    print_points(out, "x", x, N_X);
    print_points(out, "y", y, N_Y);
    CHECK_OK(scs_cell_distance_compare(&a, &b, DIM, &spread, &found));
    CHECK_OK(scs_cell_distance_compare(&a, &b, DIM, &spread, &again)); /* by what is known of b */
    CU_ASSERT(found.energy == again.energy && found.mmd2 == again.mmd2);
    fprintf(out, "energy %.17g\nmmd2 %.17g\n", found.energy, found.mmd2);
    CU_ASSERT_EQUAL(fclose(out), 0);
}

int main(int argc, char **argv)
{
    static const scs_test tests[] = {{"dump", dump}};

    if (argc != 2)
        return 2;
    path = argv[1];
    return run_suite("dump_distance", tests, 1);
}
