/* SPDX-License-Identifier: MIT
 * wrap.h - what training programs put before the names of a model's tensors.
 *
 *     module.visual.conv1.weight               DistributedDataParallel
 *     _orig_mod.visual.conv1.weight            torch.compile
 *     state_dict.visual.conv1.weight           a checkpoint that also holds the optimiser's state
 *     state_dict.module._orig_mod.logit_scale  all of them */
#ifndef MO_CLIP_WRAP_H
#define MO_CLIP_WRAP_H

#include "format/tensors.h"

#define MO_WRAP_LONGEST 96 /* bytes of what stands before a name, with the zero at its end */

/* What stands before every name in these files: told by logit_scale, which every model has.  "" where that is
 * stored under its own name or nowhere.  FORMAT: it is there several times, each time behind other words. */
mopd_status mo_wrap_find(char out[MO_WRAP_LONGEST], mo_tensors *const *file, size_t n_files);

#endif
