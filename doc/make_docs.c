/* Documents from their templates on standard input: lines @VERBS@, @OPTIONS@, @KEYS@ and @TITLE@
 * (of the man page) and @KEY_TABLES@ (of doc/config.md) give way to what the program's own tables
 * say, so that no document can disagree with --help. */
#include "config.h"
#include "mpi/app/cli.h"
#include "mpi/app/verbs.h"
#include "src/config/key.h"

#include <string.h>

/* Text for roff: no control lines, no escapes, hyphens that can be copied, lines that may end
 * between the words of a choice. */
static void put(const char *text)
{
    bool starts = true;

    for (; *text; text++) {
        if (starts && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '|')
            fputs("|\\:", stdout);
        else
            putchar(*text);
        starts = *text == '\n';
    }
}

/* The default as it would be written in a config. */
static const char *fallback_of(const scs_key *key)
{
    return !key->fallback ? "[]" : key->fallback[0] ? key->fallback : "\"\"";
}

/* @VERBS@ of the man page: a paragraph each. */
static void put_verbs(void)
{
    for (const scs_verb *const *v = scs_verbs; *v; v++) {
        printf(".TP\n.B %s \\fI", (*v)->name);
        put((*v)->argument);
        fputs("\\fR\n", stdout);
        put((*v)->summary);
        fputs(".\n", stdout);
        put((*v)->details);
        putchar('\n');
    }
}

/* @OPTIONS@ of the man page. */
static void put_options(void)
{
    for (const scs_cli_option *o = scs_cli_options; o->name; o++) {
        fputs(".TP\n\\fB", stdout);
        put(o->name);
        fputs("\\fR", stdout);
        if (o->value)
            printf(" \\fI%s\\fR", o->value);
        if (o->brief) {
            fputs(", \\fB", stdout);
            put(o->brief);
            fputs("\\fR", stdout);
        }
        putchar('\n');
        put(o->help);
        fputs(".\n", stdout);
    }
}

/* A key's entry in the man page: values it takes, default. */
static void put_key(const scs_key *key)
{
    char name[80], allowed[512];

    printf(".TP\n.B %s\n", scs_key_full_name(key, name, sizeof name));
    put(key->help);
    fputs(".\n", stdout);
    put(scs_key_allowed(key, allowed, sizeof allowed));
    fputs("; default ", stdout);
    put(fallback_of(key));
    fputs(".\n", stdout);
}

/* @KEYS@ of the man page: a subsection for each section of the config. */
static void put_keys(void)
{
    const char *section = "";

    for (int i = 0; scs_key_at(i); i++) {
        const scs_key *key = scs_key_at(i);

        if (strcmp(section, key->section) != 0)
            printf(".SS %s\n", key->section);
        section = key->section;
        put_key(key);
    }
}

/* Text of a cell of a Markdown table, where a bar would end it; a * would begin emphasis. */
static void put_cell(const char *text)
{
    for (; *text; text++)
        if (*text == '|')
            fputs(", ", stdout);
        else if (*text == '*')
            fputs("\\*", stdout);
        else
            putchar(*text);
}

/* The last column: what is made again when the key changes. */
static void put_affects(const scs_key *key)
{
    static const struct {
        int bit;
        const char *text;
    } what[] = {{SCS_AFFECTS_WEIGHTS, "weights"},
                {SCS_AFFECTS_ROWS, "rows"},
                {SCS_AFFECTS_REPORT, "report"}};
    const char *between = "";

    for (size_t i = 0; i < sizeof what / sizeof *what; i++)
        if (key->affects & what[i].bit) {
            printf("%s%s", between, what[i].text);
            between = ", ";
        }
    if (key->affects == SCS_AFFECTS_NOTHING)
        putchar('-');
}

static void put_row(const scs_key *key)
{
    char name[80], allowed[512];

    printf("| `%s` | ", scs_key_full_name(key, name, sizeof name));
    put_cell(scs_key_allowed(key, allowed, sizeof allowed));
    printf(" | `%s` | ", fallback_of(key));
    put_cell(key->help);
    fputs(" | ", stdout);
    put_affects(key);
    puts(" |");
}

/* @KEY_TABLES@ of doc/config.md: a table for each section. */
static void put_key_tables(void)
{
    const char *section = "";

    for (int i = 0; scs_key_at(i); i++) {
        const scs_key *key = scs_key_at(i);

        if (strcmp(section, key->section) != 0)
            printf("%s### %s\n\n| key | value | default | meaning | affects "
                   "|\n|---|---|---|---|---|\n",
                   i ? "\n" : "", key->section);
        section = key->section;
        put_row(key);
    }
}

/* What bash completes: `verbs`, `options`, those of them that a value follows, and `keys`. */
static void put_completion(void)
{
    char name[80];

    fputs("    verbs='", stdout);
    for (const scs_verb *const *v = scs_verbs; *v; v++)
        printf("%s%s", v == scs_verbs ? "" : " ", (*v)->name);
    fputs("'\n    options='", stdout);
    for (const scs_cli_option *o = scs_cli_options; o->name; o++)
        printf("%s%s", o == scs_cli_options ? "" : " ", o->name);
    fputs("'\n    valued='-n", stdout);
    for (const scs_cli_option *o = scs_cli_options; o->name; o++)
        if (o->value)
            printf(" %s", o->name);
    fputs("'\n    keys='", stdout);
    for (int i = 0; scs_key_at(i); i++)
        printf("%s%s", i ? " " : "", scs_key_full_name(scs_key_at(i), name, sizeof name));
    puts("'");
}

/* A branch of a shell's `case $verb` for each verb whose section's keys are options, too. */
static void put_completion_options(void)
{
    for (const scs_verb *const *v = scs_verbs; *v; v++) {
        if (!(*v)->has_section)
            continue;
        printf("    %s) section='", (*v)->name);
        for (int i = 0; scs_key_at(i); i++) {
            const scs_key *key = scs_key_at(i);

            if (strcmp(key->section, (*v)->name) != 0 || !key->name)
                continue;
            fputs(" --", stdout);
            for (const char *at = key->name; *at; at++)
                putchar(*at == '_' ? '-' : *at);
        }
        for (const scs_verb_option *o = (*v)->options; o && o->name; o++)
            printf(" %s", o->name);
        puts("' ;;");
    }
}

/* The words of a text like "X|raw|layers/NAME" that are values as they stand. */
static void put_plain_words(const char *words)
{
    for (size_t n; *words; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        if (n > 0 && strspn(words, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_.+-") >= n)
            printf(" %.*s", (int)n, words);
    }
}

/* Whether a text like "X|raw" has this word. */
static bool has_word(const char *words, const char *word)
{
    for (size_t n; words && *words; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        if (n == strlen(word) && strncmp(words, word, n) == 0)
            return true;
    }
    return false;
}

/* What a key's value may be: all words of a choice, else those that stand for something, and the
 * default. */
static void put_values(const scs_key *key)
{
    if (key->type == SCS_KEY_BOOL) {
        fputs(" true false", stdout);
    } else if (key->type == SCS_KEY_CHOICE) {
        for (const scs_word *w = key->choice; w->text; w = scs_key_choice_next(key, w))
            printf(" %s", w->text);
    } else {
        if (key->words)
            put_plain_words(key->words);
        if (key->fallback && !has_word(key->words, key->fallback))
            put_plain_words(key->fallback);
    }
}

/* A branch of a shell's `case` for each key, under its name and that of the option that sets it. */
static void put_completion_words(void)
{
    char name[80];

    for (int i = 0; scs_key_at(i); i++) {
        scs_key_full_name(scs_key_at(i), name, sizeof name);
        printf("    %s", name);
        for (const scs_cli_option *o = scs_cli_options; o->name; o++)
            if (o->key && strcmp(o->key, name) == 0)
                printf(" | %s", o->name);
        fputs(") echo '", stdout);
        put_values(scs_key_at(i));
        puts("' ;;");
    }
}

/* 1 where standard input or output fails, so that make does not keep half a document. */
int main(void)
{
    char line[1024];

    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "@VERBS@\n") == 0)
            put_verbs();
        else if (strcmp(line, "@OPTIONS@\n") == 0)
            put_options();
        else if (strcmp(line, "@KEYS@\n") == 0)
            put_keys();
        else if (strcmp(line, "@KEY_TABLES@\n") == 0)
            put_key_tables();
        else if (strcmp(line, "@COMPLETION@\n") == 0)
            put_completion();
        else if (strcmp(line, "@COMPLETION_OPTIONS@\n") == 0)
            put_completion_options();
        else if (strcmp(line, "@COMPLETION_WORDS@\n") == 0)
            put_completion_words();
        else if (strcmp(line, "@TITLE@\n") == 0)
            puts(".TH SCSCREEN 1 \"\" \"scscreen " PACKAGE_VERSION "\" \"User Commands\"");
        else
            fputs(line, stdout);
    }
    return ferror(stdin) || fflush(stdout) != 0;
}
