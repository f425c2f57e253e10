/* SPDX-License-Identifier: MIT
 * csv_reader.h - records of a CSV file: RFC 4180 quoting, LF or CRLF, UTF-8 mark allowed. */
#ifndef MO_DATA_CSV_READER_H
#define MO_DATA_CSV_READER_H

#include "base/buf.h"

/* The text is cut into fields in place: quotes undone, a zero byte behind each.  Start from {0}. */
typedef struct mo_csv {
    const char *path; /* for messages; the caller's */
    mo_buf text;
    char *at, *end;
    uint32_t line;      /* where the record began */
    uint32_t next_line; /* where the reader stands */
    char **field;
    size_t n_fields, cap;
} mo_csv;

/* Reads a file of at most limit bytes.  FORMAT: it is empty, or has a zero byte. */
mopd_status mo_csv_read(mo_csv *c, const char *path, size_t limit);

/* The next record into c->field; false at the end of the text. */
mopd_status mo_csv_next(mo_csv *c, bool *more);

/* The next record that is no empty line, of n_columns fields; false at the end.  FORMAT: it has more or fewer. */
mopd_status mo_csv_row(mo_csv *c, size_t n_columns, bool *more);

/* The column of this name in the record that was read, the header; SIZE_MAX when it is not needed and not there. */
mopd_status mo_csv_column(const mo_csv *c, const char *name, bool needed, size_t *column);

void mo_csv_close(mo_csv *c);

#endif
