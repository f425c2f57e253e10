/* SPDX-License-Identifier: MIT
 * method.c - the table of methods.
 *
 * MoPD and its ablations (arXiv 2412.19087), CoOp (arXiv 2109.01134), KgCoOp (arXiv 2303.13283, lambda 8),
 * ProGrad (arXiv 2205.14865, lambda 1). */
#include "prompt/method.h"

#include <string.h>

#include "base/fail.h"

static const mo_method methods[] = {
    [MOPD_METHOD_MOPD] = {"mopd", MO_TEACHERS_ALL, MO_GATE_IMAGE, true, true, false, false, 0},
    [MOPD_METHOD_MOPD_STATIC] = {"mopd-static", MO_TEACHERS_ALL, MO_GATE_STATIC, true, false, false, false,
        0},
    [MOPD_METHOD_MOPD_RANDOM] = {"mopd-random", MO_TEACHERS_ALL, MO_GATE_RANDOM, true, false, false, false,
        0},
    [MOPD_METHOD_KD] = {"kd", MO_TEACHERS_FIRST, MO_GATE_NONE, true, false, false, false, 0},
    [MOPD_METHOD_COOP] = {"coop", MO_TEACHERS_NONE, MO_GATE_NONE, false, false, false, false, 0},
    [MOPD_METHOD_KGCOOP] = {"kgcoop", MO_TEACHERS_FIRST, MO_GATE_NONE, false, false, true, false, 8},
    [MOPD_METHOD_PROGRAD] = {"prograd", MO_TEACHERS_FIRST, MO_GATE_NONE, false, false, false, true, 1},
};

#define N_METHODS ((int32_t)(sizeof methods / sizeof methods[0]))

const mo_method *mo_method_get(int32_t method)
{
    return method >= 0 && method < N_METHODS ? &methods[method] : NULL;
}

const char *mo_method_name(int32_t method)
{
    const mo_method *m = mo_method_get(method);
    return m ? m->name : NULL;
}

mopd_status mo_method_find(const char *name, int32_t *method)
{
    for (int32_t i = 0; i < N_METHODS; i++) {
        if (strcmp(name, methods[i].name)) continue;
        *method = i;
        return MOPD_OK;
    }
    return mo_fail(MOPD_E_ARG,
        "method \"%s\" is unknown; there are mopd, mopd-static, mopd-random, kd, coop, kgcoop, prograd",
        name);
}
