/* SPDX-License-Identifier: MIT */
/* Packed names: what was put in is what comes out, whatever else is said is refused. */
#define _GNU_SOURCE 1

#include "symbol/packed.h"
#include "symbol/packing.h"
#include "unit/names_builder.h"

#include <criterion/criterion.h>

static const uint8_t id[20] = {7,   20,  33,  46,  59,  72,  85,  98,  111, 124,
			       137, 150, 163, 176, 189, 202, 215, 228, 241, 254};
static const struct symbol_module example = {
	.path = "/usr/bin/example", .build_id = id, .build_id_bytes = sizeof id};

static struct packed *open_tables(const struct bytes *tables, struct failure *why)
{
	struct bytes payload = names_payload(tables);
	struct packed *packed = packed_open(payload.data, payload.count, why);

	bytes_free(&payload);
	return packed;
}

static struct bytes example_tables(uint32_t more_bytes)
{
	struct names_builder names = names_of_example(more_bytes);
	struct bytes tables = names_tables(&names);

	names_free(&names);
	return tables;
}

static void expect_example(uint32_t more_bytes)
{
	struct bytes tables = example_tables(more_bytes);
	struct failure why = {FAILURE_NONE, ""};
	struct packed *packed = open_tables(&tables, &why);
	struct symbol_frame frames[PM_NAMES_CALLS];
	const char *help;

	cr_assert(packed, "%s", why.text);
	const struct packed_module *module = packed_find(packed, &example, 0);
	cr_assert(module);
	cr_expect_null(packed_lack(packed, module, &help));
	cr_assert_eq(packed_frames_at(packed, module, 0x1343, frames), 3);
	cr_expect_str_eq(frames[0].function, "grow");
	cr_expect_str_eq(frames[0].file, "/home/one/src/array.h");
	cr_expect_eq(frames[0].line, 7);
	cr_expect(frames[0].is_inlined && frames[1].is_inlined && !frames[2].is_inlined);
	cr_expect_null(frames[1].file);
	cr_expect_str_eq(frames[2].function, "parse");
	cr_expect_eq(packed_frames_at(packed, module, 0x1344, frames), 0);
	cr_expect_eq(packed_frames_at(packed, module, 0, frames), 0);
	cr_expect_eq(packed_frames_at(packed, module, UINT64_MAX, frames), 0);
	packed_free(packed);
	bytes_free(&tables);
}

Test(packed, records_may_be_longer_than_known)
{
	expect_example(0);
	expect_example(8);
	expect_example(4);
}

Test(packed, a_module_is_its_path_and_its_build_id)
{
	struct bytes tables = example_tables(0);
	struct failure why;
	struct packed *packed = open_tables(&tables, &why);
	struct symbol_module other = example;
	uint8_t changed[20];

	memcpy(changed, id, sizeof id);
	changed[19] ^= 1;
	other.build_id = changed;
	cr_expect_null(packed_find(packed, &other, 0));
	other = example;
	other.build_id_bytes = 19;
	cr_expect_null(packed_find(packed, &other, 0));
	other.build_id_bytes = 200; /* longer than any: not read */
	cr_expect_null(packed_find(packed, &other, 0));
	other = example;
	other.path = "/usr/bin/exampl";
	cr_expect_null(packed_find(packed, &other, 0));
	cr_expect_null(packed_find(packed, NULL, 0));
	packed_free(packed);
	bytes_free(&tables);
}

/* What the writer writes the reader reads: 3,000 places of 5 modules and a pid, many of them told twice. */
Test(packed, what_was_packed_comes_back)
{
	enum { PLACES = 3000, MODULES = 6 };
	struct packing *packing = packing_begin();
	struct symbol_module modules[MODULES];
	uint32_t number[MODULES];
	char path[MODULES][32], function[PLACES][24];
	struct symbol_frame frames[PM_NAMES_CALLS];
	struct packing_sums sums;
	struct failure why;
	size_t bytes;

	for (unsigned m = 0; m < MODULES; m++) {
		snprintf(path[m], sizeof path[m], "/lib/%u.so", m);
		modules[m] = (struct symbol_module){
			.path = path[m], .build_id = id, .build_id_bytes = m};
		number[m] = packing_module(packing, m ? &modules[m] : NULL, 77,
					   m == 2 ? "gone" : NULL, m == 2 ? "bring it back" : NULL);
	}
	cr_expect_eq(packing_module(packing, &modules[3], 78, NULL, NULL), number[3]);
	for (unsigned i = 0; i < 2 * PLACES; i++) {
		unsigned place = i * 2311 % PLACES;
		snprintf(function[place], sizeof function[place], "function_%u", place);
		for (unsigned f = 0; f <= place % 4; f++)
			frames[f] = (struct symbol_frame){.function = function[place],
							  .file = f ? path[f] : NULL,
							  .line = f ? place : 0,
							  .is_inlined = f < place % 4};
		packing_add(packing, number[place % MODULES],
			    place / MODULES * UINT64_C(0x100000001), frames, place % 4 + 1);
	}
	void *payload = packing_end(packing, &bytes, &sums, &why);
	cr_assert(payload);
	cr_expect_eq(sums.codes, PLACES);
	cr_expect_eq(sums.named, PLACES);
	struct packed *packed = packed_open(payload, bytes, &why);
	cr_assert(packed, "%s", why.text);
	for (unsigned place = 0; place < PLACES; place++) {
		unsigned m = place % MODULES;
		const struct packed_module *module = packed_find(packed, m ? &modules[m] : NULL, 77);
		cr_assert_eq(packed_frames_at(packed, module,
					      place / MODULES * UINT64_C(0x100000001), frames),
			     place % 4 + 1);
		cr_assert_str_eq(frames[place % 4].function, function[place]);
		cr_assert(place % 4 == 0 || strcmp(frames[1].file, "/lib/1.so") == 0);
		cr_assert_eq(frames[0].is_inlined, place % 4 > 0);
	}
	const char *help;
	cr_expect_str_eq(packed_lack(packed, packed_find(packed, &modules[2], 0), &help), "gone");
	cr_expect_str_eq(help, "bring it back");
	cr_expect_null(packed_find(packed, NULL, 78));
	packed_free(packed);
	free(payload);
}

static void expect_refused(const struct bytes *tables, const char *what)
{
	struct failure why = {FAILURE_NONE, ""};

	cr_expect_null(open_tables(tables, &why), "%s", what);
	cr_expect_eq(why.kind, FAILURE_UNREADABLE);
	cr_expect(strstr(why.text, what), "'%s' has no '%s'", why.text, what);
}

#define INDEX(tables) ((struct pm_names_index *)(tables).data)
#define RECORD(tables, type, table, index)                                                         \
	((struct type *)((tables).data + INDEX(tables)->table.offset) + (index))

#define EXPECT_REFUSED(what, change)                                                               \
	do {                                                                                       \
		struct bytes tables = example_tables(0);                                           \
		change;                                                                            \
		expect_refused(&tables, what);                                                     \
		bytes_free(&tables);                                                               \
	} while (0)

Test(packed, what_points_out_of_its_table_is_refused)
{
	EXPECT_REFUSED("modules", INDEX(tables)->modules.offset = UINT64_MAX);
	EXPECT_REFUSED("modules", INDEX(tables)->modules.count = 1000);
	EXPECT_REFUSED("codes", INDEX(tables)->codes.stride = 8);
	EXPECT_REFUSED("calls", INDEX(tables)->calls.stride = UINT32_MAX);
	EXPECT_REFUSED("calls", INDEX(tables)->calls.stride = 0);
	EXPECT_REFUSED("texts", INDEX(tables)->texts.count--);
	EXPECT_REFUSED("texts", INDEX(tables)->texts.offset++);
	EXPECT_REFUSED("texts", INDEX(tables)->texts.stride = 2);
	EXPECT_REFUSED("code_count", RECORD(tables, pm_names_module, modules, 1)->code_count++);
	EXPECT_REFUSED("code_count",
		       RECORD(tables, pm_names_module, modules, 0)->code_count = UINT32_MAX);
	EXPECT_REFUSED("text in module", RECORD(tables, pm_names_module, modules, 1)->help = 100000);
	EXPECT_REFUSED("text in call", RECORD(tables, pm_names_call, calls, 2)->file = UINT32_MAX);
	EXPECT_REFUSED("call_count", RECORD(tables, pm_names_code, codes, 0)->call_count = 0);
	EXPECT_REFUSED("call_count", RECORD(tables, pm_names_code, codes, 0)->call_count = 129);
	EXPECT_REFUSED("call_count", RECORD(tables, pm_names_code, codes, 5)->call_count = 2);
	EXPECT_REFUSED("out of order", RECORD(tables, pm_names_code, codes, 1)->address = 0x100f);
}

Test(packed, a_text_without_end_is_refused)
{
	struct names_builder names = names_begin(0);
	char text[PM_NAMES_TEXT + 2];

	memset(text, 'x', sizeof text);
	text[PM_NAMES_TEXT] = '\0';
	names_text(&names, text);
	struct bytes tables = names_tables(&names);
	struct failure why;
	struct packed *packed = open_tables(&tables, &why);
	cr_expect(packed);
	packed_free(packed);
	bytes_free(&tables);
	text[PM_NAMES_TEXT] = 'x';
	text[PM_NAMES_TEXT + 1] = '\0';
	names_text(&names, text);
	tables = names_tables(&names);
	expect_refused(&tables, "a text of bytes 4097");
	bytes_free(&tables);
	names_free(&names);
}

static void expect_payload_refused(struct bytes *payload, const char *what)
{
	struct failure why = {FAILURE_NONE, ""};

	cr_expect_null(packed_open(payload->data, payload->count, &why), "%s", what);
	cr_expect_eq(why.kind, FAILURE_UNREADABLE);
	cr_expect(strstr(why.text, what), "'%s' has no '%s'", why.text, what);
}

Test(packed, a_frame_that_lies_about_its_size_is_refused)
{
	struct bytes tables = example_tables(0), payload = names_payload(&tables);
	struct pm_names *opening = (struct pm_names *)payload.data;

	opening->version = 2;
	expect_payload_refused(&payload, "a newer one");
	opening->version = 1;
	opening->bytes++;
	expect_payload_refused(&payload, "bytes");
	opening->bytes -= 2;
	expect_payload_refused(&payload, "NAMES section");
	opening->bytes = UINT64_C(1) << 40; /* a trap: not even allocated */
	expect_payload_refused(&payload, "bytes");
	opening->bytes = 3;
	expect_payload_refused(&payload, "bytes");
	opening->bytes = tables.count;
	for (size_t count = payload.count; count--;) {
		struct bytes part = {payload.data, count};
		expect_payload_refused(&part, "NAMES section");
	}
	bytes_free(&payload);
	bytes_free(&tables);
}
