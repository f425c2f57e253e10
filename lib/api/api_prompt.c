/* SPDX-License-Identifier: MIT
 * api_prompt.c - include/mopd/prompt.h: arguments checked, called down. */
#include <string.h>

#include "prompt/promptfile.h"

#define FIRST_BYTES 56 /* of mopd_prompt_info in 0.1 */

_Static_assert(sizeof(mopd_prompt_info) == FIRST_BYTES, "no holes in mopd_prompt_info");

mopd_status mopd_prompt_open(mopd_prompt **out, const char *path, const mopd_encoder *encoder)
{
    if (!out || !path) return mo_fail(MOPD_E_ARG, "mopd_prompt_open: %s is NULL", out ? "path" : "out");
    *out = NULL;
    mopd_prompt *p = NULL;
    mopd_status st = mo_promptfile_open(&p, path);
    if (st == MOPD_OK && encoder) st = mo_prompt_check(p, encoder, path);
    if (st != MOPD_OK) {
        mo_prompt_free(p);
        return st;
    }
    *out = p;
    return MOPD_OK;
}

mopd_status mopd_prompt_save(const mopd_prompt *prompt, const char *path)
{
    if (!prompt || !path)
        return mo_fail(MOPD_E_ARG, "mopd_prompt_save: %s is NULL", prompt ? "path" : "prompt");
    return mo_promptfile_save(prompt, NULL, path);
}

void mopd_prompt_close(mopd_prompt *prompt)
{
    mo_prompt_free(prompt);
}

mopd_status mopd_prompt_get_info(const mopd_prompt *prompt, mopd_prompt_info *info)
{
    if (!prompt || !info) return mo_fail(MOPD_E_ARG, "mopd_prompt_get_info: NULL");
    uint32_t n = info->struct_size;
    if (n < FIRST_BYTES)
        return mo_fail(MOPD_E_ARG, "mopd_prompt_info: struct_size is %u, the first release had %d",
            (unsigned)n, FIRST_BYTES);
    memset(info, 0, n);
    memcpy(info, &prompt->info, n < sizeof *info ? n : sizeof *info);
    info->struct_size = n;
    return MOPD_OK;
}

mopd_status mopd_prompt_describe(const mopd_prompt *prompt, char **json)
{
    if (!prompt || !json) return mo_fail(MOPD_E_ARG, "mopd_prompt_describe: NULL");
    *json = NULL;
    return mo_prompt_describe(prompt, json);
}

const float *mopd_prompt_context(const mopd_prompt *prompt)
{
    return prompt ? prompt->context : NULL;
}

const float *mopd_prompt_gate(const mopd_prompt *prompt)
{
    return prompt && !prompt->static_gate ? prompt->gate : NULL;
}

const char *mopd_prompt_class_name(const mopd_prompt *prompt, size_t index)
{
    return prompt && index < prompt->classes.n ? prompt->classes.name[index] : NULL;
}

const char *mopd_prompt_template(const mopd_prompt *prompt, size_t index)
{
    return prompt && index < prompt->templates.n ? prompt->templates.name[index] : NULL;
}

mopd_status mopd_bank_create_prompt(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const mopd_prompt *prompt)
{
    if (!out || !encoder || !prompt || (n_classes && !classes))
        return mo_fail(MOPD_E_ARG, "mopd_bank_create_prompt: NULL");
    *out = NULL;
    mopd_status st = mo_prompt_check(prompt, encoder, "prompt");
    return st == MOPD_OK ? mo_prompt_bank(out, encoder, classes, n_classes, prompt) : st;
}
