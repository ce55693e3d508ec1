/* SPDX-License-Identifier: MIT */
/* pixel_font.h: letters of five by eight pixels, for the legend of a picture. */
#ifndef POOLMEM_RENDER_PIXEL_FONT_H
#define POOLMEM_RENDER_PIXEL_FONT_H

enum { PIXEL_FONT_COLUMNS = 5, PIXEL_FONT_ROWS = 8 };

/* Columns from left to right, of each the lowest bit is the top; of what is no printable ASCII that of '?'. */
const unsigned char *pixel_font_glyph(unsigned char letter);

#endif
