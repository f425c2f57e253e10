/* SPDX-License-Identifier: MIT
 * onednn_none.c - what stands for onednn.c where the build has no oneDNN: there never is any. */
#if !defined(MOPD_ONEDNN) || !defined(__x86_64__)
#include "math/onednn.h"

mo_dnn_kind mo_dnn_load(void)
{
    return MO_DNN_NONE;
}
void mo_dnn_set_library(const char *name)
{
    (void)name;
}
mopd_status mo_dnn_plan_get(const mo_dnn_plan **out, size_t k, size_t width)
{
    (void)k, (void)width;
    *out = NULL;
    return MOPD_OK;
}
void mo_dnn_plan_release(const mo_dnn_plan *plan)
{
    (void)plan;
}
bool mo_dnn_pack(const mo_dnn_plan *plan, void *packed, const float *w)
{
    (void)plan, (void)packed, (void)w;
    return false;
}
mo_dnn_work *mo_dnn_take(const mo_dnn_plan *plan)
{
    (void)plan;
    return NULL;
}
void mo_dnn_give(const mo_dnn_plan *plan, mo_dnn_work *work)
{
    (void)plan, (void)work;
}
void mo_dnn_multiply(const mo_dnn_plan *plan, mo_dnn_work *work, size_t block, const void *packed)
{
    (void)plan, (void)work, (void)block, (void)packed;
}
#endif
