/* SPDX-License-Identifier: MIT
 * export.h - how public functions are declared. */
#ifndef MOPD_EXPORT_H
#define MOPD_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MOPD_API __attribute__((visibility("default")))
#else
#define MOPD_API
#endif

#ifdef __cplusplus
#define MOPD_BEGIN_DECLS extern "C" {
#define MOPD_END_DECLS }
#else
#define MOPD_BEGIN_DECLS
#define MOPD_END_DECLS
#endif

#endif
