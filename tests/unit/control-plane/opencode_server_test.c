/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a server of OpenCode, and how its answers are taken. */
#include "control-plane/agents/opencode.h"

#include "tests/unit/control-plane/agent_rig.h"
#include "tests/unit/runtime/http_peer.h"

#define JSON "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static struct peer server;
static struct agent_rig rig;
static struct cg_secret password;
static const char *script; /* the answer to all but the stream */

static void serve(struct peer *peer, int fd, int number)
{
	(void)number;
	if (!peer_read(peer, fd))
		return;
	if (strstr(peer->last, "GET /global/event") == NULL) {
		peer_send(fd, script);
		return;
	}
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
		      "data: {broken\n\ndata: "
		      "{\"payload\":{\"type\":\"server.connected\"}}\n\n");
	peer_hold(fd);
}

static void notice(
	void *arg, int level, const char *event, const char *key, const char *value)
{
	(void)arg;
	(void)level;
	(void)key;
	(void)value;
	if (strcmp(event, "agent.ready") == 0)
		loop_stop(rig.loop);
}

static void begin(void)
{
	static char url[96];
	struct agent_host host;

	peer_start(&server, serve, NULL);
	snprintf(url, sizeof(url), "%s//", server.url);
	rig_init(&rig, &agent_opencode);
	CU_ASSERT_EQUAL(cg_secret_set(&password, "pw", 2), CG_OK);
	rig.options.url = url;
	rig.options.api_key = &password;
	rig.options.directory = "/srv/a b";
	host = (struct agent_host){.loop = rig.loop, .http = rig.http, .notice = notice};
	CU_ASSERT_EQUAL_FATAL(
		agent_opencode.create(&host, &rig.options, &rig.agent, NULL), CG_OK);
	loop_timer_set(&rig.guard, RIG_PATIENCE_MS);
	loop_run(rig.loop); /* until its stream has begun */
	CU_ASSERT_EQUAL(agent_opencode.health(rig.agent, NULL), CG_OK);
}

static void finish(void)
{
	rig_finish(&rig);
	peer_stop(&server);
	cg_secret_wipe(&password);
}

static struct {
	int calls;
	enum cg_status status;
	char json[128]; /* "" for none */
	char text[CG_ERROR_TEXT];
} heard;

static void on_done(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	(void)arg;
	heard.calls++;
	heard.status = status;
	snprintf(heard.json, sizeof(heard.json), "%s",
		json == NULL ? "" : cg_json_text(json, NULL));
	snprintf(heard.text, sizeof(heard.text), "%s", text);
	loop_stop(rig.loop);
}

static void call(const char *method, const char *path, struct json_object *body)
{
	struct opencode_call *pending;

	memset(&heard, 0, sizeof(heard));
	CU_ASSERT_EQUAL_FATAL(
		opencode_call(rig.agent, method, path, body, on_done, NULL, &pending),
		CG_OK);
	CU_ASSERT_EQUAL(heard.calls, 0);
	loop_run(rig.loop);
	CU_ASSERT_EQUAL(heard.calls, 1);
}

static void requests_name_the_project_and_have_the_password(void)
{
	struct json_object *body = cg_json_new_object();

	begin();
	script = JSON "Content-Length: 12\r\n\r\n{\"id\":\"S-1\"}";
	cg_json_put_string(body, "title", "t");
	call("POST", "/session", body);
	CU_ASSERT_EQUAL(heard.status, CG_OK);
	CU_ASSERT_STRING_EQUAL(heard.json, "{\"id\":\"S-1\"}");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(server.last, "POST /session?directory=/srv/a%20b HTTP/1.1"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(server.last, "authorization: Basic b3BlbmNvZGU6cHc=\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(server.last, "{\"title\":\"t\"}"));
	call("GET", "/session/S/message?limit=12", NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(server.last,
		"GET /session/S/message?limit=12&directory=/srv/a%20b HTTP/1.1"));
	finish();
}

static void answers_are_judged(void)
{
	static const struct {
		const char *answer;
		enum cg_status status;
		const char *text;
	} rows[] = {
		{"HTTP/1.1 204 Done\r\n\r\n", CG_OK, ""},
		/* What it does not know it answers with a page for people. */
		{"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: "
		 "6\r\n\r\n<html>",
			CG_INVALID, "is it a server of OpenCode?"},
		{JSON "Content-Length: 4\r\n\r\n{no}", CG_INVALID, "server of OpenCode?"},
		{"HTTP/1.1 404 No\r\nContent-Type: application/json\r\nContent-Length: "
		 "25\r\n\r\n{\"data\":{\"message\":\"gone\"}}",
			CG_NOT_FOUND, ""},
		{"HTTP/1.1 400 No\r\nContent-Type: application/json\r\nContent-Length: "
		 "21\r\n\r\n{\"_tag\":\"BadRequest\"}",
			CG_INVALID, "BadRequest"},
		{"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", CG_INVALID,
			"it refused the password"},
		{"", CG_NETWORK, ""},
	};

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		script = rows[i].answer;
		call("GET", "/session", NULL);
		CU_ASSERT_EQUAL(heard.status, rows[i].status);
		CU_ASSERT_PTR_NOT_NULL(strstr(heard.text, rows[i].text));
		CU_ASSERT_STRING_EQUAL(heard.status == CG_OK ? heard.json : "", "");
	}
	finish();
}

static void calls_are_bounded_and_can_be_dropped(void)
{
	struct opencode_call *pending[OPENCODE_CALLS], *more;

	begin();
	memset(&heard, 0, sizeof(heard));
	script = "";
	for (size_t i = 0; i < OPENCODE_CALLS; i++)
		CU_ASSERT_EQUAL(opencode_call(rig.agent, "GET", "/x", NULL, on_done, NULL,
					&pending[i]),
			CG_OK);
	CU_ASSERT_EQUAL(opencode_call(rig.agent, "GET", "/x", cg_json_new_object(),
				on_done, NULL, &more),
		CG_LIMIT);
	for (size_t i = 0; i < OPENCODE_CALLS; i++)
		opencode_drop(pending[i]);
	opencode_drop(NULL);
	CU_ASSERT_EQUAL(heard.calls, 0);
	CU_ASSERT_EQUAL(
		opencode_call(rig.agent, "GET", "/x", NULL, on_done, NULL, &more), CG_OK);
	finish(); /* what is under way ends without a call */
	CU_ASSERT_EQUAL(heard.calls, 0);
}

UNIT_SUITE(opencode_server, UNIT_TEST(requests_name_the_project_and_have_the_password),
	UNIT_TEST(answers_are_judged), UNIT_TEST(calls_are_bounded_and_can_be_dropped));
