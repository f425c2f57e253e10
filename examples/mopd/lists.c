/* SPDX-License-Identifier: MIT
 * lists.c - lists of texts: given one by one, split at commas, or read from a file, one a line.
 *
 * A file is read whole, up to a limit, before its first line is taken: a device or pipe without an end is refused, and
 * what is no list is named instead of being half understood. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

enum { MOST_BYTES = 256 << 20, STEP = 1 << 16 };

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

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void add_trimmed(cli_list *list, const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t')) from++;
    while (to > from && is_space(to[-1])) to--;
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

/* -- files ---------------------------------------------------------------------------------------------------- */

size_t cli_file_head(const char *path, void *head, size_t n)
{
    sys_kind kind; /* looked at before, too: who writes into a pipe may not see it opened */
    const int file = sys_kind_of(path) == SYS_FILE ? sys_open(path, &kind) : -1;
    if (file < 0) return 0;
    const ptrdiff_t got = sys_read(file, head, n);
    sys_close(file);
    return got > 0 ? (size_t)got : 0;
}

/* A regular file, or standard input for "-"; -1 after reporting. */
static int open_list(const char *path)
{
    static const char *const kinds[] = {[SYS_NOTHING] = "no file",
        [SYS_FOLDER] = "a folder",
        [SYS_PIPE] = "a pipe",
        [SYS_DEVICE] = "a device"};
    if (!strcmp(path, "-")) return 0;
    sys_kind kind;
    const int file = sys_open(path, &kind);
    if (file < 0) return cli_fail("%s: cannot open: %s", path, sys_error_text(errno)), -1;
    if (kind == SYS_FILE) return file;
    sys_close(file);
    return cli_fail("%s: is %s, a list is a regular file, or '-' for standard input", path, kinds[kind]), -1;
}

/* All of a file with a zero behind it, to be freed; NULL after reporting. */
static char *read_all(int file, const char *path, size_t *n)
{
    char *text = cli_alloc(STEP + 1, 1);
    size_t room = STEP;
    ptrdiff_t got = 1;
    for (*n = 0; got > 0 && *n <= MOST_BYTES; *n += got > 0 ? (size_t)got : 0) {
        if (*n == room) {
            room = room < MOST_BYTES ? 2 * room : MOST_BYTES + 1;
            char *more = realloc(text, room + 1);
            if (!more) exit(cli_fail("out of memory: %s", path));
            text = more;
        }
        got = sys_read(file, text + *n, room - *n);
    }
    text[*n < room ? *n : room] = 0;
    if (got >= 0 && *n <= MOST_BYTES) return text;
    if (got < 0)
        cli_fail("%s: cannot read: %s", path, sys_error_text(errno));
    else
        cli_fail("%s: longer than %d bytes, too long for a list", path, MOST_BYTES);
    free(text);
    return NULL;
}

/* The line of a byte. */
static size_t line_at(const char *text, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++) line += text[i] == '\n';
    return line;
}

/* What a line must not hold: a zero, a CR that ends no line, bytes that are no UTF-8. */
static const char *fault_at(const char *text, size_t n, size_t *at)
{
    for (size_t bytes; *at < n; *at += bytes) {
        const char *c = text + *at;
        bytes = cli_utf8_bytes(c);
        if (!*c) return "a zero byte";
        if (*c == '\r' && *at + 1 < n && c[1] != '\n') return "a carriage return that ends no line";
        if (!bytes) return "bytes that are not UTF-8";
    }
    return NULL;
}

static bool check_text(const char *text, size_t n, const char *path)
{
    size_t at = 0;
    const char *kind = mopd_file_kind(text, n), *fault = NULL;
    if (kind) return cli_fail("%s: line 1: is %s", path, kind), false;
    fault = fault_at(text, n, &at);
    if (!fault) return true;
    return cli_fail("%s: line %zu: %s", path, line_at(text, at), fault), false;
}

static void take_lines(cli_list *list, const char *text, size_t n, bool all)
{
    const char *end = text + n;
    if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) text += 3;
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        const size_t before = list->n;
        add_trimmed(list, text, stop ? stop : end);
        if (!all && !*list->item[before]) free(list->item[--list->n]);
        text = stop ? stop + 1 : end;
    }
}

static bool read_list(cli_list *list, const char *path, bool all)
{
    size_t n = 0;
    cli_interrupt_ends(true); /* who types the lines, or awaits them from a pipe, may give up */
    const int file = open_list(path);
    char *text = file < 0 ? NULL : read_all(file, path, &n);
    if (file > 0) sys_close(file);
    const bool good = text && check_text(text, n, path);
    if (good) take_lines(list, text, n, all);
    free(text);
    cli_interrupt_ends(false);
    return good;
}

bool cli_list_file(cli_list *list, const char *path)
{
    return read_list(list, path, false);
}

bool cli_list_lines(cli_list *list, const char *path)
{
    return read_list(list, path, true);
}
