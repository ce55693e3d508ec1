/* SPDX-License-Identifier: MIT */
/* xml.h: text of unknown origin inside a picture. */
#ifndef POOLMEM_RENDER_XML_H
#define POOLMEM_RENDER_XML_H

#include "text/sink.h"

/* As content or as a quoted attribute, escaped; cut to column_max, 0: never. */
void xml_put(const char *text, size_t column_max, struct sink *sink);

#endif
