/* SPDX-License-Identifier: MIT
 * csv.c - a list of pictures as a dataset: header path,label[,split], RFC 4180 quoting, LF or CRLF,
 * UTF-8 mark allowed.  Where data may lack labels the header may be path alone.
 *
 * Columns are found by name, others are passed over; so are empty lines.  Paths are relative to the folder
 * of the list. */
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/dataset.h"

#define CSV_LIMIT ((size_t)1 << 30)

/* The text is cut into fields in place: quotes undone, a zero byte behind each. */
typedef struct csv {
    const char *path; /* of the list, for messages */
    char *at, *end;
    uint32_t line;      /* where the record began */
    uint32_t next_line; /* where the reader stands */
    char **field;
    size_t n_fields, cap;
    size_t column[3]; /* path, label, split; SIZE_MAX: there is none */
} csv;

static mopd_status add_field(csv *c, char *start)
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
static mopd_status quoted_field(csv *c, char **stop)
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

static bool at_record_end(const csv *c)
{
    return c->at == c->end || *c->at == '\n' || (*c->at == '\r' && (c->at + 1 == c->end || c->at[1] == '\n'));
}

static mopd_status plain_field(csv *c, char **stop)
{
    while (!at_record_end(c) && *c->at != ',') {
        if (*c->at == '"')
            return mo_fail(MOPD_E_FORMAT, "%s: line %u: a quote inside a plain field", c->path, c->line);
        c->at++;
    }
    *stop = c->at;
    return MOPD_OK;
}

/* The next record into c->field; false at the end of the text. */
static mopd_status next_record(csv *c, bool *more)
{
    c->n_fields = 0;
    c->line = c->next_line;
    *more = c->at < c->end;
    while (*more) {
        bool quoted = c->at < c->end && *c->at == '"';
        char *start = c->at += quoted, *stop = start;
        mopd_status st = quoted ? quoted_field(c, &stop) : plain_field(c, &stop);
        if (st != MOPD_OK) return st;
        if (!at_record_end(c) && *c->at != ',')
            return mo_fail(MOPD_E_FORMAT, "%s: line %u: text behind a closing quote", c->path, c->line);
        bool last = at_record_end(c);
        if (last && c->at < c->end && *c->at == '\r') c->at++;
        if (last && c->at < c->end) c->next_line++;
        if (c->at < c->end) c->at++;
        *stop = 0; /* the text has one byte behind its end */
        if ((st = add_field(c, start)) != MOPD_OK) return st;
        if (last) break;
    }
    return MOPD_OK;
}

static mopd_status find_column(const csv *c, const char *name, bool needed, size_t *column)
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

/* Texts of the list point into the file's text. */
static mopd_status add_row(mo_dataset_list *list, const csv *c)
{
    static char none[] = MO_DATASET_NO_LABEL;
    const size_t *column = c->column;
    char *path = c->field[column[0]], *label = column[1] == SIZE_MAX ? none : c->field[column[1]];
    if (!*path) return mo_fail(MOPD_E_FORMAT, "%s: line %u: the path is empty", c->path, c->line);
    if (!*label) return mo_fail(MOPD_E_FORMAT, "%s: line %u: the label is empty", c->path, c->line);
    int32_t split = MOPD_SPLIT_NONE;
    if (column[2] != SIZE_MAX) {
        split = mo_dataset_split_find(c->field[column[2]]);
        if (split == MOPD_SPLIT_NONE)
            return mo_fail(MOPD_E_FORMAT, "%s: line %u: split '%s' is none of train, val, test", c->path,
                c->line, c->field[column[2]]);
    }
    return mo_dataset_list_add(list, &(mo_dataset_list_row){path, label, split, c->line});
}

/* Where the columns are.  Labels that are not wanted are not looked for. */
static mopd_status read_header(csv *c, uint32_t flags)
{
    const bool may_lack = flags & MOPD_DATASET_MAY_LACK_LABELS, none = flags & MOPD_DATASET_UNLABELLED;
    bool more;
    mopd_status st = next_record(c, &more);
    c->column[1] = SIZE_MAX;
    if (st == MOPD_OK) st = find_column(c, "path", true, c->column);
    if (st == MOPD_OK && !none) st = find_column(c, "label", !may_lack, c->column + 1);
    if (st == MOPD_OK) st = find_column(c, "split", false, c->column + 2);
    return st;
}

static mopd_status read_rows(csv *c, mo_dataset_list *list)
{
    const size_t n_columns = c->n_fields;
    bool more;
    mopd_status st = MOPD_OK;
    while (st == MOPD_OK) {
        if ((st = next_record(c, &more)) != MOPD_OK || !more) break;
        if (c->n_fields == 1 && !*c->field[0]) continue;
        if (c->n_fields != n_columns)
            return mo_fail(MOPD_E_FORMAT, "%s: line %u: %zu fields, the header has %zu", c->path, c->line,
                c->n_fields, n_columns);
        st = add_row(list, c);
    }
    if (st == MOPD_OK && !list->n) return mo_fail(MOPD_E_FORMAT, "%s: no picture is listed", c->path);
    return st;
}

mopd_status mo_csv_open(mopd_dataset **out, const char *path, const mopd_dataset_options *options)
{
    mo_buf text = {0};
    mo_dataset_list list = {0};
    csv c = {.path = path, .next_line = 1};
    const char *root = options->root;
    char *folder = NULL;
    mopd_status st = mo_file_read(&text, path, CSV_LIMIT);
    if (st == MOPD_OK && !text.size) st = mo_fail(MOPD_E_FORMAT, "%s: the file is empty", path);
    if (st != MOPD_OK) goto done;
    const char *zero = memchr(text.data, 0, text.size);
    if (zero) {
        st = mo_fail(
            MOPD_E_FORMAT, "%s: byte %zu is zero: not a list of pictures", path, (size_t)(zero - text.data));
        goto done;
    }
    bool mark = text.size >= 3 && !memcmp(text.data, "\xef\xbb\xbf", 3);
    c.at = text.data + (mark ? 3 : 0);
    c.end = text.data + text.size;
    st = read_header(&c, options->flags);
    if (st == MOPD_OK) st = read_rows(&c, &list);
    if (st != MOPD_OK) goto done;
    if (!root && !(folder = mo_path_dir(path))) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_dataset_list_build(out, &list, path, root ? root : folder);
    if (st == MOPD_OK) (*out)->source->unlabelled = c.column[1] == SIZE_MAX;
done:
    mo_mem_free(folder);
    mo_mem_free(list.row);
    mo_mem_free(c.field);
    mo_buf_free(&text);
    return st;
}
