/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Did it arrive?  Every message carries the hash of its delivery id as metadata; what was said in
 * its conversation since is searched for that.  Without the scope to read it nobody knows.
 */
#include "slack.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_LIMIT "200"
#define PAGES_MAX 5 /* then nobody knows: a thousand messages have been said since */
#define BODY_MAX 4096
#define CURSOR_MAX 256
/* A message is tried for a day; older ones need not be searched. */
#define LOOK_BACK_S (INT64_C(25) * 60 * 60)

struct slack_query {
	LIST_ENTRY(slack_query) link;
	struct slack *slack;
	const struct cg_outbound *outbound; /* borrowed until the end */
	struct cg_http_call *call;
	struct cg_timer *timer; /* tells what could not begin */
	cg_query_done done;
	void *arg;
	unsigned pages;
	int64_t deadline_ms;
	char cursor[CURSOR_MAX];
};

static void query_end(
	struct slack_query *query, enum cg_query_result result, const char *message_id)
{
	LIST_REMOVE(query, link);
	query->done(query->arg, result, message_id);
	free(query);
}

static void end_unknown(void *arg)
{
	query_end(arg, CG_QUERY_UNKNOWN, NULL);
}

static enum cg_status ask_page(struct slack_query *query);

static void page_came(void *arg, const struct cg_http_response *response)
{
	struct slack_query *query = arg;
	struct slack_answer answer;
	struct json_object *metadata;
	char mark[SLACK_MARK];
	const char *ts, *cursor;

	query->call = NULL;
	slack_answer_init(&answer, response);
	slack_wire_mark(query->outbound->delivery_id, mark);
	ts = slack_wire_find(cg_json_array(answer.document, "messages"), mark);
	metadata = cg_json_object(answer.document, "response_metadata");
	cursor = cg_json_string_or(metadata, "next_cursor", "");
	if (!answer.ok || response->status >= 300) {
		query_end(query, CG_QUERY_UNKNOWN, NULL);
	} else if (ts != NULL) {
		query_end(query, CG_QUERY_ARRIVED, ts);
	} else if (!cg_json_bool(answer.document, "has_more", false)) {
		query_end(query, CG_QUERY_ABSENT, NULL);
	} else if (cursor[0] == '\0' || strlen(cursor) >= CURSOR_MAX ||
		   query->pages == PAGES_MAX) {
		query_end(query, CG_QUERY_UNKNOWN, NULL);
	} else {
		cg_text_copy(query->cursor, sizeof(query->cursor), cursor);
		if (ask_page(query) != CG_OK)
			query_end(query, CG_QUERY_UNKNOWN, NULL);
	}
	slack_answer_finish(&answer);
}

static void write_form(const struct slack_query *query, struct cg_buffer *form)
{
	const struct cg_host *host = query->slack->host;
	const struct cg_target *target = &query->outbound->target;
	char oldest[24];

	snprintf(oldest, sizeof(oldest), "%" PRId64,
		host->wall_ms(host) / 1000 - LOOK_BACK_S);
	slack_form_add(form, "channel", target->chat_id);
	if (target->thread_id != NULL)
		slack_form_add(form, "ts", target->thread_id);
	slack_form_add(form, "oldest", oldest);
	slack_form_add(form, "limit", PAGE_LIMIT);
	slack_form_add(form, "include_all_metadata", "true");
	if (query->cursor[0] != '\0')
		slack_form_add(form, "cursor", query->cursor);
}

static enum cg_status ask_page(struct slack_query *query)
{
	const struct cg_host *host = query->slack->host;
	int64_t left = query->deadline_ms - host->mono_ms(host);
	struct slack_call call = {
		.method = query->outbound->target.thread_id != NULL
				  ? "conversations.replies"
				  : "conversations.history",
		.type = SLACK_FORM,
		.timeout_ms = left > 1 ? left : 1,
		.done = page_came,
		.arg = query,
	};
	struct cg_buffer form;
	enum cg_status status;

	cg_buffer_init(&form, BODY_MAX);
	write_form(query, &form);
	call.body = &form;
	query->pages++;
	status = cg_buffer_status(&form);
	if (status == CG_OK)
		status = slack_call(query->slack, &call, &query->call, NULL);
	cg_buffer_finish(&form);
	return status;
}

/* A file's message is Slack's own and carries nothing of ours. */
static bool can_be_asked(const struct cg_outbound *outbound)
{
	return outbound->delivery_id != NULL && outbound->target.chat_id != NULL &&
	       (outbound->kind == CG_OUTBOUND_TEXT ||
		       outbound->kind == CG_OUTBOUND_BUTTONS);
}

void slack_ask(
	void *self, const struct cg_outbound *outbound, cg_query_done done, void *arg)
{
	struct slack *slack = self;
	struct slack_query *query = calloc(1, sizeof(*query));

	if (query == NULL)
		abort(); /* the daemon waits for an answer that could never come */
	query->slack = slack;
	query->outbound = outbound;
	query->done = done;
	query->arg = arg;
	query->deadline_ms = slack->host->mono_ms(slack->host) +
			     (outbound->timeout_ms > 0 ? outbound->timeout_ms : 30000);
	LIST_INSERT_HEAD(&slack->queries, query, link);
	if (can_be_asked(outbound) && ask_page(query) == CG_OK)
		return;
	query->call = NULL;
	query->timer = slack->host->timer_start(slack->host, 0, end_unknown, query);
}

bool slack_ask_cancel(struct slack *slack, const void *arg)
{
	struct slack_query *query;

	LIST_FOREACH (query, &slack->queries, link) {
		if (query->arg == arg)
			break;
	}
	if (query == NULL)
		return false;
	if (query->call != NULL)
		slack->host->http_cancel(slack->host, query->call);
	slack->host->timer_cancel(slack->host, query->timer);
	query_end(query, CG_QUERY_UNKNOWN, NULL);
	return true;
}

void slack_ask_finish(struct slack *slack)
{
	struct slack_query *query;

	while ((query = LIST_FIRST(&slack->queries)) != NULL) {
		LIST_REMOVE(query, link);
		free(query);
	}
}
