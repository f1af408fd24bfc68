/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tls.h"

#include <cowgate/sdk/error.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct http_tls {
	SSL_CTX *context; /* owned; connections hold their own reference */
	char *certificate; /* owned: path */
	char *key; /* owned: path */
};

/* An encrypted key would otherwise make OpenSSL ask on the terminal. */
static int no_passphrase(char *buffer, int size, int is_write, void *arg)
{
	(void)buffer;
	(void)size;
	(void)is_write;
	(void)arg;
	return -1;
}

/* A client that offers protocols gets http/1.1, or no ALPN at all if it does not offer that. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_length,
	const unsigned char *offered, unsigned int offered_length, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen = NULL;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, ret_length, ours, sizeof(ours) - 1, offered,
		    offered_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Say what OpenSSL found about @path, and leave its queue empty. */
static enum cg_status report(struct cg_error *err, const char *what, const char *path)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;

	cg_error_set(err, CG_INVALID, "cannot use %s '%s': %s", what, path,
		text != NULL ? text : "unknown error");
	ERR_clear_error();
	return CG_INVALID;
}

static enum cg_status load(
	const struct http_tls *tls, SSL_CTX **ret, struct cg_error *err)
{
	SSL_CTX *context;
	enum cg_status status;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL)
		return cg_error_nomem(err);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* An idle connection then holds no 34 KiB of buffers. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);

	if (SSL_CTX_use_certificate_chain_file(context, tls->certificate) != 1) {
		status = report(err, "TLS certificate", tls->certificate);
		goto fail;
	}
	if (SSL_CTX_use_PrivateKey_file(context, tls->key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(context) != 1) {
		status = report(err, "TLS key", tls->key);
		goto fail;
	}
	*ret = context;
	return CG_OK;

fail:
	SSL_CTX_free(context);
	return status;
}

enum cg_status http_tls_create(const char *certificate, const char *key,
	struct http_tls **ret, struct cg_error *err)
{
	struct http_tls *tls = calloc(1, sizeof(*tls));
	enum cg_status status;

	if (tls == NULL)
		return cg_error_nomem(err);
	tls->certificate = strdup(certificate);
	tls->key = strdup(key);
	if (tls->certificate == NULL || tls->key == NULL) {
		status = cg_error_nomem(err);
		goto fail;
	}
	status = load(tls, &tls->context, err);
	if (status != CG_OK)
		goto fail;
	*ret = tls;
	return CG_OK;

fail:
	http_tls_destroy(tls);
	return status;
}

void http_tls_destroy(struct http_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls->certificate);
	free(tls->key);
	free(tls);
}

enum cg_status http_tls_reload(
	struct http_tls *tls, bool *ret_changed, struct cg_error *err)
{
	SSL_CTX *context;
	enum cg_status status = load(tls, &context, err);

	if (status != CG_OK)
		return status;
	if (ret_changed != NULL)
		*ret_changed = X509_cmp(SSL_CTX_get0_certificate(context),
				       SSL_CTX_get0_certificate(tls->context)) != 0;
	SSL_CTX_free(tls->context);
	tls->context = context;
	return CG_OK;
}

struct bufferevent *http_tls_accept(struct http_tls *tls, struct event_base *base)
{
	struct bufferevent *event;
	SSL *ssl = SSL_new(tls->context);

	if (ssl == NULL)
		return NULL;
	event = bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (event == NULL) {
		SSL_free(ssl);
		return NULL;
	}
	/* Length of a request never depends on the end of the stream, so a missing closing alert
	 * is an ordinary end. */
	bufferevent_openssl_set_allow_dirty_shutdown(event, 1);
	return event;
}

void http_tls_send_last(struct bufferevent *event, const void *bytes, size_t length)
{
	SSL *ssl = bufferevent_openssl_get_ssl(event);

	if (ssl == NULL || !SSL_is_init_finished(ssl) || length > INT_MAX)
		return;
	ERR_clear_error();
	if (SSL_write(ssl, bytes, (int)length) > 0)
		SSL_shutdown(ssl);
	ERR_clear_error();
}
