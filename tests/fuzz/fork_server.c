/* Preloaded: runs the program's main() again and again, each time in a child, so that thousands of
 * runs do not pay for loading it. Tests only.
 *
 * A line on standard input is one run: words with tabs between them, the first two the files that
 * take what the run prints and its error lines, the others its arguments. The answer is a line with
 * the run's wait status. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int main_fn(int, char **, char **);
typedef int start_fn(main_fn *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                     void *);

enum { LONGEST = 65536, MOST = 64 };

static main_fn *program_main;

static bool redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags, 0600);

    return fd >= 0 && dup2(fd, to) == to && close(fd) == 0;
}

/* In the child. @param word [n + 1], NULL at the end; 0 and 1 are where it prints */
static _Noreturn void run(int n, char **word, char **env)
{
    char *arg[MOST + 1] = {"scscreen"};

    memcpy(arg + 1, word + 2, (size_t)(n - 1) * sizeof *arg);
    if (!redirect("/dev/null", O_RDONLY, STDIN_FILENO) ||
        !redirect(word[0], O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO) ||
        !redirect(word[1], O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO))
        _exit(126);
    exit(program_main(n - 1, arg, env));
}

static int cut(char *line, char **word)
{
    int n = 0;

    for (char *at = strtok(line, "\t\n"); at && n < MOST; at = strtok(NULL, "\t\n"))
        word[n++] = at;
    word[n] = NULL;
    return n;
}

static int serve(int argc, char **argv, char **env)
{
    static char line[LONGEST];
    char *word[MOST + 1];
    int how;

    (void)argc, (void)argv;
    while (fgets(line, sizeof line, stdin)) {
        int n = cut(line, word);
        pid_t child = n > 2 ? fork() : -1;
        if (child == 0)
            run(n, word, env);
        if (child < 0 || waitpid(child, &how, 0) != child)
            return 1;
        printf("%d\n", how);
        fflush(stdout);
    }
    return 0;
}

int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    start_fn *real = (start_fn *)dlsym(RTLD_NEXT, "__libc_start_main");

    program_main = main;
    unsetenv("LD_PRELOAD");
    return real(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
