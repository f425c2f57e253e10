/* SPDX-License-Identifier: MIT
 * rename.c - words for labels that are none: "n01440001" is read as "tench", and stays the label that orders and
 * identifies its class.
 *
 * A file with the columns label and name in its first line names labels in any order; it may name more than there
 * are.  Any other file has one name a line, in the order of the labels: by value where all are whole numbers, else by
 * bytes, which is refused where a reader would count otherwise ("c10" before "c2"). */
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/utf8.h"
#include "data/csv_reader.h"
#include "token/fold.h"

#define NAMES_LIMIT ((size_t)64 << 20)

/* Names as they are found. */
typedef struct naming {
    const mopd_dataset *d;
    const char *path; /* of the file */
    char **word;      /* n_classes, NULL where there is none yet; owned */
    uint32_t *line;   /* n_classes */
} naming;

static mopd_status open_naming(naming *n, const mopd_dataset *d, const char *path)
{
    *n = (naming){.d = d, .path = path};
    n->word = mo_mem_calloc(d->n_classes, sizeof *n->word);
    n->line = mo_mem_calloc(d->n_classes, sizeof *n->line);
    return n->word && n->line ? MOPD_OK : MOPD_E_NOMEM;
}

mopd_status mo_rename_take(mopd_dataset *d, char **words, mopd_status st)
{
    char **unused = words;
    if (st == MOPD_OK) {
        unused = d->word;
        d->word = words;
        st = mo_remarks_labels(d);
    }
    for (size_t c = 0; unused && c < d->n_classes; c++) mo_mem_free(unused[c]);
    mo_mem_free(unused);
    return st;
}

static mopd_status close_naming(naming *n, mopd_dataset *d, mopd_status st)
{
    mo_mem_free(n->line);
    return mo_rename_take(d, n->word, st);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The name of class c: text up to end, blanks around it left out. */
static mopd_status take(naming *n, size_t c, const char *text, const char *end, uint32_t line)
{
    while (text < end && is_blank(*text)) text++;
    while (end > text && is_blank(end[-1])) end--;
    size_t good = mo_utf8_prefix(text, (size_t)(end - text));
    if (text + good != end)
        return mo_fail(
            MOPD_E_FORMAT, "%s: line %u: the name of label '%s' is not UTF-8", n->path, line, n->d->name[c]);
    if (memchr(text, '\r', good))
        return mo_fail(MOPD_E_FORMAT, "%s: line %u: a carriage return that ends no line", n->path, line);
    if (text == end)
        return mo_fail(
            MOPD_E_FORMAT, "%s: line %u: the name of label '%s' is empty", n->path, line, n->d->name[c]);
    if (n->word[c])
        return mo_fail(MOPD_E_FORMAT, "%s: line %u: label '%s' is in line %u already", n->path, line,
            n->d->name[c], n->line[c]);
    n->line[c] = line;
    return (n->word[c] = mo_mem_strndup(text, (size_t)(end - text))) ? MOPD_OK : MOPD_E_NOMEM;
}

static int compare_labels(const void *key, const void *name)
{
    return strcmp(key, *(char *const *)name);
}

/* The class of a label, n_classes when there is none: names are in byte order. */
static size_t find_label(const mopd_dataset *d, const char *label)
{
    char **hit = bsearch(label, d->name, d->n_classes, sizeof *d->name, compare_labels);
    return hit ? (size_t)(hit - d->name) : d->n_classes;
}

/* Every class has a name, and no two have the same words. */
static mopd_status check_names(const naming *n)
{
    size_t same[2];
    for (size_t c = 0; c < n->d->n_classes; c++)
        if (!n->word[c]) return mo_fail(MOPD_E_FORMAT, "%s: no name for label '%s'", n->path, n->d->name[c]);
    mopd_status st = mo_fold_find((const char *const *)n->word, n->d->n_classes, same);
    if (st != MOPD_OK || same[1] == n->d->n_classes) return st;
    const size_t later = n->line[same[1]] > n->line[same[0]] ? same[1] : same[0],
                 first = same[0] + same[1] - later;
    return mo_fail(MOPD_E_FORMAT,
        "%s: line %u: '%s' of label '%s' is the same words to a model as '%s' of line %u", n->path,
        n->line[later], n->word[later], n->d->name[later], n->word[first], n->line[first]);
}

/* -- label,name --------------------------------------------------------------------------------------------- */

/* Whether a line, up to its end, has a field of this text. */
static bool has_field(const char *line, const char *end, const char *field)
{
    size_t n = strlen(field);
    for (const char *at = line; at < end; at++) {
        const char *stop = at;
        while (stop < end && *stop != ',') stop++;
        const char *last = stop;
        if (at < last && *at == '"' && last[-1] == '"' && last - at > 1) at++, last--;
        if ((size_t)(last - at) == n && !memcmp(at, field, n)) return true;
        at = stop;
    }
    return false;
}

static const char *line_end(const char *at, const char *end)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    return stop ? stop : end;
}

static bool is_table(const mo_csv *c)
{
    const char *end = line_end(c->at, c->end);
    if (end > c->at && end[-1] == '\r') end--;
    return has_field(c->at, end, "label") && has_field(c->at, end, "name");
}

static mopd_status read_table(naming *n, mo_csv *c)
{
    size_t label, name, n_columns;
    bool more;
    mopd_status st = mo_csv_next(c, &more);
    if (st == MOPD_OK) st = mo_csv_column(c, "label", true, &label);
    if (st == MOPD_OK) st = mo_csv_column(c, "name", true, &name);
    n_columns = c->n_fields;
    while (st == MOPD_OK) {
        if ((st = mo_csv_row(c, n_columns, &more)) != MOPD_OK || !more) break;
        size_t at = find_label(n->d, c->field[label]);
        const char *text = c->field[name];
        if (at < n->d->n_classes) st = take(n, at, text, text + strlen(text), c->line);
    }
    return st;
}

/* -- one name a line ---------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares as people count: runs of digits by their value. */
static int compare_counting(const char *a, const char *b)
{
    while (*a && *b) {
        if (!is_digit(*a) || !is_digit(*b)) {
            if (*a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
            a++, b++;
            continue;
        }
        while (*a == '0') a++;
        while (*b == '0') b++;
        size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
        int c = n != m ? (n < m ? -1 : 1) : strncmp(a, b, n);
        if (c) return c;
        a += n, b += m;
    }
    return (*a != 0) - (*b != 0);
}

static int compare_counting_names(const void *a, const void *b)
{
    const char *x = **(char **const *)a, *y = **(char **const *)b;
    int c = compare_counting(x, y);
    return c ? c : strcmp(x, y);
}

/* order (n_classes): where the classes stand in d->name, in the order that lines name them. */
static mopd_status order_labels(const naming *n, char ***order)
{
    const mopd_dataset *d = n->d;
    bool numbers = true;
    for (size_t c = 0; c < d->n_classes; c++) {
        order[c] = d->name + c;
        numbers &= strspn(d->name[c], "0123456789") == strlen(d->name[c]);
    }
    if (numbers) qsort(order, d->n_classes, sizeof *order, compare_counting_names);
    for (size_t c = 1; c < d->n_classes && !numbers; c++)
        if (compare_counting(d->name[c - 1], d->name[c]) > 0)
            return mo_fail(MOPD_E_FORMAT,
                "%s: label '%s' stands before '%s', in byte order: name the labels themselves, under the "
                "header "
                "label,name",
                n->path, d->name[c - 1], d->name[c]);
    return MOPD_OK;
}

/* A line of a table whose header is missing. */
static mopd_status check_line(const naming *n, const char *text, const char *end, uint32_t line)
{
    const char *comma = memchr(text, ',', (size_t)(end - text));
    if (!comma) return MOPD_OK;
    char *label = mo_mem_strndup(text, (size_t)(comma - text));
    if (!label) return MOPD_E_NOMEM;
    const bool known = find_label(n->d, label) < n->d->n_classes;
    mo_mem_free(label);
    if (!known) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT,
        "%s: line %u begins with a label: a list of labels and names begins with the line label,name",
        n->path, line);
}

static mopd_status read_lines(naming *n, const mo_csv *csv, char **const *order)
{
    const char *at = csv->at, *end = csv->end;
    size_t n_classes = n->d->n_classes, c = 0;
    uint32_t line = 1;
    mopd_status st = MOPD_OK;
    while (end > at && (is_blank(end[-1]) || end[-1] == '\n')) end--;
    for (; at < end && st == MOPD_OK; line++, c++) {
        const char *stop = line_end(at, end);
        st = mo_stop_check(MO_STOP_ENTRY);
        if (st == MOPD_OK) st = check_line(n, at, stop, line);
        if (st == MOPD_OK && c < n_classes) st = take(n, (size_t)(order[c] - n->d->name), at, stop, line);
        at = stop < end ? stop + 1 : end;
    }
    if (st == MOPD_OK && c != n_classes)
        st = mo_fail(MOPD_E_FORMAT,
            "%s: %zu names for %zu labels: name the labels themselves, under the header label,name", n->path,
            c, n_classes);
    return st;
}

static mopd_status read_names(naming *n, mo_csv *c)
{
    if (is_table(c)) return read_table(n, c);
    char ***order = mo_mem_alloc(n->d->n_classes, sizeof *order);
    mopd_status st = order ? order_labels(n, order) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = read_lines(n, c, order);
    mo_mem_free(order);
    return st;
}

/* -- who asks ----------------------------------------------------------------------------------------------- */

mopd_status mo_rename_file(mopd_dataset *d, const char *path)
{
    naming n;
    mo_csv c = {0};
    mopd_status st = open_naming(&n, d, path);
    if (st == MOPD_OK) st = mo_csv_read(&c, path, mo_min(NAMES_LIMIT, mo_limits_size(MO_LIMIT_TEXT_FILE)));
    if (st == MOPD_OK) st = read_names(&n, &c);
    if (st == MOPD_OK) st = check_names(&n);
    mo_csv_close(&c);
    return close_naming(&n, d, st);
}

mopd_status mo_rename_list(mopd_dataset *d, const char *const *names, size_t n_names)
{
    naming n;
    size_t same[2];
    if (n_names != d->n_classes)
        return mo_fail(MOPD_E_ARG, "%zu names for %zu classes", n_names, d->n_classes);
    mopd_status st = open_naming(&n, d, "");
    for (size_t c = 0; c < n_names && st == MOPD_OK; c++) {
        if (!names[c] || !*names[c] || !mo_utf8_valid(names[c], strlen(names[c])))
            st = mo_fail(MOPD_E_ARG, "the name of class %zu is %s", c,
                names[c] && *names[c] ? "not UTF-8" : "missing");
        else if (!(n.word[c] = mo_mem_strdup(names[c])))
            st = MOPD_E_NOMEM;
    }
    if (st == MOPD_OK) st = mo_fold_find(names, n_names, same);
    if (st == MOPD_OK && same[1] < n_names)
        st = mo_fail(MOPD_E_ARG,
            "the name of class %zu, '%s', is the same words to a model as that of class %zu, '%s'", same[1],
            names[same[1]], same[0], names[same[0]]);
    return close_naming(&n, d, st);
}

mopd_status mo_rename_inherit(mopd_dataset *d, const mopd_dataset *first, const mopd_dataset *second)
{
    const mopd_dataset *from[] = {first, second};
    naming n;
    if (!(first && first->word) && !(second && second->word)) return MOPD_OK;
    mopd_status st = open_naming(&n, d, "");
    for (size_t c = 0; c < d->n_classes && st == MOPD_OK; c++) {
        const char *word = NULL;
        for (size_t i = 0; i < 2 && !word; i++) {
            size_t at = from[i] && from[i]->word ? find_label(from[i], d->name[c]) : 0;
            if (from[i] && from[i]->word && at < from[i]->n_classes) word = from[i]->word[at];
        }
        if (!(n.word[c] = mo_mem_strdup(word ? word : d->name[c]))) st = MOPD_E_NOMEM;
    }
    return close_naming(&n, d, st);
}
