/* SPDX-License-Identifier: MIT
 * os.h - what the library asks of the system beside C11: files, folders, pages, clocks.  Threads are in os_thread.h.
 *
 * os_*_posix.c or os_*_windows.c is compiled, of the former os_*_darwin.c in its place where there is one and the system is Apple's, and
 * no other file of lib/ includes a header of the system.  Paths are UTF-8.  What returns bool, a number below zero or NULL on failure sets errno. */
#ifndef MO_BASE_OS_H
#define MO_BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MO_OS_PATH 4096 /* bytes of a path, the zero behind it included */

/* Whether a path may begin with a drive and have "\\" where others have "/", as those from here do; whether a file cannot be cut
 * while it is mapped. */
#ifdef _WIN32
#define MO_OS_DRIVES 1
#define MO_OS_MAPS_HOLD 1
#else
#define MO_OS_DRIVES 0
#define MO_OS_MAPS_HOLD 0
#endif

/* -- what lies at a path ------------------------------------------------------------------------------------- */

typedef enum mo_os_kind {
    MO_OS_REGULAR,
    MO_OS_DIR,
    MO_OS_PIPE,
    MO_OS_SOCKET,
    MO_OS_BLOCKS, /* a device */
    MO_OS_CHARS,  /* any other one */
    MO_OS_LINK
} mo_os_kind;

typedef struct mo_os_info {
    mo_os_kind kind;
    uint64_t size, device, number, n_links;
    int64_t written[2], changed[2]; /* seconds, nanoseconds */
    uint32_t mode, owner, group;
} mo_os_info;

bool mo_os_info_path(mo_os_info *info, const char *path); /* of what links lead to */
bool mo_os_info_link(mo_os_info *info, const char *path); /* of a link itself */
bool mo_os_info_file(mo_os_info *info, int file);

/* Whether it belongs to the user that this process runs as. */
bool mo_os_info_is_own(const mo_os_info *info);

/* The path from the top, without links. */
bool mo_os_real(char out[MO_OS_PATH], const char *path);

/* Why no file can have the name that this path ends in, so that what is written there is what anybody finds who opens it; NULL where
 * one can. */
const char *mo_os_unfit(const char *path);

/* -- files --------------------------------------------------------------------------------------------------- */

/* For reading.  Nothing is waited for: not for the writer of a pipe either. */
int mo_os_open(const char *path);

/* A character device or a pipe for writing; the latter fails with ENXIO where nobody reads it. */
int mo_os_open_device(const char *path);

/* For reading and writing, made where there is none; no link. */
int mo_os_open_growing(const char *path);

/* Another number for an open file. */
int mo_os_twin(int file);
void mo_os_close(int file);

/* The bytes that were read, 0 at the end of the file, below zero on failure. */
int64_t mo_os_read(int file, void *out, size_t n);
bool mo_os_write(int file, const void *bytes, size_t n);

/* Cuts the file at `size` and goes on there. */
bool mo_os_cut(int file, uint64_t size);
bool mo_os_sync(int file);
bool mo_os_remove(const char *path);

/* A lock that goes with the process, however it ends.  Where files cannot be locked, nobody is kept out. */
typedef enum mo_os_lock { MO_OS_HELD, MO_OS_TAKEN, MO_OS_NO_LOCKS } mo_os_lock;
mo_os_lock mo_os_hold(int file);

/* A stream for writing over an open file, which is then closed with it, and the file of a stream. */
FILE *mo_os_stream(int file);
int mo_os_stream_file(FILE *stream);

/* Gives a file mode, owner and group of another.  Where its group cannot be kept, the new group may do what all others may and
 * no more. */
void mo_os_keep_rights(int file, const mo_os_info *of);

/* -- folders ------------------------------------------------------------------------------------------------- */

/* An open folder: what is done in it is done there whatever happens to its name. */
typedef intptr_t mo_os_dir;
#define MO_OS_NO_DIR (-1)

mo_os_dir mo_os_dir_open(const char *path);
void mo_os_dir_close(mo_os_dir dir);
bool mo_os_dir_writable(mo_os_dir dir);
bool mo_os_dir_sync(mo_os_dir dir);

/* A new file for writing; EEXIST where anything has that name.  Mode is a number of POSIX. */
int mo_os_dir_create(mo_os_dir dir, const char *name, uint32_t mode);

/* A file that somebody left, for locking. */
int mo_os_dir_open_left(mo_os_dir dir, const char *name);
bool mo_os_dir_info(mo_os_dir dir, mo_os_info *info, const char *name); /* of a link itself */
bool mo_os_dir_remove(mo_os_dir dir, const char *name);

/* `from` takes the place of `to` at once: whoever opens `to` finds the one file or the other, whole. */
bool mo_os_dir_replace(mo_os_dir dir, const char *from, const char *to);

/* The names in a folder, without "." and "..".  At the end there is NULL, and errno is 0. */
typedef struct mo_os_names mo_os_names;
mo_os_names *mo_os_names_open(const char *path);
mo_os_names *mo_os_names_open_dir(mo_os_dir dir);
const char *mo_os_names_next(mo_os_names *names);
void mo_os_names_close(mo_os_names *names);

/* -- memory -------------------------------------------------------------------------------------------------- */

size_t mo_os_page(void);

/* A file's bytes as pages that are read when they are touched; n above 0. */
void *mo_os_map(int file, size_t n);
void mo_os_unmap(void *start, size_t n);

/* Whole pages of a mapped file that are not needed now. */
void mo_os_forget(void *start, size_t n);

/* Whether the system would give n bytes now. */
bool mo_os_has_room(size_t n);

/* Blocks straight from the system, where it can resize them without copying: whole pages, from one huge page on. */
#ifdef __linux__
#define MO_OS_BLOCKS_RESIZE 1
#else
#define MO_OS_BLOCKS_RESIZE 0
#endif
#define MO_OS_HUGE_PAGE ((size_t)1 << 21)
void *mo_os_block_get(size_t n);
void *mo_os_block_resize(void *block, size_t n_before, size_t n);
void mo_os_block_free(void *block, size_t n);

/* -- the rest ------------------------------------------------------------------------------------------------ */

double mo_os_clock(void);         /* seconds of a clock that only runs forward */
void mo_os_now(int64_t now[2]);   /* seconds since 1970, nanoseconds */
uint64_t mo_os_process(void);     /* the number of this process, another one after a fork */
bool mo_os_random(uint64_t *out); /* without waiting */

/* A text that tells this machine, and where it can be had this start of it, from others; its bytes. */
size_t mo_os_machine(char *out, size_t room);

/* What a variable of the environment holds, as far as there is room; false where it is not set, or empty. */
bool mo_os_setting(char out[MO_OS_PATH], const char *name);

/* The file that this address was loaded from. */
bool mo_os_loaded_from(char out[MO_OS_PATH], const void *address);

/* What a number of errno means. */
void mo_os_error_text(int code, char *out, size_t room);

/* Numbers are read and written as in C by this thread alone, whatever the host has set, until the former comes back; where a
 * thread can have no locale of its own, nothing changes. */
typedef struct mo_os_locale {
    void *plain, *host;
} mo_os_locale;
bool mo_os_locale_plain(mo_os_locale *locale);
void mo_os_locale_back(mo_os_locale *locale);

/* Asks for AMX's tiles, for all threads of this process. */
bool mo_os_ask_tiles(void);

/* Whether a processor of ARM's multiplies bytes by fours (sdot). */
bool mo_os_has_dot(void);

#endif
