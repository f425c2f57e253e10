/* SPDX-License-Identifier: MIT
 * doctor_fix.c - --fix: a list of the same pictures with what was found mended, each change with its reason.  A copy goes
 * from what is learned from, not from what is tested on; no file is touched. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "sys.h"

/* What becomes of a picture. */
typedef struct mended {
    int32_t label; /* -1: it goes */
    char remark[256];
} mended;

static void note(mended *m, const char *what, const char *name)
{
    const size_t n = strlen(m->remark);
    snprintf(m->remark + n, sizeof m->remark - n, "%s%s %s", n ? "; " : "", what, name);
}

/* Which of two copies goes: the one to learn from, the one whose label is less likely, the later one. */
static size_t worse_of(const doctor *d, const doctor_copy *c)
{
    const bool first = doctor_trains(d, c->first), second = doctor_trains(d, c->second);
    if (first != second) return first ? c->first : c->second;
    if (!d->unjudged && d->label[c->first] != d->label[c->second] && d->own[c->first] < d->own[c->second])
        return c->first;
    return c->second;
}

/* Copies of the same bytes, and near ones across splits; others stay, with a remark. */
static void mend_copies(const doctor *d, mended *list)
{
    for (size_t i = 0; i < d->n_copies; i++) {
        const doctor_copy *c = d->copy + i;
        const size_t worse = worse_of(d, c), other = worse == c->first ? c->second : c->first;
        const bool across = doctor_item(d, c->first).split != doctor_item(d, c->second).split;
        if (list[c->first].label < 0 || list[c->second].label < 0) continue;
        note(list + worse, c->exact ? "the same file as" : "nearly the same as", doctor_item(d, other).path);
        if (c->exact || across) list[worse].label = -1;
    }
}

static void mend(const doctor *d, mended *list)
{
    for (size_t i = 0; i < d->n; i++) list[i].label = d->label[i];
    for (size_t i = 0; i < d->n_suspects; i++) {
        const doctor_suspect *s = d->suspect + i;
        list[s->index].label = s->other;
        note(list + s->index, "was", mopd_dataset_class_name(d->all, (size_t)s->label));
    }
    mend_copies(d, list);
    for (size_t i = 0; i < d->n; i++) {
        if (d->look[i].tiny) note(list + i, "is", "tiny");
        if (d->look[i].blurred) note(list + i, "is", "blurred");
    }
}

/* -- the list ------------------------------------------------------------------------------------------------- */

/* The folder of a file, its own name resolved; NULL when there is none. */
static char *folder_of(const char *path)
{
    char *folder = cli_strdup(path), *slash;
    sys_slashes(folder);
    slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = 0;
    char *whole = sys_real(slash ? folder : ".");
    free(folder);
    return whole;
}

/* A picture's path as seen from a folder: below it relative, elsewhere absolute; as the data has it when it is not at hand. */
static char *path_from(const char *folder, const mopd_item *item)
{
    char *whole = sys_real(item->file);
    const size_t n = folder ? strlen(folder) : 0;
    if (!whole) return cli_strdup(item->path);
    const bool below = n > 1 && !strncmp(whole, folder, n) && whole[n] == '/';
    char *path = cli_strdup(below ? whole + n + 1 : whole);
    free(whole);
    return path;
}

typedef struct fix {
    const doctor *d;
    const mended *list;
    char *folder; /* of the list */
} fix;

static void write_row(FILE *f, const fix *x, size_t i)
{
    const mopd_item item = doctor_item(x->d, i);
    const mended *m = x->list + i;
    char *path = path_from(x->folder, &item);
    cli_csv_write(f, path, false);
    cli_csv_write(f, mopd_dataset_class_name(x->d->all, (size_t)m->label), false);
    if (item.split >= 0) cli_csv_write(f, doctor_split_name(item.split), false);
    cli_csv_write(f, m->remark, true);
    free(path);
}

static void count_changes(const doctor *d, const mended *list)
{
    size_t changed = 0, gone = 0;
    for (size_t i = 0; i < d->n; i++) {
        gone += list[i].label < 0;
        changed += list[i].label >= 0 && list[i].label != d->label[i];
    }
    cli_note(&d->common,
        "%s: %zu of %zu pictures, %zu with another label; look at the column 'remark' before you use it",
        d->fix, d->n - gone, d->n, changed);
}

static void write_list(FILE *f, const void *context)
{
    const fix *x = context;
    fputs(doctor_item(x->d, 0).split >= 0 ? "path,label,split,remark\r\n" : "path,label,remark\r\n", f);
    for (size_t i = 0; i < x->d->n; i++)
        if (x->list[i].label >= 0) write_row(f, x, i);
}

int doctor_write_fix(const doctor *d)
{
    mended *list = cli_alloc(d->n, sizeof *list);
    const fix x = {d, list, folder_of(d->fix)};
    mend(d, list);
    const int status = cli_write_file(d->fix, write_list, &x);
    if (status < 0) count_changes(d, list);
    free(x.folder);
    free(list);
    return status;
}
