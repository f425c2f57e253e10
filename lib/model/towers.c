/* SPDX-License-Identifier: MIT
 * towers.c - the list of all towers in use. */
#include "model/towers.h"

#include <string.h>

#include "base/mem.h"
#include "base/os_thread.h"

static mo_os_mutex lock = MO_OS_MUTEX;
static mo_towers *all;

static void free_towers(mo_towers *t)
{
    mo_text_free(t->text);
    mo_vision_free(t->vision);
    mo_weights_free(t->weights);
    mo_mem_free(t);
}

static bool same(const mo_towers *a, const mo_towers *b)
{
    return a->precision == b->precision && !strcmp(a->fingerprint, b->fingerprint) &&
           mo_weights_same(a->weights, b->weights);
}

/* Those in the list that are the same, or t, which is then in it. */
static mo_towers *enlist(mo_towers *t)
{
    mo_os_mutex_lock(&lock);
    mo_towers *found = all;
    while (found && !same(found, t)) found = found->next;
    if (!found) {
        t->next = all;
        all = found = t;
    }
    found->users++;
    mo_os_mutex_unlock(&lock);
    return found;
}

mopd_status mo_towers_get(mo_towers **out, mo_weights *weights, const mo_config *config,
    mo_precision precision, const char fingerprint[65])
{
    mo_towers *t = mo_mem_calloc(1, sizeof *t);
    if (!t) return MOPD_E_NOMEM;
    t->precision = precision;
    memcpy(t->fingerprint, fingerprint, sizeof t->fingerprint);
    mopd_status st = mo_vision_create(&t->vision, config, weights, precision);
    if (st == MOPD_OK) st = mo_text_create(&t->text, config, weights, precision);
    if (st != MOPD_OK) {
        free_towers(t);
        return st;
    }
    t->weights = weights;
    *out = enlist(t);
    if (*out != t) free_towers(t);
    return MOPD_OK;
}

void mo_towers_release(mo_towers *towers)
{
    if (!towers) return;
    mo_os_mutex_lock(&lock);
    const bool last = --towers->users == 0;
    mo_towers **at = &all;
    while (last && *at != towers) at = &(*at)->next;
    if (last) *at = towers->next;
    mo_os_mutex_unlock(&lock);
    if (last) free_towers(towers);
}
