/* SPDX-License-Identifier: MIT
 * method.c - the table of methods.
 *
 * MoPD and its ablations (arXiv 2412.19087), CoOp (arXiv 2109.01134), KgCoOp (arXiv 2303.13283), ProGrad (arXiv
 * 2205.14865). */
#include "prompt/method.h"

#include <string.h>

#include "base/words.h"

const char *const mo_method_names[MO_METHODS] = {
    [MOPD_METHOD_MOPD] = "mopd",
    [MOPD_METHOD_MOPD_STATIC] = "mopd-static",
    [MOPD_METHOD_MOPD_RANDOM] = "mopd-random",
    [MOPD_METHOD_KD] = "kd",
    [MOPD_METHOD_COOP] = "coop",
    [MOPD_METHOD_KGCOOP] = "kgcoop",
    [MOPD_METHOD_PROGRAD] = "prograd",
};

static const mo_method methods[MO_METHODS] = {
    [MOPD_METHOD_MOPD] = {MO_TEACHERS_ALL, MO_GATE_IMAGE, .distils = true, .mps = true},
    [MOPD_METHOD_MOPD_STATIC] = {MO_TEACHERS_ALL, MO_GATE_STATIC, .distils = true},
    [MOPD_METHOD_MOPD_RANDOM] = {MO_TEACHERS_ALL, MO_GATE_RANDOM, .distils = true},
    [MOPD_METHOD_KD] = {MO_TEACHERS_FIRST, MO_GATE_NONE, .distils = true},
    [MOPD_METHOD_COOP] = {MO_TEACHERS_NONE, MO_GATE_NONE, .distils = false},
    [MOPD_METHOD_KGCOOP] = {MO_TEACHERS_FIRST, MO_GATE_NONE, .kg = true, .lambda = MO_METHOD_KGCOOP_LAMBDA},
    [MOPD_METHOD_PROGRAD] = {MO_TEACHERS_FIRST, MO_GATE_NONE, .project = true,
        .lambda = MO_METHOD_PROGRAD_LAMBDA},
};

const mo_method *mo_method_get(int32_t method)
{
    return method >= 0 && method < MO_METHODS ? &methods[method] : NULL;
}

const char *mo_method_name(int32_t method)
{
    return method >= 0 && method < MO_METHODS ? mo_method_names[method] : NULL;
}

/* Names that elsewhere stand beside those of the table, and what to use instead. */
static mopd_status point_elsewhere(const char *name)
{
    if (!strcmp(name, "gda") || !strcmp(name, "fit"))
        return mo_fail(MOPD_E_ARG,
            "method \"%s\" learns no prompt: fit a recogniser instead (`mopd fit`, mopd_recognizer_create, "
            "Python's mopd.Recognizer)",
            name);
    if (!strcmp(name, "zero-shot"))
        return mo_fail(MOPD_E_ARG,
            "method \"%s\" learns nothing: classify by a bank of class names (`mopd classify --classes`, "
            "mopd_bank_create, Python's "
            "mopd.Bank)",
            name);
    return MOPD_OK;
}

mopd_status mo_method_find(const char *name, int32_t *method)
{
    int32_t found = mo_words_find(mo_method_names, MO_METHODS, name);
    if (found >= 0) {
        *method = found;
        return MOPD_OK;
    }
    mopd_status st = point_elsewhere(name);
    if (st != MOPD_OK) return st;
    char known[128];
    mo_words_join(mo_method_names, MO_METHODS, known, sizeof known);
    return mo_fail(MOPD_E_ARG, "method \"%s\" is unknown; there are %s", name, known);
}
