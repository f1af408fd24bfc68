/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends signed webhooks over many connections, each with one request under way, and prints
 * what came of them as one line of JSON.  Every request is made and signed before the clock
 * starts, so that making load costs little more than a write and a read.
 *
 *	bench-load PORT CONNECTIONS REQUESTS SECRET [FIRST [CHATS [SINK]]]
 *
 * Requests are numbered from FIRST; their messages go round CHATS chats.  With SINK, answers are
 * awaited on that port, until all have come or none has come for a while, and timed from the
 * 202 on.  A SECRET that begins with "!" signs wrongly; one with "?" too, each request
 * from an address of its own behind a proxy.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX 1024
#define INPUT_MAX 16384
#define CONNECTIONS_MAX 4096
#define PATIENCE_S 20 /* without news, before the run is given up */
#define MARK "load-"

struct peer {
	int fd;
	struct event *event;
	size_t request; /* under way */
	uint64_t sent_ns;
	size_t length;
	char input[INPUT_MAX];
};

static struct {
	size_t connections, requests, first, chats;
	unsigned short port, sink;
	const char *secret;
	bool wrong, proxied;
} job = {.chats = 64};

static struct event_base *base;
static struct event *patience;
static char *requests; /* REQUEST_MAX each */
static uint64_t *took_ns; /* of each request */
static uint64_t *accepted_ns, *delivered_ns; /* when */
static size_t begun, answered, failed, statuses[600], delivered, repeated;
static uint64_t started_ns, ended_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_request(char *ret, size_t number)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	char body[512], text[600], hex[65], origin[64] = "";
	intmax_t seconds = (intmax_t)time(NULL);
	int length, head;

	length = snprintf(body, sizeof(body),
		"{\"id\":\"evt-%010zu\",\"target\":{\"chatId\":\"chat-%zu\"},"
		"\"sender\":{\"userId\":\"user-%zu\",\"username\":\"bench\"},"
		"\"text\":\"" MARK "%010zu What is the state of the deployment?\"}",
		number, number % job.chats, number % job.chats, number);
	head = snprintf(text, sizeof(text), "v1:%jd:%s", seconds, body);
	HMAC(EVP_sha256(), job.secret, (int)strlen(job.secret), (unsigned char *)text,
		(size_t)head, mac, NULL);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", job.wrong ? mac[i] ^ 1 : mac[i]);
	if (job.proxied)
		snprintf(origin, sizeof(origin), "X-Forwarded-For: 10.%zu.%zu.%zu\r\n",
			number >> 16 & 255, number >> 8 & 255, number & 255);
	snprintf(ret, REQUEST_MAX,
		"POST /webhooks/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Content-Type: application/json\r\nContent-Length: %d\r\n"
		"X-Open-Cowork-Gateway-Webhook-Timestamp: %jd\r\n"
		"X-Open-Cowork-Gateway-Webhook-Signature: v1=%s\r\n%s\r\n%s",
		length, seconds, hex, origin, body);
}

static void wait_longer(void)
{
	event_add(patience, &(struct timeval){.tv_sec = PATIENCE_S});
}

static void give_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	event_base_loopbreak(base);
}

static bool all_done(void)
{
	if (answered + failed < job.requests)
		return false;
	return job.sink == 0 || delivered >= statuses[202];
}

static void begin_next(struct peer *peer)
{
	const char *request;
	size_t length;

	if (begun == job.requests)
		return;
	peer->request = begun++;
	peer->length = 0;
	request = requests + peer->request * REQUEST_MAX;
	length = strlen(request);
	peer->sent_ns = now_ns();
	/* Fits into the empty buffer of the socket. */
	if (write(peer->fd, request, length) != (ssize_t)length)
		fail("write");
}

/* Length of the first whole message in the input, 0 while there is none. */
static size_t whole_message(struct peer *peer)
{
	const char *end, *field;
	size_t body = 0, head;

	peer->input[peer->length] = '\0';
	end = strstr(peer->input, "\r\n\r\n");
	if (end == NULL)
		return 0;
	head = (size_t)(end - peer->input) + 4;
	for (field = peer->input; field < end; field = strstr(field, "\r\n") + 2) {
		if (strncasecmp(field, "content-length:", 15) == 0)
			body = strtoul(field + 15, NULL, 10);
	}
	return peer->length >= head + body ? head + body : 0;
}

/* False at the end of the connection. */
static bool read_more(struct peer *peer)
{
	ssize_t got =
		read(peer->fd, peer->input + peer->length, INPUT_MAX - 1 - peer->length);

	if (got > 0)
		peer->length += (size_t)got;
	return got > 0 || (got < 0 && errno == EAGAIN);
}

static void take_answer(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;
	unsigned long status;

	(void)fd, (void)what;
	if (!read_more(peer)) {
		failed += answered < job.requests;
		event_del(peer->event);
	} else if (whole_message(peer) > 0) {
		status = strtoul(peer->input + 9, NULL, 10);
		ended_ns = now_ns();
		took_ns[peer->request] = ended_ns - peer->sent_ns;
		accepted_ns[peer->request] = ended_ns;
		statuses[status < 600 ? status : 599]++;
		answered++;
		begin_next(peer);
		if (answered % 1000 == 0)
			wait_longer();
	}
	if (all_done())
		event_base_loopbreak(base);
}

static void note_delivery(const char *body)
{
	const char *mark = strstr(body, MARK);
	size_t number = mark == NULL ? 0 : strtoul(mark + sizeof(MARK) - 1, NULL, 10);

	if (mark == NULL || number < job.first || number >= job.first + job.requests)
		return;
	number -= job.first;
	if (delivered_ns[number] != 0) {
		repeated++;
		return;
	}
	delivered_ns[number] = now_ns();
	delivered++;
	wait_longer();
}

static void take_delivery(evutil_socket_t fd, short what, void *arg)
{
	static const char reply[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";
	struct peer *peer = arg;
	size_t length;

	(void)fd, (void)what;
	if (!read_more(peer)) {
		event_free(peer->event);
		close(peer->fd);
		free(peer);
		return;
	}
	while ((length = whole_message(peer)) > 0) {
		note_delivery(peer->input);
		memmove(peer->input, peer->input + length, peer->length - length);
		peer->length -= length;
		if (write(peer->fd, reply, sizeof(reply) - 1) < 0)
			fail("write to a delivery");
	}
	if (all_done())
		event_base_loopbreak(base);
}

static struct peer *add_peer(int fd, event_callback_fn callback)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		fail("memory");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	peer->fd = fd;
	peer->event = event_new(base, fd, EV_READ | EV_PERSIST, callback, peer);
	event_add(peer->event, NULL);
	return peer;
}

static struct sockaddr_in loopback(unsigned short port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void take_sender(evutil_socket_t fd, short what, void *arg)
{
	int accepted = accept(fd, NULL, NULL);

	(void)what, (void)arg;
	if (accepted >= 0)
		add_peer(accepted, take_delivery);
}

static void open_sink(void)
{
	struct sockaddr_in address = loopback(job.sink);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(fd, 128) != 0)
		fail("sink");
	event_add(event_new(base, fd, EV_READ | EV_PERSIST, take_sender, NULL), NULL);
}

static struct peer *connect_peer(void)
{
	struct sockaddr_in address = loopback(job.port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	return add_peer(fd, take_answer);
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The quantile in milliseconds; sorts. */
static double quantile_ms(uint64_t *values, size_t count, double which)
{
	qsort(values, count, sizeof(*values), compare);
	return count == 0 ? 0
			  : (double)values[(size_t)((double)(count - 1) * which)] / 1e6;
}

static size_t delivery_times(uint64_t *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < job.requests; i++) {
		if (delivered_ns[i] > 0 && accepted_ns[i] > 0)
			ret[count++] = delivered_ns[i] > accepted_ns[i]
					       ? delivered_ns[i] - accepted_ns[i]
					       : 0;
	}
	return count;
}

static void print_result(void)
{
	double seconds = (double)(ended_ns - started_ns) / 1e9;
	uint64_t *times = calloc(job.requests, sizeof(*times));
	size_t count = delivery_times(times);

	printf("{\"seconds\":%.4f,\"rate\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
	       "\"max_ms\":%.3f,\"failed\":%zu",
		seconds, (double)answered / seconds, quantile_ms(took_ns, answered, 0.5),
		quantile_ms(took_ns, answered, 0.99), quantile_ms(took_ns, answered, 1),
		failed);
	for (size_t i = 0; i < 600; i++) {
		if (statuses[i] > 0)
			printf(",\"%zu\":%zu", i, statuses[i]);
	}
	if (job.sink != 0)
		printf(",\"delivered\":%zu,\"repeated\":%zu,\"delivery_p50_ms\":%.3f,"
		       "\"delivery_p99_ms\":%.3f,\"whole_seconds\":%.4f",
			delivered, repeated, quantile_ms(times, count, 0.5),
			quantile_ms(times, count, 0.99),
			(double)(now_ns() - started_ns) / 1e9);
	printf("}\n");
	free(times);
}

static size_t number_argument(int argc, char **argv, int index, size_t fallback)
{
	return index < argc ? strtoul(argv[index], NULL, 10) : fallback;
}

static void read_arguments(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: bench-load PORT CONNECTIONS REQUESTS SECRET "
				"[FIRST [CHATS [SINK]]]\n");
		exit(2);
	}
	job.port = (unsigned short)number_argument(argc, argv, 1, 0);
	job.connections = number_argument(argc, argv, 2, 1);
	job.requests = number_argument(argc, argv, 3, 1);
	job.proxied = argv[4][0] == '?';
	job.wrong = argv[4][0] == '!' || job.proxied;
	job.secret = argv[4] + (job.wrong ? 1 : 0);
	job.first = number_argument(argc, argv, 5, 1);
	job.chats = number_argument(argc, argv, 6, 64);
	job.sink = (unsigned short)number_argument(argc, argv, 7, 0);
	if (job.connections > CONNECTIONS_MAX || job.connections > job.requests)
		job.connections =
			job.requests < CONNECTIONS_MAX ? job.requests : CONNECTIONS_MAX;
}

int main(int argc, char **argv)
{
	struct peer *peers[CONNECTIONS_MAX];

	read_arguments(argc, argv);
	base = event_base_new();
	patience = event_new(base, -1, 0, give_up, NULL);
	requests = malloc(job.requests * REQUEST_MAX);
	took_ns = calloc(job.requests, sizeof(*took_ns));
	accepted_ns = calloc(job.requests, sizeof(*accepted_ns));
	delivered_ns = calloc(job.requests, sizeof(*delivered_ns));
	if (requests == NULL || took_ns == NULL || accepted_ns == NULL ||
		delivered_ns == NULL)
		fail("memory");
	for (size_t i = 0; i < job.requests; i++)
		make_request(requests + i * REQUEST_MAX, job.first + i);
	if (job.sink != 0)
		open_sink();
	for (size_t i = 0; i < job.connections; i++)
		peers[i] = connect_peer();
	wait_longer();
	started_ns = now_ns();
	for (size_t i = 0; i < job.connections; i++)
		begin_next(peers[i]);
	event_base_dispatch(base);
	print_result();
	return failed == 0 && answered == job.requests ? 0 : 1;
}
