/* SPDX-License-Identifier: AGPL-3.0-or-later
 * XML that is written from top to bottom (libxml2). What fails is remembered, and told at the end. */
#ifndef SOHOA_PACKAGE_XML_H
#define SOHOA_PACKAGE_XML_H

#include <stdbool.h>

#include "proto/buf.h"
#include "proto/err.h"

struct xml;

struct xml *xml_new(void);  /* into memory */
struct xml *xml_to(int fd); /* into a file, which is borrowed */
void xml_destroy(struct xml **xml);

void xml_open(struct xml *xml, const char *element);
void xml_put(struct xml *xml, const char *attribute, const char *value); /* of the element that was opened last */
void xml_text(struct xml *xml, const char *text);
void xml_close(struct xml *xml);
void xml_leaf(struct xml *xml, const char *element, const char *text); /* all three */

/* The document ends. into: what was written into memory, else NULL. Errors: E_IO. */
int xml_end(struct xml *xml, struct buf *into, struct err *err);

/* Calls each for the start of every element: its name without prefix, and what attribute() gives of it; and with its text where it ends
 * (text NULL at the start). Network and entities are off. Errors: E_CORRUPT: not well-formed. */
struct xml_node;
const char *xml_attribute(const struct xml_node *node,
                          const char *name); /* without prefix; NULL: none. Good until the next call */
int xml_read(const struct buf *data,
             void (*each)(const struct xml_node *node, const char *element, const char *text, void *user), void *user,
             struct err *err);

#endif
