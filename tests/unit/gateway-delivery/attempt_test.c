/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/compose.h"
#include "gateway/delivery/verdict.h"
#include "tests/faults/fault_vfs.h"
#include "tests/unit/gateway-delivery/delivery_rig.h"

static const struct cg_outcome maybe = {.class = CG_OUTCOME_AMBIGUOUS};

static struct obligation slot_of(const char *id, const char *chat)
{
	struct obligation o = rig_obligation(id, chat);

	o.purpose = OUTBOX_SLOT;
	return o;
}

static struct obligation final_of(const char *id, const char *chat, const char *slot)
{
	struct obligation o = rig_obligation(id, chat);

	o.slot_id = slot;
	return o;
}

static void attempt_is_committed_before_and_after(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "chat");
	yard_say(&yard, "b", "chat");
	yard_await(&yard, 1);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].id, "a");
	CU_ASSERT_EQUAL(yard.sends[0].state, OUTBOX_SENDING);
	CU_ASSERT_EQUAL(yard.sends[0].attempt, 1);
	CU_ASSERT_EQUAL(yard.sends[0].timeout_ms, 10000);
	yard.rig.now_ms += 250;
	yard_receipt(&yard, 0, "77");
	/* The lane is free only when the receipt has been stored. */
	CU_ASSERT_EQUAL(delivery_in_flight(yard.delivery), 1);
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].id, "b");
	CU_ASSERT_EQUAL(rig_number(&yard.rig,
				"SELECT count(*) FROM outbox WHERE delivery_id = 'a'"
				" AND state = 2 AND receipt = '77'"),
		1);
	CU_ASSERT_EQUAL(yard.reports[OUTBOX_SENT], 1);
	CU_ASSERT_EQUAL(yard.latency_ms, 250);
	yard_finish(&yard);
}

static void attempt_waits_by_the_schedule(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "chat");
	yard_await(&yard, 1);
	yard_end(&yard, 0, (struct cg_outcome){.class = CG_OUTCOME_NOT_DISPATCHED});
	yard_await_state(&yard, "a", OUTBOX_PENDING);
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_pass(&yard, 799); /* a second less a fifth */
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_pass(&yard, 1);
	yard_await(&yard, 2);
	CU_ASSERT_EQUAL(yard.sends[1].attempt, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].text, "text"); /* nothing had left */
	CU_ASSERT_EQUAL(yard.reports[OUTBOX_PENDING], 1);
	yard_finish(&yard);
}

static void attempt_limit_survives_a_restart(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "chat");
	yard_await(&yard, 1);
	yard_end(&yard, 0,
		(struct cg_outcome){
			.class = CG_OUTCOME_RATE_LIMITED, .retry_after_ms = 60000});
	yard_await_state(&yard, "a", OUTBOX_PENDING);
	yard_restart(&yard);
	yard_pass(&yard, 59999);
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 0);
	yard_pass(&yard, 1);
	yard_await(&yard, 1);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].id, "a");
	CU_ASSERT_EQUAL(rig_number(&yard.rig, "SELECT max(failures) FROM outbox"), 0);
	yard_finish(&yard);
}

static void attempt_refused_is_dead_and_the_lane_goes_on(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "chat");
	yard_say(&yard, "b", "chat");
	yard_await(&yard, 1);
	yard_end(&yard, 0,
		(struct cg_outcome){.class = CG_OUTCOME_REFUSED,
			.scope = CG_SCOPE_CHAT,
			.platform_status = 403,
			.detail = "blocked"});
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].id, "b");
	CU_ASSERT_EQUAL(
		rig_number(&yard.rig, "SELECT count(*) FROM outbox WHERE state = 4 AND"
				      " reason = 'refused' AND scope = 'chat' AND"
				      " platform_status = 403 AND detail = 'blocked'"),
		1);
	CU_ASSERT_EQUAL(yard.reports[OUTBOX_DEAD], 1);
	yard_finish(&yard);
}

/* What an ambiguous send becomes, by what the platform lets us do. */

static void attempt_unknown_is_sent_once_more_and_says_so(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "chat");
	yard_say(&yard, "b", "chat");
	yard_await(&yard, 1);
	yard_end(&yard, 0, maybe);
	yard_await_state(&yard, "a", OUTBOX_UNKNOWN);
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 1); /* it holds its chat */
	yard_pass(&yard, VERDICT_UNKNOWN_MS);
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].id, "a");
	CU_ASSERT_EQUAL(
		strncmp(yard.sends[1].text, COMPOSE_LABEL, sizeof(COMPOSE_LABEL) - 1), 0);
	yard_end(&yard, 1, maybe);
	YARD_UNTIL(&yard, yard.reports[OUTBOX_DEAD] == 1); /* a third would help nobody */
	CU_ASSERT_STRING_EQUAL(yard.reason, "ambiguous");
	yard_await(&yard, 3);
	CU_ASSERT_STRING_EQUAL(yard.sends[2].id, "b");
	yard_finish(&yard);
}

static void attempt_unknown_is_repeated_under_its_key(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.reconcile = CG_RECONCILE_IDEMPOTENCY_KEY;
	yard_say(&yard, "a", "chat");
	for (unsigned i = 0; i < 3; i++) {
		yard_await(&yard, i + 1);
		CU_ASSERT_STRING_EQUAL(yard.sends[i].id, "a");
		CU_ASSERT_STRING_EQUAL(yard.sends[i].text, "text");
		yard_end(&yard, i, maybe);
		yard_await_state(&yard, "a", OUTBOX_PENDING);
		yard_pass(&yard, 15000);
	}
	yard_finish(&yard);
}

static void attempt_unknown_is_repeated_once(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.reconcile = CG_RECONCILE_REPEAT_ONCE;
	yard_say(&yard, "a", "chat");
	yard_await(&yard, 1);
	yard_end(&yard, 0, maybe);
	yard_await_state(&yard, "a", OUTBOX_UNKNOWN);
	yard_pass(&yard, VERDICT_UNKNOWN_MS);
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].text, "text"); /* its identity tells */
	yard_end(&yard, 1, maybe);
	yard_await_state(&yard, "a", OUTBOX_DEAD);
	yard_finish(&yard);
}

/* Make "a" unknown at a platform that can be asked. */
static void begin_asking(struct yard *yard)
{
	yard_init(yard, NULL);
	yard->capabilities.reconcile = CG_RECONCILE_QUERY;
	yard_say(yard, "a", "chat");
	yard_await(yard, 1);
	yard_end(yard, 0, maybe);
	yard_await_state(yard, "a", OUTBOX_UNKNOWN);
	yard_pass(yard, VERDICT_UNKNOWN_MS);
	YARD_UNTIL(yard, yard->queries == 1);
	CU_ASSERT_EQUAL(yard->query_timeout_ms, 10000);
	CU_ASSERT_EQUAL(yard->count, 1);
}

static void attempt_unknown_is_asked_and_has_arrived(void)
{
	struct yard yard;

	begin_asking(&yard);
	yard.answer(yard.answer_arg, CG_QUERY_ARRIVED, "1.5");
	yard_await_state(&yard, "a", OUTBOX_SENT);
	CU_ASSERT_EQUAL(rig_number(&yard.rig,
				"SELECT count(*) FROM outbox WHERE receipt = '1.5'"),
		1);
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_finish(&yard);
}

static void attempt_unknown_is_asked_and_is_absent(void)
{
	struct yard yard;

	begin_asking(&yard);
	yard.answer(yard.answer_arg, CG_QUERY_ABSENT, NULL);
	yard_await(&yard, 2);
	CU_ASSERT_EQUAL(yard.sends[1].state, OUTBOX_SENDING);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].text, "text");
	yard_finish(&yard);
}

static void attempt_unknown_that_nobody_can_tell_says_so(void)
{
	struct yard yard;

	begin_asking(&yard);
	yard.answer(yard.answer_arg, CG_QUERY_UNKNOWN, NULL);
	yard_await(&yard, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(yard.sends[1].text, "may be a repeat"));
	yard_end(&yard, 1, maybe);
	yard_await_state(&yard, "a", OUTBOX_DEAD); /* no endless repeats */
	yard_finish(&yard);
}

static void attempt_that_cannot_ask_says_so(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.reconcile = CG_RECONCILE_QUERY;
	yard.can_query = CG_UNSUPPORTED;
	yard_say(&yard, "a", "chat");
	yard_await(&yard, 1);
	yard_end(&yard, 0, maybe);
	yard_await_state(&yard, "a", OUTBOX_UNKNOWN);
	yard_pass(&yard, VERDICT_UNKNOWN_MS);
	yard_await(&yard, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(yard.sends[1].text, "may be a repeat"));
	yard_finish(&yard);
}

/* The same after the process died while it was sending. */

static void restart_while_sending(struct yard *yard, enum cg_reconcile reconcile)
{
	yard_init(yard, NULL);
	yard->capabilities.reconcile = reconcile;
	yard_say(yard, "a", "chat");
	yard_await(yard, 1);
	yard_restart(yard);
	CU_ASSERT_EQUAL(yard->recovery.unknown, 1);
	CU_ASSERT_EQUAL(yard->recovery.pending, 0);
}

static void attempt_after_a_restart(void)
{
	struct yard yard;

	restart_while_sending(&yard, CG_RECONCILE_IDEMPOTENCY_KEY);
	yard_await(&yard, 1);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].id, "a");
	CU_ASSERT_STRING_EQUAL(yard.sends[0].text, "text");
	CU_ASSERT_EQUAL(yard.sends[0].attempt, 2);
	yard_finish(&yard);

	restart_while_sending(&yard, CG_RECONCILE_NONE);
	yard_await(&yard, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(yard.sends[0].text, "may be a repeat"));
	CU_ASSERT_EQUAL(yard.sends[0].state, OUTBOX_SENDING);
	yard_receipt(&yard, 0, "8");
	yard_await_state(&yard, "a", OUTBOX_SENT);
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 1); /* once */
	yard_finish(&yard);

	restart_while_sending(&yard, CG_RECONCILE_QUERY);
	YARD_UNTIL(&yard, yard.queries == 1);
	CU_ASSERT_EQUAL(yard.count, 0);
	yard_finish(&yard);
}

/* Slots and their finals. */

static void attempt_final_edits_its_slot(void)
{
	const struct obligation slot = slot_of("s", "chat");
	const struct obligation final = final_of("f", "chat", "s");
	struct yard yard;

	yard_init(&yard, NULL);
	yard_store(&yard, &slot, 1);
	yard_await(&yard, 1);
	CU_ASSERT_EQUAL(yard.sends[0].kind, CG_OUTBOUND_TEXT);
	yard_store(&yard, &final, 1);
	yard_receipt(&yard, 0, "900");
	yard_await(&yard, 2);
	CU_ASSERT_EQUAL(yard.sends[1].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].edited, "900");
	/* An edit that may have arrived is repeated, as it is. */
	yard_end(&yard, 1, maybe);
	yard_await_state(&yard, "f", OUTBOX_PENDING);
	yard_pass(&yard, 1000);
	yard_await(&yard, 3);
	CU_ASSERT_EQUAL(yard.sends[2].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(yard.sends[2].text, "text");
	yard_receipt(&yard, 2, NULL);
	yard_await_state(&yard, "f", OUTBOX_SENT);
	CU_ASSERT_EQUAL(rig_number(&yard.rig,
				"SELECT count(*) FROM outbox WHERE delivery_id = 'f'"
				" AND receipt = '900'"),
		1);
	yard_finish(&yard);
}

static void attempt_final_of_a_slot_that_is_gone_is_sent_anew(void)
{
	const struct obligation slot = slot_of("s", "chat");
	const struct obligation final = final_of("f", "chat", "s");
	struct yard yard;

	yard_init(&yard, NULL);
	yard_store(&yard, &slot, 1);
	yard_await(&yard, 1);
	yard_receipt(&yard, 0, "900");
	yard_store(&yard, &final, 1);
	yard_await(&yard, 2);
	yard_end(&yard, 1,
		(struct cg_outcome){
			.class = CG_OUTCOME_REFUSED, .scope = CG_SCOPE_MESSAGE});
	yard_await(&yard, 3);
	CU_ASSERT_EQUAL(yard.sends[2].kind, CG_OUTBOUND_TEXT);
	CU_ASSERT_STRING_EQUAL(yard.sends[2].id, "f");
	CU_ASSERT_STRING_EQUAL(yard.sends[2].text, "text"); /* nothing had arrived */
	/* A second refusal is about the text. */
	yard_end(&yard, 2,
		(struct cg_outcome){
			.class = CG_OUTCOME_REFUSED, .scope = CG_SCOPE_MESSAGE});
	yard_await_state(&yard, "f", OUTBOX_DEAD);
	CU_ASSERT_EQUAL(yard.count, 3);
	yard_finish(&yard);
}

static void attempt_slot_that_may_have_arrived_is_not_sent_twice(void)
{
	const struct obligation slot = slot_of("s", "chat");
	const struct obligation final = final_of("f", "chat", "s");
	struct yard yard;

	yard_init(&yard, NULL);
	yard_store(&yard, &slot, 1);
	yard_await(&yard, 1);
	yard_restart(&yard);
	yard_await_state(&yard, "s", OUTBOX_SUPERSEDED); /* no dead letter */
	CU_ASSERT_EQUAL(rig_figures(&yard.rig).outbox_dead, 0);
	CU_ASSERT_EQUAL(yard.count, 0);
	yard_store(&yard, &final, 1);
	yard_await(&yard, 1);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].id, "f");
	CU_ASSERT_EQUAL(yard.sends[0].kind, CG_OUTBOUND_TEXT);
	/* A beginning of it may stand above. */
	CU_ASSERT_PTR_NOT_NULL(strstr(yard.sends[0].text, "The whole answer again"));
	yard_finish(&yard);
}

/* A slot that is refused is not missed either, and there is nothing to say about it. */
static void attempt_slot_that_is_refused_makes_no_noise(void)
{
	const struct obligation slot = slot_of("s", "chat");
	const struct obligation final = final_of("f", "chat", "s");
	struct yard yard;

	yard_init(&yard, NULL);
	yard_store(&yard, &slot, 1);
	yard_await(&yard, 1);
	yard_end(&yard, 0, (struct cg_outcome){.class = CG_OUTCOME_REFUSED});
	yard_await_state(&yard, "s", OUTBOX_SUPERSEDED);
	yard_store(&yard, &final, 1);
	yard_await(&yard, 2);
	CU_ASSERT_PTR_NULL(strstr(yard.sends[1].text, "again"));
	yard_finish(&yard);
}

/* A card's redraw is an edit of it or nothing. */
static void attempt_redraw_is_an_edit_or_nothing(void)
{
	struct obligation card = rig_obligation("c", "chat");
	struct obligation redraw = rig_obligation("c:closed", "chat");
	struct yard yard;

	yard_init(&yard, NULL);
	redraw.purpose = OUTBOX_REDRAW;
	redraw.slot_id = "c";
	yard_store(&yard, &card, 1);
	yard_await(&yard, 1);
	yard_store(&yard, &redraw, 1);
	yard_receipt(&yard, 0, "77");
	yard_await(&yard, 2);
	CU_ASSERT_EQUAL(yard.sends[1].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].edited, "77");
	/* The person has removed it: no new message says so. */
	yard_end(&yard, 1,
		(struct cg_outcome){
			.class = CG_OUTCOME_REFUSED, .scope = CG_SCOPE_MESSAGE});
	yard_await_state(&yard, "c:closed", OUTBOX_SUPERSEDED);
	/* Nor where there is no card, or none that can be edited. */
	redraw.delivery_id = "d:closed";
	redraw.slot_id = "d";
	yard_store(&yard, &redraw, 1);
	yard_await_state(&yard, "d:closed", OUTBOX_SUPERSEDED);
	yard.capabilities.edit = false;
	redraw.delivery_id = "e:closed";
	redraw.slot_id = "c";
	yard_store(&yard, &redraw, 1);
	yard_await_state(&yard, "e:closed", OUTBOX_SUPERSEDED);
	CU_ASSERT_EQUAL(yard.count, 2);
	yard_finish(&yard);
}

static void attempt_slot_is_asked_for_where_that_is_possible(void)
{
	const struct obligation slot = slot_of("s", "chat");
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.reconcile = CG_RECONCILE_QUERY;
	yard_store(&yard, &slot, 1);
	yard_await(&yard, 1);
	yard_end(&yard, 0, maybe);
	yard_await_state(&yard, "s", OUTBOX_UNKNOWN);
	yard_pass(&yard, VERDICT_UNKNOWN_MS);
	YARD_UNTIL(&yard, yard.queries == 1);
	yard.answer(yard.answer_arg, CG_QUERY_UNKNOWN, NULL);
	yard_await_state(&yard, "s", OUTBOX_SUPERSEDED);
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_finish(&yard);
}

/* Time. */

static void attempt_dies_at_its_deadline(void)
{
	struct obligation o = rig_obligation("a", "chat");
	struct yard yard;

	yard_init(&yard, NULL);
	o.deadline_ms = RIG_NOW + 5000;
	yard_store(&yard, &o, 1);
	yard_await(&yard, 1);
	yard_end(&yard, 0, (struct cg_outcome){.class = CG_OUTCOME_NOT_DISPATCHED});
	yard_await_state(&yard, "a", OUTBOX_PENDING);
	yard.rig.sane = false; /* nothing dies of age by a clock that is wrong */
	yard_pass(&yard, 5000);
	yard_await(&yard, 2);
	yard_end(&yard, 1, (struct cg_outcome){.class = CG_OUTCOME_NOT_DISPATCHED});
	yard_await_state(&yard, "a", OUTBOX_PENDING);
	yard.rig.sane = true;
	yard_pass(&yard, 15000);
	YARD_UNTIL(&yard, yard.reports[OUTBOX_DEAD] == 1);
	CU_ASSERT_STRING_EQUAL(yard.reason, "deadline");
	CU_ASSERT_EQUAL(yard.count, 2);
	yard_finish(&yard);
}

static void attempt_too_long_is_cancelled(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_close(&yard);
	yard.options.send_timeout_ms = -DELIVERY_GRACE_MS; /* at once */
	yard_open(&yard);
	yard_start(&yard);
	yard_say(&yard, "a", "chat");
	YARD_UNTIL(&yard, yard.cancels == 1);
	yard_await_state(&yard, "a", OUTBOX_UNKNOWN);
	yard_finish(&yard);
}

static void attempt_is_nobody_s_once_the_operator_killed_it(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.can = CG_BUSY;
	yard_say(&yard, "a", "chat");
	outbox_kill(yard.rig.journal, "a", "operator", yard.rig.now_ms, rig_on_json,
		&yard.rig);
	rig_await(&yard.rig);
	CU_ASSERT_EQUAL(yard.rig.status, CG_OK);
	yard.can = CG_OK;
	delivery_resume(yard.delivery, "telegram");
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 0);
	CU_ASSERT_EQUAL(yard_state(&yard, "a"), OUTBOX_DEAD);
	yard_finish(&yard);
}

/* A channel that is not there. */

static void attempt_keeps_what_it_knows_of_a_channel_that_is_gone(void)
{
	struct yard yard;

	restart_while_sending(&yard, CG_RECONCILE_NONE);
	yard_finish(&yard);

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "chat");
	yard_await(&yard, 1);
	yard_close(&yard);
	yard.count = 0;
	yard.can = CG_NOT_FOUND;
	yard_open(&yard);
	yard_start(&yard);
	YARD_UNTIL(&yard, rig_number(&yard.rig, "SELECT not_before_ms FROM outbox") ==
				  RIG_NOW + 300000);
	CU_ASSERT_EQUAL(yard_state(&yard, "a"), OUTBOX_UNKNOWN);
	yard.can = CG_OK;
	yard_pass(&yard, 300000);
	yard_await(&yard, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(yard.sends[0].text, "may be a repeat"));
	yard_finish(&yard);
}

static void attempt_that_no_channel_takes_is_repeated(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.takes = CG_BUSY;
	yard_say(&yard, "a", "chat");
	YARD_UNTIL(&yard, rig_number(&yard.rig, "SELECT attempts FROM outbox") == 1 &&
				  yard_state(&yard, "a") == OUTBOX_PENDING);
	CU_ASSERT_EQUAL(rig_number(&yard.rig, "SELECT maybe_duplicate FROM outbox"), 0);
	yard.takes = CG_OK;
	yard_pass(&yard, DELIVERY_RETRY_MS);
	yard_await(&yard, 1);
	yard_finish(&yard);
}

/* The disk fails. */

static void attempt_is_not_sent_before_the_disk_has_it(void)
{
	struct yard yard;

	fault_vfs_install();
	yard_init(&yard, FAULT_VFS);
	yard.can = CG_BUSY; /* until the disk is as the test wants it */
	yard_say(&yard, "a", "chat");
	YARD_UNTIL(&yard, yard.delivery->paused_count == 1);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	yard.can = CG_OK;
	delivery_resume(yard.delivery, "telegram");
	YARD_UNTIL(&yard, yard.rig.state != CG_OK || yard.count > 0);
	CU_ASSERT_EQUAL(yard.count, 0);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	yard_await(&yard, 1);
	CU_ASSERT_EQUAL(yard.sends[0].state, OUTBOX_SENDING);
	yard_receipt(&yard, 0, "1");
	yard_await_state(&yard, "a", OUTBOX_SENT);
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_finish(&yard);
}

static void attempt_holds_its_lane_until_the_receipt_is_stored(void)
{
	struct yard yard;

	fault_vfs_install();
	yard_init(&yard, FAULT_VFS);
	yard_say(&yard, "a", "chat");
	yard_await(&yard, 1);
	yard_say(&yard, "b", "chat");
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	yard_receipt(&yard, 0, "1");
	YARD_UNTIL(&yard, yard.rig.state != CG_OK);
	CU_ASSERT_EQUAL(yard.count, 1);
	CU_ASSERT_EQUAL(delivery_in_flight(yard.delivery), 1);
	CU_ASSERT_EQUAL(yard.reports[OUTBOX_SENT], 0);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].id, "b");
	CU_ASSERT_EQUAL(
		rig_number(&yard.rig, "SELECT count(*) FROM outbox WHERE receipt = '1'"),
		1);
	CU_ASSERT_EQUAL(yard.reports[OUTBOX_SENT], 1);
	yard_finish(&yard);
}

static void attempt_whose_receipt_is_lost_is_told_to_be_unknown(void)
{
	struct yard yard;

	fault_vfs_install();
	yard_init(&yard, FAULT_VFS);
	yard_say(&yard, "a", "chat");
	yard_await(&yard, 1);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	yard_receipt(&yard, 0, "1");
	YARD_UNTIL(&yard, yard.rig.state != CG_OK);
	fault_vfs_power_off();
	yard_close(&yard);
	CU_ASSERT_EQUAL(fault_vfs_lose(FAULT_LOSE, 1), 0);
	yard.count = 0;
	yard_open(&yard);
	yard_start(&yard);
	CU_ASSERT_EQUAL(yard.recovery.unknown, 1);
	yard_await(&yard, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(yard.sends[0].text, "may be a repeat"));
	yard_finish(&yard);
}

/* What the provider finds under the path, "" when there is nothing. */
static const char *content_of(const struct yard_send *send)
{
	static char text[64];
	FILE *file = fopen(send->path, "r");

	text[0] = '\0';
	if (file != NULL) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
	}
	return text;
}

static void attempt_puts_a_file_of_its_row_on_the_disk(void)
{
	const struct cg_file file = {
		.filename = "code.c", .mime_type = "text/plain", .bytes = 7};
	struct obligation o = rig_obligation("a", "chat");
	struct yard yard;

	o.kind = CG_OUTBOUND_FILE;
	o.purpose = OUTBOX_FILE;
	o.file = &file;
	o.source = "int x;\n";
	yard_init(&yard, NULL);
	yard_store(&yard, &o, 1);
	yard_await(&yard, 1);
	CU_ASSERT_EQUAL(yard.sends[0].kind, CG_OUTBOUND_FILE);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].name, "code.c");
	CU_ASSERT_STRING_EQUAL(yard.sends[0].text, "");
	CU_ASSERT_STRING_EQUAL(content_of(&yard.sends[0]), "int x;\n");
	/* It is there for as long as it is sent, and made again for each attempt. */
	yard_end(&yard, 0, (struct cg_outcome){.class = CG_OUTCOME_NOT_DISPATCHED});
	yard_await_state(&yard, "a", OUTBOX_PENDING);
	yard_settle(&yard);
	CU_ASSERT_STRING_EQUAL(content_of(&yard.sends[0]), "");
	yard_pass(&yard, 1000);
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(content_of(&yard.sends[1]), "int x;\n");
	/* The process dies: another one has it from the row. */
	yard_restart(&yard);
	yard_pass(&yard, VERDICT_UNKNOWN_MS);
	yard_await(&yard, 1);
	CU_ASSERT_STRING_EQUAL(content_of(&yard.sends[0]), "int x;\n");
	CU_ASSERT_STRING_EQUAL(yard.sends[0].text, COMPOSE_LABEL);
	yard_receipt(&yard, 0, "77");
	yard_await_state(&yard, "a", OUTBOX_SENT);
	yard_settle(&yard);
	CU_ASSERT_STRING_EQUAL(content_of(&yard.sends[0]), "");
	yard_finish(&yard);
}

static void attempt_waits_for_room_for_its_file(void)
{
	const struct cg_file file = {.filename = "code.c", .bytes = 4};
	struct obligation o = rig_obligation("a", "chat");
	struct yard yard;

	o.kind = CG_OUTBOUND_FILE;
	o.purpose = OUTBOX_FILE;
	o.file = &file;
	yard_init(&yard, NULL);
	yard.delivery->options.spool_dir = "/dev/null/none";
	yard_store(&yard, &o, 1);
	YARD_UNTIL(&yard, yard.reports[OUTBOX_PENDING] == 1);
	CU_ASSERT_EQUAL(yard.count, 0);
	yard.delivery->options.spool_dir = yard.rig.directory;
	yard_pass(&yard, DELIVERY_RETRY_MS);
	yard_await(&yard, 1);
	CU_ASSERT_STRING_EQUAL(content_of(&yard.sends[0]), "text");
	yard_receipt(&yard, 0, "77");
	yard_await_state(&yard, "a", OUTBOX_SENT);
	yard_finish(&yard);
}

UNIT_SUITE(attempt, UNIT_TEST(attempt_puts_a_file_of_its_row_on_the_disk),
	UNIT_TEST(attempt_waits_for_room_for_its_file),
	UNIT_TEST(attempt_is_committed_before_and_after),
	UNIT_TEST(attempt_waits_by_the_schedule),
	UNIT_TEST(attempt_limit_survives_a_restart),
	UNIT_TEST(attempt_refused_is_dead_and_the_lane_goes_on),
	UNIT_TEST(attempt_unknown_is_sent_once_more_and_says_so),
	UNIT_TEST(attempt_unknown_is_repeated_under_its_key),
	UNIT_TEST(attempt_unknown_is_repeated_once),
	UNIT_TEST(attempt_unknown_is_asked_and_has_arrived),
	UNIT_TEST(attempt_unknown_is_asked_and_is_absent),
	UNIT_TEST(attempt_unknown_that_nobody_can_tell_says_so),
	UNIT_TEST(attempt_that_cannot_ask_says_so), UNIT_TEST(attempt_after_a_restart),
	UNIT_TEST(attempt_final_edits_its_slot),
	UNIT_TEST(attempt_final_of_a_slot_that_is_gone_is_sent_anew),
	UNIT_TEST(attempt_slot_that_may_have_arrived_is_not_sent_twice),
	UNIT_TEST(attempt_slot_that_is_refused_makes_no_noise),
	UNIT_TEST(attempt_redraw_is_an_edit_or_nothing),
	UNIT_TEST(attempt_slot_is_asked_for_where_that_is_possible),
	UNIT_TEST(attempt_dies_at_its_deadline), UNIT_TEST(attempt_too_long_is_cancelled),
	UNIT_TEST(attempt_is_nobody_s_once_the_operator_killed_it),
	UNIT_TEST(attempt_keeps_what_it_knows_of_a_channel_that_is_gone),
	UNIT_TEST(attempt_that_no_channel_takes_is_repeated),
	UNIT_TEST(attempt_is_not_sent_before_the_disk_has_it),
	UNIT_TEST(attempt_holds_its_lane_until_the_receipt_is_stored),
	UNIT_TEST(attempt_whose_receipt_is_lost_is_told_to_be_unknown));
