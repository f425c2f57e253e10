/* SPDX-License-Identifier: MIT
 * fastvit_params.h - the parameters of a FastViT, as they were trained: branches apart.  What is computed with is their
 * sum (merge.h). */
#ifndef MO_CLIP_FASTVIT_PARAMS_H
#define MO_CLIP_FASTVIT_PARAMS_H

#include "clip/config.h"
#include "clip/param_spec.h"

/* Those of the tower alone: mo_params_each calls it. */
mopd_status mo_fastvit_params_each(const mo_config *config, mo_param_fn fn, void *ctx);

#endif
