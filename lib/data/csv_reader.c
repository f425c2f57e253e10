/* SPDX-License-Identifier: MIT
 * csv_reader.c - records of a CSV file: RFC 4180 quoting, LF or CRLF, UTF-8 mark allowed. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/stop.h"
#include "data/csv_reader.h"
#include "format/foreign.h"

static size_t line_of(const char *text, const char *at)
{
    size_t line = 1;
    while (text < at) line += *text++ == '\n';
    return line;
}

mopd_status mo_csv_read(mo_csv *c, const char *path, size_t limit)
{
    *c = (mo_csv){.path = path, .next_line = 1};
    mopd_status st = mo_file_read(&c->text, path, limit);
    if (st == MOPD_OK && !c->text.size) st = mo_fail(MOPD_E_FORMAT, "%s: the file is empty", path);
    if (st != MOPD_OK) return st;
    if ((st = mo_foreign_check(c->text.data, c->text.size, path)) != MOPD_OK) return st;
    const char *text = c->text.data, *zero = memchr(text, 0, c->text.size);
    if (zero) return mo_fail(MOPD_E_FORMAT, "%s: line %zu: a zero byte", path, line_of(text, zero));
    bool mark = c->text.size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3);
    c->at = c->text.data + (mark ? 3 : 0);
    c->end = c->text.data + c->text.size;
    return MOPD_OK;
}

void mo_csv_close(mo_csv *c)
{
    mo_mem_free(c->field);
    mo_buf_free(&c->text);
}

static mopd_status add_field(mo_csv *c, char *start)
{
    if (c->n_fields == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 8;
        char **field = mo_mem_realloc(c->field, cap, sizeof *field);
        if (!field) return MOPD_E_NOMEM;
        c->field = field;
        c->cap = cap;
    }
    c->field[c->n_fields++] = start;
    return MOPD_OK;
}

/* A field in quotes; c->at stands behind the first one and ends behind the last.  Cut at *stop. */
static mopd_status quoted_field(mo_csv *c, char **stop)
{
    char *to = c->at;
    uint32_t opened = c->next_line;
    for (; c->at < c->end; c->at++) {
        if (*c->at == '"' && c->at + 1 < c->end && c->at[1] == '"')
            c->at++;
        else if (*c->at == '"') {
            c->at++;
            *stop = to;
            return MOPD_OK;
        }
        if (*c->at == '\n') c->next_line++;
        *to++ = *c->at;
    }
    return mo_fail(MOPD_E_FORMAT, "%s: line %u: the quote opened here is never closed", c->path, opened);
}

static bool at_record_end(const mo_csv *c)
{
    return c->at == c->end || *c->at == '\n' || (*c->at == '\r' && (c->at + 1 == c->end || c->at[1] == '\n'));
}

static mopd_status plain_field(mo_csv *c, char **stop)
{
    while (!at_record_end(c) && *c->at != ',') {
        if (*c->at == '"')
            return mo_fail(MOPD_E_FORMAT, "%s: line %u: a quote inside a plain field", c->path, c->line);
        if (*c->at == '\r')
            return mo_fail(
                MOPD_E_FORMAT, "%s: line %u: a carriage return that ends no line", c->path, c->line);
        c->at++;
    }
    *stop = c->at;
    return MOPD_OK;
}

mopd_status mo_csv_next(mo_csv *c, bool *more)
{
    mopd_status st = mo_stop_check(MO_STOP_ENTRY);
    c->n_fields = 0;
    c->line = c->next_line;
    *more = c->at < c->end;
    while (*more && st == MOPD_OK) {
        bool quoted = c->at < c->end && *c->at == '"';
        char *start = c->at += quoted, *stop = start;
        st = quoted ? quoted_field(c, &stop) : plain_field(c, &stop);
        if (st != MOPD_OK) return st;
        if (!at_record_end(c) && *c->at != ',')
            return mo_fail(MOPD_E_FORMAT, "%s: line %u: text behind a closing quote", c->path, c->line);
        bool last = at_record_end(c);
        if (last && c->at < c->end && *c->at == '\r') c->at++;
        if (last && c->at < c->end) c->next_line++;
        if (c->at < c->end) c->at++;
        *stop = 0; /* the text has one byte behind its end */
        st = add_field(c, start);
        if (last) break;
    }
    return st;
}

mopd_status mo_csv_row(mo_csv *c, size_t n_columns, bool *more)
{
    mopd_status st;
    do {
        if ((st = mo_csv_next(c, more)) != MOPD_OK || !*more) return st;
    } while (c->n_fields == 1 && !*c->field[0]);
    if (c->n_fields == n_columns) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "%s: line %u: %zu fields, the header has %zu", c->path, c->line,
        c->n_fields, n_columns);
}

mopd_status mo_csv_column(const mo_csv *c, const char *name, bool needed, size_t *column)
{
    *column = SIZE_MAX;
    for (size_t i = 0; i < c->n_fields; i++) {
        if (strcmp(c->field[i], name)) continue;
        if (*column != SIZE_MAX) return mo_fail(MOPD_E_FORMAT, "%s: line 1: two columns '%s'", c->path, name);
        *column = i;
    }
    if (*column != SIZE_MAX || !needed) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "%s: line %u: no column '%s' in the header; it begins '%s'", c->path,
        c->line, name, c->n_fields ? c->field[0] : "");
}
