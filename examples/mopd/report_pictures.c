/* SPDX-License-Identifier: MIT
 * report_pictures.c - the most confused pairs of classes, with their pictures inside the page (the
 * files' own bytes). */
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { MOST_PAIRS = 8, WRONG_SHOTS = 4, RIGHT_SHOTS = 2, PICTURE_BYTES = 2 << 20, PAGE_BYTES = 16 << 20 };

/* The file's bytes, to be freed; NULL when it cannot be read or is larger than `most`. */
static unsigned char *read_picture(const char *path, size_t most, size_t *n)
{
    FILE *f = fopen(path, "rbe");
    if (!f) return NULL;
    unsigned char *bytes = cli_alloc(most + 1, 1);
    *n = fread(bytes, 1, most + 1, f);
    fclose(f);
    if (*n && *n <= most) return bytes;
    free(bytes);
    return NULL;
}

static void base64(FILE *f, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned x = (unsigned)bytes[i] << 16 | (i + 1 < n ? (unsigned)bytes[i + 1] << 8 : 0) |
                     (i + 2 < n ? bytes[i + 2] : 0);
        fputc(digits[x >> 18], f);
        fputc(digits[x >> 12 & 63], f);
        fputc(i + 1 < n ? digits[x >> 6 & 63] : '=', f);
        fputc(i + 2 < n ? digits[x & 63] : '=', f);
    }
}

static void show_picture(FILE *f, const report *r, size_t index, const char *what, size_t *room)
{
    mopd_item item = {.struct_size = sizeof item};
    if (mopd_dataset_get_item(r->data, index, &item) != MOPD_OK) return;
    size_t n, most = *room < PICTURE_BYTES ? *room : PICTURE_BYTES;
    unsigned char *bytes = read_picture(item.file, most, &n);
    fputs("<figure>", f);
    if (bytes) {
        fprintf(f, "<img alt=\"\" loading=\"lazy\" src=\"data:image/%s;base64,",
            bytes[0] == 0x89 ? "png" : "jpeg");
        base64(f, bytes, n);
        fputs("\">", f);
        *room -= n;
        free(bytes);
    }
    fprintf(f, "<figcaption>%s ", what);
    report_text(f, item.path);
    fputs(bytes ? "</figcaption></figure>\n" : " (not at hand, or too large)</figcaption></figure>\n", f);
}

/* Up to `most` pictures of class `is` that were taken for class `said`. */
static void show_pictures(FILE *f, const report *r, size_t is, size_t said, size_t most, size_t *room)
{
    mopd_dataset_info info = cli_data_info(r->data);
    const int32_t *label = mopd_dataset_labels(r->data);
    for (size_t i = 0; i < info.n_items && most; i++) {
        if ((size_t)label[i] != is || (size_t)r->predicted[i] != said) continue;
        show_picture(f, r, i, is == said ? "right:" : "wrong:", room);
        most--;
    }
}

void report_confusions(FILE *f, const report *r)
{
    size_t n, room = PAGE_BYTES;
    cli_pair *pair = cli_score_pairs(r->score, MOST_PAIRS, &n);
    fputs("<h2>Most confused</h2>\n", f);
    if (!n) fputs("<p>No picture was taken for another class.</p>\n", f);
    for (size_t i = 0; i < n; i++) {
        fputs("<div class=\"pair\"><b>", f);
        report_text(f, mopd_dataset_class_name(r->data, pair[i].is));
        fputs("</b> taken for <b>", f);
        report_text(f, mopd_dataset_class_name(r->data, pair[i].said));
        fprintf(f, "</b>, %u time%s\n<div class=\"shots\">\n", pair[i].n, pair[i].n == 1 ? "" : "s");
        show_pictures(f, r, pair[i].is, pair[i].said, WRONG_SHOTS, &room);
        show_pictures(f, r, pair[i].said, pair[i].said, RIGHT_SHOTS, &room);
        fputs("</div></div>\n", f);
    }
    free(pair);
}
