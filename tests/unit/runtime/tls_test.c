/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tls.h"
#include "tests/unit/runtime/http_fixture.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

struct files {
	char directory[64];
	char certificate[96];
	char key[96];
};

/* A key and a certificate that @name signed for itself. */
static void write_pair(const struct files *files, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	FILE *file;

	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, subject);
	CU_ASSERT(X509_sign(certificate, key, EVP_sha256()) > 0);
	file = fopen(files->certificate, "w");
	PEM_write_X509(file, certificate);
	fclose(file);
	file = fopen(files->key, "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void files_init(struct files *files, const char *name)
{
	snprintf(files->directory, sizeof(files->directory), "/tmp/cowgate-tls-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(files->directory));
	snprintf(files->certificate, sizeof(files->certificate), "%s/cert.pem",
		files->directory);
	snprintf(files->key, sizeof(files->key), "%s/key.pem", files->directory);
	write_pair(files, name);
}

static void files_finish(struct files *files)
{
	unlink(files->certificate);
	unlink(files->key);
	CU_ASSERT_EQUAL(rmdir(files->directory), 0);
}

struct client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
};

/* True once the handshake is done; false when it fails. */
static bool client_init(
	struct client *client, struct fixture *fixture, int port, int version)
{
	static const unsigned char offered[] = "\x02h2\x08http/1.1";
	int64_t give_up = clock_mono(&fixture->clock) + FIXTURE_PATIENCE_MS;
	int result = -1;

	client->context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(client->context, 0);
	SSL_CTX_set_min_proto_version(client->context, version);
	SSL_CTX_set_max_proto_version(client->context, version);
	SSL_CTX_set_alpn_protos(client->context, offered, sizeof(offered) - 1);
	client->ssl = SSL_new(client->context);
	client->fd = fixture_connect(port);
	fcntl(client->fd, F_SETFL, O_NONBLOCK);
	SSL_set_fd(client->ssl, client->fd);
	while (clock_mono(&fixture->clock) < give_up) {
		int error;

		result = SSL_connect(client->ssl);
		if (result == 1)
			break;
		error = SSL_get_error(client->ssl, result);
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			break;
		fixture_turn(fixture);
	}
	return result == 1;
}

static void client_finish(struct client *client)
{
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	close(client->fd);
}

static bool client_name_is(const struct client *client, const char *name)
{
	X509 *certificate = SSL_get1_peer_certificate(client->ssl);
	char text[64] = "";

	if (certificate != NULL)
		X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
			NID_commonName, text, sizeof(text));
	X509_free(certificate);
	return strcmp(text, name) == 0;
}

/* Send a request and receive until @needle has come; false when the connection ends first. */
static bool client_exchange(struct client *client, struct fixture *fixture,
	const char *request, const char *needle)
{
	int64_t give_up = clock_mono(&fixture->clock) + FIXTURE_PATIENCE_MS;

	CU_ASSERT_EQUAL(SSL_write(client->ssl, request, (int)strlen(request)),
		(int)strlen(request));
	fixture->length = 0;
	while (clock_mono(&fixture->clock) < give_up) {
		int count = SSL_read(client->ssl, fixture->text + fixture->length,
			(int)(sizeof(fixture->text) - 1 - fixture->length));

		if (count > 0) {
			fixture->length += (size_t)count;
			fixture->text[fixture->length] = '\0';
			if (strstr(fixture->text, needle) != NULL)
				return true;
		} else if (SSL_get_error(client->ssl, count) != SSL_ERROR_WANT_READ) {
			return false;
		}
		loop_turn(fixture->loop);
	}
	return false;
}

static void tls_serves_requests(void)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct fixture fixture;
	struct files files;
	struct http_tls *tls;
	const unsigned char *protocol;
	unsigned protocol_length;
	int port;

	fixture_start(&fixture, NULL);
	files_init(&files, "first");
	CU_ASSERT_EQUAL_FATAL(
		http_tls_create(files.certificate, files.key, &tls, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		http_server_listen(fixture.server, "127.0.0.1", 0, tls, &port, NULL),
		CG_OK);
	for (size_t i = 0; i < 2; i++) {
		struct client client;

		CU_ASSERT_FATAL(client_init(&client, &fixture, port, versions[i]));
		SSL_get0_alpn_selected(client.ssl, &protocol, &protocol_length);
		CU_ASSERT_EQUAL_FATAL(protocol_length, 8);
		CU_ASSERT_EQUAL(memcmp(protocol, "http/1.1", 8), 0);
		CU_ASSERT(
			client_exchange(&client, &fixture, GET("/one"), "\r\n\r\n/one"));
		CU_ASSERT(
			client_exchange(&client, &fixture, GET("/two"), "\r\n\r\n/two"));
		client_finish(&client);
	}
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	fixture_stop(&fixture);
	http_tls_destroy(tls);
	files_finish(&files);
}

static void tls_refuses_old_versions(void)
{
	struct fixture fixture;
	struct files files;
	struct client client;
	struct http_tls *tls;
	int port;

	fixture_start(&fixture, NULL);
	files_init(&files, "first");
	CU_ASSERT_EQUAL_FATAL(
		http_tls_create(files.certificate, files.key, &tls, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		http_server_listen(fixture.server, "127.0.0.1", 0, tls, &port, NULL),
		CG_OK);
	CU_ASSERT_FALSE(client_init(&client, &fixture, port, TLS1_1_VERSION));
	client_finish(&client);
	fixture_until(&fixture, http_server_connections(fixture.server) == 0);
	fixture_stop(&fixture);
	http_tls_destroy(tls);
	files_finish(&files);
}

static void tls_answers_refusals(void)
{
	struct fixture fixture;
	struct files files;
	struct client client;
	struct http_tls *tls;
	int port;

	fixture_start(&fixture, NULL);
	files_init(&files, "first");
	CU_ASSERT_EQUAL_FATAL(
		http_tls_create(files.certificate, files.key, &tls, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		http_server_listen(fixture.server, "127.0.0.1", 0, tls, &port, NULL),
		CG_OK);
	CU_ASSERT_FATAL(client_init(&client, &fixture, port, TLS1_3_VERSION));
	CU_ASSERT(client_exchange(
		&client, &fixture, "GET / HTTP/1.1\r\nHost : h\r\n", "\"ok\":false"));
	CU_ASSERT_EQUAL(strncmp(fixture.text, "HTTP/1.1 400 ", 13), 0);
	CU_ASSERT_EQUAL(fixture.handled, 0);
	client_finish(&client);
	fixture_stop(&fixture);
	http_tls_destroy(tls);
	files_finish(&files);
}

/* Bytes that are no TLS, and a silent client, end at the deadline of the headers. */
static void tls_drops_who_does_not_shake_hands(void)
{
	struct http_server_limits limits = http_server_defaults;
	struct fixture fixture;
	struct files files;
	struct http_tls *tls;
	int port, plain, silent;

	limits.header_ms = 100;
	fixture_start(&fixture, &limits);
	files_init(&files, "first");
	CU_ASSERT_EQUAL_FATAL(
		http_tls_create(files.certificate, files.key, &tls, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		http_server_listen(fixture.server, "127.0.0.1", 0, tls, &port, NULL),
		CG_OK);
	plain = fixture_connect(port);
	silent = fixture_connect(port);
	fixture_send(plain, GET("/plain"));
	CU_ASSERT(fixture_expect_end(&fixture, plain));
	CU_ASSERT(fixture_expect_end(&fixture, silent));
	CU_ASSERT_EQUAL(fixture.handled, 0);
	close(plain);
	close(silent);
	fixture_stop(&fixture);
	http_tls_destroy(tls);
	files_finish(&files);
}

static void tls_reloads_its_files(void)
{
	struct fixture fixture;
	struct files files;
	struct client old, later;
	struct http_tls *tls;
	struct cg_error error;
	bool changed = true;
	int port;

	fixture_start(&fixture, NULL);
	files_init(&files, "first");
	CU_ASSERT_EQUAL_FATAL(
		http_tls_create(files.certificate, files.key, &tls, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		http_server_listen(fixture.server, "127.0.0.1", 0, tls, &port, NULL),
		CG_OK);
	CU_ASSERT_FATAL(client_init(&old, &fixture, port, TLS1_3_VERSION));
	CU_ASSERT(client_name_is(&old, "first"));

	CU_ASSERT_EQUAL(http_tls_reload(tls, &changed, NULL), CG_OK);
	CU_ASSERT_FALSE(changed);
	write_pair(&files, "second");
	CU_ASSERT_EQUAL(http_tls_reload(tls, &changed, NULL), CG_OK);
	CU_ASSERT(changed);
	CU_ASSERT_FATAL(client_init(&later, &fixture, port, TLS1_3_VERSION));
	CU_ASSERT(client_name_is(&later, "second"));
	CU_ASSERT(client_exchange(&old, &fixture, GET("/old"), "/old"));
	client_finish(&later);

	/* A broken file changes nothing. */
	CU_ASSERT_EQUAL(truncate(files.certificate, 10), 0);
	CU_ASSERT_EQUAL(http_tls_reload(tls, NULL, &error), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, files.certificate));
	CU_ASSERT_FATAL(client_init(&later, &fixture, port, TLS1_3_VERSION));
	CU_ASSERT(client_name_is(&later, "second"));
	client_finish(&later);
	client_finish(&old);
	fixture_stop(&fixture);
	http_tls_destroy(tls);
	files_finish(&files);
}

static void tls_names_the_bad_file(void)
{
	struct files one, two;
	struct http_tls *tls = NULL;
	struct cg_error error;

	files_init(&one, "one");
	files_init(&two, "two");
	CU_ASSERT_EQUAL(
		http_tls_create("/nonexistent.pem", one.key, &tls, &error), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/nonexistent.pem"));
	CU_ASSERT_EQUAL(
		http_tls_create(one.certificate, two.key, &tls, &error), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, two.key));
	CU_ASSERT_PTR_NULL(tls);
	http_tls_destroy(NULL);
	files_finish(&one);
	files_finish(&two);
}

UNIT_SUITE(tls, UNIT_TEST(tls_serves_requests), UNIT_TEST(tls_refuses_old_versions),
	UNIT_TEST(tls_answers_refusals), UNIT_TEST(tls_drops_who_does_not_shake_hands),
	UNIT_TEST(tls_reloads_its_files), UNIT_TEST(tls_names_the_bad_file));
