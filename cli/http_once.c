/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/http_once.h"

#include "runtime/http_client.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

struct wait {
	struct loop *loop;
	struct http_answer *answer;
	enum cg_status status;
};

static void done(void *arg, const struct cg_http_response *response)
{
	struct wait *wait = arg;
	struct http_answer *answer = wait->answer;

	answer->result = response->result;
	answer->status = response->status;
	answer->length = response->length;
	answer->date_ms = -1;
	for (size_t i = 0; i < response->header_count; i++) {
		if (strcmp(response->headers[i].name, "date") == 0)
			answer->date_ms = http_client_date(response->headers[i].value);
	}
	answer->body = malloc(response->length + 1);
	if (answer->body == NULL) {
		wait->status = CG_NOMEM;
	} else {
		if (response->length > 0)
			memcpy(answer->body, response->body, response->length);
		answer->body[response->length] = '\0';
	}
	if (response->result != CG_HTTP_DONE)
		cg_text_copy(answer->error, sizeof(answer->error), response->error);
	loop_stop(wait->loop);
}

enum cg_status http_once(const struct cg_http_request *request, struct http_answer *ret,
	struct cg_error *err)
{
	struct cg_http_request own = *request;
	struct wait wait = {.answer = ret};
	struct http_client *http = NULL;
	struct cg_http_call *ignored;
	struct clock clock;
	enum cg_status status;

	*ret = (struct http_answer){.body = NULL};
	own.size = sizeof(own);
	own.flags |= CG_HTTP_OWN_CONNECTION;
	own.on_done = done;
	own.arg = &wait;
	clock_system(&clock, 0);
	status = loop_create(&clock, &wait.loop, err);
	if (status == CG_OK)
		status = http_client_create(wait.loop, &http, err);
	if (status == CG_OK)
		status = http_client_start(http, &own, &ignored, err);
	if (status == CG_OK) {
		loop_run(wait.loop);
		status = wait.status == CG_OK ? CG_OK : cg_error_nomem(err);
	}
	http_client_destroy(http);
	loop_destroy(wait.loop);
	if (status != CG_OK)
		http_answer_finish(ret);
	return status;
}

void http_answer_finish(struct http_answer *answer)
{
	free(answer->body);
	answer->body = NULL;
}
