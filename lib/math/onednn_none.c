/* SPDX-License-Identifier: MIT
 * onednn_none.c - what stands for onednn.c where the build has no oneDNN: there never is any. */
#if !defined(MOPD_ONEDNN) || !defined(__x86_64__)
#include "math/onednn.h"

mo_onednn_kind mo_onednn_load(void)
{
    return MO_ONEDNN_NONE;
}
void mo_onednn_set_library(const char *name)
{
    (void)name;
}
mopd_status mo_onednn_plan_get(const mo_onednn_plan **out, size_t k, size_t width)
{
    (void)k, (void)width;
    *out = NULL;
    return MOPD_OK;
}
void mo_onednn_plan_release(const mo_onednn_plan *shape)
{
    (void)shape;
}
bool mo_onednn_pack(const mo_onednn_plan *plan, void *packed, const float *w)
{
    (void)plan, (void)packed, (void)w;
    return false;
}
mo_onednn_work *mo_onednn_take(const mo_onednn_plan *shape)
{
    (void)shape;
    return NULL;
}
void mo_onednn_give(const mo_onednn_plan *shape, mo_onednn_work *room)
{
    (void)shape, (void)room;
}
void mo_onednn_multiply(const mo_onednn_plan *shape, mo_onednn_work *room, size_t block, const void *packed)
{
    (void)shape, (void)room, (void)block, (void)packed;
}
#endif
