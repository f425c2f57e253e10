/* SPDX-License-Identifier: MIT
 * remarks.c - what was passed over, counted by kind; remarks kept as sentences. */
#include "data/remarks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "base/words.h"

enum { MOST_KINDS = 24, LONGEST_ENDING = 12 };

/* What operating systems and their programs leave in folders. */
static const char *const leftovers[] = {"__MACOSX", ".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini",
    "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"};

static const struct {
    const char *what, *one, *many;
} kinds[] = {
    {MO_REMARKS_HIDDEN, "hidden file or folder", "hidden files and folders"},
    {MO_REMARKS_LEFTOVER, "file or folder of the operating system",
        "files and folders of the operating system"},
    {MO_REMARKS_EMPTY, "folder without a picture", "folders without a picture"},
    {MO_REMARKS_LOOSE, "picture outside of the class folders", "pictures outside of the class folders"},
    {MO_REMARKS_BESIDE, "picture in folders beside the splits", "pictures in folders beside the splits"},
    {"", "file without an ending", "files without an ending"},
    {"other", "file of another kind", "files of other kinds"},
};

const char *mo_remarks_why(const char *name)
{
    for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++)
        if (mo_words_alike(name, leftovers[i])) return MO_REMARKS_LEFTOVER;
    return *name == '.' ? MO_REMARKS_HIDDEN : NULL;
}

static mopd_status add(mo_remarks *r, const mo_remarks_item *item)
{
    mo_remarks_item *more = mo_mem_realloc(r->item, r->n + 1, sizeof *more);
    if (!more) return MOPD_E_NOMEM;
    r->item = more;
    r->item[r->n] = *item;
    r->item[r->n].what = mo_mem_strdup(item->what);
    r->item[r->n].text = mo_mem_strdup(item->text);
    if (r->item[r->n].what && r->item[r->n].text) {
        r->n++;
        return MOPD_OK;
    }
    mo_mem_free(r->item[r->n].what);
    mo_mem_free(r->item[r->n].text);
    return MOPD_E_NOMEM;
}

mopd_status mo_remarks_pass(mo_remarks *r, const char *what, const char *path, size_t n)
{
    if (r->off) return MOPD_OK;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < r->n; i++) {
            if (strcmp(r->item[i].what, what) != 0) continue;
            r->item[i].n += n;
            return MOPD_OK;
        }
        if (r->n < MOST_KINDS) break;
        what = "other";
    }
    return add(
        r, &(mo_remarks_item){MOPD_REMARK_PASSED_OVER, n, (char *)(uintptr_t)what, (char *)(uintptr_t)path});
}

mopd_status mo_remarks_pass_file(mo_remarks *r, const char *path)
{
    char ending[LONGEST_ENDING + 2] = "";
    const char *dot = strrchr(mo_path_name(path), '.');
    if (dot && strlen(dot) > LONGEST_ENDING) return mo_remarks_pass(r, "other", path, 1);
    for (size_t i = 0; dot && dot[i]; i++)
        ending[i] = (char)(dot[i] >= 'A' && dot[i] <= 'Z' ? dot[i] + 32 : dot[i]);
    return mo_remarks_pass(r, ending, path, 1);
}

mopd_status mo_remarks_addf(mo_remarks *r, int32_t kind, size_t n, const char *format, ...)
{
    char text[MO_FAIL_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return add(r, &(mo_remarks_item){kind, n, (char *)(uintptr_t) "", text});
}

/* "12 .webp files were passed over: cat/1.webp and others". */
static mopd_status tell(mo_remarks_item *item)
{
    mo_buf text = {0};
    const char *words = NULL;
    bool one = item->n == 1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(item->what, kinds[i].what)) words = one ? kinds[i].one : kinds[i].many;
    mopd_status st = mo_buf_addf(&text, "%zu ", item->n);
    if (st == MOPD_OK)
        st = words ? mo_buf_adds(&text, words) : mo_buf_addf(&text, one ? "%s file" : "%s files", item->what);
    if (st == MOPD_OK)
        st = mo_buf_addf(
            &text, " %s passed over: %s%s", one ? "was" : "were", item->text, one ? "" : " and others");
    if (st == MOPD_OK) {
        mo_mem_free(item->text);
        item->text = mo_buf_take(&text);
    }
    mo_buf_free(&text);
    return st;
}

mopd_status mo_remarks_finish(mo_remarks *r)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < r->n && st == MOPD_OK; i++)
        if (r->item[i].kind == MOPD_REMARK_PASSED_OVER) st = tell(r->item + i);
    return st;
}

mopd_status mo_remarks_copy(mo_remarks *to, const mo_remarks *from, int32_t kind)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < from->n && st == MOPD_OK; i++)
        if (from->item[i].kind == kind) st = add(to, from->item + i);
    return st;
}

void mo_remarks_free(mo_remarks *r)
{
    for (size_t i = 0; i < r->n; i++) {
        mo_mem_free(r->item[i].what);
        mo_mem_free(r->item[i].text);
    }
    mo_mem_free(r->item);
    *r = (mo_remarks){0};
}
