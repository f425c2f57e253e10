/* SPDX-License-Identifier: MIT
 * sys.h - what the command asks of the system beside C11.
 *
 * sys_posix.c or sys_windows.c is compiled, and no other file of the command includes a header of the system but getopt's.  Paths are
 * UTF-8.  What fails sets errno. */
#ifndef MOPD_SYS_H
#define MOPD_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* -- the process -------------------------------------------------------------------------------------------- */

/* The words of the command line in UTF-8, where the system has them otherwise; they are there until the program ends. */
void sys_arguments(int *argc, char ***argv);

/* Streams take and give bytes as they are, and a console shows UTF-8.  From now on Ctrl-C and the wish that the program end only
 * call `interrupted`, perhaps in another thread; a closed pipe becomes a write error. */
void sys_prepare(void (*interrupted)(void));

/* What errno says; a closed pipe's number too, where the C library has lost it. */
const char *sys_error_text(int code);

/* The program ends at once. */
_Noreturn void sys_end(int status);

/* Whether standard output (1) or standard error (2) is shown to somebody. */
bool sys_is_shown(int number);

double sys_seconds(void); /* of a clock that only runs forward */
double sys_peak_mb(void); /* the most memory that this process had */

/* -- files -------------------------------------------------------------------------------------------------- */

typedef enum sys_kind { SYS_NOTHING, SYS_FILE, SYS_FOLDER, SYS_PIPE, SYS_DEVICE } sys_kind;

/* Of what links lead to. */
sys_kind sys_kind_of(const char *path);

/* Both are files, and one and the same. */
bool sys_same(const char *a, const char *b);

/* For reading, below zero on failure; and what it is.  Nothing is waited for: not for the writer of a pipe either. */
int sys_open(const char *path, sys_kind *kind);
void sys_close(int file);

/* The bytes that were read, of standard input (0) too; 0 at the end, below zero on failure. */
ptrdiff_t sys_read(int file, void *out, size_t n);

void sys_remove(const char *path);

/* The path from the top, without links, with "/"; NULL where nothing lies there.  To be freed. */
char *sys_real(const char *path);

/* Turns what may stand for "/" in a path into that. */
void sys_slashes(char *path);

/* Calls fn with each file that a pattern of the command line means, where shells leave that to programs; how many. */
size_t sys_each_match(const char *pattern, void (*fn)(void *context, const char *path), void *context);

/* What body prints, to be freed; NULL where there is no room for it. */
char *sys_printed(void (*body)(FILE *f, const void *context), const void *context, size_t *n);

#endif
