/* SPDX-License-Identifier: MIT
 * prompts.h - for tests of prompts: a learned prompt made by hand, of every shape that methods give. */
#ifndef MOPD_TESTS_SUPPORT_PROMPTS_H
#define MOPD_TESTS_SUPPORT_PROMPTS_H

#include "test.h"

#include "base/mem.h"
#include "prompt/method.h"
#include "prompt/promptfile.h"
#include "support/tiny.h"

enum { PROMPTS_VECTORS = 2, PROMPTS_CLASSES = 3, PROMPTS_TEMPLATES = 2 };

static const char *const prompts_classes[PROMPTS_CLASSES] = {"cat", "a b", "caf\u00e9 \"x\""};
static const char *const prompts_templates[PROMPTS_TEMPLATES] = {"a {}", "it is {}"};

static inline float *prompts_floats(size_t n, uint32_t seed)
{
    float *x = mo_mem_alloc(n, sizeof *x);
    assert_non_null(x);
    test_random(x, n, seed);
    return x;
}

/* Of D = TINY_DIM and W = TINY_WIDTH, with the gate that its method has.  Free with mo_prompt_free. */
static inline mopd_prompt *prompts_make(int32_t method, bool per_class)
{
    const mo_method *m = mo_method_get(method);
    mopd_prompt *p = mo_prompt_create();
    assert_non_null(p);
    bool teachers = m->teachers != MO_TEACHERS_NONE;
    p->info.method = method;
    p->info.n_context = PROMPTS_VECTORS;
    p->info.text_width = TINY_WIDTH;
    p->info.dim = TINY_DIM;
    p->info.n_classes = PROMPTS_CLASSES;
    p->info.n_templates = teachers ? PROMPTS_TEMPLATES : 0;
    p->info.epoch = 7;
    if (per_class) p->info.flags |= MOPD_PROMPT_CLASS_CONTEXT;
    memset(p->fingerprint, 'f', 64);
    memset(p->vocabulary, 'b', 64);
    p->context = prompts_floats(mo_prompt_context_floats(p), 1);
    p->static_gate = m->gate == MO_GATE_STATIC;
    if (m->gate == MO_GATE_IMAGE || m->gate == MO_GATE_STATIC) {
        p->info.flags |= MOPD_PROMPT_GATE;
        p->info.top_k = 1;
        p->gate = prompts_floats((p->static_gate ? 1 : TINY_DIM) * PROMPTS_TEMPLATES, 2);
    }
    char settings[128];
    snprintf(settings, sizeof settings, "{\"class_position\":\"end\",\"class_context\":%s%s}",
        per_class ? "true" : "false", p->gate ? ",\"top_k\":1" : "");
    p->settings = mo_mem_strdup(settings);
    assert_ok(mo_names_copy(&p->classes, prompts_classes, PROMPTS_CLASSES));
    assert_ok(mo_names_copy(&p->templates, prompts_templates, p->info.n_templates));
    return p;
}

#endif
