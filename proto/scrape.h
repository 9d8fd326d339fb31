/* SPDX-License-Identifier: AGPL-3.0-or-later
 * /metrics, /healthz and /readyz over HTTP where there is no API: of workers, and of a coordinator that stands by. In its owner's loop, like
 * the coordinator's HTTP: an answer is made at once and sent as fast as it is taken, so that who reads slowly holds nobody. */
#ifndef SOHOA_SCRAPE_H
#define SOHOA_SCRAPE_H

#include "proto/buf.h"
#include "proto/certificate.h"
#include "proto/err.h"

enum {
    SCRAPE_CONNECTIONS = 16,
    SCRAPE_TIMEOUT_S = 10, /* of a connection on which nothing moves */
};

struct scrape;

struct scrape_source {
    void (*metrics)(struct buf *text, void *user);
    const char *(*unready)(void *user); /* why it is not; NULL: it is ready */
    int elsewhere; /* the code of the error that any other path is answered with; 0: it is not found */
    void *user;
};

/* listen: ADDRESS:PORT or unix:PATH, which the setting `key` says. certificate: NULL or empty: it is not encrypted. source is
 * copied. Errors: E_NET, E_CONFIG. */
int scrape_new(const char *key, const char *listen, const struct certificate *certificate,
               const struct scrape_source *source, struct scrape **ret_scrape, struct err *err);
void scrape_destroy(struct scrape **scrape);

/* For the loop; scrape NULL: there is none, nothing is waited for. */
int scrape_fd(const struct scrape *scrape);
int scrape_wait_ms(const struct scrape *scrape, int most_ms);
void scrape_run(struct scrape *scrape);

#endif
