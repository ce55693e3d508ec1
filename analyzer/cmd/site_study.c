/* SPDX-License-Identifier: MIT */
/* site_study.c: see site_study.h. */
#include "cmd/site_study.h"

#include "cmd/recorded.h"
#include "launch/inspect.h"
#include "study/left.h"
#include "symbol/network.h"

bool site_study_query(const struct reader *reader, const char *order, struct site_query *ret,
		      struct failure *why)
{
	if (!site_query_open(ret, reader->filter, order, reader->thread, why))
		return false;
	ret->without_files = reader->no_symbols;
	ret->ask_network = reader->debuginfod;
	bool can = !reader->debuginfod || network_can_ask(why);
	for (size_t i = 0; can && i < reader->skips.count; i++)
		can = site_query_skip(ret, reader->skips.list[i], why);
	if (!can)
		site_query_close(ret);
	return can;
}

static bool make(const struct site_query *query, struct site_study *ret, struct failure *why)
{
	struct query all;

	if (!query_open(&all, NULL, NULL, why)) {
		recording_free(&ret->recording);
		return false;
	}
	study_make(&ret->recording, &all, &ret->study);
	ret->progress = progress_begin("names of code");
	struct site_query watched = *query;
	watched.progress = &ret->progress;
	sites_make(&ret->study, NULL, &watched, &ret->sites);
	if (!query->by_thread)
		left_apply(&ret->study, &ret->sites);
	query_close(&all);
	return true;
}

bool site_study_open(const char *operand, const struct site_query *query, struct site_study *ret,
		     struct failure *why)
{
	return recorded_read(operand, &ret->recording, why) && make(query, ret, why);
}

bool site_study_open_surveyed(const char *operand, const struct site_query *query,
			      enum moment moment, struct site_study *ret, struct failure *why)
{
	if (!recorded_read(operand, &ret->recording, why))
		return false;
	inspect_running(&ret->recording, moment);
	return make(query, ret, why);
}

void site_study_close(struct site_study *study)
{
	sites_free(&study->sites);
	study_free(&study->study);
	recording_free(&study->recording);
}
