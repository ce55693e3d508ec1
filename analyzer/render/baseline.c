/* SPDX-License-Identifier: MIT */
/* baseline.c: see baseline.h. */
#include "render/baseline.h"

#include "render/json.h"
#include "study/site_name.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void put_text(struct sink *sink, const char *text)
{
	json_t *json = json_text(text);
	char *quoted = json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	if (quoted)
		sink_bytes(sink, quoted, strlen(quoted));
	free(quoted);
	json_decref(json);
}

static void put_facts(const struct baseline_test *test, struct sink *sink)
{
	bool is_first = true;

	sink_print(sink, "      \"environment\": {");
	for (unsigned i = 0; i < BASELINE_FACT_COUNT; i++) {
		if (!test->fact[i])
			continue;
		sink_print(sink, "%s\n        \"%s\": ", is_first ? "" : ",", baseline_fact_keys[i]);
		put_text(sink, test->fact[i]);
		is_first = false;
	}
	sink_print(sink, "\n      },\n");
}

static void put_command(const struct baseline_test *test, struct sink *sink)
{
	if (!test->command)
		return;
	sink_print(sink, "      \"command\": ");
	put_text(sink, test->command);
	sink_print(sink, ",\n");
}

static void put_value(const struct baseline_value *value, struct sink *sink)
{
	sink_print(sink, "        ");
	put_text(sink, value->subject);
	if (value->run_count == 1) {
		sink_print(sink, ": %" PRId64, value->run[0]);
		return;
	}
	for (size_t i = 0; i < value->run_count; i++)
		sink_print(sink, "%s%" PRId64, i ? ", " : ": [", value->run[i]);
	sink_print(sink, "]");
}

static void put_values(const struct baseline_test *test, struct sink *sink)
{
	sink_print(sink, "      \"metrics\": {");
	for (size_t i = 0; i < test->value_count; i++) {
		sink_print(sink, "%s\n", i ? "," : "");
		put_value(&test->values[i], sink);
	}
	sink_print(sink, "\n      },\n");
}

static void put_site(const struct ledger_row *row, struct sink *sink)
{
	sink_print(sink, "        {\"function\": ");
	put_text(sink, row->function);
	sink_print(sink, ", \"file\": ");
	put_text(sink, row->file);
	sink_print(sink, ", \"line\": %u, \"module\": ", row->line);
	put_text(sink, site_file_name(row->module));
	if (row->is_program)
		sink_print(sink, ", \"program\": true");
	sink_print(sink, ", \"names\": \"%016" PRIx64 "\", \"lines\": \"%016" PRIx64 "\"",
		   row->names, row->lines);
	for (unsigned i = 0; i < LEDGER_FIGURE_COUNT; i++)
		if (row->figure[i])
			sink_print(sink, ", \"%s\": %" PRId64, metric_keys[ledger_metrics[i]],
				   row->figure[i]);
	sink_print(sink, "}");
}

static void put_sites(const struct ledger *ledger, struct sink *sink)
{
	sink_print(sink, "      \"sites_by\": \"%s\",\n      \"sites_left_out\": %zu,\n",
		   ledger->by_function ? "function" : "stack", ledger->left_out);
	sink_print(sink, "      \"sites\": [");
	for (size_t i = 0; i < ledger->count; i++) {
		sink_print(sink, "%s\n", i ? "," : "");
		put_site(&ledger->rows[i], sink);
	}
	sink_print(sink, "\n      ]\n");
}

void baseline_json(const struct baseline *baseline, struct sink *sink)
{
	sink_print(sink, "{\n  \"schema\": %d,\n  \"tests\": {", BASELINE_SCHEMA);
	for (size_t i = 0; i < baseline->count; i++) {
		sink_print(sink, "%s\n    ", i ? "," : "");
		put_text(sink, baseline->tests[i].name);
		sink_print(sink, ": {\n");
		put_command(&baseline->tests[i], sink);
		put_facts(&baseline->tests[i], sink);
		put_values(&baseline->tests[i], sink);
		put_sites(&baseline->tests[i].ledger, sink);
		sink_print(sink, "    }");
	}
	sink_print(sink, "\n  }\n}\n");
}
