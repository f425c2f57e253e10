/* SPDX-License-Identifier: MIT
 * cli.c - errors, Ctrl-C, lists of texts and of pictures. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts, at_once;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    if (interrupts++ || at_once) _exit(EXIT_INTERRUPTED);
}

void cli_catch_interrupt(void)
{
    /* A write that waits for a slow reader goes on: what was reached is written whole. */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe becomes a write error that names itself */
}

bool cli_interrupted(void)
{
    return interrupts > 0;
}

void cli_interrupt_ends(bool ends)
{
    at_once = ends;
    if (ends && interrupts) _exit(EXIT_INTERRUPTED);
}

int cli_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("mopd: error: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_FAILED;
}

int cli_usage(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("mopd: error: ", stderr);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; see 'mopd %s%s--help'\n", command, *command ? " " : "");
    va_end(args);
    return EXIT_USAGE;
}

int cli_fail_status(mopd_status status)
{
    if (status == MOPD_E_CANCELLED) return EXIT_INTERRUPTED;
    const char *message = mopd_last_error();
    return cli_fail("%s", *message ? message : mopd_status_text(status));
}

void *cli_alloc(size_t n, size_t size)
{
    void *block = calloc(n ? n : 1, size ? size : 1);
    if (!block) exit(cli_fail("out of memory: %zu x %zu bytes", n, size));
    return block;
}

char *cli_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(cli_alloc(n, 1), text, n);
}

static void list_add_n(cli_list *list, const char *text, size_t n)
{
    if ((list->n & (list->n - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
        char **more = realloc(list->item, (list->n ? list->n * 2 : 1) * sizeof *more);
        if (!more) exit(cli_fail("out of memory: a list of %zu texts", list->n));
        list->item = more;
    }
    char *copy = cli_alloc(n + 1, 1);
    memcpy(copy, text, n);
    list->item[list->n++] = copy;
}

void cli_list_add(cli_list *list, const char *text)
{
    list_add_n(list, text, strlen(text));
}

void cli_list_free(cli_list *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->item[i]);
    free(list->item);
    *list = (cli_list){0};
}

static void add_trimmed(cli_list *list, const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t')) from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r' || to[-1] == '\n')) to--;
    list_add_n(list, from, (size_t)(to - from));
}

void cli_list_split(cli_list *list, const char *text)
{
    for (;;) {
        const char *end = strchr(text, ',');
        add_trimmed(list, text, end ? end : text + strlen(text));
        if (!end) return;
        text = end + 1;
    }
}

static bool read_lines(cli_list *list, FILE *f, const char *path, bool all)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    errno = 0;
    for (bool first = true; (n = getline(&line, &cap, f)) >= 0; first = false) {
        const char *start = first && n >= 3 && !memcmp(line, "\xef\xbb\xbf", 3) ? line + 3 : line;
        size_t before = list->n;
        add_trimmed(list, start, line + n);
        if (!all && !*list->item[before]) free(list->item[--list->n]);
    }
    bool bad = ferror(f);
    if (bad) cli_fail("%s: cannot read: %s", path, strerror(errno));
    free(line);
    return !bad;
}

size_t cli_file_head(const char *path, void *head, size_t n)
{
    struct stat info;
    FILE *f = !stat(path, &info) && S_ISREG(info.st_mode) ? fopen(path, "rbe") : NULL;
    if (!f) return 0;
    n = fread(head, 1, n, f);
    fclose(f);
    return n;
}

static bool read_list(cli_list *list, const char *path, bool all)
{
    cli_interrupt_ends(true); /* who types the lines, or awaits them from a pipe, may give up */
    bool standard = !strcmp(path, "-");
    FILE *f = standard ? stdin : fopen(path, "re");
    bool ok =
        f ? read_lines(list, f, path, all) : (cli_fail("%s: cannot open: %s", path, strerror(errno)), false);
    if (f && !standard) fclose(f);
    cli_interrupt_ends(false);
    return ok;
}

bool cli_list_file(cli_list *list, const char *path)
{
    return read_list(list, path, false);
}

bool cli_list_lines(cli_list *list, const char *path)
{
    return read_list(list, path, true);
}
