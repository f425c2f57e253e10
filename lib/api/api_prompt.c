/* SPDX-License-Identifier: MIT
 * api_prompt.c - include/mopd/prompt.h. */
#include "api/api.h"
#include "prompt/method.h"
#include "prompt/promptfile.h"

const char *mopd_method_name(int32_t method)
{
    return mo_method_name(method);
}

mopd_status mopd_method_find(const char *name, int32_t *method)
{
    MO_API_NEED(name);
    MO_API_NEED(method);
    return mo_method_find(name, method);
}

mopd_status mopd_prompt_open(mopd_prompt **out, const char *path, const mopd_encoder *encoder)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(path);
    mopd_prompt *p = NULL;
    mopd_status st = MO_API_OPENING(mo_promptfile_open(&p, path));
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
    MO_API_NEED(prompt);
    MO_API_NEED(path);
    return mo_promptfile_save(prompt, NULL, path);
}

void mopd_prompt_close(mopd_prompt *prompt)
{
    mo_prompt_free(prompt);
}

mopd_status mopd_prompt_get_info(const mopd_prompt *prompt, mopd_prompt_info *info)
{
    MO_API_NEED(prompt);
    MO_API_NEED(info);
    return mo_api_give(__func__, MO_API_mopd_prompt_info, info, &prompt->info);
}

mopd_status mopd_prompt_describe(const mopd_prompt *prompt, char **json)
{
    MO_API_NEED_OUT(json);
    MO_API_NEED(prompt);
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
    MO_API_NEED_OUT(out);
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(classes, n_classes);
    MO_API_NEED(prompt);
    mopd_status st = mo_prompt_check(prompt, encoder, "prompt");
    return st == MOPD_OK ? mo_prompt_bank(out, encoder, classes, n_classes, prompt) : st;
}

mopd_status mopd_bank_create_prompt_unseen(mopd_bank **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const mopd_prompt *prompt, float share)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(classes, n_classes);
    MO_API_NEED(prompt);
    if (!(share >= 0 && share <= 1))
        return mo_fail(MOPD_E_ARG, "%s: share is %g, 0 to 1 are allowed", __func__, (double)share);
    mopd_status st = mo_prompt_check(prompt, encoder, "prompt");
    return st == MOPD_OK ? mo_prompt_bank_unseen(out, encoder, classes, n_classes, prompt, share) : st;
}
