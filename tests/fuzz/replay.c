/* A fuzz target without a fuzzer: every seed of a folder, then mutants of them, the same in every
 * run. usage: fuzz_TARGET FOLDER MUTANTS. Seeds whose name begins with "ok" must be accepted, with
 * "bad" refused. */
#include "src/base/random.h"
#include "tests/fuzz/target.h"

#include <dirent.h>

enum { SEEDS = 512, LARGEST = 1 << 16, GROWTH = 64, CHANGES = 8 };

typedef struct seed {
    uint8_t *data;
    size_t size;
} seed;

typedef struct corpus {
    seed seed[SEEDS];
    int n;
} corpus;

static seed load(const char *folder, const char *name)
{
    seed s = {.data = malloc(LARGEST)};
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    HOLDS(file && s.data);
    s.size = fread(s.data, 1, LARGEST, file);
    fclose(file);
    return s;
}

/* @return whether the seed was accepted or refused as its name says */
static bool run_seed(const seed *s, const char *name)
{
    int64_t before = fuzz_accepted;
    bool accepted;

    LLVMFuzzerTestOneInput(s->data, s->size);
    accepted = fuzz_accepted > before;
    if (strncmp(name, accepted ? "bad" : "ok", accepted ? 3 : 2) != 0)
        return true;
    printf("FAILED: %s is %s\n", name, accepted ? "accepted" : scs_message());
    return false;
}

/* @return seeds that went wrong */
static int run_seeds(const char *folder, corpus *c)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, NULL, alphasort), wrong = 0;

    HOLDS(n > 0 && n <= SEEDS);
    for (int i = 0; i < n; free(entry[i++])) {
        if (entry[i]->d_name[0] == '.')
            continue;
        c->seed[c->n] = load(folder, entry[i]->d_name);
        wrong += !run_seed(&c->seed[c->n++], entry[i]->d_name);
    }
    free(entry);
    return wrong;
}

/* One change: a byte, an integer, a piece of another seed, a cut or a repetition. */
static size_t change(const corpus *c, const uint32_t *word, uint8_t *data, size_t size)
{
    static const int64_t edge[] = {0, 1, -1, 2, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 255};
    const seed *other = &c->seed[word[1] % (uint32_t)c->n];
    size_t at = word[2] % (size + 1), n = word[3] % GROWTH;

    switch (word[0] % 6) {
    case 0:
        if (at < size)
            data[at] = (uint8_t)word[3];
        break;
    case 1:
        if (at / 8 * 8 + 8 <= size)
            memcpy(data + at / 8 * 8, &edge[word[3] % 9], 8);
        break;
    case 2:
        if (at + n <= size && n <= other->size)
            memcpy(data + at, other->data + word[1] % (other->size - n + 1), n);
        break;
    case 3:
        return at;
    case 4:
        if (at + n <= size) {
            memmove(data + at, data + at + n, size - at - n);
            return size - n;
        }
        break;
    default:
        if (at + n <= size) {
            memmove(data + at + n, data + at, size - at);
            return size + n;
        }
    }
    return size;
}

static void run_mutant(const corpus *c, uint64_t number)
{
    static uint8_t room[LARGEST + GROWTH * CHANGES];
    scs_stream stream = {.seed = 7, .purpose = SCS_RANDOM_SIMULATE, .cell = number};
    const seed *from = &c->seed[number % (uint64_t)c->n];
    size_t size = from->size;
    uint32_t word[4];
    uint8_t *exact;

    memcpy(room, from->data, size);
    scs_random_block(&stream, 0, word);
    for (uint32_t i = 0, n = 1 + word[0] % CHANGES; i < n; i++) {
        scs_random_block(&stream, i + 1, word);
        size = change(c, word, room, size);
    }
    exact = malloc(size + 1); /* so that a sanitizer sees the end */
    HOLDS(exact);
    memcpy(exact, room, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

int main(int argc, char **argv)
{
    static corpus c;
    int wrong;
    long n = argc == 3 ? atol(argv[2]) : 0;

    if (n < 1)
        return 64;
    wrong = run_seeds(argv[1], &c);
    HOLDS(c.n > 0);
    for (long i = 0; i < n; i++)
        run_mutant(&c, (uint64_t)i);
    printf("%s: %d seeds and %ld mutants, %lld accepted\n", argv[0], c.n, n,
           (long long)fuzz_accepted);
    for (int i = 0; i < c.n; i++)
        free(c.seed[i].data);
    return wrong != 0;
}
