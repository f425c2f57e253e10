/* SPDX-License-Identifier: MIT
 * export.h - how public functions are declared. */
#ifndef MOPD_EXPORT_H
#define MOPD_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(_WIN32) /* there lib/mopd.map says it to the linker */
#define MOPD_API __attribute__((visibility("default")))
#else
#define MOPD_API
#endif

/* Behind a declaration: the name goes on working, `text` says which one is better.  Compilers warn where it is
 * used, unless MOPD_ALLOW_DEPRECATED is defined before the headers are read. */
#if defined(__GNUC__) && !defined(MOPD_ALLOW_DEPRECATED)
#define MOPD_DEPRECATED(text) __attribute__((deprecated(text)))
#else
#define MOPD_DEPRECATED(text)
#endif

#ifdef __cplusplus
#define MOPD_BEGIN_DECLS extern "C" {
#define MOPD_END_DECLS }
#else
#define MOPD_BEGIN_DECLS
#define MOPD_END_DECLS
#endif

#endif
