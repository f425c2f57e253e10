/* SPDX-License-Identifier: MIT
 * page.h - pieces of the HTML pages that --report writes: one file that stands alone, without scripts, in light and dark,
 * from the width of a phone on. */
#ifndef MOPD_CLI_PAGE_H
#define MOPD_CLI_PAGE_H

#include "cli.h"

/* Writes a page, whole or not at all; body writes what stands below the title.  Returns -1, else the exit status after
 * reporting. */
int page_write(
    const char *path, const char *title, void (*body)(FILE *f, const void *context), const void *context);

/* Text with <, >, &, quotes escaped; control bytes and broken UTF-8 replaced. */
void page_text(FILE *f, const char *text);

/* A bar of a share in percent, with the interval low to high drawn over it where low <= high. */
void page_bar(FILE *f, double percent, double low, double high);

/* Program, version and date, then "it took so many seconds".  SOURCE_DATE_EPOCH in the environment stands for
 * the date, and the seconds are left out then: such a page repeats byte for byte. */
void page_made(FILE *f, double seconds);

/* A picture of a data set inside a figure, as a small copy: nothing is fetched from outside, and no byte of a file that is
 * no picture, or not the one that was encoded, gets into the page.  caption is plain text.  *room: bytes that pictures
 * may still take in this page. */
void page_picture(FILE *f, const mopd_dataset *data, size_t index, const char *caption, size_t *room);

enum { PAGE_ROOM = 16 << 20 };

#endif
