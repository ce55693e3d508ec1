/* SPDX-License-Identifier: MIT */
/* frag_svg.c: the waterfall as a picture that needs nothing else. */
#include "render/frag.h"
#include "render/xml.h"
#include "text/number.h"

#include <stdio.h>

enum {
	WIDTH = 720,
	LEFT = 130,
	BAR_WIDTH = 400,
	TOP = 66,
	ROW = 30,
	BAR_HEIGHT = 20,
	TEXT_BASE = 15,
};

/* Told apart by those who see few colours, too; live blocks first. */
static const char *const colours[WATERFALL_COUNT] = {"#0072b2", "#56b4e9", "#d55e00",
						     "#e69f00", "#f0c000", "#cc79a7",
						     "#009e73", "#7fbf7b", "#8f8f8f"};

static void put_row(unsigned row, const char *name, const char *colour, double from, double share,
		    const char *figure, struct sink *sink)
{
	int y = TOP + (int)row * ROW;
	double x = LEFT + from * BAR_WIDTH, width = share * BAR_WIDTH;

	sink_print(sink, "<text class=\"t\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
		   LEFT - 8, y + TEXT_BASE, name);
	sink_print(sink, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
		   x, y, width < 0.5 ? 0.5 : width, BAR_HEIGHT, colour);
	sink_print(sink, "<text class=\"t\" x=\"%d\" y=\"%d\">", LEFT + BAR_WIDTH + 10,
		   y + TEXT_BASE);
	xml_put(figure, 0, sink);
	sink_print(sink, "</text>\n");
}

static void put_parts(const struct waterfall *waterfall, struct sink *sink)
{
	uint64_t whole = waterfall_whole(waterfall);
	double from = 0;
	unsigned row = 0;

	for (unsigned part = 0; part < WATERFALL_COUNT; part++) {
		if ((part == WATERFALL_SLACK && waterfall->split == SPLIT_NONE) ||
		    (part == WATERFALL_OTHER && !waterfall->knows_rss))
			continue;
		double share = whole ? (double)waterfall->part[part] / (double)whole : 0;
		struct number bytes = number_bytes(waterfall->part[part]);
		struct number percent = number_share(waterfall->part[part], whole);
		char figure[112];
		snprintf(figure, sizeof figure, "%s, %s", bytes.text, percent.text);
		bool is_live = part == WATERFALL_REQUESTED && waterfall->split == SPLIT_NONE;
		put_row(row++, is_live ? "live" : waterfall_name(part), colours[part], from, share,
			figure, sink);
		from += share;
	}
	put_row(row, waterfall->knows_rss ? "resident" : "heap", "#5f5f5f", 0, whole > 0,
		number_bytes(whole).text, sink);
}

void frag_svg(const struct frag *frag, struct sink *sink)
{
	const struct frag_process *one = &frag->list[0];
	const struct process *facts = facts_of(frag->study->recording, one->process);
	int height = TOP + (WATERFALL_COUNT + 1) * ROW + 16;

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
	put_parts(&one->waterfall, sink);
	sink_print(sink, "</svg>\n");
}
