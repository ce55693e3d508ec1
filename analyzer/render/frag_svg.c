/* SPDX-License-Identifier: MIT */
/* frag_svg.c: the waterfall as a picture that needs nothing else. */
#include "model/saturate.h"
#include "render/frag.h"
#include "render/xml.h"
#include "text/number.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	WIDTH = 720,
	LEFT = 130,
	BAR_WIDTH = 400,
	TOP = 66,
	ROW = 30,
	BAR_HEIGHT = 20,
	THIN = 2, /* the least that is seen */
	TEXT_BASE = 15,
};

/* Told apart by those who see few colours, too; live blocks first. */
static const char *const colours[WATERFALL_COUNT] = {"#0072b2", "#56b4e9", "#d55e00",
						     "#e69f00", "#f0c000", "#cc79a7",
						     "#009e73", "#7fbf7b", "#8f8f8f"};

struct drawing {
	const struct waterfall *waterfall;
	uint64_t widest; /* bytes of the longest row: what is resident, or all parts where they come to more */
	unsigned row; /* the next one */
	struct sink *sink;
};

static void put_row(struct drawing *drawing, const char *name, const char *colour, uint64_t from,
		    uint64_t bytes, const char *figure)
{
	int y = TOP + (int)drawing->row++ * ROW;
	double scale = drawing->widest ? BAR_WIDTH / (double)drawing->widest : 0;
	double width = (double)bytes * scale;
	struct sink *sink = drawing->sink;

	sink_print(sink, "<text class=\"t\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
		   LEFT - 8, y + TEXT_BASE, name);
	if (bytes)
		sink_print(sink,
			   "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
			   LEFT + (double)from * scale, y, width < THIN ? THIN : width, BAR_HEIGHT,
			   colour);
	sink_print(sink, "<text class=\"t\" x=\"%d\" y=\"%d\">", LEFT + BAR_WIDTH + 10,
		   y + TEXT_BASE);
	xml_put(figure, 0, sink);
	sink_print(sink, "</text>\n");
}

/* Where it lies in the rows; returns where the next one does. */
static uint64_t put_part(struct drawing *drawing, unsigned part, uint64_t from)
{
	const struct waterfall *waterfall = drawing->waterfall;
	bool is_live = part == WATERFALL_REQUESTED && waterfall->split == SPLIT_NONE;
	struct number bytes = number_bytes(waterfall->part[part]);
	struct number percent = number_share(waterfall->part[part], waterfall_whole(waterfall));
	char figure[112];

	snprintf(figure, sizeof figure, "%s, %s", bytes.text, percent.text);
	put_row(drawing, is_live ? "live" : waterfall_name(part), colours[part], from,
		waterfall->part[part], figure);
	return sum(from, waterfall->part[part]);
}

/* What no part has; or, where they have more than is resident, by how much. */
static void put_residual(struct drawing *drawing, uint64_t parts)
{
	int64_t residual = drawing->waterfall->residual;
	char figure[112];

	snprintf(figure, sizeof figure, "%s, not explained", number_signed_bytes(residual).text);
	put_row(drawing, "residual", "#a05195", residual < 0 ? drawing->waterfall->rss : parts,
		(uint64_t)llabs(residual), figure);
}

static void put_parts(struct drawing *drawing)
{
	const struct waterfall *waterfall = drawing->waterfall;
	uint64_t whole = waterfall_whole(waterfall), from = 0;

	drawing->widest = waterfall->residual < 0 ? sum(whole, (uint64_t)llabs(waterfall->residual))
						  : whole;
	for (unsigned part = 0; part < WATERFALL_COUNT; part++)
		if (!(part == WATERFALL_SLACK && waterfall->split == SPLIT_NONE) &&
		    !(part == WATERFALL_OTHER && !waterfall->knows_rss))
			from = put_part(drawing, part, from);
	if (waterfall->residual)
		put_residual(drawing, from);
	put_row(drawing, waterfall->knows_rss ? "resident" : "heap", "#7a7a7a", 0, whole,
		number_bytes(whole).text);
}

void frag_svg(const struct frag *frag, struct sink *sink)
{
	const struct frag_process *one = &frag->list[0];
	const struct process *facts = facts_of(frag->study->recording, one->process);
	int height = TOP + (WATERFALL_COUNT + 2) * ROW + 16;

	sink_print(sink,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		   "height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n"
		   "<style>.b{fill:#fff}.t{fill:#222}@media (prefers-color-scheme:dark)"
		   "{.b{fill:#16181c}.t{fill:#ddd}}</style>\n"
		   "<rect class=\"b\" width=\"%d\" height=\"%d\"/>\n"
		   "<text class=\"t\" x=\"16\" y=\"26\" font-size=\"16\">Where %s memory is</text>\n"
		   "<text class=\"t\" x=\"16\" y=\"48\">",
		   WIDTH, height, WIDTH, height, WIDTH, height,
		   one->waterfall.knows_rss ? "resident" : "the heap's");
	xml_put(facts && facts->exe ? facts->exe : "?", 80, sink);
	sink_print(sink, ", process %u</text>\n", one->process->record.pid);
	put_parts(&(struct drawing){.waterfall = &one->waterfall, .sink = sink});
	sink_print(sink, "</svg>\n");
}
