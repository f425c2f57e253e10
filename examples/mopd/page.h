/* SPDX-License-Identifier: MIT
 * page.h - pieces of the HTML pages that --report writes: one file that stands alone, without scripts, in light and dark,
 * from the width of a phone on. */
#ifndef MOPD_CLI_PAGE_H
#define MOPD_CLI_PAGE_H

#include "cli.h"

/* Writes a page beside `path` and renames it; body writes what stands below the title.  Returns -1, else the
 * exit status after reporting. */
int page_write(
    const char *path, const char *title, void (*body)(FILE *f, const void *context), const void *context);

/* Text with <, >, &, quotes escaped; control bytes and broken UTF-8 replaced. */
void page_text(FILE *f, const char *text);

/* A bar of a share in percent, with the interval low to high drawn over it where low <= high. */
void page_bar(FILE *f, double percent, double low, double high);

/* Program, version and date, then "it took so many seconds".  SOURCE_DATE_EPOCH in the environment stands for
 * the date, and the seconds are left out then: such a page repeats byte for byte. */
void page_made(FILE *f, double seconds);

/* A picture inside a figure: the file's own bytes where they are few, else a smaller copy; nothing is fetched
 * from outside.  caption is plain text.  *room: bytes that pictures may still take in this page. */
void page_picture(FILE *f, const char *file, const char *caption, size_t *room);

enum { PAGE_ROOM = 16 << 20 };

#endif
