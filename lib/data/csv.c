/* SPDX-License-Identifier: MIT
 * csv.c - a list of pictures as a dataset: header path,label[,split], RFC 4180 quoting, LF or CRLF,
 * UTF-8 mark allowed.  Where data may lack labels the header may be path alone.
 *
 * Columns are found by name, others are passed over; so are empty lines.  Paths are relative to the folder
 * of the list. */
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/utf8.h"
#include "data/csv_reader.h"
#include "data/dataset.h"

#define CSV_LIMIT ((size_t)1 << 30)

/* Texts of the list point into the file's text.  column: of path, label and split; SIZE_MAX: there is none. */
static mopd_status add_row(mo_dataset_list *list, const mo_csv *c, const size_t column[3])
{
    static char none[] = MO_DATASET_NO_LABEL;
    char *path = c->field[column[0]], *label = column[1] == SIZE_MAX ? none : c->field[column[1]];
    if (!*path) return mo_fail(MOPD_E_FORMAT, "%s: line %u: the path is empty", c->path, c->line);
    if (!*label) return mo_fail(MOPD_E_FORMAT, "%s: line %u: the label is empty", c->path, c->line);
    if (!mo_utf8_valid(label, strlen(label)))
        return mo_fail(MOPD_E_FORMAT, "%s: line %u: the label '%s' is not UTF-8", c->path, c->line, label);
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
static mopd_status read_header(mo_csv *c, uint32_t flags, size_t column[3])
{
    const bool may_lack = flags & MOPD_DATASET_MAY_LACK_LABELS, none = flags & MOPD_DATASET_UNLABELLED;
    bool more;
    mopd_status st = mo_csv_next(c, &more);
    column[1] = SIZE_MAX;
    if (st == MOPD_OK) st = mo_csv_column(c, "path", true, column);
    if (st == MOPD_OK && !none) st = mo_csv_column(c, "label", !may_lack, column + 1);
    if (st == MOPD_OK) st = mo_csv_column(c, "split", false, column + 2);
    return st;
}

static mopd_status read_rows(mo_csv *c, mo_dataset_list *list, const size_t column[3], size_t n_root)
{
    const size_t n_columns = c->n_fields;
    bool more;
    mopd_status st = MOPD_OK;
    while (st == MOPD_OK) {
        if ((st = mo_csv_row(c, n_columns, &more)) != MOPD_OK || !more) break;
        const uint64_t taken = (uint64_t)(list->n + 1) * (MO_DATASET_ROW_BYTES + n_root);
        st = mo_limits_check_reading(c->text.size, taken, c->path, "its rows");
        if (st == MOPD_OK) st = add_row(list, c, column);
    }
    if (st == MOPD_OK) st = mo_dataset_list_trim(list);
    if (st == MOPD_OK && !list->n) return mo_fail(MOPD_E_FORMAT, "%s: no picture is listed", c->path);
    return st;
}

mopd_status mo_csv_open(mopd_dataset **out, const char *path, const mopd_dataset_options *options)
{
    mo_dataset_list list = {0};
    mo_csv c = {0};
    size_t column[3];
    const char *root = options->root;
    char *folder = NULL;
    mopd_status st = mo_csv_read(&c, path, mo_min(CSV_LIMIT, mo_limits_size(MO_LIMIT_TEXT_FILE)));
    list.n_bytes = c.text.size;
    if (st == MOPD_OK) st = read_header(&c, options->flags, column);
    if (st == MOPD_OK && !root && !(root = folder = mo_path_dir(path))) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = read_rows(&c, &list, column, strlen(root));
    if (st == MOPD_OK) st = mo_dataset_list_build(out, &list, path, root);
    if (st == MOPD_OK) (*out)->source->unlabelled = column[1] == SIZE_MAX;
    mo_mem_free(folder);
    mo_mem_free(list.row);
    mo_csv_close(&c);
    return st;
}
