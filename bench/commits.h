/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Progress as Redis gets it, for bench/store: how fast commits are beside plain commands, and what the whole backlog takes.
 * Both use the words of bench-store's command line, print one line of JSON and end the program when something fails. */
#ifndef SOHOA_COMMITS_H
#define SOHOA_COMMITS_H

/* commit SOCKET script|setbit|bitfield near|scattered SECONDS */
int commits_run(int argc, char **argv);

/* fill SOCKET PAGES BATCHES: what so many pages in so many batches leave when all of them have ended. */
int fill_run(int argc, char **argv);

#endif
