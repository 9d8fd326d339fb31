/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Arrays that grow by one item at a time. Their memory doubles at each power of two, so none has to remember its room. */
#ifndef SOHOA_ARRAY_H
#define SOHOA_ARRAY_H

#include <stdlib.h>

/* The array, moved perhaps, with room for an item behind the count that it has; NULL for one that has none yet. Without
 * memory the process ends: what an array may hold is bounded by its user. */
static inline void *array_room(void *array, size_t count, size_t item_bytes)
{
    if (count & (count - 1))
        return array;
    void *larger = reallocarray(array, count ? 2 * count : 1, item_bytes);
    if (!larger)
        abort();
    return larger;
}

#endif
