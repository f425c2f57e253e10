/* SPDX-License-Identifier: MIT
 * leftover.c - each left-over tensor is compared with the sorted names of those that are used. */
#include "clip/leftover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/stop.h"

#define LONGEST 256 /* bytes of a name that is looked at */

typedef struct walk {
    const mo_leftover *l;
    const char **used; /* names of used tensors, without the prefix, sorted */
    size_t n_used;
    const char **extra;
    size_t n_extra;
} walk;

static int compare_views(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const mo_view *const *)a, y = (uintptr_t) * (const mo_view *const *)b;
    return (x > y) - (x < y);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_used(const mo_leftover *l, const mo_view *v)
{
    return bsearch(&v, l->used, l->n_used, sizeof *l->used, compare_views) != NULL;
}

/* The name below the prefix; NULL: it does not stand below it. */
static const char *inside(const mo_leftover *l, const char *name)
{
    size_t n = strlen(l->prefix);
    return strncmp(name, l->prefix, n) ? NULL : name + n;
}

/* Whether a used tensor has a name that begins so; whole: has this name. */
static bool knows(const walk *w, const char *start, bool whole)
{
    size_t low = 0, high = w->n_used, n = strlen(start);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(w->used[mid], start) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < w->n_used && (whole ? !strcmp(w->used[low], start) : !strncmp(w->used[low], start, n));
}

/* For each number between dots: whether the name with 0 in its place is known (a layer more), or only the layer
 * (something inside it). */
static bool in_layers(const walk *w, const char *name, bool whole)
{
    char first[LONGEST];
    if (strlen(name) >= sizeof first) return false;
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t digits = strspn(dot + 1, "0123456789");
        if (!digits || dot[1 + digits] != '.') continue;
        snprintf(first, sizeof first, "%.*s.0%s", (int)(dot - name), name, whole ? dot + 1 + digits : ".");
        if (knows(w, first, whole)) return true;
    }
    return false;
}

/* X.bias or X.weight where X has the other. */
static bool beside_used(const walk *w, const char *name)
{
    char module[LONGEST];
    const char *dot = strrchr(name, '.');
    if (!dot || (strcmp(dot, ".bias") != 0 && strcmp(dot, ".weight") != 0)) return false;
    if (snprintf(module, sizeof module, "%.*s", (int)(dot + 1 - name), name) >= (int)sizeof module)
        return false;
    return knows(w, module, false);
}

static mopd_status judge(walk *w, const char *name, const char *path)
{
    const char *own = inside(w->l, name);
    mopd_status st = mo_stop_check(MO_STOP_ENTRY);
    if (st != MOPD_OK) return st;
    if (own && mo_naming_ignores(w->l->naming, own)) return MOPD_OK;
    if (own && in_layers(w, own, true))
        return mo_fail(
            MOPD_E_MISMATCH, "%s: tensor %s belongs to a layer the configuration does not have", path, name);
    const bool decides = own && (knows(w, own, true) || in_layers(w, own, false) || beside_used(w, own));
    if (w->l->naming->strict || decides)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: tensor %s has no place in this architecture", path, name);
    w->extra[w->n_extra++] = name;
    return MOPD_OK;
}

static size_t count(const mo_leftover *l)
{
    size_t n = 0;
    for (size_t f = 0; f < l->n_files; f++) n += mo_tensors_count(l->file[f]);
    return n;
}

static void collect_used(walk *w)
{
    for (size_t f = 0; f < w->l->n_files; f++) {
        const mo_tensors *t = w->l->file[f];
        for (size_t i = 0; i < mo_tensors_count(t); i++) {
            const char *own = inside(w->l, mo_tensors_name(t, i));
            if (own && is_used(w->l, mo_tensors_view(t, i))) w->used[w->n_used++] = own;
        }
    }
    qsort(w->used, w->n_used, sizeof *w->used, compare_names);
}

static mopd_status judge_all(walk *w)
{
    mopd_status st = MOPD_OK;
    for (size_t f = 0; f < w->l->n_files; f++) {
        const mo_tensors *t = w->l->file[f];
        for (size_t i = 0; i < mo_tensors_count(t) && st == MOPD_OK; i++)
            if (!is_used(w->l, mo_tensors_view(t, i)))
                st = judge(w, mo_tensors_name(t, i), mo_tensors_path(t));
    }
    return st;
}

mopd_status mo_leftover_find(const mo_leftover *l, const char ***names, size_t *n)
{
    const size_t all = count(l);
    walk w = {.l = l, .used = mo_mem_alloc(all, sizeof *w.used), .extra = mo_mem_alloc(all, sizeof *w.extra)};
    mopd_status st = w.used && w.extra ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) {
        collect_used(&w);
        st = judge_all(&w);
    }
    mo_mem_free((void *)w.used);
    if (st != MOPD_OK) {
        mo_mem_free((void *)w.extra);
        return st;
    }
    *names = w.extra;
    *n = w.n_extra;
    return MOPD_OK;
}
