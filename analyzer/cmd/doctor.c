/* SPDX-License-Identifier: MIT */
/* doctor.c: `poolmem doctor`: what works here and what does not, in plain words. */
#include "cmd/command.h"
#include "launch/machine.h"
#include "launch/settings.h"
#include "launch/target.h"
#include "launch/trial.h"
#include "text/escape.h"
#include "text/sink.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCTOR_SCHEMA = 1, FINDING_TEXT_MAX = PATH_MAX + 2 * TARGET_DETAIL_MAX };

static const struct command_option options[] = {
	{"--json", "the same as JSON"},
	{"--lib PATH", "the libpoolmem.so to try"},
	{NULL, NULL},
};

const struct command_help help_doctor = {
	.usage = "doctor [options] [PROGRAM...]",
	.purpose = "Checks this machine, and programs that are named, and says what will not work, why,\n"
		   "and what to do.  Exits with 1 when something will not work.",
	.options = options,
	.examples =
		{
			{"poolmem doctor", "kernel, C library, limits, shared memory, a trial run"},
			{"poolmem doctor ./app", "whether ./app can be recorded"},
			{"poolmem doctor --json | jq .ok", "for scripts"},
		},
};

struct diagnosis {
	bool all_well;
	struct checks checks;
	size_t program_count;
	char **programs;
	struct target *targets;
};

static const struct {
	const char *word;
	enum style style;
} verdicts[] = {
	[CHECK_GOOD] = {"ok", STYLE_PLAIN},
	[CHECK_NOTE] = {"note", STYLE_TITLE},
	[CHECK_FAIL] = {"FAIL", STYLE_WARN},
};

static enum check_verdict verdict_of_weight(enum target_weight weight)
{
	return weight == TARGET_PARTLY ? CHECK_NOTE : CHECK_FAIL;
}

static enum check_verdict verdict_of_target(const struct target *target)
{
	if (target->error)
		return CHECK_FAIL;
	return target->finding_count ? verdict_of_weight(target_weight(target)) : CHECK_GOOD;
}

static void diagnose(struct diagnosis *diagnosis, const char *library)
{
	machine_check(&diagnosis->checks);
	settings_adopt(); /* told above: the trial is not to tell it again */
	trial_check(&diagnosis->checks, library);
	diagnosis->all_well = true;
	for (size_t i = 0; i < diagnosis->checks.count; i++)
		if (diagnosis->checks.check[i].verdict == CHECK_FAIL)
			diagnosis->all_well = false;
	for (size_t i = 0; i < diagnosis->program_count; i++) {
		target_inspect(diagnosis->programs[i], getenv("PATH"), &diagnosis->targets[i]);
		if (verdict_of_target(&diagnosis->targets[i]) == CHECK_FAIL)
			diagnosis->all_well = false;
	}
}

static void print_line(struct sink *sink, enum check_verdict verdict, const char *name,
		       const char *text)
{
	sink_style(sink, verdicts[verdict].style);
	sink_print(sink, "%-4s", verdicts[verdict].word);
	sink_style(sink, STYLE_PLAIN);
	sink_print(sink, "  %-14s %s\n", name, text);
}

static void print_target(struct sink *sink, const char *program, const struct target *target)
{
	char text[FINDING_TEXT_MAX];

	if (target->error)
		print_line(sink, CHECK_FAIL, program, strerror(target->error));
	else if (target->finding_count == 0)
		print_line(sink, CHECK_GOOD, program, "can be recorded");
	for (size_t i = 0; i < target->finding_count; i++) {
		target_finding_text(&target->finding[i], text, sizeof(text));
		print_line(sink, verdict_of_weight(target_finding_weight(target->finding[i].kind)),
			   program, text);
	}
}

static void print_text(struct sink *sink, const struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->checks.count; i++) {
		const struct check *check = &diagnosis->checks.check[i];

		print_line(sink, check->verdict, check->name, check->text);
		if (check->verdict != CHECK_GOOD && check->advice)
			sink_print(sink, "      %-14s -> %s\n", "", check->advice);
	}
	for (size_t i = 0; i < diagnosis->program_count; i++)
		print_target(sink, diagnosis->programs[i], &diagnosis->targets[i]);
	sink_print(sink, "%s\n",
		   diagnosis->all_well ? "all well"
				       : "something will not work: see the lines with FAIL");
}

static json_t *text_json(const char *text)
{
	char *repaired = repair_utf8(text, strlen(text));
	json_t *json = json_string(repaired);

	free(repaired);
	return json;
}

static json_t *check_json(const struct check *check)
{
	return json_pack("{s:s, s:s, s:o, s:s?}", "name", check->name, "verdict",
			 verdicts[check->verdict].word, "text", text_json(check->text), "advice",
			 check->verdict == CHECK_GOOD ? NULL : check->advice);
}

static json_t *finding_json(const struct target_finding *finding)
{
	enum check_verdict verdict = verdict_of_weight(target_finding_weight(finding->kind));
	char text[FINDING_TEXT_MAX];

	target_finding_text(finding, text, sizeof(text));
	return json_pack("{s:s, s:s, s:o, s:o}", "finding", target_finding_key(finding->kind),
			 "verdict", verdicts[verdict].word, "path", text_json(finding->path),
			 "text", text_json(text));
}

static json_t *target_json(const char *program, const struct target *target)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < target->finding_count; i++)
		json_array_append_new(findings, finding_json(&target->finding[i]));
	return json_pack("{s:o, s:s, s:o, s:s?, s:o}", "program", text_json(program), "verdict",
			 verdicts[verdict_of_target(target)].word, "path", text_json(target->path),
			 "error", target->error ? strerror(target->error) : NULL, "findings",
			 findings);
}

static void print_json(struct sink *sink, const struct diagnosis *diagnosis)
{
	json_t *checks = json_array(), *programs = json_array();

	for (size_t i = 0; i < diagnosis->checks.count; i++)
		json_array_append_new(checks, check_json(&diagnosis->checks.check[i]));
	for (size_t i = 0; i < diagnosis->program_count; i++)
		json_array_append_new(programs,
				      target_json(diagnosis->programs[i], &diagnosis->targets[i]));
	json_t *json = json_pack("{s:i, s:{}, s:{}, s:[], s:b, s:o, s:o}", "schema", DOCTOR_SCHEMA,
				 "metrics", "estimated", "notes", "ok", diagnosis->all_well,
				 "checks", checks, "programs", programs);
	char *text = json_dumps(json, JSON_INDENT(2));

	if (text)
		sink_bytes(sink, text, strlen(text));
	sink_bytes(sink, "\n", 1);
	free(text);
	json_decref(json);
}

/* The exit code. */
static int print(const struct diagnosis *diagnosis, bool as_json)
{
	struct failure why;
	struct sink sink;

	if (!sink_open(&sink, NULL, &why))
		return failure_report(&why);
	if (as_json)
		print_json(&sink, diagnosis);
	else
		print_text(&sink, diagnosis);
	if (!sink_close(&sink, &why))
		return failure_report(&why);
	return diagnosis->all_well ? EXIT_DONE : EXIT_NOTHING;
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'},
		{"lib", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	static const char *const words[] = {"json", "lib"};
	struct diagnosis diagnosis = {0};
	const char *library = NULL;
	bool as_json = false;
	int letter;

	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (letter == 'j')
			as_json = true;
		else if (letter == 'l')
			library = optarg;
		else if (letter == ':')
			return command_usage_error("doctor", "'%s' needs a value", argv[optind - 1]);
		else
			return command_unknown_option("doctor", argv, words,
						      sizeof words / sizeof *words);
	}
	diagnosis.programs = argv + optind;
	diagnosis.program_count = (size_t)(argc - optind);
	diagnosis.targets = calloc(diagnosis.program_count + 1, sizeof(*diagnosis.targets));
	if (!diagnosis.targets)
		return EXIT_NOTHING;
	diagnose(&diagnosis, library);
	int code = print(&diagnosis, as_json);

	free(diagnosis.targets);
	return code;
}
