/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/line_peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	struct line_peer *peer;
	int fd;
	SSL *ssl; /* NULL: in clear */
	char in[4096];
	size_t length, at; /* of what came and was not looked at yet */
};

static void must(bool good)
{
	if (!good)
		abort();
}

/* ---- A certificate of its own ---- */

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name;
	X509_EXTENSION *where;

	must(certificate != NULL);
	where = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	name = X509_get_subject_name(certificate);
	must(where != NULL && X509_set_version(certificate, 2) == 1 &&
		ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
		X509_gmtime_adj(X509_getm_notBefore(certificate), -60) != NULL &&
		X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) != NULL &&
		X509_set_pubkey(certificate, key) == 1 &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			(const unsigned char *)"127.0.0.1", -1, -1, 0) == 1 &&
		X509_set_issuer_name(certificate, name) == 1 &&
		X509_add_ext(certificate, where, -1) == 1 &&
		X509_sign(certificate, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(where);
	return certificate;
}

static void make_tls(struct line_peer *peer)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	FILE *file;
	int fd;

	snprintf(peer->ca_file, sizeof(peer->ca_file), "/tmp/cowgate-peer-XXXXXX");
	fd = mkstemp(peer->ca_file);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	must(file != NULL && context != NULL && PEM_write_X509(file, certificate) == 1 &&
		fclose(file) == 0 && SSL_CTX_use_certificate(context, certificate) == 1 &&
		SSL_CTX_use_PrivateKey(context, key) == 1);
	peer->tls_context = context;
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static bool begin_tls(struct client *client)
{
	client->ssl = SSL_new(client->peer->tls_context);
	must(client->ssl != NULL && SSL_set_fd(client->ssl, client->fd) == 1);
	return SSL_accept(client->ssl) == 1;
}

/* ---- Bytes ---- */

/* Waits for bytes; false: the client is gone, or we are to stop. */
static bool fill(struct client *client)
{
	struct pollfd wanted[] = {{.fd = client->fd, .events = POLLIN},
		{.fd = client->peer->stopping[0], .events = POLLIN}};
	int length;

	if (client->ssl == NULL || SSL_pending(client->ssl) == 0) {
		/* What was said before the stop is heard. */
		if (poll(wanted, 2, -1) <= 0 || wanted[0].revents == 0)
			return false;
	}
	length = client->ssl != NULL
			 ? SSL_read(client->ssl, client->in, sizeof(client->in))
			 : (int)recv(client->fd, client->in, sizeof(client->in), 0);
	client->at = 0;
	client->length = length > 0 ? (size_t)length : 0;
	return length > 0;
}

static bool say_bytes(struct client *client, const char *bytes, size_t length)
{
	if (length == 0)
		return true;
	return client->ssl != NULL
		       ? SSL_write(client->ssl, bytes, (int)length) == (int)length
		       : send(client->fd, bytes, length, 0) == (ssize_t)length;
}

static void note(struct line_peer *peer, const char *bytes, size_t length)
{
	size_t room = sizeof(peer->heard) - 1 - peer->heard_length;

	if (length > room)
		length = room;
	memcpy(peer->heard + peer->heard_length, bytes, length);
	peer->heard_length += length;
	peer->heard[peer->heard_length] = '\0';
}

/* The next line with its end, cut; @ret_count gets its whole length. */
static bool read_line(struct client *client, char *line, size_t size, size_t *ret_count)
{
	size_t used = 0;
	char byte = '\0';

	*ret_count = 0;
	while (byte != '\n') {
		if (client->at == client->length && !fill(client))
			return false;
		byte = client->in[client->at++];
		++*ret_count;
		if (used + 1 < size)
			line[used++] = byte;
	}
	line[used] = '\0';
	note(client->peer, line, used);
	return true;
}

/* ---- Rules ---- */

static const struct line_peer_rule *find_rule(struct line_peer *peer, const char *line)
{
	const struct line_peer_rule *lists[] = {peer->rules, peer->others};

	for (size_t list = 0; list < 2; list++) {
		const struct line_peer_rule *rule = lists[list];

		for (size_t i = 0; rule != NULL && rule[i].verb != NULL; i++) {
			bool once = (rule[i].flags & LINE_PEER_FIRST) != 0;
			size_t length = strlen(rule[i].verb);

			if (once && (i >= LINE_PEER_ONCE || (peer->used >> i & 1) != 0))
				continue;
			if ((length == 0) != (line[0] == '\0') ||
				strncasecmp(line, rule[i].verb, length) != 0)
				continue;
			if (once)
				peer->used |= 1u << i;
			return &rule[i];
		}
	}
	return NULL;
}

static bool say(struct client *client, const struct line_peer_rule *rule, const char *tag)
{
	char reply[8192];
	size_t length = 0;

	for (const char *at = rule->reply; *at != '\0'; at++) {
		int step = *at == '$' ? snprintf(reply + length, sizeof(reply) - length,
						"%s", tag)
				      : snprintf(reply + length, sizeof(reply) - length,
						"%c", *at);

		length += (size_t)step;
		must(length < sizeof(reply));
	}
	if ((rule->flags & LINE_PEER_PIECES) == 0)
		return say_bytes(client, reply, length);
	for (size_t i = 0; i < length; i++) {
		if (!say_bytes(client, reply + i, 1))
			return false;
	}
	return true;
}

/* False: it is over. */
static bool answer(struct client *client, const char *line, const char *tag)
{
	const struct line_peer_rule *rule = find_rule(client->peer, line);
	bool content, end = false;
	char dot[1024];
	size_t length, count = 0;

	if (rule == NULL)
		return false;
	if (rule->then != NULL)
		rule->then(client->peer->arg);
	if (!say(client, rule, tag) || (rule->flags & LINE_PEER_HANG_UP) != 0)
		return false;
	if ((rule->flags & LINE_PEER_BEGIN_TLS) != 0 && !begin_tls(client))
		return false;
	content = (rule->flags & LINE_PEER_CONTENT) != 0;
	while (content && !end) {
		if (!read_line(client, dot, sizeof(dot), &length))
			return false;
		count += length;
		if (client->peer->content_max > 0 && count > client->peer->content_max)
			return false;
		end = strcmp(dot, ".\r\n") == 0;
	}
	return !content || answer(client, ".", tag);
}

static void serve(struct client *client)
{
	char line[4096], tag[32] = "";
	const char *command = line;
	size_t length;

	if ((client->peer->tls && !begin_tls(client)) || !answer(client, "", tag))
		return;
	while (read_line(client, line, sizeof(line), &length)) {
		line[strcspn(line, "\r\n")] = '\0';
		command = line;
		if (client->peer->tagged && strchr(line, ' ') != NULL) {
			command = strchr(line, ' ') + 1;
			snprintf(tag, sizeof(tag), "%.*s", (int)(command - line - 1),
				line);
		}
		if (!answer(client, command, tag))
			return;
	}
}

static void *peer_main(void *arg)
{
	struct line_peer *peer = arg;
	struct pollfd wanted[] = {{.fd = peer->listener, .events = POLLIN},
		{.fd = peer->stopping[0], .events = POLLIN}};

	while (poll(wanted, 2, -1) > 0 && wanted[0].revents != 0) {
		struct client client = {
			.peer = peer, .fd = accept(peer->listener, NULL, NULL)};
		int on = 1;

		if (client.fd < 0)
			continue;
		peer->clients++;
		setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		serve(&client);
		SSL_free(client.ssl);
		close(client.fd);
	}
	return NULL;
}

/* ---- Life ---- */

void line_peer_start(struct line_peer *peer)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int room = 4096;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->listener = socket(AF_INET, SOCK_STREAM, 0);
	must(peer->listener >= 0 && pipe(peer->stopping) == 0);
	/* So little that a mail is still on its way when its reader hangs up. */
	if (peer->content_max > 0)
		setsockopt(peer->listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	must(bind(peer->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(peer->listener, 4) == 0 &&
		getsockname(peer->listener, (struct sockaddr *)&address, &length) == 0);
	peer->port = ntohs(address.sin_port);
	make_tls(peer);
	must(pthread_create(&peer->thread, NULL, peer_main, peer) == 0);
}

void line_peer_stop(struct line_peer *peer)
{
	must(write(peer->stopping[1], "", 1) == 1);
	pthread_join(peer->thread, NULL);
	close(peer->listener);
	close(peer->stopping[0]);
	close(peer->stopping[1]);
	SSL_CTX_free(peer->tls_context);
	unlink(peer->ca_file);
}
