/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A folder of a test's own, a store in it, and calls that must not fail. */
#ifndef SOHOA_TESTS_FOLDER_H
#define SOHOA_TESTS_FOLDER_H

#include "storage/ledger.h"

enum { FOLDER_BYTES = 64 };

void folder_make(const char *name, char path[FOLDER_BYTES]);
int folder_remove(const char *path); /* with all that is in it; 0 */

/* The store in that folder, which need not be there, locked. */
void folder_store(const char *path, struct store **ret_store);

/* ok(f(..., &err)): fails the test with what err says. */
#define ok(call) assert_ok((call), &err, #call, __LINE__)
void assert_ok(int rc, const struct err *err, const char *what, int line);

/* For ledger_open(): entries that nobody asks for. */
int entry_ignore(const Sohoa__LedgerEntry *entry, void *user, struct err *err);

#endif
