/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/runtime/http_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* A directory of our own with the path of a socket in it. */
struct place {
	char directory[64];
	char path[96];
};

static void place_init(struct place *place)
{
	strncpy(place->directory, "/tmp/cowgate-listener-XXXXXX",
		sizeof(place->directory));
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->directory));
	snprintf(place->path, sizeof(place->path), "%s/socket", place->directory);
}

static void place_finish(struct place *place)
{
	unlink(place->path);
	CU_ASSERT_EQUAL(rmdir(place->directory), 0);
}

static int unix_socket(const char *path, bool listening)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (listening) {
		CU_ASSERT_EQUAL(
			bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		CU_ASSERT_EQUAL(listen(fd, 1), 0);
	} else {
		CU_ASSERT_EQUAL(
			connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	}
	return fd;
}

static void unix_socket_is_private_and_knows_its_peer(void)
{
	struct fixture fixture;
	struct place place;
	struct stat info;
	mode_t mask = umask(0);
	int fd;

	fixture_start(&fixture, NULL);
	place_init(&place);
	CU_ASSERT_EQUAL(http_server_listen_unix(fixture.server, place.path, NULL), CG_OK);
	CU_ASSERT_EQUAL(umask(mask), 0);
	CU_ASSERT_EQUAL(stat(place.path, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0600);
	fd = unix_socket(place.path, false);
	fixture_send(fd, GET("/hold"));
	fixture_until(&fixture, fixture.held != NULL);
	CU_ASSERT(http_request_is_unix(fixture.held));
	CU_ASSERT_STRING_EQUAL(http_request_peer(fixture.held), "");
	CU_ASSERT_EQUAL(http_request_peer_uid(fixture.held), (int64_t)geteuid());
	http_request_fail(fixture.held, 418, "pot", -1);
	CU_ASSERT(fixture_expect(&fixture, fd, "pot"));
	close(fd);
	fixture_stop(&fixture);
	CU_ASSERT_NOT_EQUAL(stat(place.path, &info), 0);
	place_finish(&place);
}

static void stale_socket_is_replaced(void)
{
	struct fixture fixture;
	struct place place;
	int fd;

	fixture_start(&fixture, NULL);
	place_init(&place);
	close(unix_socket(place.path, true));
	CU_ASSERT_EQUAL(http_server_listen_unix(fixture.server, place.path, NULL), CG_OK);
	fd = unix_socket(place.path, false);
	fixture_send(fd, GET("/alive"));
	CU_ASSERT(fixture_expect(&fixture, fd, "/alive"));
	close(fd);
	fixture_stop(&fixture);
	place_finish(&place);
}

static void live_socket_is_left_alone(void)
{
	struct fixture fixture;
	struct place place;
	struct cg_error error;
	int fd, client;

	fixture_start(&fixture, NULL);
	place_init(&place);
	fd = unix_socket(place.path, true);
	CU_ASSERT_EQUAL(
		http_server_listen_unix(fixture.server, place.path, &error), CG_BUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, place.path));
	client = unix_socket(place.path, false);
	close(client);
	close(fd);
	fixture_stop(&fixture);
	place_finish(&place);
}

static void other_files_are_left_alone(void)
{
	struct fixture fixture;
	struct place place;
	char longer[256];
	FILE *file;

	fixture_start(&fixture, NULL);
	place_init(&place);
	file = fopen(place.path, "w");
	fclose(file);
	CU_ASSERT_EQUAL(
		http_server_listen_unix(fixture.server, place.path, NULL), CG_EXISTS);
	CU_ASSERT_EQUAL(access(place.path, F_OK), 0);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	CU_ASSERT_EQUAL(
		http_server_listen_unix(fixture.server, longer, NULL), CG_INVALID);
	CU_ASSERT_EQUAL(http_server_listen_unix(fixture.server, "", NULL), CG_INVALID);
	fixture_stop(&fixture);
	place_finish(&place);
}

/* The operator gets in although every place on TCP is taken. */
static void unix_socket_has_places_of_its_own(void)
{
	struct http_server_limits limits = http_server_defaults;
	struct fixture fixture;
	struct place place;
	int tcp, fd;

	limits.connections = 1;
	fixture_start(&fixture, &limits);
	place_init(&place);
	CU_ASSERT_EQUAL(http_server_listen_unix(fixture.server, place.path, NULL), CG_OK);
	tcp = fixture_connect(fixture.port);
	fixture_send(tcp, GET("/tcp"));
	CU_ASSERT(fixture_expect(&fixture, tcp, "/tcp"));
	fd = unix_socket(place.path, false);
	fixture_send(fd, GET("/unix"));
	CU_ASSERT(fixture_expect(&fixture, fd, "/unix"));
	CU_ASSERT_EQUAL(http_server_connections(fixture.server), 2);
	close(tcp);
	close(fd);
	fixture_stop(&fixture);
	place_finish(&place);
}

static void taken_port_is_busy(void)
{
	struct fixture fixture;
	struct cg_error error;
	int port = -1;

	fixture_start(&fixture, NULL);
	CU_ASSERT_EQUAL(http_server_listen(fixture.server, "127.0.0.1", fixture.port,
				NULL, &port, &error),
		CG_BUSY);
	CU_ASSERT_EQUAL(port, -1);
	CU_ASSERT_EQUAL(
		http_server_listen(fixture.server, "127.0.0.1", 65536, NULL, &port, NULL),
		CG_INVALID);
	CU_ASSERT_EQUAL(http_server_listen(
				fixture.server, "not an address", 0, NULL, &port, NULL),
		CG_INVALID);
	fixture_stop(&fixture);
}

/* An IPv4 client of a dual-stack socket is called by its IPv4 address. */
static void any_address_serves_both_families(void)
{
	struct fixture fixture;
	int port = 0, fd;

	fixture_start(&fixture, NULL);
	if (http_server_listen(fixture.server, "[::]", 0, NULL, &port, NULL) != CG_OK) {
		/* A host without IPv6 must still serve IPv4. */
		CU_ASSERT_EQUAL_FATAL(http_server_listen(fixture.server, "0.0.0.0", 0,
					      NULL, &port, NULL),
			CG_OK);
	}
	CU_ASSERT(port > 0);
	fd = fixture_connect(port);
	fixture_send(fd, GET("/any"));
	CU_ASSERT(fixture_expect(&fixture, fd, "/any"));
	CU_ASSERT_STRING_EQUAL(fixture.seen, "GET /any  127.0.0.1");
	close(fd);
	fixture_stop(&fixture);
}

static void handed_over_socket_is_served(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct fixture fixture;
	struct cg_error error;
	char host[46] = "";
	int pipes[2], fd = socket(AF_INET, SOCK_STREAM, 0), port = 0;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 4), 0);
	fixture_start(&fixture, NULL);
	CU_ASSERT_EQUAL_FATAL(
		http_server_listen_fd(fixture.server, fd, NULL, host, &port, &error),
		CG_OK);
	CU_ASSERT_STRING_EQUAL(host, "127.0.0.1");
	CU_ASSERT(port > 0);
	fd = fixture_connect(port);
	fixture_send(fd, GET("/given"));
	CU_ASSERT(fixture_expect(&fixture, fd, "/given"));
	close(fd);

	CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
	CU_ASSERT_EQUAL(http_server_listen_fd(
				fixture.server, pipes[0], NULL, host, &port, &error),
		CG_INVALID);
	CU_ASSERT_EQUAL(fcntl(pipes[0], F_GETFD), -1); /* adopted all the same */
	close(pipes[1]);
	fixture_stop(&fixture);
}

UNIT_SUITE(http_listener, UNIT_TEST(unix_socket_is_private_and_knows_its_peer),
	UNIT_TEST(stale_socket_is_replaced), UNIT_TEST(live_socket_is_left_alone),
	UNIT_TEST(other_files_are_left_alone),
	UNIT_TEST(unix_socket_has_places_of_its_own), UNIT_TEST(taken_port_is_busy),
	UNIT_TEST(any_address_serves_both_families),
	UNIT_TEST(handed_over_socket_is_served));
