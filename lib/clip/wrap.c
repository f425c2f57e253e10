/* SPDX-License-Identifier: MIT
 * wrap.c - words before a name, each with its dot, are taken off only where all of them are known. */
#include "clip/wrap.h"

#include <string.h>

#define ANCHOR "logit_scale"

static const char *const words[] = {"module", "state_dict", "model", "_orig_mod", "model_state_dict"};

static bool is_word(const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == n && !memcmp(words[i], text, n)) return true;
    return false;
}

/* Bytes before the anchor in a name; SIZE_MAX where the name is another or has other words. */
static size_t words_before(const char *name)
{
    size_t n = strlen(name), at = 0;
    if (n < sizeof ANCHOR - 1 || strcmp(name + n - (sizeof ANCHOR - 1), ANCHOR) != 0) return SIZE_MAX;
    const size_t end = n - (sizeof ANCHOR - 1);
    while (at < end) {
        const size_t word = strcspn(name + at, ".");
        if (at + word >= end || !is_word(name + at, word)) return SIZE_MAX;
        at += word + 1;
    }
    return end < MO_WRAP_LONGEST ? end : SIZE_MAX;
}

static mopd_status find_in(char out[MO_WRAP_LONGEST], bool *found, const mo_tensors *t)
{
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        const char *name = mo_tensors_name(t, i);
        const size_t n = words_before(name);
        if (n == SIZE_MAX || n == 0) continue;
        if (*found && (strlen(out) != n || memcmp(out, name, n) != 0))
            return mo_fail(MOPD_E_FORMAT,
                "%s: weights of two models: %s" ANCHOR " and %s; save the one that is wanted",
                mo_tensors_path(t), out, name);
        memcpy(out, name, n);
        out[n] = 0;
        *found = true;
    }
    return MOPD_OK;
}

mopd_status mo_wrap_find(char out[MO_WRAP_LONGEST], mo_tensors *const *file, size_t n_files)
{
    bool found = false;
    mopd_status st = MOPD_OK;
    out[0] = 0;
    for (size_t i = 0; i < n_files; i++)
        if (mo_tensors_find(file[i], ANCHOR)) return MOPD_OK;
    for (size_t i = 0; i < n_files && st == MOPD_OK; i++) st = find_in(out, &found, file[i]);
    return st;
}
