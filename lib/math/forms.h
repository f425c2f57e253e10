/* SPDX-License-Identifier: MIT
 * forms.h - a kernel's tile, written out for each number of rows: `tile` becomes functions, and any_tile takes the
 * one of t->m rows. */
#ifndef MO_MATH_FORMS_H
#define MO_MATH_FORMS_H

#define MO_FORM(type, name, ...)                                                                             \
    static void name(const type *t)                                                                          \
    {                                                                                                        \
        tile(t, __VA_ARGS__);                                                                                \
    }

/* tile(t, rows): 1 to 5 rows, or 6. */
#define MO_FORMS_5(type)                                                                                     \
    MO_FORM(type, tile_1, 1)                                                                                 \
    MO_FORM(type, tile_2, 2)                                                                                 \
    MO_FORM(type, tile_3, 3)                                                                                 \
    MO_FORM(type, tile_4, 4)                                                                                 \
    MO_FORM(type, tile_5, 5)
#define MO_FORMS_ANY(type, ...)                                                                              \
    static void any_tile(const type *t)                                                                      \
    {                                                                                                        \
        static void (*const tiles[])(const type *t) = {__VA_ARGS__};                                         \
        tiles[t->m - 1](t);                                                                                  \
    }
#define MO_FORMS_OF_5(type)                                                                                  \
    MO_FORMS_5(type)                                                                                         \
    MO_FORMS_ANY(type, tile_1, tile_2, tile_3, tile_4, tile_5)
#define MO_FORMS_OF_6(type)                                                                                  \
    MO_FORMS_5(type)                                                                                         \
    MO_FORM(type, tile_6, 6)                                                                                 \
    MO_FORMS_ANY(type, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6)

/* tile(t, rows, panels, ahead): 1 to 14 rows by one panel, by two, by two with fetching ahead. */
#define MO_FORMS_14(X)                                                                                       \
    X(1)                                                                                                     \
    X(2)                                                                                                     \
    X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define MO_FORMS_3(m) {tile_##m##_1, tile_##m##_2, tile_##m##_a},
#define MO_FORMS_OF_14(type, TILES)                                                                          \
    MO_FORMS_14(TILES)                                                                                       \
    static void any_tile(const type *t)                                                                      \
    {                                                                                                        \
        static void (*const tiles[14][3])(const type *t) = {MO_FORMS_14(MO_FORMS_3)};                        \
        tiles[t->m - 1][t->n <= 16 ? 0 : t->next ? 2 : 1](t);                                                \
    }

#endif
