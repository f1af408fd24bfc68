/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/claimed.h"

#include "cloud-client/delivery.h"
#include "cloud-client/subscription.h"
#include "gateway/conversation/claimed_text.h"
#include "gateway/conversation/draft.h"
#include "gateway/journal/claim.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/retry.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RETRY_MS 1000 /* before an acknowledgement that failed is repeated … */
#define RETRY_MAX_MS 30000
#define RETURN_MS 15000 /* a delivery that was given back is due again not before … */
#define RETURN_SPREAD_MS 60000 /* … and spread over so long */
#define LIFETIME_MS (INT64_C(24) * 60 * 60 * 1000) /* then it is dead */
#define TTL_SENDS 4 /* a claim lasts at least so many sends */

/* A delivery on its way into the journal. */
struct arrival {
	LIST_ENTRY(arrival) link;
	struct claimed *claimed;
	struct draft_route route; /* owned */
	struct drafts drafts;
	struct cg_buffer text;
	char *delivery_id, *channel_binding_id, *claimed_by; /* owned */
	int64_t send_by_ms;
	bool renamed; /* its plain id was taken */
	char key[CLAIM_KEY];
};

/* An acknowledgement under way. */
struct ack {
	LIST_ENTRY(ack) link;
	struct claimed *claimed;
	struct cloud_call *call;
	struct claim claim;
};

struct claimed {
	struct conversation_parts parts;
	struct claimed_options options;
	struct cloud_subscription *subscription;
	LIST_HEAD(, arrival) arrivals;
	LIST_HEAD(, ack) acks; /* at most CLAIM_PAGE */
	size_t arriving, acking, open;
	struct loop_task look;
	/* the next look: a claim ends, or an acknowledgement is repeated */
	struct loop_timer timer;
	/* Our clock less the Cloud's, as the fastest delivery tells it. */
	int64_t skew_ms;
	bool skew_known;
	unsigned failures;
	bool running, collecting, again, connected, refused, paused, foreign;
	/* An acknowledgement may have arrived although nobody said so: a second one finds the
	 * claim gone, and that is nobody else's doing. */
	bool doubtful;
};

static int64_t wall_ms(const struct claimed *claimed)
{
	return clock_wall(loop_clock(claimed->parts.loop));
}

static void tell(
	const struct claimed *claimed, enum claimed_fact fact, const char *detail)
{
	claimed->options.fact(claimed->options.arg, fact, detail);
}

static int64_t spread(const struct claimed *claimed, int64_t most_ms)
{
	return (int64_t)(claimed->options.random(claimed->options.arg) %
			 (uint64_t)most_ms);
}

/* Our time in the Cloud's. */
static int64_t cloud_ms(const struct claimed *claimed, int64_t our_ms)
{
	return our_ms - (claimed->skew_known ? claimed->skew_ms : 0);
}

static void wake(struct claimed *claimed)
{
	loop_defer(claimed->parts.loop, &claimed->look);
}

/* Acknowledged at once, because nothing of it is stored here.  Should that fail, the claim
 * lapses, and the delivery comes again. */
static void ack_unstored(struct claimed *claimed, const struct arrival *arrival,
	enum cloud_delivery_outcome outcome, const char *why)
{
	struct cloud_ack_params params = {
		.delivery_id = arrival->delivery_id,
		.channel_binding_id = arrival->channel_binding_id,
		.claimed_by = arrival->claimed_by,
		.outcome = outcome,
		.last_error = why,
		.next_attempt_ms = cloud_ms(claimed,
			wall_ms(claimed) + RETURN_MS + spread(claimed, RETURN_SPREAD_MS)),
	};

	cloud_ack(claimed->parts.client, &params, NULL, NULL, NULL);
	if (outcome == CLOUD_DELIVERY_DEAD)
		tell(claimed, CLAIMED_UNSENDABLE, why);
	else
		tell(claimed, CLAIMED_RETURNED, arrival->delivery_id);
}

/* Credit. */

static bool is_full(const struct claimed *claimed)
{
	return claimed->open + claimed->arriving >= CLAIMED_OPEN ||
	       !outbox_has_room(claimed->parts.journal);
}

/* Opening the stream claims everything that is due, so it stays closed until there is room. */
static void pause_stream(struct claimed *claimed)
{
	if (claimed->paused)
		return;
	claimed->paused = true;
	claimed->connected = false;
	cloud_subscription_pause(claimed->subscription);
	tell(claimed, CLAIMED_PAUSED, NULL);
}

static void resume_if_room(struct claimed *claimed)
{
	if (!claimed->paused || !claimed->running ||
		claimed->open + claimed->arriving > CLAIMED_OPEN / 2 ||
		!outbox_has_room(claimed->parts.journal))
		return;
	claimed->paused = false;
	cloud_subscription_resume(claimed->subscription);
}

/* Arrivals. */

static void arrival_destroy(struct arrival *arrival)
{
	LIST_REMOVE(arrival, link);
	arrival->claimed->arriving--;
	drafts_finish(&arrival->drafts);
	draft_route_finish(&arrival->route);
	cg_buffer_finish(&arrival->text);
	free(arrival->delivery_id);
	free(arrival->channel_binding_id);
	free(arrival->claimed_by);
	free(arrival);
}

static void store(struct arrival *arrival);

static void stored(void *arg, enum cg_status status, enum claim_standing standing)
{
	struct arrival *arrival = arg;
	struct claimed *claimed = arrival->claimed;

	if (status == CG_EXISTS && !arrival->renamed) {
		arrival->renamed = true;
		store(arrival);
		return;
	}
	if (status == CG_OK && standing != CLAIM_REPEATED)
		claimed->open++; /* until it is counted */
	else if (status == CG_INVALID || status == CG_EXISTS)
		ack_unstored(claimed, arrival, CLOUD_DELIVERY_DEAD,
			"the delivery cannot be stored: its ids or text are too long");
	else if (status != CG_OK)
		ack_unstored(claimed, arrival, CLOUD_DELIVERY_FAILED,
			"the gateway has no room at the moment");
	arrival_destroy(arrival);
	wake(claimed);
}

/* In its own parts, under ids that a second claim makes again. */
static enum cg_status make_drafts(struct arrival *arrival)
{
	char id[DRAFT_ID_MAX];
	struct draft_text text = {.delivery_id = id,
		.source = cg_buffer_string(&arrival->text),
		.purpose = OUTBOX_DELIVERY};
	enum cg_status status;

	if (arrival->renamed)
		snprintf(id, sizeof(id), "%s@%s", arrival->delivery_id,
			arrival->channel_binding_id);
	else
		snprintf(id, sizeof(id), "%s", arrival->delivery_id);
	drafts_finish(&arrival->drafts);
	status = drafts_add_text(
		&arrival->drafts, arrival->claimed->parts.outlet, &arrival->route, &text);
	for (size_t i = 0; i < arrival->drafts.count; i++)
		arrival->drafts.items[i].claim = arrival->key;
	return status == CG_LIMIT ? CG_INVALID : status;
}

static void store(struct arrival *arrival)
{
	struct claim_seed seed = {
		.delivery_id = arrival->delivery_id,
		.channel_binding_id = arrival->channel_binding_id,
		.claimed_by = arrival->claimed_by,
		.send_by_ms = arrival->send_by_ms,
	};
	enum cg_status status = make_drafts(arrival);

	if (status != CG_OK)
		stored(arrival, status, CLAIM_NEW);
	else
		claim_store(arrival->claimed->parts.journal, &seed, arrival->drafts.items,
			arrival->drafts.count, stored, arrival);
}

/*
 * When the claim ends by our clock.  The Cloud tells when it claimed and until when, by its own;
 * the delivery that came fastest tells how far the clocks are apart, and how long this one was
 * on its way counts against the claim.
 */
static int64_t claim_end(struct claimed *claimed, const struct cloud_delivery *delivery)
{
	int64_t now = wall_ms(claimed), skew;

	if (delivery->updated_ms < 0 || delivery->claim_expires_ms < delivery->updated_ms)
		return now + CLOUD_DELIVERY_TTL_MS;
	skew = now - delivery->updated_ms;
	if (!claimed->skew_known || skew < claimed->skew_ms) {
		claimed->skew_ms = skew;
		claimed->skew_known = true;
	}
	return delivery->claim_expires_ms + claimed->skew_ms;
}

static char *copy_text(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

/*
 * A thread that is bound under the chat's own id has none at the platform, and a generation
 * that the gateway added to a session's thread is its own.
 */
static char *platform_thread(const struct cloud_delivery *delivery)
{
	const char *thread = delivery->external_thread_id, *suffix;
	char *copy;

	if (cg_text_blank(thread))
		return NULL;
	copy = strdup(thread);
	suffix = strrchr(thread, '~');
	if (copy != NULL && delivery->session_binding_id != NULL && suffix != NULL &&
		suffix != thread && suffix[1] != '\0' &&
		strspn(suffix + 1, "0123456789") == strlen(suffix + 1))
		copy[suffix - thread] = '\0';
	if (copy != NULL && strcmp(copy, delivery->external_chat_id) == 0) {
		free(copy);
		return NULL;
	}
	return copy;
}

static const struct conversation_channel *find_channel(
	const struct claimed *claimed, const char *binding_id)
{
	for (size_t i = 0; i < claimed->options.channel_count; i++) {
		if (strcmp(claimed->options.channels[i].binding_id, binding_id) == 0)
			return &claimed->options.channels[i];
	}
	return NULL;
}

static bool fill_route(struct arrival *arrival, const struct cloud_delivery *delivery,
	const struct conversation_channel *channel)
{
	struct draft_route *route = &arrival->route;

	route->instance = copy_text(channel->instance);
	route->chat_id = copy_text(delivery->external_chat_id);
	route->thread_id = platform_thread(delivery);
	route->user_id = copy_text(delivery->external_user_id);
	route->binding_id = copy_text(delivery->session_binding_id);
	return route->instance != NULL && route->chat_id != NULL;
}

static struct arrival *arrival_create(
	struct claimed *claimed, const struct cloud_delivery *delivery)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));
	const char *claimed_by = delivery->claimed_by;

	if (arrival == NULL)
		return NULL;
	if (claimed_by == NULL)
		claimed_by = cloud_client_claimed_by(claimed->parts.client);
	arrival->claimed = claimed;
	LIST_INSERT_HEAD(&claimed->arrivals, arrival, link);
	claimed->arriving++;
	cg_buffer_init(&arrival->text, CLAIMED_TEXT_MAX + 64);
	arrival->delivery_id = strdup(delivery->delivery_id);
	arrival->channel_binding_id = strdup(delivery->channel_binding_id);
	arrival->claimed_by = strdup(claimed_by);
	if (arrival->delivery_id != NULL && arrival->channel_binding_id != NULL &&
		arrival->claimed_by != NULL)
		return arrival;
	arrival_destroy(arrival);
	return NULL;
}

/* Not sendable at all, or CG_OK and ready to be stored. */
static const char *find_fault(struct arrival *arrival,
	const struct cloud_delivery *delivery, enum cloud_delivery_outcome *ret_outcome)
{
	struct claimed *claimed = arrival->claimed;
	const struct conversation_channel *channel =
		find_channel(claimed, delivery->channel_binding_id);

	*ret_outcome = CLOUD_DELIVERY_DEAD;
	if (channel == NULL)
		return "this gateway has no channel of that binding";
	if (cg_text_blank(delivery->external_chat_id))
		return "the delivery names no chat";
	*ret_outcome = CLOUD_DELIVERY_FAILED;
	if (!fill_route(arrival, delivery, channel) ||
		claimed_text(delivery, &arrival->text) != CG_OK)
		return "the gateway has no memory at the moment";
	claim_key(arrival->channel_binding_id, arrival->delivery_id, arrival->key);
	arrival->send_by_ms = claim_end(claimed, delivery) - claimed->options.send_ms;
	return NULL;
}

static bool take_delivery(void *arg, const struct cloud_delivery *delivery)
{
	struct claimed *claimed = arg;
	enum cloud_delivery_outcome outcome;
	struct arrival *arrival;
	const char *fault;
	bool full = is_full(claimed);

	arrival = arrival_create(claimed, delivery);
	if (arrival == NULL)
		return true; /* the claim lapses, and it comes again */
	fault = find_fault(arrival, delivery, &outcome);
	if (fault == NULL && full) {
		fault = "too much waits at the gateway";
		outcome = CLOUD_DELIVERY_FAILED;
	}
	if (fault == NULL) {
		store(arrival);
	} else {
		ack_unstored(claimed, arrival, outcome, fault);
		arrival_destroy(arrival);
	}
	if (full)
		pause_stream(claimed);
	return !full;
}

/* Acknowledging. */

static void ack_free(struct ack *ack)
{
	LIST_REMOVE(ack, link);
	ack->claimed->acking--;
	free(ack);
}

static void closed(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct ack *ack = arg;
	struct claimed *claimed = ack->claimed;

	(void)err;
	if (status != CG_OK)
		claimed->failures++;
	else
		claimed->again = true;
	ack_free(ack);
	if (claimed->acking == 0)
		wake(claimed);
}

static void close_claim(struct ack *ack)
{
	claim_close(ack->claimed->parts.journal, ack->claim.key, wall_ms(ack->claimed),
		closed, ack);
}

/* The claim had time left, and nobody but its holder acknowledges: somebody has our name. */
static bool is_foreign(const struct ack *ack)
{
	const struct claimed *claimed = ack->claimed;

	return !claimed->doubtful && wall_ms(claimed) < ack->claim.send_by_ms;
}

static void acknowledged(void *arg, const struct cloud_result *result,
	const struct cloud_delivery *delivery)
{
	struct ack *ack = arg;
	struct claimed *claimed = ack->claimed;

	(void)delivery;
	ack->call = NULL;
	if (result->error == CLOUD_OK || result->error == CLOUD_NOT_FOUND ||
		result->error == CLOUD_CONFLICT || result->error == CLOUD_INVALID) {
		claimed->failures = 0;
		if (result->error == CLOUD_NOT_FOUND && is_foreign(ack)) {
			claimed->foreign = true;
			tell(claimed, CLAIMED_FOREIGN, ack->claim.delivery_id);
		}
		close_claim(ack);
		return;
	}
	claimed->failures++;
	claimed->doubtful = claimed->doubtful || result->dispatched;
	if (result->error == CLOUD_UNAUTHORIZED || result->error == CLOUD_FORBIDDEN) {
		claimed->refused = true;
		tell(claimed, CLAIMED_REFUSED, result->policy_code);
	}
	ack_free(ack);
	if (claimed->acking == 0)
		wake(claimed);
}

/* A little later than the platform's own time, if it gave one. */
static int64_t next_attempt(const struct claimed *claimed, const struct claim *claim)
{
	int64_t next = wall_ms(claimed) + RETURN_MS + spread(claimed, RETURN_SPREAD_MS);

	return cloud_ms(claimed, next > claim->next_ms ? next : claim->next_ms);
}

static void acknowledge(struct claimed *claimed, const struct claim *claim)
{
	static const enum cloud_delivery_outcome outcomes[] = {
		[CLAIM_SENT] = CLOUD_DELIVERY_SENT,
		[CLAIM_RETURNED] = CLOUD_DELIVERY_FAILED,
		[CLAIM_DEAD] = CLOUD_DELIVERY_DEAD,
	};
	struct ack *ack = calloc(1, sizeof(*ack));
	struct cloud_ack_params params;

	if (ack == NULL) {
		claimed->failures++;
		return;
	}
	ack->claimed = claimed;
	ack->claim = *claim;
	params = (struct cloud_ack_params){
		.delivery_id = ack->claim.delivery_id,
		.channel_binding_id = ack->claim.channel_binding_id,
		.claimed_by = ack->claim.claimed_by,
		.outcome = outcomes[claim->outcome],
		.last_error = claim->error[0] == '\0' ? NULL : ack->claim.error,
		.next_attempt_ms = claim->outcome == CLAIM_RETURNED
					   ? next_attempt(claimed, claim)
					   : -1,
	};
	if (claim->outcome == CLAIM_RETURNED &&
		wall_ms(claimed) - claim->created_ms >= LIFETIME_MS) {
		params.outcome = CLOUD_DELIVERY_DEAD;
		params.last_error = "it could not be sent within 24 hours";
	}
	LIST_INSERT_HEAD(&claimed->acks, ack, link);
	claimed->acking++;
	if (cloud_ack(claimed->parts.client, &params, acknowledged, ack, &ack->call) !=
		CG_OK) {
		claimed->failures++;
		ack_free(ack);
	}
}

static void arm(struct claimed *claimed, int64_t next_ms)
{
	int64_t wait = next_ms > 0 ? next_ms - wall_ms(claimed) : -1, retry;

	if (claimed->failures > 0 && claimed->acking == 0) {
		retry = cg_retry_reconnect(RETRY_MS, RETRY_MAX_MS, claimed->failures,
			claimed->options.random(claimed->options.arg));
		wait = wait < 0 || retry < wait ? retry : wait;
	}
	if (wait >= 0)
		loop_timer_set(&claimed->timer, wait < 1 ? 1 : wait);
}

static void collected(void *arg, enum cg_status status, const struct claim *claims,
	size_t count, int64_t open, int64_t next_ms)
{
	struct claimed *claimed = arg;

	claimed->collecting = false;
	if (!claimed->running && count == 0)
		return;
	if (status != CG_OK) {
		claimed->failures++;
		arm(claimed, 0);
		return;
	}
	claimed->open = (size_t)open;
	if (count == 0) {
		claimed->failures = 0;
		claimed->doubtful = false;
	}
	for (size_t i = 0; i < count; i++)
		acknowledge(claimed, &claims[i]);
	arm(claimed, next_ms);
	resume_if_room(claimed);
	if (claimed->again)
		wake(claimed);
}

static void look(void *arg)
{
	struct claimed *claimed = arg;

	/* What is being acknowledged would be found again. */
	if (claimed->collecting || claimed->acking > 0) {
		claimed->again = true;
		return;
	}
	claimed->again = false;
	claimed->collecting = true;
	claim_collect(claimed->parts.journal, wall_ms(claimed), collected, claimed);
}

void claimed_look(struct claimed *claimed)
{
	wake(claimed);
}

void claimed_room(struct claimed *claimed)
{
	resume_if_room(claimed);
}

static void time_came(void *arg)
{
	wake(arg);
}

/* The stream. */

static void opened(void *arg, int64_t after)
{
	struct claimed *claimed = arg;

	(void)after;
	claimed->connected = true;
	claimed->refused = false;
	tell(claimed, CLAIMED_CONNECTED, NULL);
}

static void interrupted(void *arg, const struct cloud_result *why, int64_t retry_ms)
{
	struct claimed *claimed = arg;

	(void)retry_ms;
	claimed->connected = false;
	tell(claimed, CLAIMED_LOST, cloud_error_name(why->error));
}

static void trouble(void *arg, const char *message)
{
	tell(arg, CLAIMED_TROUBLE, message);
}

static void refused(void *arg, const struct cloud_result *why)
{
	struct claimed *claimed = arg;

	claimed->connected = false;
	claimed->refused = true;
	tell(claimed, CLAIMED_REFUSED, why->policy_code);
}

static void ended(void *arg, const struct cloud_result *why)
{
	struct claimed *claimed = arg;

	claimed->connected = false;
	tell(claimed, CLAIMED_LOST, cloud_error_name(why->error));
}

static enum cg_status subscribe(struct claimed *claimed, struct cg_error *err)
{
	const char *bindings[CONVERSATION_CHANNELS];
	struct cloud_delivery_stream_params params = {
		.channel_binding_ids = bindings,
		.ttl_ms = CLOUD_DELIVERY_TTL_MS,
	};
	struct cloud_subscription_handler handler = {
		.open = opened,
		.delivery = take_delivery,
		.interrupted = interrupted,
		.trouble = trouble,
		.refused = refused,
		.ended = ended,
		.arg = claimed,
	};

	for (size_t i = 0; i < claimed->options.channel_count &&
			   params.channel_binding_count < CONVERSATION_CHANNELS;
		i++)
		bindings[params.channel_binding_count++] =
			claimed->options.channels[i].binding_id;
	if (params.ttl_ms < TTL_SENDS * claimed->options.send_ms)
		params.ttl_ms = TTL_SENDS * claimed->options.send_ms;
	return cloud_delivery_stream(
		claimed->parts.client, &params, &handler, &claimed->subscription, err);
}

/* Life. */

enum cg_status claimed_create(const struct conversation_parts *parts,
	const struct claimed_options *options, struct claimed **ret, struct cg_error *err)
{
	struct claimed *claimed = calloc(1, sizeof(*claimed));

	if (claimed == NULL)
		return cg_error_nomem(err);
	claimed->parts = *parts;
	claimed->options = *options;
	claimed->doubtful = true; /* an earlier process may have acknowledged last */
	LIST_INIT(&claimed->arrivals);
	LIST_INIT(&claimed->acks);
	loop_task_init(&claimed->look, look, claimed);
	if (loop_timer_init(&claimed->timer, parts->loop, time_came, claimed) != CG_OK) {
		free(claimed);
		return cg_error_nomem(err);
	}
	*ret = claimed;
	return CG_OK;
}

void claimed_start(struct claimed *claimed)
{
	struct cg_error err = {.text = ""};

	claimed->running = true;
	wake(claimed);
	if (claimed->options.channel_count > 0 && subscribe(claimed, &err) != CG_OK)
		tell(claimed, CLAIMED_TROUBLE, err.text);
}

void claimed_stop(struct claimed *claimed)
{
	claimed->running = false;
	claimed->connected = false;
	cloud_subscription_close(claimed->subscription);
	claimed->subscription = NULL;
}

void claimed_retry(struct claimed *claimed)
{
	if (claimed->refused && claimed->subscription != NULL && !claimed->paused)
		cloud_subscription_restart(claimed->subscription);
	claimed->refused = false;
}

void claimed_destroy(struct claimed *claimed)
{
	struct ack *ack;

	if (claimed == NULL)
		return;
	cloud_subscription_close(claimed->subscription);
	while ((ack = LIST_FIRST(&claimed->acks)) != NULL) {
		cloud_call_cancel(ack->call);
		ack_free(ack);
	}
	while (!LIST_EMPTY(&claimed->arrivals))
		arrival_destroy(LIST_FIRST(&claimed->arrivals));
	loop_undefer(claimed->parts.loop, &claimed->look);
	loop_timer_finish(&claimed->timer);
	free(claimed);
}

void claimed_figures(const struct claimed *claimed, struct claimed_figures *ret)
{
	*ret = (struct claimed_figures){
		.open = claimed->open + claimed->arriving,
		.connected = claimed->connected,
		.paused = claimed->paused,
		.refused = claimed->refused,
		.foreign = claimed->foreign,
	};
}
