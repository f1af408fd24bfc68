/* SPDX-License-Identifier: Apache-2.0 */
/* A turn's own part: when it asks, for how long, how it ends.  What an attempt does with a server
 * is played by the test, in place of control-plane/agents/openai_attempt.c. */
#include "control-plane/agents/openai_turn.h"

#include "tests/unit/control-plane/agents/turn_rig.h"

#include <cowgate/sdk/error.h>

#define TURN_MS 600000

static struct {
	unsigned attempts;
	bool blind; /* the last one had a body without pictures to fall back on */
} server;

void openai_attempt_start(struct agent_turn *turn)
{
	turn->state = OPENAI_ASKING;
	server.attempts++;
	server.blind = turn->blind.length > 0;
}

bool openai_attempt_frame(void *arg, const struct cg_sse_event *frame)
{
	(void)arg;
	(void)frame;
	return true;
}

static const char *const fallback[] = {"http://two.example.org/v1", NULL};

static void begin(struct rig *rig, struct rig_turn *turn)
{
	memset(&server, 0, sizeof(server));
	rig_init(rig, &agent_openai);
	rig->options.url = "http://one.example.org/v1";
	rig->options.turn_timeout_ms = TURN_MS;
	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
	rig_begin(rig, turn, "", "c1", "hello");
	CU_ASSERT_EQUAL_FATAL(server.attempts, 1);
}

static struct openai *openai_of(const struct rig *rig)
{
	return rig->agent;
}

static void show(struct rig_turn *turn, const char *text)
{
	openai_turn_show(turn->turn, text, strlen(text));
}

/* The attempt comes to nothing. */
static void break_off(struct rig_turn *turn, int64_t retry_after_ms)
{
	cg_error_set(&turn->turn->why, CG_NETWORK, "the line is dead");
	openai_turn_try_again(turn->turn, retry_after_ms);
}

static void turn_shows_and_completes(void)
{
	struct rig rig;
	struct rig_turn turn;

	begin(&rig, &turn);
	openai_of(&rig)->health.status = CG_NETWORK; /* the one before went badly */
	show(&turn, "one ");
	CU_ASSERT_EQUAL(rig.ops->health(rig.agent, NULL), CG_OK);
	show(&turn, "two");
	turn.turn->finish = OPENAI_STOP;
	openai_turn_complete(turn.turn);
	/* The first replaces what a run before a restart may have shown. */
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&turn.log),
		"replace c1:answer one \nappend c1:answer two\n");
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	CU_ASSERT_EQUAL(openai_of(&rig)->turn_count, 1); /* it dies on a later turn */
	rig_settle(&rig);
	CU_ASSERT_EQUAL(openai_of(&rig)->turn_count, 0);
	rig_finish(&rig);
}

static void turn_says_what_is_odd_about_an_answer(void)
{
	static const struct {
		enum openai_finish finish;
		const char *alone, *note; /* NULL: none */
	} rows[] = {
		{OPENAI_UNFINISHED, "empty answer", NULL},
		{OPENAI_STOP, "empty answer", NULL},
		{OPENAI_LENGTH, "length limit before", "reached its length limit"},
		{OPENAI_FILTER, "content filter withheld", "withheld by"},
		{OPENAI_TOOL, "asked for a tool", "asked for a tool"},
	};
	struct rig rig;
	struct rig_turn turn;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(&rig, &turn);
		turn.turn->finish = rows[i].finish;
		openai_turn_complete(turn.turn);
		RIG_ENDED(&turn, AGENT_FAILED, rows[i].alone);
		rig_finish(&rig);
		begin(&rig, &turn);
		show(&turn, "text");
		turn.turn->finish = rows[i].finish;
		openai_turn_complete(turn.turn);
		/* A message of its own: the answer stays as it was given. */
		CU_ASSERT_EQUAL(
			rig_told(&turn, "replace c1:note ("), rows[i].note != NULL);
		if (rows[i].note != NULL)
			CU_ASSERT_TRUE(rig_told(&turn, rows[i].note));
		RIG_ENDED(&turn, AGENT_COMPLETED, "");
		rig_finish(&rig);
	}
}

static void turn_asks_again_until_text_is_shown(void)
{
	struct rig rig;
	struct rig_turn turn;

	begin(&rig, &turn);
	break_off(&turn, -1);
	CU_ASSERT_FALSE(turn.ended);
	CU_ASSERT_TRUE(rig_told(&turn, "event session.status"));
	CU_ASSERT_TRUE(rig_told(&turn, "the line is dead; trying again in"));
	CU_ASSERT_EQUAL(rig.ops->health(rig.agent, NULL), CG_NETWORK);
	rig_pass(&rig, 999); /* the shortest wait is a second */
	CU_ASSERT_EQUAL(server.attempts, 1);
	rig_pass(&rig, 1001); /* the longest, the first time, are two */
	CU_ASSERT_EQUAL(server.attempts, 2);
	break_off(&turn, -1);
	rig_pass(&rig, 4000);
	CU_ASSERT_EQUAL(server.attempts, 3);
	for (int i = 0; i < 10; i++) { /* and never more than half a minute */
		break_off(&turn, -1);
		rig_pass(&rig, 30000);
	}
	CU_ASSERT_EQUAL(server.attempts, 13);
	/* Once a person has seen text nothing is asked again. */
	show(&turn, "half an ");
	break_off(&turn, -1);
	RIG_ENDED(
		&turn, AGENT_FAILED, "stopped answering in the middle: the line is dead");
	rig_pass(&rig, TURN_MS);
	CU_ASSERT_EQUAL(server.attempts, 13);
	rig_finish(&rig);
}

static void turn_leaves_a_server_alone_for_as_long_as_it_wants(void)
{
	struct rig rig;
	struct rig_turn turn;

	begin(&rig, &turn);
	break_off(&turn, 60000);
	rig_pass(&rig, 59999);
	CU_ASSERT_EQUAL(server.attempts, 1);
	rig_pass(&rig, 1 + OPENAI_LINGER_MS);
	CU_ASSERT_EQUAL(server.attempts, 2);
	/* Longer than there is time: no use to wait. */
	break_off(&turn, TURN_MS);
	RIG_ENDED(&turn, AGENT_FAILED, "no answer: the line is dead");
	rig_finish(&rig);
}

static void turn_asks_the_next_server_at_once(void)
{
	struct rig rig;
	struct rig_turn turn;

	memset(&server, 0, sizeof(server));
	rig_init(&rig, &agent_openai);
	rig.options.url = "http://one.example.org/v1";
	rig.options.fallback_urls = fallback;
	CU_ASSERT_EQUAL_FATAL(rig_create(&rig, NULL), CG_OK);
	rig_begin(&rig, &turn, "", "c1", "hello");
	break_off(&turn, 60000);
	rig_settle(&rig);
	CU_ASSERT_EQUAL(server.attempts, 2);
	break_off(&turn, -1); /* all were asked: now it waits */
	rig_settle(&rig);
	CU_ASSERT_EQUAL(server.attempts, 2);
	rig_pass(&rig, 4000);
	CU_ASSERT_EQUAL(server.attempts, 3);
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void turn_has_a_deadline(void)
{
	struct rig rig;
	struct rig_turn turn;

	begin(&rig, &turn);
	rig_pass(&rig, TURN_MS - 1);
	CU_ASSERT_FALSE(turn.ended);
	rig_pass(&rig, 1);
	RIG_ENDED(&turn, AGENT_FAILED, "no answer in time");
	rig_finish(&rig);
	begin(&rig, &turn);
	show(&turn, "half an ");
	rig_pass(&rig, TURN_MS);
	RIG_ENDED(&turn, AGENT_FAILED, "in the middle: it took too long");
	rig_finish(&rig);
	/* What is whole, and lingers, has not failed. */
	begin(&rig, &turn);
	show(&turn, "all of it");
	turn.turn->state = OPENAI_COMPLETE;
	rig_pass(&rig, TURN_MS);
	CU_ASSERT_FALSE(turn.ended);
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void turn_can_be_stopped(void)
{
	struct rig rig;
	struct rig_turn turn;

	begin(&rig, &turn);
	openai_turn_cancel(turn.turn);
	openai_turn_cancel(turn.turn);
	CU_ASSERT_FALSE(turn.ended); /* never inside */
	rig_pass(&rig, 0);
	RIG_ENDED(&turn, AGENT_CANCELLED, "stopped");
	rig_finish(&rig);
	/* Too late: it has ended already. */
	begin(&rig, &turn);
	openai_turn_fail(turn.turn, "no %s", "luck");
	openai_turn_cancel(turn.turn);
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "no luck");
	rig_finish(&rig);
}

/* A server that tells nothing has used what is guessed: a budget must be used up one day. */
static void turn_guesses_what_it_cost(void)
{
	struct rig rig;
	struct rig_turn turn;
	char guess[32];

	snprintf(guess, sizeof(guess), "\"output\":%zu,",
		openai_tokens("twelve bytes", 12));
	for (int i = 0; i < 4; i++) {
		begin(&rig, &turn);
		rig.options.daily_tokens = i == 1 ? 0 : 1000;
		turn.turn->begun = i != 2; /* nobody has worked for it */
		turn.turn->has_usage = i == 3; /* the server has told */
		turn.turn->usage.output = 4711;
		show(&turn, "twelve bytes");
		openai_turn_fail(turn.turn, "x");
		CU_ASSERT_EQUAL(rig_told(&turn, "event cost.updated"), i == 0 || i == 3);
		CU_ASSERT_EQUAL(rig_told(&turn, guess), i == 0);
		CU_ASSERT_EQUAL(rig_told(&turn, "\"output\":4711"), i == 3);
		RIG_ENDED(&turn, AGENT_FAILED, "x");
		rig_finish(&rig);
	}
}

static void no_text(void *arg, const char *message_id, const char *text, size_t length)
{
	(void)arg;
	(void)message_id;
	(void)text;
	(void)length;
}

/* A request with pictures keeps one without, until a server has refused a picture. */
static void turn_keeps_a_request_without_pictures(void)
{
	const struct agent_sink sink = {.append = no_text, .replace = no_text};
	const struct agent_file file = {.filename = "a.png",
		.mime_type = "image/png",
		.path = "/dev/null",
		.bytes = 1};
	const struct agent_prompt prompt = {.command_id = "c2",
		.text = "what is it?",
		.files = &file,
		.file_count = 1};
	struct agent_turn *turn;
	struct rig rig;
	struct rig_turn first;

	begin(&rig, &first);
	CU_ASSERT_FALSE(server.blind);
	CU_ASSERT_EQUAL_FATAL(
		openai_turn_create(openai_of(&rig), &prompt, &sink, NULL, &turn), CG_OK);
	CU_ASSERT_EQUAL(server.attempts, 1); /* not from inside */
	rig_settle(&rig);
	CU_ASSERT_EQUAL(server.attempts, 2);
	CU_ASSERT_TRUE(server.blind);
	CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&turn->body), "image_url"));
	CU_ASSERT_PTR_NULL(strstr(cg_buffer_string(&turn->blind), "image_url"));
	openai_turn_destroy(turn);
	CU_ASSERT_EQUAL(openai_of(&rig)->turn_count, 1);
	openai_of(&rig)->blind = true;
	CU_ASSERT_EQUAL_FATAL(
		openai_turn_create(openai_of(&rig), &prompt, &sink, NULL, &turn), CG_OK);
	CU_ASSERT_PTR_NULL(strstr(cg_buffer_string(&turn->body), "image_url"));
	CU_ASSERT_EQUAL(turn->blind.length, 0);
	openai_turn_destroy(turn); /* before it has begun: without a call */
	rig_settle(&rig);
	CU_ASSERT_EQUAL(server.attempts, 2);
	cg_buffer_finish(&first.log);
	rig_finish(&rig);
}

UNIT_SUITE(openai_turn, UNIT_TEST(turn_shows_and_completes),
	UNIT_TEST(turn_says_what_is_odd_about_an_answer),
	UNIT_TEST(turn_asks_again_until_text_is_shown),
	UNIT_TEST(turn_leaves_a_server_alone_for_as_long_as_it_wants),
	UNIT_TEST(turn_asks_the_next_server_at_once), UNIT_TEST(turn_has_a_deadline),
	UNIT_TEST(turn_can_be_stopped), UNIT_TEST(turn_guesses_what_it_cost),
	UNIT_TEST(turn_keeps_a_request_without_pictures));
