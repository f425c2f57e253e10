/* SPDX-License-Identifier: MIT
 * output.c - JSON, CSV, tables on stdout; progress on stderr. */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

#define LINE_SECONDS 5.0
#define MARK_SECONDS 15.0

bool cli_flush(void)
{
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout)) return true;
    if (!errno) { /* musl forgets both the text and the reason: one line end more asks for it again */
        clearerr(stdout);
        putchar('\n');
        fflush(stdout);
    }
    cli_fail("cannot write the output: %s", errno ? sys_error_text(errno) : "the stream failed earlier");
    return false;
}

int cli_write_file(const char *path, void (*body)(FILE *f, const void *context), const void *context)
{
    size_t n = 0;
    char *text = sys_printed(body, context, &n);
    if (!text) return cli_fail("%s: no room to prepare it: %s", path, sys_error_text(errno));
    const mopd_status st = mopd_file_save(path, text, n);
    free(text);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

void cli_print_json(json_t *document)
{
    cli_remarks_add(document);
    cli_json_add_bytes(document);
    json_dumpf(document, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(document);
}

json_t *cli_json_float(float x)
{
    if (!isfinite(x)) return json_null();
    char text[32];
    for (int digits = 6; digits <= 9; digits++) { /* the fewest digits that read back as the same float */
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
        if (strtof(text, NULL) == x) break;
    }
    return json_real(strtod(text, NULL));
}

void cli_csv_write(FILE *f, const char *text, bool last)
{
    if (strpbrk(text, ",\"\r\n")) {
        fputc('"', f);
        for (; *text; text++) {
            if (*text == '"') fputc('"', f);
            fputc(*text, f);
        }
        fputc('"', f);
    } else {
        fputs(text, f);
    }
    fputs(last ? "\r\n" : ",", f);
}

void cli_csv_field(const char *text, bool last)
{
    cli_csv_write(stdout, text, last);
}

struct cli_table {
    size_t n_columns;
    cli_list cells; /* heads first, row by row */
};

cli_table *cli_table_new(size_t n_columns, const char *const *heads)
{
    cli_table *table = cli_alloc(1, sizeof *table);
    table->n_columns = n_columns;
    for (size_t i = 0; i < n_columns; i++) cli_list_add(&table->cells, heads[i]);
    return table;
}

void cli_table_cell(cli_table *table, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = cli_alloc((size_t)(n < 0 ? 0 : n) + 1, 1);
    if (n >= 0) vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    cli_list_add(&table->cells, cli_shown(text));
    free(text);
}

/* Characters, counting what starts one in UTF-8. */
static size_t width_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static bool is_number(const char *text)
{
    return (*text >= '0' && *text <= '9') || *text == '-' || *text == '+';
}

static void print_cell(const char *text, size_t width, bool right, bool last)
{
    size_t pad = width - width_of(text);
    if (right)
        printf("%*s%s", (int)pad, "", text);
    else
        printf("%s%*s", text, last ? 0 : (int)pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

void cli_table_print_free(cli_table *table)
{
    size_t n = table->n_columns;
    size_t *width = cli_alloc(n, sizeof *width);
    bool *right = cli_alloc(n, sizeof *right);
    for (size_t i = 0; i < table->cells.n; i++) {
        size_t w = width_of(table->cells.item[i]), column = i % n;
        if (w > width[column]) width[column] = w;
        if (i >= n && i < 2 * n) right[column] = is_number(table->cells.item[i]);
    }
    for (size_t i = 0; i < table->cells.n; i++)
        print_cell(table->cells.item[i], width[i % n], right[i % n], i % n == n - 1);
    free(width);
    free(right);
    cli_list_free(&table->cells);
    free(table);
}

double cli_seconds(void)
{
    return sys_seconds();
}

/* Seconds between lines where there is no terminal; 0: no lines. */
static double line_seconds(void)
{
    const char *wanted = getenv("MOPD_PROGRESS");
    char *end;
    double seconds = wanted ? strtod(wanted, &end) : LINE_SECONDS;
    return wanted && (end == wanted || *end || !(seconds >= 0)) ? LINE_SECONDS : seconds;
}

void cli_progress_start(cli_progress *progress, const cli_common *common, const char *label, size_t total)
{
    const double start = cli_seconds();
    *progress = (cli_progress){.label = label, .total = total, .start = start, .drawn = start};
    if (common->quiet) return;
    progress->shown = sys_is_shown(2);
    progress->lines = progress->shown ? 0 : line_seconds();
}

/* "92 a second, 530 s left", judged by the last seconds: the first one took longer, and what was known already went by
 * quickly.  Nothing until there is something to judge by. */
static void print_speed(cli_progress *progress, size_t done, double spent)
{
    const double seconds = spent - progress->mark[0].seconds;
    const size_t n = done - progress->mark[0].done;
    if (n && seconds > 0) {
        const double speed = (double)n / seconds;
        fprintf(stderr, "  %.*f a second, %.0f s left", speed < 10, speed,
            (double)(progress->total - done) / speed);
    }
    if (spent - progress->mark[1].seconds < MARK_SECONDS) return;
    progress->mark[0] = progress->mark[1];
    progress->mark[1].seconds = spent;
    progress->mark[1].done = done;
}

/* A line for logs: what stands there stays. */
static void print_line(cli_progress *progress, size_t done, double spent)
{
    if (progress->total)
        fprintf(stderr, "mopd: %s: %zu of %zu (%zu %%)", progress->label, done, progress->total,
            100 * done / progress->total);
    else
        fprintf(stderr, "mopd: %s: %zu", progress->label, done);
    if (progress->total && done < progress->total) print_speed(progress, done, spent);
    fputc('\n', stderr);
}

static void draw_bar(cli_progress *progress, size_t done, double spent)
{
    char bar[31] = "..............................";
    if (!progress->total) {
        fprintf(stderr, "\r%s %zu  %.0f s\033[K", progress->label, done, spent);
        return;
    }
    memset(bar, '#', 30 * done / progress->total);
    fprintf(stderr, "\r%s [%s] %zu/%zu", progress->label, bar, done, progress->total);
    print_speed(progress, done, spent);
    fputs("\033[K", stderr);
}

void cli_progress_update(cli_progress *progress, size_t done)
{
    if (!progress->shown && progress->lines <= 0) return;
    const double now = cli_seconds(), since = now - progress->drawn;
    if (done && !progress->mark[1].done) { /* before the first is done, weights are unpacked and pages read */
        for (int i = 0; i < 2; i++) {
            progress->mark[i].seconds = now - progress->start;
            progress->mark[i].done = done;
        }
    }
    if (progress->shown ? since < 0.1 && done != progress->total : since < progress->lines) return;
    progress->drawn = now;
    if (progress->shown)
        draw_bar(progress, done, now - progress->start);
    else
        print_line(progress, done, now - progress->start);
    fflush(stderr);
}

void cli_progress_end(cli_progress *progress)
{
    if (!progress->shown) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}
