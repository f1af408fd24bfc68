/* SPDX-License-Identifier: Apache-2.0 */
/* Sends under way, and what an HTTP exchange says about one. */
#include <cowgate/sdk/send.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>

void cg_sends_init(struct cg_sends *sends, const struct cg_host *host, void *owner)
{
	*sends = (struct cg_sends){.host = host, .owner = owner, .turn = 1};
	LIST_INIT(&sends->open);
}

void cg_sends_finish(struct cg_sends *sends)
{
	struct cg_send *send;

	while ((send = LIST_FIRST(&sends->open)) != NULL) {
		LIST_REMOVE(send, link);
		free(send);
	}
}

struct cg_send *cg_send_open(struct cg_sends *sends, const struct cg_outbound *outbound,
	cg_send_done done, void *arg)
{
	struct cg_send *send = calloc(1, sizeof(*send));

	if (send == NULL)
		abort();
	send->sends = sends;
	send->outbound = outbound;
	send->done = done;
	send->arg = arg;
	LIST_INSERT_HEAD(&sends->open, send, link);
	return send;
}

void cg_send_end(struct cg_send *send, const struct cg_outcome *outcome)
{
	/* The completion may ask for the next send: this one is gone by then. */
	LIST_REMOVE(send, link);
	send->done(send->arg, outcome);
	free(send);
}

/* The oldest that was decided before @turn; the list has the newest in front. */
static struct cg_send *decided_before(struct cg_sends *sends, unsigned turn)
{
	struct cg_send *send, *oldest = NULL;

	LIST_FOREACH (send, &sends->open, link) {
		if (send->later != 0 && send->later < turn)
			oldest = send;
	}
	return oldest;
}

static void tell_later(void *arg)
{
	struct cg_sends *sends = arg;
	struct cg_send *send;
	unsigned turn = ++sends->turn;

	sends->timer = NULL;
	/* A completion may open, end and cancel others: look anew each time. */
	while ((send = decided_before(sends, turn)) != NULL)
		cg_send_end(send, &send->outcome);
}

void cg_send_end_later(struct cg_send *send, const struct cg_outcome *outcome)
{
	struct cg_sends *sends = send->sends;

	send->outcome = *outcome;
	if (outcome->message_id != NULL) {
		cg_text_copy(
			send->message_id, sizeof(send->message_id), outcome->message_id);
		send->outcome.message_id = send->message_id;
	}
	if (outcome->detail != NULL) {
		cg_text_copy(send->detail, sizeof(send->detail), outcome->detail);
		send->outcome.detail = send->detail;
	}
	send->later = sends->turn;
	/* Without a timer it is told with the next one, or by the daemon's deadline. */
	if (sends->timer == NULL)
		sends->timer =
			sends->host->timer_start(sends->host, 0, tell_later, sends);
}

void cg_send_refuse(struct cg_send *send, const char *detail)
{
	cg_send_end_later(send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
					.class = CG_OUTCOME_REFUSED,
					.scope = CG_SCOPE_MESSAGE,
					.retry_after_ms = -1,
					.detail = detail});
}

void cg_sends_cancel(struct cg_sends *sends, const void *arg)
{
	const struct cg_outcome cancelled = {.size = sizeof(cancelled),
		.class = CG_OUTCOME_AMBIGUOUS,
		.retry_after_ms = -1,
		.detail = "not answered in time"};
	struct cg_send *send;

	LIST_FOREACH (send, &sends->open, link) {
		if (send->arg == arg)
			break;
	}
	if (send == NULL)
		return;
	if (send->call != NULL)
		sends->host->http_cancel(sends->host, send->call);
	cg_send_end(send, send->later != 0 ? &send->outcome : &cancelled);
}

static void judge_status(
	const struct cg_http_response *response, struct cg_outcome *outcome)
{
	int status = response->status;

	outcome->platform_status = status;
	outcome->retry_after_ms = response->retry_after_ms;
	if (status >= 200 && status <= 299) {
		outcome->class = CG_OUTCOME_SENT;
	} else if (status == 429) {
		outcome->class = CG_OUTCOME_RATE_LIMITED;
		outcome->scope = CG_SCOPE_DESTINATION;
	} else if (status >= 300 && status <= 499) {
		outcome->class = CG_OUTCOME_REFUSED;
	} else {
		outcome->class = CG_OUTCOME_AMBIGUOUS;
		outcome->scope = CG_SCOPE_DESTINATION;
	}
}

void cg_outcome_of_http(
	const struct cg_http_response *response, struct cg_outcome *ret_outcome)
{
	struct cg_outcome outcome = {.size = sizeof(outcome),
		.scope = CG_SCOPE_MESSAGE,
		.retry_after_ms = -1,
		.detail = response->error};

	switch (response->result) {
	case CG_HTTP_DONE:
	case CG_HTTP_TOO_LARGE: /* the head came: the verdict is in its status */
		judge_status(response, &outcome);
		break;
	case CG_HTTP_NOT_DISPATCHED:
		outcome.class = CG_OUTCOME_NOT_DISPATCHED;
		outcome.scope = CG_SCOPE_DESTINATION;
		break;
	case CG_HTTP_POLICY:
		outcome.class = CG_OUTCOME_REFUSED;
		outcome.scope = CG_SCOPE_DESTINATION;
		break;
	case CG_HTTP_NO_ANSWER:
	case CG_HTTP_TIMED_OUT:
	case CG_HTTP_CANCELLED:
		outcome.class = CG_OUTCOME_AMBIGUOUS;
		outcome.scope = CG_SCOPE_DESTINATION;
		break;
	}
	*ret_outcome = outcome;
}
