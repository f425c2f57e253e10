/* SPDX-License-Identifier: MIT
 * needs.h - TEST_NEEDS("threads"): the first line of a test of threads, processes, links, pipes, files with holes or names of any bytes, which
 * is skipped in WebAssembly, where they are not. */
#ifndef MOPD_TESTS_SUPPORT_NEEDS_H
#define MOPD_TESTS_SUPPORT_NEEDS_H

#if defined(__EMSCRIPTEN__)
#define TEST_NEEDS(what) skip()
#else
#define TEST_NEEDS(what) ((void)0)
#endif

#endif
