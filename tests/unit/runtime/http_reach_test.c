/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies, and a trust of one's own: whose way an exchange takes, and whom it believes. */
#include "runtime/http_reach.h"

#include "tests/unit/runtime/http_peer.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static struct peer peer;
static struct bench bench;

static void begin(peer_script script)
{
	peer_start(&peer, script, NULL);
	bench_init(&bench);
}

static void end(void)
{
	bench_finish(&bench);
	peer_stop(&peer);
}

/* ---- what is judged ---- */

static void urls_are_judged_by_what_they_say(void)
{
	static const struct {
		const char *url;
		bool public, loopback, private;
	} rows[] = {
		{"https://example.com/", true, false, true},
		{"https://93.184.215.14/", true, false, true},
		{"http://localhost/", false, true, true},
		{"http://0x7f.1/", false, true, true},
		{"http://[::ffff:127.0.0.1]/", false, true, true},
		{"http://10.0.0.1/", false, false, true},
		{"http://169.254.169.254/", false, false, false},
		{"http://metadata.google.internal/", false, false, false},
		{"nonsense", false, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT(http_reach_allows_url(CG_REACH_PUBLIC, rows[i].url) ==
			  rows[i].public);
		CU_ASSERT(http_reach_allows_url(CG_REACH_LOOPBACK, rows[i].url) ==
			  rows[i].loopback);
		CU_ASSERT(http_reach_allows_url(CG_REACH_PRIVATE, rows[i].url) ==
			  rows[i].private);
	}
	CU_ASSERT(http_reach_allows_url(CG_REACH_ANY, "http://169.254.169.254/"));
}

static void other_families_are_no_addresses(void)
{
	const struct sockaddr local = {.sa_family = AF_UNIX};

	CU_ASSERT(!http_reach_allows(CG_REACH_ANY, &local));
}

/* ---- proxies ---- */

static void answer_ok(struct peer *self, int fd, int number)
{
	(void)number;
	while (peer_read(self, fd))
		peer_send(fd, PEER_OK);
}

static void refuse_the_tunnel(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	peer_hold(fd);
}

static void cut_the_tunnel(struct peer *self, int fd, int number)
{
	(void)number;
	peer_read(self, fd);
	peer_send(fd, "HTTP/1.1 200 Yes\r\n\r\n");
}

/* A SOCKS 5 proxy that is the destination, too; it wants a name, not an address. */
static void speak_socks(struct peer *self, int fd, int number)
{
	static const unsigned char granted[] = {5, 0, 0, 1, 127, 0, 0, 1, 0, 80};
	unsigned char bytes[64];
	ssize_t count = recv(fd, bytes, sizeof(bytes), 0);

	(void)number;
	if (count < 3 || bytes[0] != 5)
		return;
	send(fd, "\5\0", 2, MSG_NOSIGNAL);
	count = recv(fd, bytes, sizeof(bytes), 0);
	if (count < 5 || bytes[3] != 3 || memcmp(bytes + 5, "example.invalid", 15) != 0)
		return;
	send(fd, granted, sizeof(granted), MSG_NOSIGNAL);
	answer_ok(self, fd, number);
}

static void proxied_init(struct exchange *exchange, const char *url)
{
	exchange_init(exchange, &bench, &peer, "POST");
	snprintf(exchange->url, sizeof(exchange->url), "%s", url);
	exchange_body(exchange, "x");
	exchange->request.proxy = peer.url;
	exchange->request.reach = CG_REACH_PUBLIC;
}

static void a_proxy_resolves_and_forwards(void)
{
	struct exchange post;
	char proxy[64];

	begin(answer_ok);
	setenv("no_proxy", "*", 1);
	proxied_init(&post, "http://example.invalid/p");
	snprintf(proxy, sizeof(proxy), "http://user:pass@%s", peer.host);
	post.request.proxy = proxy;
	exchange_run(&post);
	unsetenv("no_proxy");
	CU_ASSERT(post.result == CG_HTTP_DONE && post.status == 200);
	CU_ASSERT(strncmp(peer.last, "POST http://example.invalid/p HTTP/1.1\r\n", 40) ==
		  0);
	CU_ASSERT(
		strstr(peer.last, "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n") != NULL);
	end();
}

static void a_socks_proxy_gets_the_name(void)
{
	struct exchange post;
	char proxy[64];

	begin(speak_socks);
	proxied_init(&post, "http://example.invalid/p");
	snprintf(proxy, sizeof(proxy), "socks5h://%s", peer.host);
	post.request.proxy = proxy;
	exchange_run(&post);
	CU_ASSERT(post.result == CG_HTTP_DONE && peer_requests(&peer) == 1);
	end();
}

/* What the proxy was asked is no part of the request, nor does it see the request's headers. */
static void a_tunnel_that_fails_dispatched_nothing(void)
{
	static const peer_script scripts[] = {refuse_the_tunnel, cut_the_tunnel};
	const struct cg_http_header header = {"Authorization", "secret"};

	for (size_t i = 0; i < 2; i++) {
		struct exchange post;

		begin(scripts[i]);
		proxied_init(&post, "https://example.invalid/p");
		post.request.headers = &header;
		post.request.header_count = 1;
		exchange_run(&post);
		CU_ASSERT(post.result == CG_HTTP_NOT_DISPATCHED && post.status == 0);
		CU_ASSERT(strncmp(peer.last, "CONNECT example.invalid:443 ", 28) == 0);
		CU_ASSERT(strstr(peer.last, "secret") == NULL);
		end();
	}
}

static void a_dead_proxy_takes_nothing(void)
{
	struct exchange post;

	begin(answer_ok);
	proxied_init(&post, "http://example.invalid/p");
	peer_stop(&peer);
	exchange_run(&post);
	CU_ASSERT(post.result == CG_HTTP_NOT_DISPATCHED);
	bench_finish(&bench);
}

static void a_proxy_is_no_way_around_the_reach(void)
{
	static const char *const urls[] = {"http://127.0.0.1/", "http://localhost/",
		"http://169.254.169.254/", "http://[::1]/", "http://192.168.0.1/"};
	struct exchange post;

	begin(answer_ok);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		proxied_init(&post, urls[i]);
		exchange_run(&post);
		CU_ASSERT(post.result == CG_HTTP_POLICY);
	}
	CU_ASSERT(peer_connections(&peer) == 0);
	end();
}

static void proxies_of_other_kinds_are_refused(void)
{
	static const char *const bad[] = {"", "127.0.0.1:1", "socks5://a:1", "ftp://a/",
		"http://", "http://a b/", "file:///etc/passwd"};
	struct exchange post;

	begin(answer_ok);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		proxied_init(&post, "http://example.invalid/p");
		post.request.proxy = bad[i];
		CU_ASSERT(exchange_start(&post) == CG_INVALID);
	}
	proxied_init(&post, "http://example.invalid/p");
	post.request.unix_socket = "/tmp/socket";
	CU_ASSERT(exchange_start(&post) == CG_INVALID);
	end();
}

/* ---- trust ---- */

static char certificate_path[64], stranger_path[64];
static SSL_CTX *tls;

/* Another self-signed certificate for localhost, into a new file; with @ret_tls the peer's. */
static void make_certificate(char path[64], SSL_CTX **ret_tls)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	FILE *file;
	int fd;

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
		(const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(certificate, subject);
	CU_ASSERT(X509_sign(certificate, key, EVP_sha256()) > 0);
	snprintf(path, 64, "/tmp/cowgate-ca-XXXXXX");
	fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	file = fdopen(fd, "w");
	PEM_write_X509(file, certificate);
	fclose(file);
	if (ret_tls != NULL) {
		*ret_tls = SSL_CTX_new(TLS_server_method());
		SSL_CTX_use_certificate(*ret_tls, certificate);
		SSL_CTX_use_PrivateKey(*ret_tls, key);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void answer_over_tls(struct peer *self, int fd, int number)
{
	SSL *ssl = SSL_new(tls);
	char bytes[4096];

	(void)number;
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		while (SSL_read(ssl, bytes, sizeof(bytes)) > 0) {
			pthread_mutex_lock(&self->lock);
			self->requests++;
			pthread_mutex_unlock(&self->lock);
			SSL_write(ssl, PEER_OK, (int)strlen(PEER_OK));
		}
	}
	SSL_free(ssl);
}

static void trust_is_each_requests_own(void)
{
	const char *const trusts[] = {certificate_path, stranger_path, NULL,
		"/nonexistent/ca.pem", certificate_path};

	make_certificate(certificate_path, &tls);
	make_certificate(stranger_path, NULL);
	begin(answer_over_tls);
	for (size_t i = 0; i < sizeof(trusts) / sizeof(trusts[0]); i++) {
		bool trusted = trusts[i] == certificate_path;
		struct exchange get;

		/* The first connection stays open: it is not for those who trust another. */
		exchange_init(&get, &bench, &peer, "GET");
		get.request.flags = CG_HTTP_IDEMPOTENT;
		snprintf(get.url, sizeof(get.url), "https://localhost%s/",
			strchr(peer.host, ':'));
		get.request.ca_file = trusts[i];
		exchange_run(&get);
		CU_ASSERT(
			get.result == (trusted ? CG_HTTP_DONE : CG_HTTP_NOT_DISPATCHED));
	}
	CU_ASSERT(peer_requests(&peer) == 2);
	end();
	SSL_CTX_free(tls);
	unlink(certificate_path);
	unlink(stranger_path);
}

UNIT_SUITE(http_reach, UNIT_TEST(urls_are_judged_by_what_they_say),
	UNIT_TEST(other_families_are_no_addresses),
	UNIT_TEST(a_proxy_resolves_and_forwards), UNIT_TEST(a_socks_proxy_gets_the_name),
	UNIT_TEST(a_tunnel_that_fails_dispatched_nothing),
	UNIT_TEST(a_dead_proxy_takes_nothing),
	UNIT_TEST(a_proxy_is_no_way_around_the_reach),
	UNIT_TEST(proxies_of_other_kinds_are_refused),
	UNIT_TEST(trust_is_each_requests_own));
