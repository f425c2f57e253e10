/* SPDX-License-Identifier: MIT
 * builtin.h - the model that is used when none is named. */
#ifndef MO_MODEL_BUILTIN_H
#define MO_MODEL_BUILTIN_H

#include "base/fail.h"

/* Where the built-in model is; mo_mem_free it.  IO lists the places looked at and how to make one. */
mopd_status mo_builtin_path(char **path);

#endif
