/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A listening socket on an address, and its port. */
static int listen_on(uint32_t address, int *ret_port)
{
	struct sockaddr_in place = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	socklen_t length = sizeof(place);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&place, length), 0);
	CU_ASSERT_EQUAL(listen(fd, 8), 0);
	CU_ASSERT_EQUAL(getsockname(fd, (struct sockaddr *)&place, &length), 0);
	*ret_port = ntohs(place.sin_port);
	return fd;
}

/* Whether somebody answers there; the kernel does it for whoever listens. */
static bool is_open(int port)
{
	struct sockaddr_in place = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool open = connect(fd, (struct sockaddr *)&place, sizeof(place)) == 0;

	close(fd);
	return open;
}

static int port_of(const struct house *house)
{
	return (int)strtol(strrchr(house->daemon->url, ':') + 1, NULL, 10);
}

static void doors_open_on_the_port_and_the_socket(void)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};
	struct house house;
	struct stat info;
	char token[128];
	int fd;

	house_begin(&house, HOUSE_ONE);
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	CU_ASSERT_EQUAL(strncmp(house.daemon->url, "http://127.0.0.1:", 17), 0);
	CU_ASSERT_TRUE(is_open(port_of(&house)));
	CU_ASSERT_EQUAL(
		daemon_socket_path(house.data, place.sun_path, sizeof(place.sun_path)),
		CG_OK);
	CU_ASSERT_EQUAL(stat(place.sun_path, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 0777, 0600);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&place, sizeof(place)), 0);
	close(fd);
	/* Standalone, nobody has set a token: there is one now, of its owner's. */
	CU_ASSERT_TRUE(cg_secret_is_set(&house.daemon->admin_token));
	snprintf(token, sizeof(token), "%s/admin-token", house.data);
	CU_ASSERT_EQUAL(stat(token, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0600);
	house_end(&house);
}

static void doors_say_which_port_is_taken(void)
{
	struct house house;
	char text[64];
	int port, fd = listen_on(INADDR_LOOPBACK, &port);

	house_begin(&house, HOUSE_ONE);
	snprintf(text, sizeof(text), K "PORT=%d", port);
	house_env(&house, text);
	CU_ASSERT_NOT_EQUAL(house_create(&house), CG_OK);
	CU_ASSERT_PTR_NULL(house.daemon);
	snprintf(text, sizeof(text), "listening on 127.0.0.1 port %d", port);
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, text));
	close(fd);
	house_end(&house);
}

static void doors_need_a_short_path(void)
{
	struct house house;
	char name[128], text[256];

	house_begin(&house, HOUSE_ONE);
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text), K "DATA_DIR=%s/%s", house.directory, name);
	house_env(&house, text);
	CU_ASSERT_EQUAL(house_create(&house), CG_LIMIT);
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, K "DATA_DIR"));
	snprintf(text, sizeof(text), "%s/%s", house.directory, name);
	CU_ASSERT_EQUAL(tree_remove(text, NULL), CG_OK);
	house_end(&house);
}

/* Puts a socket where a service manager leaves it; what was there goes to *@ret_kept. */
static void hand_over(int fd, int *ret_kept)
{
	char pid[32];

	*ret_kept = fcntl(3, F_DUPFD_CLOEXEC, 10);
	CU_ASSERT_EQUAL_FATAL(dup2(fd, 3), 3);
	if (fd != 3)
		close(fd);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

static void put_back(int kept)
{
	if (kept < 0)
		return;
	dup2(kept, 3);
	close(kept);
}

static void doors_take_the_service_manager_s_socket(void)
{
	struct house house;
	int port, kept, fd;

	house_begin(&house, HOUSE_ONE);
	fd = listen_on(INADDR_LOOPBACK, &port);
	hand_over(fd, &kept);
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	CU_ASSERT_EQUAL(port_of(&house), port);
	CU_ASSERT_PTR_NULL(getenv("LISTEN_FDS"));
	house_close(&house);
	CU_ASSERT_FALSE(is_open(port)); /* it was adopted */
	put_back(kept);
	house_end(&house);
}

/* The settings, which every rule of safety was held against, say loopback: so must the socket. */
static void doors_do_not_open_wider_than_the_settings(void)
{
	struct house house;
	int port, kept, fd;

	house_begin(&house, HOUSE_ONE);
	fd = listen_on(INADDR_ANY, &port);
	hand_over(fd, &kept);
	CU_ASSERT_EQUAL(house_create(&house), CG_DENIED);
	CU_ASSERT_PTR_NULL(house.daemon);
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, "open on 0.0.0.0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, K "HOST"));
	CU_ASSERT_FALSE(is_open(port));
	put_back(kept);
	house_end(&house);
}

static void doors_write_ipv6_in_brackets(void)
{
	struct house house;

	house_begin(&house, HOUSE_ONE K "HOST=::1\n");
	if (house_create(&house) == CG_OK) {
		CU_ASSERT_EQUAL(strncmp(house.daemon->url, "http://[::1]:", 13), 0);
	} else { /* a machine without IPv6 */
		CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, "listening on ::1"));
	}
	house_end(&house);
}

UNIT_SUITE(doors, UNIT_TEST(doors_open_on_the_port_and_the_socket),
	UNIT_TEST(doors_say_which_port_is_taken), UNIT_TEST(doors_need_a_short_path),
	UNIT_TEST(doors_take_the_service_manager_s_socket),
	UNIT_TEST(doors_do_not_open_wider_than_the_settings),
	UNIT_TEST(doors_write_ipv6_in_brackets));
