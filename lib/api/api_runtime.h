/* SPDX-License-Identifier: MIT
 * api_runtime.h - whether an encoder was opened in this process: from then on the CPU path stays. */
#ifndef MO_API_API_RUNTIME_H
#define MO_API_API_RUNTIME_H

#include <stdatomic.h>

extern atomic_bool mo_api_encoder_opened;

#endif
