/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that a durable webhook receiver can be, to measure the daemon against: evhttp, an
 * HMAC over the body, one parse, one row in SQLite with a unique key, one writer thread that
 * commits in groups (WAL, synchronous=FULL), 202 after the commit.  No limits, no processing.
 *
 *	bench-skeleton PORT DATABASE SECRET
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/thread.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct arrival {
	STAILQ_ENTRY(arrival) link;
	struct evhttp_request *request;
	struct json_object *body;
};
STAILQ_HEAD(arrivals, arrival);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static struct arrivals waiting = STAILQ_HEAD_INITIALIZER(waiting);
static struct arrivals committed = STAILQ_HEAD_INITIALIZER(committed);
static struct event *news;
static sqlite3 *database;
static const char *secret;

static void check(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench-skeleton: %s\n", what);
	exit(1);
}

static void run(const char *sql)
{
	check(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

static void *writer(void *arg)
{
	sqlite3_stmt *insert = arg;
	struct arrivals group;
	struct arrival *arrival;

	for (;;) {
		STAILQ_INIT(&group);
		pthread_mutex_lock(&lock);
		while (STAILQ_EMPTY(&waiting))
			pthread_cond_wait(&work, &lock);
		STAILQ_CONCAT(&group, &waiting);
		pthread_mutex_unlock(&lock);
		run("BEGIN IMMEDIATE");
		STAILQ_FOREACH (arrival, &group, link) {
			struct json_object *id =
				json_object_object_get(arrival->body, "id");

			sqlite3_bind_text(
				insert, 1, json_object_get_string(id), -1, SQLITE_STATIC);
			sqlite3_bind_text(insert, 2,
				json_object_to_json_string_ext(
					arrival->body, JSON_C_TO_STRING_PLAIN),
				-1, SQLITE_STATIC);
			check(sqlite3_step(insert) == SQLITE_DONE, "insert");
			sqlite3_reset(insert);
		}
		run("COMMIT");
		pthread_mutex_lock(&lock);
		STAILQ_CONCAT(&committed, &group);
		pthread_mutex_unlock(&lock);
		event_active(news, 0, 0);
	}
	return NULL;
}

static void answer(evutil_socket_t fd, short what, void *arg)
{
	struct arrivals group = STAILQ_HEAD_INITIALIZER(group);
	struct arrival *arrival;

	(void)fd, (void)what, (void)arg;
	pthread_mutex_lock(&lock);
	STAILQ_CONCAT(&group, &committed);
	pthread_mutex_unlock(&lock);
	while ((arrival = STAILQ_FIRST(&group)) != NULL) {
		STAILQ_REMOVE_HEAD(&group, link);
		evbuffer_add(evhttp_request_get_output_buffer(arrival->request),
			"{\"ok\":true}", 11);
		evhttp_send_reply(arrival->request, 202, "Accepted", NULL);
		json_object_put(arrival->body);
		free(arrival);
	}
}

static int is_authentic(struct evhttp_request *request, const char *body, size_t length)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
	const char *timestamp =
		evhttp_find_header(headers, "x-open-cowork-gateway-webhook-timestamp");
	const char *signature =
		evhttp_find_header(headers, "x-open-cowork-gateway-webhook-signature");
	unsigned char mac[EVP_MAX_MD_SIZE];
	char text[65536], hex[80] = "v1=";
	int head;

	if (timestamp == NULL || signature == NULL || strlen(signature) != 67)
		return 0;
	head = snprintf(text, sizeof(text), "v1:%s:", timestamp);
	if ((size_t)head + length > sizeof(text))
		return 0;
	memcpy(text + head, body, length);
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)text,
		(size_t)head + length, mac, NULL);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 3 + 2 * i, 3, "%02x", mac[i]);
	return CRYPTO_memcmp(hex, signature, 67) == 0;
}

static void take(struct evhttp_request *request, void *arg)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	size_t length = evbuffer_get_length(input);
	const char *body = (const char *)evbuffer_pullup(input, -1);
	struct json_tokener *tokener;
	struct arrival *arrival;

	(void)arg;
	if (!is_authentic(request, body, length)) {
		evhttp_send_reply(request, 401, "Unauthorized", NULL);
		return;
	}
	arrival = calloc(1, sizeof(*arrival));
	tokener = json_tokener_new();
	check(arrival != NULL && tokener != NULL, "memory");
	arrival->request = request;
	arrival->body = json_tokener_parse_ex(tokener, body, (int)length);
	json_tokener_free(tokener);
	pthread_mutex_lock(&lock);
	STAILQ_INSERT_TAIL(&waiting, arrival, link);
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
	struct evhttp_bound_socket *bound;
	struct event_base *base;
	struct evhttp *http;
	sqlite3_stmt *insert;
	pthread_t thread;

	check(argc == 4, "usage: bench-skeleton PORT DATABASE SECRET");
	secret = argv[3];
	check(sqlite3_open(argv[2], &database) == SQLITE_OK, "database");
	run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "CREATE TABLE inbox(id INTEGER PRIMARY KEY, key TEXT UNIQUE, body TEXT)");
	check(sqlite3_prepare_v2(database, "INSERT INTO inbox(key, body) VALUES(?1, ?2)",
		      -1, &insert, NULL) == SQLITE_OK,
		"statement");
	evthread_use_pthreads();
	base = event_base_new();
	http = evhttp_new(base);
	news = event_new(base, -1, EV_PERSIST, answer, NULL);
	evhttp_set_gencb(http, take, NULL);
	bound = evhttp_bind_socket_with_handle(
		http, "127.0.0.1", (ev_uint16_t)strtoul(argv[1], NULL, 10));
	check(bound != NULL, "port");
	setsockopt(evhttp_bound_socket_get_fd(bound), IPPROTO_TCP, TCP_NODELAY, &(int){1},
		sizeof(int));
	check(pthread_create(&thread, NULL, writer, insert) == 0, "thread");
	fprintf(stderr, "ready\n");
	return event_base_dispatch(base);
}
