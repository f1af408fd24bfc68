/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stored message on its way to the agent: claimed, identified, bound, prompted, closed.
 *
 * Each step is one call that a repeat does not harm, so an errand that is interrupted, by a
 * Cloud that is away or by a power cut, begins again.  It ends in exactly one inbox_finish().
 */
#ifndef COWGATE_GATEWAY_ERRAND_H
#define COWGATE_GATEWAY_ERRAND_H

#include "cloud-client/channel.h"
#include "gateway/conversation/context.h"
#include "gateway/conversation/draft.h"
#include "gateway/conversation/external_id.h"
#include "gateway/journal/cursor.h"
#include "gateway/journal/inbox.h"

struct decision;

#define ERRAND_THREAD 560 /* bytes of errand_thread_id() */

struct errand {
	LIST_ENTRY(errand) link;
	struct conversation *conversation;
	struct thread *thread; /* whose turn this is; NULL: it skipped the queue */
	struct inbox_message *message; /* owned */
	const struct conversation_channel *channel;
	void (*step)(struct errand *errand); /* where a retry begins */
	void (*after_find)(struct errand *errand);
	void (*after_bind)(struct errand *errand);
	void (*after_renew)(struct errand *errand);
	struct cloud_call *call;
	struct stream *stream; /* expects our prompt; NULL: not yet */
	struct loop_timer timer;
	struct loop_task burial;
	unsigned failures;
	unsigned generation; /* of the chat thread */
	unsigned generations; /* that are still to be forgotten: 0 up to here */
	bool agent_keeps; /* /forget: the agent has a record of its own */
	bool files_told; /* which files are not passed on */
	bool noticed, waiting_for_journal, dying;
	bool queues; /* the agent was busy when it became a prompt */
	double cost; /* of the session, in dollars: for /status */
	char event_id[256]; /* the Cloud's id of the claimed event */
	char identity_id[128];
	char binding_id[256], session_id[256]; /* of the session */
	char agent_id[256]; /* of the binding; "" not known */
	int64_t sequence; /* the session is rendered up to here */
	char epoch[64]; /* in this epoch of the other side's store */
	char sender_id[EXTERNAL_ID]; /* as the Cloud knows it */
	struct draft_route route; /* owned; where its sender is answered */
	struct decision *decision; /* owned; NULL: it decides nothing */
	char answer[201]; /* to the press, once it is closed; "" none */
	bool answer_alert, answered;
	struct drafts drafts; /* what is said when it ends */
	enum inbox_end end;
	char reason[128];
};

/* Takes @message over.  CG_NOMEM: nothing was taken. */
enum cg_status errand_begin(struct conversation *conversation, struct thread *thread,
	struct inbox_message *message);
/* Stop where it is; the message stays in the inbox. */
void errand_destroy(struct errand *errand);

/* For the steps, here and in command.c and handover.c. */

/* Take a step; a retry begins with it again. */
void errand_go(struct errand *errand, void (*step)(struct errand *errand));
/* Was the step's call begun?  If not, the step is repeated later, or the message is refused
 * because no call can be made of it. */
void errand_begun(struct errand *errand, enum cg_status status);

/* Where the message came from, for calls to the Cloud. */
void errand_actor(const struct errand *errand, struct cloud_actor *ret);
/* Say something when it ends; @suffix makes the id unique within the message. */
void errand_say(struct errand *errand, const char *suffix, const char *text);
/* The same without a sound. */
void errand_whisper(struct errand *errand, const char *suffix, const char *text);
/* The answer to a press: when it has ended, or at once.  A platform that takes no answers to
 * presses gets a refusal as a message. */
void errand_answer_press(struct errand *errand, const char *text, bool refusal);
void errand_answer_now(struct errand *errand, const char *text);
/* In a completion of the journal: false when the errand was destroyed meanwhile. */
bool errand_back_from_journal(struct errand *errand);
/* Close it: complete the claim, then the inbox row with what is to be said. */
void errand_finish(struct errand *errand, enum inbox_end end, const char *reason);
/* @result was not OK: wait and repeat the step, or close it and tell the person. */
void errand_failed(struct errand *errand, const struct cloud_result *result);
/* Repeat the step a little later. */
void errand_wait(struct errand *errand);
/* What is to be remembered of the bound session.  Borrows from the errand. */
void errand_cursor(const struct errand *errand, struct cursor *ret);
/* handover.c: find, bind, remember, prompt; ends in errand_finish(). */
void errand_hand_over(struct errand *errand);
/* Find binding_id, session_id and generation of the chat thread, then go on with @step. */
void errand_find_session(struct errand *errand, void (*step)(struct errand *errand));
/* The thread's id in one of its generations, as it is bound. */
void errand_thread_id(
	const struct inbox_message *message, unsigned generation, char *ret, size_t size);
/* Bind the chat thread in its generation, then go on with @step. */
void errand_bind(struct errand *errand, void (*step)(struct errand *errand));
/* Bind the chat thread in its next generation, which ends what still runs in this one; remember
 * it, then go on with @step. */
void errand_renew(struct errand *errand, void (*step)(struct errand *errand));

#endif
