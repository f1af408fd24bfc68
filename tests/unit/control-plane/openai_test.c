/* SPDX-License-Identifier: Apache-2.0 */
/* Turns against a model server on loopback whose every byte is scripted. */
#include "control-plane/agents/openai_turn.h"

#include "tests/unit/control-plane/agent_rig.h"
#include "tests/unit/runtime/http_peer.h"

#include <poll.h>

#define SSE "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define FINISH(reason) \
	"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" reason "\"}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define KEY "sk-secret-0123456789"

/* What the server does with the requests, in order; the last step serves all further ones. */
struct step {
	const char *bytes;
	enum { CLOSE, RESET, HOLD, BABBLE, FLOOD } then;
};

static const struct step *steps;
static size_t step_count;
static struct peer server;
static struct agent_rig rig;
static struct cg_secret key;

/* Frames of @text for as long as the client listens. */
static void babble(int fd, const char *text, int pause_ms)
{
	while (peer_send(fd, text))
		poll(NULL, 0, pause_ms);
}

static void serve(struct peer *peer, int fd, int number)
{
	static const char head[] = "data: {\"choices\":[{\"delta\":{\"content\":\"";
	static const char tail[] = "\"}}]}\n\n";
	static char frame[70000];
	const struct step *step;

	(void)number;
	if (!peer_read(peer, fd))
		return;
	step = &steps[(size_t)peer_requests(peer) <= step_count
			      ? (size_t)peer_requests(peer) - 1
			      : step_count - 1];
	peer_send(fd, step->bytes);
	switch (step->then) {
	case CLOSE:
		break;
	case RESET:
		peer_reset(fd);
		break;
	case HOLD:
		peer_hold(fd);
		break;
	case BABBLE:
		babble(fd, ": still thinking\n\n", 20);
		break;
	case FLOOD:
		memset(frame, 'x', sizeof(frame));
		memcpy(frame, head, sizeof(head) - 1);
		memcpy(frame + sizeof(frame) - sizeof(tail), tail, sizeof(tail));
		babble(fd, frame, 0);
		break;
	}
}

static void setup(const struct step *script, size_t count)
{
	static char url[96];

	steps = script;
	step_count = count;
	peer_start(&server, serve, NULL);
	snprintf(url, sizeof(url), "%s/v1/", server.url);
	rig_init(&rig, &agent_openai);
	CU_ASSERT_EQUAL(cg_secret_set(&key, KEY, strlen(KEY)), CG_OK);
	rig.options.url = url;
	rig.options.api_key = &key;
	rig.options.model = "m1";
	CU_ASSERT_EQUAL_FATAL(rig_create(&rig, NULL), CG_OK);
}

static void teardown(void)
{
	rig_finish(&rig);
	peer_stop(&server);
	cg_secret_wipe(&key);
}

#define SETUP(script) setup(script, sizeof(script) / sizeof((script)[0]))

static void a_url_is_needed(void)
{
	static const char *const urls[] = {NULL, " ", "ftp://x/", "no url"};
	struct cg_error err;

	rig_init(&rig, &agent_openai);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		rig.options.url = urls[i];
		CU_ASSERT_EQUAL(rig_create(&rig, &err), CG_INVALID);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "OPEN_COWORK_GATEWAY_AGENT_URL"));
	}
	rig_finish(&rig);
}

static void answers_are_streamed(void)
{
	static const struct step script[] = {
		{SSE ": hello\n\n" DELTA("Hel") DELTA("lo \\n") DELTA("you") FINISH(
			 "stop") "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,"
				 "\"completion_tokens\":2}}\n\n" DONE,
			CLOSE}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_PTR_EQUAL(strstr(rig_log(&rig), "replace c1:answer Hel\n"
						  "append c1:answer lo \n\n"
						  "append c1:answer you\n"
						  "event cost.updated {\"id\":\"c1\","),
		rig_log(&rig));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_log(&rig), "{\"input\":3,\"output\":2,"));
	CU_ASSERT_EQUAL(
		strncmp(server.last, "POST /v1/chat/completions HTTP/1.1\r\n", 36), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(server.last, "authorization: Bearer " KEY "\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(server.last, "{\"model\":\"m1\",\"messages\":[{"));
	CU_ASSERT_EQUAL(agent_openai.health(rig.agent, NULL), CG_OK);
	CU_ASSERT_TRUE(agent_openai.repeatable(rig.agent, NULL));
	teardown();
}

/* A server that keeps the connection open after its last word does not hold the turn up. */
static void the_last_word_is_enough(void)
{
	static const struct step script[] = {{SSE DELTA("ok") DONE, HOLD}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "ok");
	teardown();
}

static void a_whole_answer_is_taken_too(void)
{
	static const struct step script[] = {
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
		 "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":"
		 "\"whole\"},"
		 "\"finish_reason\":\"stop\"}]}",
			CLOSE},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
		 "{\"error\":{\"message\":\"no such mode\",\"code\":400}}",
			CLOSE}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "whole");
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.message, "no such mode"));
	teardown();
}

static void a_busy_server_is_asked_again(void)
{
	static const struct step script[] = {
		{"HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 30\r\n\r\n"
		 "{\"error\":{\"message\":\"too fast\"}}",
			CLOSE},
		{"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
			CLOSE},
		{SSE "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n",
			CLOSE},
		{SSE DELTA("ok") DONE, CLOSE}};
	const char *first, *second, *third;

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "ok");
	CU_ASSERT_EQUAL(rig.events, 3);
	CU_ASSERT_EQUAL(peer_requests(&server), 4);
	first = strstr(rig_log(&rig), "answered 429");
	second = strstr(rig_log(&rig), "answered 503; trying again");
	third = strstr(rig_log(&rig), "503: overloaded; trying again in");
	CU_ASSERT_TRUE(first != NULL && second > first && third > second);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_log(&rig), "\"statusType\":\"busy\""));
	CU_ASSERT_EQUAL(agent_openai.health(rig.agent, NULL), CG_OK);
	teardown();
}

static void a_wait_beyond_the_deadline_is_not_waited_for(void)
{
	static const struct step script[] = {
		{"HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n",
			CLOSE}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_STRING_EQUAL(rig.message, "no answer: the model server answered 429");
	CU_ASSERT_EQUAL(rig.events, 0);
	CU_ASSERT_EQUAL(agent_openai.health(rig.agent, NULL), CG_BUSY);
	teardown();
}

static void a_refused_key_is_named_and_not_shown(void)
{
	static const struct step script[] = {
		{"HTTP/1.1 401 No\r\nContent-Type: application/json\r\n\r\n"
		 "{\"error\":{\"message\":\"Incorrect API key provided: " KEY "\"}}",
			CLOSE},
		{"HTTP/1.1 400 No\r\nContent-Type: application/json\r\n\r\n"
		 "{\"error\":{\"message\":\"You sent " KEY "\"}}",
			CLOSE}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.message, "OPEN_COWORK_GATEWAY_AGENT_API_KEY"));
	CU_ASSERT_PTR_NULL(strstr(rig.message, KEY));
	CU_ASSERT_EQUAL(agent_openai.health(rig.agent, NULL), CG_DENIED);
	CU_ASSERT_EQUAL(peer_requests(&server), 1);
	rig_prompt(&rig, "hi");
	CU_ASSERT_STRING_EQUAL(rig.message, "the model server answered 400");
	teardown();
}

static void an_unknown_model_is_named(void)
{
	static const struct step script[] = {
		{"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", CLOSE}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.message, "\"m1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.message, "OPEN_COWORK_GATEWAY_AGENT_MODEL"));
	teardown();
}

static void a_server_without_stream_options_is_asked_without(void)
{
	static const struct step script[] = {
		{"HTTP/1.1 422 No\r\nContent-Type: application/json\r\n\r\n"
		 "{\"error\":{\"message\":\"Extra inputs: stream_options\"}}",
			CLOSE},
		{SSE DELTA("ok") DONE, CLOSE}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_EQUAL(rig.events, 0);
	CU_ASSERT_PTR_NULL(strstr(server.last, "stream_options"));
	/* It is remembered. */
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(peer_requests(&server), 3);
	CU_ASSERT_PTR_NULL(strstr(server.last, "stream_options"));
	teardown();
}

/* Whatever breaks a begun answer off: what was shown stays, and nothing is asked again. */
static void a_broken_answer_keeps_its_text(void)
{
	static const struct step script[] = {{SSE DELTA("half"), CLOSE},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		 "Content-Length: 9999\r\n\r\n" DELTA("half"),
			RESET},
		{SSE DELTA("half") "data: {not json}\n\n", HOLD},
		{SSE DELTA("half") "data: {\"error\":\"crashed\"}\n\n", HOLD},
		{SSE DELTA("half"), HOLD}, {SSE DELTA("half"), BABBLE}};
	static const char *const reasons[] = {
		"ended its answer too early",
		"broke",
		"makes no sense",
		"crashed",
		"fell silent",
		"took too long",
	};

	SETUP(script);
	for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
		rig.options.turn_timeout_ms = i >= 4 ? 2000 : 0;
		rig_prompt(&rig, "hi");
		CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
		CU_ASSERT_STRING_EQUAL(rig_text(&rig), "half");
		CU_ASSERT_PTR_NOT_NULL(strstr(
			rig.message, "the model stopped answering in the middle: "));
		CU_ASSERT_PTR_NOT_NULL(strstr(rig.message, reasons[i]));
		CU_ASSERT_EQUAL(rig.events, 0);
	}
	CU_ASSERT_EQUAL(
		(size_t)peer_requests(&server), sizeof(script) / sizeof(script[0]));
	teardown();
}

static void a_break_before_any_text_is_tried_again(void)
{
	static const struct step script[] = {
		{SSE ": hello\n\n", RESET}, {SSE DELTA("ok") DONE, CLOSE}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "ok");
	CU_ASSERT_EQUAL(rig.events, 1);
	teardown();
}

static void silence_and_endless_thought_have_an_end(void)
{
	static const struct step script[] = {{SSE, HOLD}, {SSE, BABBLE}};

	SETUP(script);
	rig.options.turn_timeout_ms = 1500;
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_STRING_EQUAL(rig.message, "no answer: the model server fell silent");
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_STRING_EQUAL(rig.message, "the model gave no answer in time");
	CU_ASSERT_EQUAL(rig.shown, 0);
	teardown();
}

static void an_absent_server_is_told(void)
{
	rig_init(&rig, &agent_openai);
	rig.options.url = "http://127.0.0.1:1/v1";
	rig.options.turn_timeout_ms = 500;
	CU_ASSERT_EQUAL_FATAL(rig_create(&rig, NULL), CG_OK);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(rig.message, "no answer: the model server cannot be reached"));
	CU_ASSERT_EQUAL(agent_openai.health(rig.agent, NULL), CG_NETWORK);
	rig_finish(&rig);
}

static void odd_ends_are_told(void)
{
	static const struct step script[] = {
		{SSE DELTA("text") FINISH("length") DONE, CLOSE},
		{SSE DELTA("text") FINISH("content_filter") DONE, CLOSE},
		{SSE DELTA("text") FINISH("tool_calls"), CLOSE},
		{SSE FINISH("length") DONE, CLOSE},
		{SSE FINISH("content_filter") DONE, CLOSE},
		{SSE FINISH("tool_calls") DONE, CLOSE}, {SSE FINISH("stop") DONE, CLOSE}};
	static const char *const words[] = {"length limit", "content filter", "tool",
		"length", "filter", "tool", "empty"};

	SETUP(script);
	for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
		rig_prompt(&rig, "hi");
		if (i < 3) {
			CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
			CU_ASSERT_STRING_EQUAL(rig_text(&rig), "text");
			CU_ASSERT_PTR_NOT_NULL(
				strstr(rig_log(&rig), "replace c1:note ("));
			CU_ASSERT_PTR_NOT_NULL(strstr(rig_log(&rig), words[i]));
		} else {
			CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
			CU_ASSERT_EQUAL(rig.shown, 0);
			CU_ASSERT_PTR_NOT_NULL(strstr(rig.message, words[i]));
		}
	}
	teardown();
}

static void an_answer_has_a_cap(void)
{
	static const struct step script[] = {{SSE, FLOOD}};

	SETUP(script);
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_STRING_EQUAL(rig.message, "the model's answer is longer than 1 MiB");
	CU_ASSERT_TRUE(rig.text.length > OPENAI_TEXT - 70000);
	CU_ASSERT_TRUE(rig.text.length <= OPENAI_TEXT);
	teardown();
}

static void a_turn_can_be_stopped_at_any_time(void)
{
	static const struct step script[] = {{SSE DELTA("one") DELTA("two"), HOLD},
		{"HTTP/1.1 429 Slow\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n",
			CLOSE}};

	SETUP(script);
	rig.cancel_at = 1; /* from inside the sink, between two pieces of one packet */
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_CANCELLED);
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "one");
	CU_ASSERT_EQUAL(rig.shown, 1);
	/* While it waits for another try. */
	rig_prompt(&rig, "hi");
	CU_ASSERT_EQUAL(rig.end, AGENT_CANCELLED);
	CU_ASSERT_EQUAL(rig.events, 1);
	/* Before it has asked; twice is once. */
	rig.cancel_at = 0;
	CU_ASSERT_EQUAL(rig_start(&rig, "hi"), CG_OK);
	agent_openai.cancel(rig.agent, rig.turn);
	agent_openai.cancel(rig.agent, rig.turn);
	rig_wait(&rig);
	CU_ASSERT_EQUAL(rig.end, AGENT_CANCELLED);
	CU_ASSERT_EQUAL(peer_requests(&server), 2);
	teardown();
}

static void turns_have_a_cap_and_die_with_the_agent(void)
{
	static const struct step script[] = {{SSE, HOLD}};
	size_t count = 0;

	SETUP(script);
	while (rig_start(&rig, "hi") == CG_OK)
		count++;
	CU_ASSERT_EQUAL(count, OPENAI_TURNS);
	for (int i = 0; i < 100; i++)
		loop_turn(rig.loop);
	CU_ASSERT_TRUE(http_client_active(rig.http) > 0);
	agent_openai.destroy(rig.agent);
	rig.agent = NULL;
	CU_ASSERT_EQUAL(http_client_active(rig.http), 0);
	CU_ASSERT_EQUAL(rig.ended, 0);
	teardown();
}

UNIT_SUITE(openai, UNIT_TEST(a_url_is_needed), UNIT_TEST(answers_are_streamed),
	UNIT_TEST(the_last_word_is_enough), UNIT_TEST(a_whole_answer_is_taken_too),
	UNIT_TEST(a_busy_server_is_asked_again),
	UNIT_TEST(a_wait_beyond_the_deadline_is_not_waited_for),
	UNIT_TEST(a_refused_key_is_named_and_not_shown),
	UNIT_TEST(an_unknown_model_is_named),
	UNIT_TEST(a_server_without_stream_options_is_asked_without),
	UNIT_TEST(a_broken_answer_keeps_its_text),
	UNIT_TEST(a_break_before_any_text_is_tried_again),
	UNIT_TEST(silence_and_endless_thought_have_an_end),
	UNIT_TEST(an_absent_server_is_told), UNIT_TEST(odd_ends_are_told),
	UNIT_TEST(an_answer_has_a_cap), UNIT_TEST(a_turn_can_be_stopped_at_any_time),
	UNIT_TEST(turns_have_a_cap_and_die_with_the_agent));
