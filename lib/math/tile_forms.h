/* SPDX-License-Identifier: MIT
 * tile_forms.h - the forms of an AVX-512 tile: 1 to 14 rows; one panel, two, two with fetching ahead.
 *
 * Included by a file that defines TILE_TYPE, with members m (rows), n (columns) and next, and
 *
 *     static inline void tile(const TILE_TYPE *t, size_t rows, size_t panels, bool ahead);
 *
 * whose rows, panels and ahead are constants in each form. */
#define TILE(m)                                                                                              \
    static void tile_##m##_1(const TILE_TYPE *t)                                                             \
    {                                                                                                        \
        tile(t, m, 1, false);                                                                                \
    }                                                                                                        \
    static void tile_##m##_2(const TILE_TYPE *t)                                                             \
    {                                                                                                        \
        tile(t, m, 2, false);                                                                                \
    }                                                                                                        \
    static void tile_##m##_a(const TILE_TYPE *t)                                                             \
    {                                                                                                        \
        tile(t, m, 2, true);                                                                                 \
    }
TILE(1)
TILE(2)
TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)

#define ROW(m)                                                                                               \
    {                                                                                                        \
        tile_##m##_1, tile_##m##_2, tile_##m##_a                                                             \
    }
    static void (*const tiles[14][3])(const TILE_TYPE *t) = {ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6),
        ROW(7), ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14)};

static void any_tile(const TILE_TYPE *t)
{
    const size_t form = t->n <= 16 ? 0 : t->next ? 2 : 1;
    tiles[t->m - 1][form](t);
}
