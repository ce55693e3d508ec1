/* SPDX-License-Identifier: MIT */
/* site_study.c: see site_study.h. */
#include "cmd/site_study.h"

#include "cmd/recorded.h"
#include "symbol/network.h"

bool site_study_query(const struct reader *reader, struct site_query *ret, struct failure *why)
{
	if (!site_query_open(ret, reader->filter, reader->order, reader->thread, why))
		return false;
	ret->without_files = reader->no_symbols;
	ret->ask_network = reader->debuginfod;
	if (!reader->debuginfod || network_can_ask(why))
		return true;
	site_query_close(ret);
	return false;
}

bool site_study_open(const struct reader *reader, const struct site_query *query,
		     struct site_study *ret, struct failure *why)
{
	struct query all;

	if (!query_open(&all, NULL, NULL, why) ||
	    !recorded_read(reader->operand, &ret->recording, why))
		return false;
	study_make(&ret->recording, &all, &ret->study);
	ret->progress = progress_begin("names of code");
	struct site_query watched = *query;
	watched.progress = &ret->progress;
	sites_make(&ret->study, NULL, &watched, &ret->sites);
	query_close(&all);
	return true;
}

void site_study_close(struct site_study *study)
{
	sites_free(&study->sites);
	study_free(&study->study);
	recording_free(&study->recording);
}
