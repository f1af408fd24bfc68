/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"
#include "runtime/http_server.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE 20000 /* turns of a millisecond */

/* A plane behind a real server, and a client that is not in a hurry. */
struct visit {
	struct fixture plane; /* first: its loop is the server's */
	struct daemon *daemon;
	struct config config; /* of the operator's floor, which counts refusals */
	struct cg_secret admin_token;
	struct http_server *server;
	int port, fd;
	char token[256];
	char heard[65536]; /* NUL behind it */
	size_t length;
	bool left; /* the other side has closed */
};

static void handle(void *arg, struct http_request *request)
{
	plane_door(arg, request);
}

static void begin(struct visit *visit)
{
	struct http_server_limits limits = http_server_defaults;
	struct operator_options options = {.config = &visit->config,
		.admin_token = &visit->admin_token,
		.version = "0"};

	memset(visit, 0, sizeof(*visit));
	visit->fd = -1;
	fixture_start(&visit->plane);
	visit->daemon = calloc(1, sizeof(*visit->daemon));
	CU_ASSERT_PTR_NOT_NULL_FATAL(visit->daemon);
	LIST_INIT(&visit->daemon->doors);
	visit->daemon->loop = visit->plane.loop;
	visit->daemon->plane = visit->plane.plane;
	CU_ASSERT_EQUAL_FATAL(operator_create(visit->plane.loop, &options,
				      &visit->daemon->operator, NULL),
		CG_OK);
	CU_ASSERT_EQUAL_FATAL(http_server_create(visit->plane.loop, &limits, handle,
				      visit->daemon, &visit->server, NULL),
		CG_OK);
	CU_ASSERT_EQUAL_FATAL(http_server_listen(visit->server, "127.0.0.1", 0, NULL,
				      &visit->port, NULL),
		CG_OK);
	fixture_call_as(&visit->plane, PLANE_OPERATOR, "POST", "/api/channels/tokens",
		"{\"name\":\"far\",\"channelBindingIds\":[\"webhook-binding\"]}");
	CU_ASSERT_EQUAL_FATAL(visit->plane.status, 201);
	snprintf(visit->token, sizeof(visit->token), "%s",
		fixture_text(&visit->plane, "plaintext"));
}

static void leave(struct visit *visit)
{
	if (visit->fd >= 0)
		close(visit->fd);
	visit->fd = -1;
}

static void finish(struct visit *visit)
{
	leave(visit);
	plane_door_close(visit->daemon);
	http_server_destroy(visit->server);
	operator_destroy(visit->daemon->operator);
	loop_turn(visit->plane.loop);
	free(visit->daemon);
	fixture_finish(&visit->plane);
}

/* A request on a connection of its own; @token NULL: none is shown. */
static void ask(
	struct visit *visit, const char *line, const char *token, const char *body)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)visit->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char text[2048];
	int length;

	leave(visit);
	visit->length = 0;
	visit->heard[0] = '\0';
	visit->left = false;
	visit->fd = socket(AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL_FATAL(
		connect(visit->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fcntl(visit->fd, F_SETFL, O_NONBLOCK);
	length = snprintf(text, sizeof(text),
		"%s HTTP/1.1\r\nHost: h\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", line,
		token == NULL ? "" : "Authorization: bearer ", token == NULL ? "" : token,
		token == NULL ? "" : "\r\n", strlen(body), body);
	CU_ASSERT_EQUAL(send(visit->fd, text, (size_t)length, MSG_NOSIGNAL), length);
}

static void listen_on(struct visit *visit)
{
	ssize_t got = recv(visit->fd, visit->heard + visit->length,
		sizeof(visit->heard) - 1 - visit->length, 0);

	if (got > 0)
		visit->length += (size_t)got;
	visit->heard[visit->length] = '\0';
	visit->left = visit->left || got == 0 || (got < 0 && errno != EAGAIN);
}

/* Was it heard?  NULL: until the other side closes. */
static bool hear(struct visit *visit, const char *text)
{
	for (int i = 0; i < PATIENCE; i++) {
		listen_on(visit);
		if (text == NULL ? visit->left : strstr(visit->heard, text) != NULL)
			return true;
		loop_turn(visit->plane.loop);
		poll(NULL, 0, 1);
	}
	fprintf(stderr, "not heard: %s, but: %s\n", text, visit->heard);
	return false;
}

static bool until_closed(struct visit *visit)
{
	for (int i = 0; i < PATIENCE && !LIST_EMPTY(&visit->daemon->doors); i++) {
		loop_turn(visit->plane.loop);
		poll(NULL, 0, 1);
	}
	return LIST_EMPTY(&visit->daemon->doors);
}

#define STREAM \
	"GET " \
	"/api/channels/deliveries/stream?claimedBy=x&channelBindingId=webhook-binding"

static void door_opens_to_a_token(void)
{
	struct visit visit;

	begin(&visit);
	ask(&visit, "GET /api/channels/extensions", NULL, "");
	CU_ASSERT_TRUE(hear(&visit, "HTTP/1.1 401 "));
	CU_ASSERT_TRUE(hear(&visit, "\"policyCode\""));
	ask(&visit, "GET /api/channels/extensions", "occ_nothing", "");
	CU_ASSERT_TRUE(hear(&visit, "HTTP/1.1 401 "));
	ask(&visit, "GET /api/channels/extensions", visit.token, "");
	CU_ASSERT_TRUE(hear(&visit, "HTTP/1.1 200 "));
	CU_ASSERT_TRUE(hear(&visit, "\"extensions\""));
	ask(&visit, "POST /api/channels/identities/resolve", visit.token,
		"{\"provider\":\"webhook\",\"channelBindingId\":\"webhook-binding\","
		"\"externalUserId\":\"u\"}");
	CU_ASSERT_TRUE(hear(&visit, "\"externalUserId\":\"u\""));
	CU_ASSERT_TRUE(until_closed(&visit));
	finish(&visit);
}

static void door_takes_json_only(void)
{
	struct visit visit;

	begin(&visit);
	ask(&visit, "POST /api/channels/identities/resolve", visit.token, "{\"a\":");
	CU_ASSERT_TRUE(hear(&visit, "HTTP/1.1 400 "));
	CU_ASSERT_TRUE(hear(&visit, "must be valid JSON"));
	CU_ASSERT_TRUE(LIST_EMPTY(&visit.daemon->doors));
	finish(&visit);
}

/* The same events as in memory, as frames. */
static void door_streams(void)
{
	struct visit visit;

	begin(&visit);
	ask(&visit, STREAM, NULL, "");
	CU_ASSERT_TRUE(hear(&visit, "HTTP/1.1 401 "));
	CU_ASSERT_PTR_NULL(strstr(visit.heard, "event-stream"));
	ask(&visit, STREAM, visit.token, "");
	CU_ASSERT_TRUE(hear(&visit, ": connected\nretry: 2000\n\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(visit.heard, "Content-Type: text/event-stream; charset=utf-8"));
	CU_ASSERT_PTR_NOT_NULL(strstr(visit.heard, "no-store, no-transform"));
	fixture_call_as(&visit.plane, PLANE_OPERATOR, "POST", "/api/channels/deliveries",
		"{\"channelBindingId\":\"webhook-binding\",\"agentId\":\"agent\","
		"\"provider\":\"webhook\",\"target\":{\"externalChatId\":\"c\"},"
		"\"deliveryId\":\"d-1\",\"eventType\":\"notice\",\"payload\":{\"text\":"
		"\"two\\nlines\"}}");
	CU_ASSERT_EQUAL(visit.plane.status, 201);
	CU_ASSERT_TRUE(hear(&visit, "event: channel.delivery\ndata: {\"delivery\":"));
	CU_ASSERT_TRUE(hear(&visit, "two\\nlines"));
	CU_ASSERT_TRUE(hear(&visit, "}\n\n"));
	CU_ASSERT_FALSE(LIST_EMPTY(&visit.daemon->doors));
	leave(&visit);
	CU_ASSERT_TRUE(until_closed(&visit)); /* nobody reads any more */
	finish(&visit);
}

/* Whoever may not come in any more does not stay either. */
static void door_closes_with_its_token(void)
{
	struct visit visit;
	char path[64];

	begin(&visit);
	ask(&visit, STREAM, visit.token, "");
	CU_ASSERT_TRUE(hear(&visit, ": connected"));
	snprintf(path, sizeof(path), "/api/channels/tokens/%.20s", visit.token + 4);
	fixture_call_as(&visit.plane, PLANE_OPERATOR, "DELETE", path, NULL);
	CU_ASSERT_EQUAL(visit.plane.status, 200);
	CU_ASSERT_TRUE(hear(&visit, "\r\n0\r\n\r\n"));
	CU_ASSERT_TRUE(until_closed(&visit));
	finish(&visit);
}

static void door_closes_what_is_open(void)
{
	struct visit visit;

	begin(&visit);
	ask(&visit, STREAM, visit.token, "");
	CU_ASSERT_TRUE(hear(&visit, ": connected"));
	plane_door_close(visit.daemon);
	CU_ASSERT_TRUE(LIST_EMPTY(&visit.daemon->doors));
	CU_ASSERT_TRUE(hear(&visit, "\r\n0\r\n\r\n")); /* an end, not a break */
	visit.daemon->stopping = true;
	ask(&visit, "GET /api/channels/extensions", visit.token, "");
	CU_ASSERT_TRUE(hear(&visit, "HTTP/1.1 503 "));
	CU_ASSERT_TRUE(hear(&visit, "Retry-After: 1"));
	finish(&visit);
}

UNIT_SUITE(plane_door, UNIT_TEST(door_opens_to_a_token), UNIT_TEST(door_takes_json_only),
	UNIT_TEST(door_streams), UNIT_TEST(door_closes_with_its_token),
	UNIT_TEST(door_closes_what_is_open));
