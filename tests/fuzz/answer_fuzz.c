#include <endian.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "audit/seal.h"
#include "base/base64.h"
#include "base/endpoints.h"
#include "base/load.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/settings.h"
#include "call/call.h"
#include "call/long_poll.h"
#include "call/request.h"
#include "db/columns.h"
#include "db/drift.h"
#include "db/dsn.h"
#include "db/handshake.h"
#include "db/newest.h"
#include "db/pool.h"
#include "db/probe.h"
#include "fuzz.h"
#include "job/background.h"
#include "job/job.h"
#include "job/rekey.h"
#include "job/rotate.h"
#include "keys/cipher.h"
#include "keys/key_cache.h"

/*
 * All of the daemon that reads answers of PostgreSQL: sessions, handshakes,
 * calls, jobs, seals, keys.  A server on the same loop speaks the protocol to
 * libpq, and takes its answers from the input.  Once the input is used up, it
 * answers as a sound database.
 */

#define ANSWER_TURNS 150 /* of the loop */
#define ANSWER_LAST_TURNS 5 /* when all is said and answered */
#define ANSWER_STATEMENT_SIZE 512
#define ANSWER_PARAMETER_SIZE 128
#define ANSWER_COLUMNS 32
#define ANSWER_TEXT_SIZE 1024
#define ANSWER_SOON 2 /* seconds: timers up to this are over at once */
#define ANSWER_ROOT_ID "4f66d70271577fed"
#define ANSWER_ROOT_KEY \
	ANSWER_ROOT_ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define ANSWER_ID "11111111-1111-4111-8111-111111111111"

/* The input ---------------------------------------------------------------- */

static const uint8_t *input;
static size_t input_left;

static uint8_t
input_byte(void)
{
	if (input_left == 0)
		return (0);
	input_left--;
	return (*input++);
}

/* At most that many bytes; gives how many there were. */
static size_t
input_bytes(void *out, size_t size)
{
	if (size > input_left)
		size = input_left;
	memcpy(out, input, size);
	input += size;
	input_left -= size;
	return (size);
}

/* The daemon --------------------------------------------------------------- */

static struct settings settings;
static struct event_base *base;
static struct keyring *keyring;
static struct newest newest;
static struct dsn *database;
static struct job *job;
static struct rekey *rekey;
static struct rotate *rotate;
static struct seal *seal;
static bool stopping;
static struct background_host host;
static struct drift_context drift;
static struct seal_context seal_context;
static struct call_context context;
static struct keyring_place places[2]; /* of a project, of a managed key */
static struct keyring_wrapped wraps[2];
static struct request requests[10];
static bool runs[10]; /* each of these */

void __wrap_log_write(
    enum log_level level, const char *event, const struct log_field *fields);
int __real_event_add(struct event *event, const struct timeval *time);
int __wrap_event_add(struct event *event, const struct timeval *time);

/* Lines are formatted and discarded. */
void
__wrap_log_write(
    enum log_level level, const char *event, const struct log_field *fields)
{
	char line[ANSWER_TEXT_SIZE];

	log_format(line, sizeof(line), level, event, fields);
}

/* Short timers expire at once; deadlines do not expire. */
int
__wrap_event_add(struct event *event, const struct timeval *time)
{
	static const struct timeval now = { 0, 0 };

	return (__real_event_add(
	    event, time != NULL && time->tv_sec <= ANSWER_SOON ? &now : time));
}

static void
answer_handshaken(void *owner)
{
	(void)owner;
}

static void
answer_make_wraps(void)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		uuid_parse(ANSWER_ID, places[i].project);
		if (i > 0) {
			uuid_parse(ANSWER_ID, places[i].key);
			places[i].rotation = 1;
		}
		keyring_kek_make(keyring, &places[i], &wraps[i]);
	}
}

static void
answer_observed(
    void *owner, const struct seal_state *state, struct json_object *warnings)
{
	(void)owner;
	json_object_put(warnings);
	long_polls_notify(context.long_polls, state->last_change);
}

static void
answer_open_background(void)
{
	host = (struct background_host){
		.base = base, .pool = context.pool, .stopping = &stopping
	};
	drift = (struct drift_context){
		.base = base,
		.settings = &settings,
		.instance = ANSWER_ID,
		.stopping = &stopping,
		.dsn = database,
		.pool = context.pool,
		.keyring = keyring,
		.newest = &newest,
	};
	job = job_new(&host, settings.job_interval);
	rekey = rekey_new(&host, settings.job_interval, keyring, ANSWER_ID);
	rotate = rotate_new(&host, settings.job_interval, keyring);
	seal_context = (struct seal_context){
		.host = &host,
		.settings = &settings,
		.instance = ANSWER_ID,
		.keyring = keyring,
		.newest = &newest,
		.drift = drift_new(&drift),
		.observed = answer_observed,
	};
	seal = seal_new(&seal_context);
}

static void
answer_open(void)
{
	char cause[256];

	stopping = false;
	memset(&newest, 0, sizeof(newest));
	base = event_base_new();
	database = dsn_new(settings.dsn, "coffer");
	keyring = keyring_new(&settings, cause, sizeof(cause));
	FUZZ_EXPECT(database != NULL && keyring != NULL);
	FUZZ_EXPECT(keyring_activate(keyring, ANSWER_ROOT_ID));
	answer_make_wraps();
	context = (struct call_context){
		.base = base,
		.keyring = keyring,
		.key_cache = key_cache_new(8),
		.newest = &newest,
		.pool = pool_new(base, &settings, database, keyring, &newest,
		    ANSWER_ID, answer_handshaken, NULL),
		.long_polls = long_polls_new(base),
		.deadline = settings.request_deadline,
	};
	context.probe = probe_new(base, context.pool);
	answer_open_background();
}

/* As in service.c, so that pool_close answers all. */
static void
answer_close(void)
{
	stopping = true;
	long_polls_end(context.long_polls);
	rotate_free(rotate);
	rekey_free(rekey);
	job_free(job);
	seal_free(seal);
	drift_free(seal_context.drift);
	pool_close(context.pool);
}

static void
answer_free(void)
{
	probe_free(context.probe);
	pool_free(context.pool);
	long_polls_free(context.long_polls);
	key_cache_free(context.key_cache);
	keyring_free(keyring);
	dsn_free(database);
	event_base_free(base);
}

/* Requests ----------------------------------------------------------------- */

static const struct answer_call {
	const char *function;
	const char *body;
} calls[] = {
	{ "secret_version_access", "{}" },
	{ "secret_version_create", "{}" },
	{ "secret_list", "{}" },
	{ "key_encrypt", "{}" },
	{ "key_decrypt", "{}" },
	{ "key_generate_data_key", "{}" },
	{ "key_generate_data_key", "{\"without_plaintext\":true}" },
	{ "key_rotate", "{}" },
	{ "change_list", "{}" },
	{ "audit_event_list", "{}" },
};

static void
request_answered(struct request *request)
{
	FUZZ_EXPECT(request->error != NULL || request->status != 0);
	/* Every success has its receipt. */
	FUZZ_EXPECT(request->error != NULL || request->status >= 400 ||
	    request->has_receipt);
	call_free(request->call);
	document_free(&request->document);
	evbuffer_free(request->body);
	runs[request - requests] = false;
}

static void
request_accepted(struct request *request)
{
	(void)request;
}

static struct document_value
request_value(const void *bytes, size_t size)
{
	return ((struct document_value){
	    .bytes = memcpy(memory_new(size), bytes, size), .size = size });
}

static void
request_begin(struct request *request, const struct answer_call *call)
{
	static const char document[] =
	    "{\"path\":{\"secret_id\":\"" ANSWER_ID "\",\"key_id\":\"" ANSWER_ID
	    "\",\"revision\":\"1\"},\"query\":{},\"body\":%s}";
	unsigned char ciphertext[CIPHER_OVERHEAD + 8];
	static const unsigned char key[CRYPTO_KEY_SIZE];
	char text[ANSWER_TEXT_SIZE];
	size_t i;

	memset(request, 0, sizeof(*request));
	runs[request - requests] = true;
	request->target = "/";
	request->accepted = request_accepted;
	request->answered = request_answered;
	request->body = evbuffer_new();
	snprintf(request->id, sizeof(request->id), "%s", ANSWER_ID);
	snprintf(text, sizeof(text), document, call->body);
	request->document.json = json_tokener_parse(text);
	for (i = 0; strcmp(endpoints[i].function, call->function) != 0; i++)
		;
	request->route.endpoint = &endpoints[i];
	if (endpoints[i].flags & ENDPOINT_DATA)
		request->document.data = request_value("payload", 7);
	if (endpoints[i].flags & ENDPOINT_ENCRYPTS)
		request->document.plaintext = request_value("payload", 7);
	cipher_encrypt(
	    key, 1, NULL, 0, (const unsigned char *)"payload!", 8, ciphertext);
	if (endpoints[i].flags & ENDPOINT_DECRYPTS)
		request->document.ciphertext =
		    request_value(ciphertext, sizeof(ciphertext));
	call_begin(&context, request);
	if (!call_send(request))
		request_answered(request);
}

/* Begins each call that does not run. */
static void
requests_begin(void)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!runs[i])
			request_begin(&requests[i], &calls[i]);
	}
}

static bool
requests_run(void)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (runs[i])
			return (true);
	}
	return (false);
}

/* The server: messages ------------------------------------------------------ */

struct statement_heard {
	char name[64];
	char sql[ANSWER_STATEMENT_SIZE];
};

struct peer {
	TAILQ_ENTRY(peer) entry;
	struct bufferevent *events;
	bool handshaken;
	bool failed; /* until the next Sync */
	char name[64]; /* of the statement that was bound */
	char sql[ANSWER_STATEMENT_SIZE]; /* of the unnamed statement */
	size_t parameters_count;
	struct peer_parameter {
		unsigned char bytes[ANSWER_PARAMETER_SIZE];
		int32_t size; /* -1: NULL */
	} parameters[SESSION_PARAMETERS_MAX];
};

static TAILQ_HEAD(, peer) peers = TAILQ_HEAD_INITIALIZER(peers);
static int sound; /* so many answers do not come from the input */

static void
put_number(struct evbuffer *out, uint64_t number, size_t size)
{
	const uint64_t wide = htobe64(number);

	evbuffer_add(out, (const char *)&wide + sizeof(wide) - size, size);
}

static void
put_text(struct evbuffer *out, const char *text)
{
	evbuffer_add(out, text, strlen(text) + 1);
}

/* Takes the content. */
static void
put_message(struct peer *peer, char kind, struct evbuffer *content)
{
	struct evbuffer *out = bufferevent_get_output(peer->events);

	evbuffer_add(out, &kind, 1);
	put_number(out, evbuffer_get_length(content) + 4, 4);
	evbuffer_add_buffer(out, content);
}

static void
put_error(struct peer *peer, char kind, const char *sqlstate)
{
	struct evbuffer *content = evbuffer_new();

	evbuffer_add(content, "SERROR", 7);
	evbuffer_add(content, "VERROR", 7);
	evbuffer_add(content, "C", 1);
	put_text(content, sqlstate);
	/* The one notice that counts. */
	evbuffer_add(content, "Mrefused", 9);
	evbuffer_add(content, "RSyncRepWaitForLSN", 19);
	put_number(content, 0, 1);
	put_message(peer, kind, content);
	evbuffer_free(content);
	peer->failed = peer->failed || kind == 'E';
}

static void
put_done(struct peer *peer)
{
	struct evbuffer *content = evbuffer_new();

	put_text(content, "SELECT 1");
	put_message(peer, 'C', content);
	evbuffer_free(content);
}

static void
put_empty(struct peer *peer, char kind)
{
	struct evbuffer *content = evbuffer_new();

	put_message(peer, kind, content);
	evbuffer_free(content);
}

static void
put_ready(struct peer *peer)
{
	struct evbuffer *content = evbuffer_new();

	put_number(content, 'I', 1);
	put_message(peer, 'Z', content);
	evbuffer_free(content);
}

/* The server: rows ----------------------------------------------------------- */

/* How a description of rows differs from what was asked for. */
struct rows_fault {
	int column; /* that is of another type, or format; -1: none */
	int type, format;
	int more; /* columns than there must be */
};

static void
put_description(struct peer *peer, const struct columns *columns,
    const struct rows_fault *fault)
{
	struct evbuffer *content = evbuffer_new();
	int i, count = columns->count + fault->more;

	put_number(content, (uint64_t)count, 2);
	for (i = 0; i < count; i++) {
		put_text(content, "c");
		put_number(content, 0, 6);
		put_number(content,
		    (uint64_t)(i == fault->column ? fault->type
			    : i < columns->count  ? (int)columns->column[i].type
						  : COLUMN_TEXT),
		    4);
		put_number(content, UINT64_MAX, 2);
		put_number(content, UINT64_MAX, 4);
		put_number(content,
		    i == fault->column ? (uint64_t)fault->format : 1, 2);
	}
	put_message(peer, 'T', content);
	evbuffer_free(content);
}

static void
put_value(struct evbuffer *row, const void *bytes, size_t size)
{
	put_number(row, size, 4);
	evbuffer_add(row, bytes, size);
}

/* Text that a reader knows, with some of it cut off or replaced. */
static void
put_known_text(struct evbuffer *row)
{
	static const char *const texts[] = {
		"",
		"{\"need\":\"alone\"}",
		"{\"need\":\"change\",\"wait\":1}",
		"{\"need\":\"kek\",\"secret_id\":\"%1$s\",\"project_id\":\"%1$s\","
		"\"active_root_id\":\"%2$s\"}",
		"{\"need\":\"key\",\"secret_id\":\"%1$s\",\"project_id\":\"%1$s\","
		"\"kek_id\":\"%3$s\",\"root_id\":\"%2$s\",\"wrapped\":\"%4$s\"}",
		"{\"need\":\"cipher\",\"project_id\":\"%1$s\",\"key_id\":\"%1$s\","
		"\"keys\":[{\"kek_id\":\"%5$s\",\"rotation\":1,"
		"\"root_id\":\"%2$s\",\"wrapped\":\"%6$s\"}]}",
		"{\"need\":\"material\",\"project_id\":\"%1$s\",\"key_id\":"
		"\"%1$s\",\"rotation\":2,\"active_root_id\":\"%2$s\"}",
		"{\"ciphertext\":\"\",\"plaintext\":null,\"id\":1}",
		"{\"lag\":\"one\",\"other\":\"two\"}",
		"[\"one fault: mend it\"]",
		"[]",
		ANSWER_ROOT_ID,
		"version_expire",
		"1000",
		"[[[[{}]]]]",
		"\xff\xfe",
	};
	char ids[2][UUID_STR_LEN], text[ANSWER_TEXT_SIZE];
	char wrapped[2][BASE64_ENCODED_SIZE(CRYPTO_SEALED_SIZE)];
	const uint8_t choice = input_byte();
	size_t size, i;

	for (i = 0; i < 2; i++) {
		uuid_unparse_lower(places[i].kek, ids[i]);
		base64_encode(
		    wraps[i].bytes, sizeof(wraps[i].bytes), wrapped[i]);
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), texts[choice & 15], ANSWER_ID,
	    ANSWER_ROOT_ID, ids[0], wrapped[0], ids[1], wrapped[1]);
#pragma GCC diagnostic pop
	size = strlen(text);
	if ((choice & 128) != 0 && size > 0)
		text[input_byte() * size / 256] = (char)input_byte();
	if ((choice & 64) != 0)
		size = input_byte() * size / 256;
	put_value(row, text, size);
}

static void
put_raw(struct evbuffer *row)
{
	char bytes[UINT8_MAX];

	put_value(row, bytes, input_bytes(bytes, input_byte()));
}

static void
put_bytes(struct evbuffer *row)
{
	static const char zeros[ANSWER_PARAMETER_SIZE];

	switch (input_byte() & 7) {
	case 0:
	case 1:
		return (put_value(row, wraps[0].bytes, sizeof(wraps[0].bytes)));
	case 2:
		return (put_value(row, wraps[1].bytes, sizeof(wraps[1].bytes)));
	case 3:
	case 4:
		return (put_value(row, zeros, CRYPTO_SHA256_SIZE));
	case 5:
		return (put_value(row, zeros, CRYPTO_SIGNATURE_SIZE));
	case 6:
		return (put_value(row, zeros, sizeof(zeros)));
	default:
		return (put_raw(row));
	}
}

static void
put_id(struct evbuffer *row)
{
	uuid_t id = { 0 };
	const uint8_t choice = input_byte();

	if (choice == 0)
		uuid_parse(ANSWER_ID, id);
	else if (choice < 3)
		uuid_copy(id, places[choice - 1].kek);
	else
		memset(id + (choice & 8), choice, 8);
	put_value(row, id, sizeof(id));
}

static void
put_integer(struct evbuffer *row, size_t size)
{
	uint64_t number = input_byte();

	if (number > 250)
		input_bytes(&number, sizeof(number));
	put_number(row, size, 4);
	put_number(row, number, size);
}

static void
put_cell(struct evbuffer *row, const struct column *column, uint8_t nulls)
{
	if (nulls == 255 || (column->null && (nulls & 1) != 0))
		return (put_number(row, UINT64_MAX, 4));
	switch (column->type) {
	case COLUMN_BOOL:
		return (put_integer(row, 1));
	case COLUMN_INT2:
		return (put_integer(row, 2));
	case COLUMN_INT4:
		return (put_integer(row, 4));
	case COLUMN_INT8:
		return (put_integer(row, 8));
	case COLUMN_UUID:
		return (put_id(row));
	case COLUMN_BYTEA:
		return (put_bytes(row));
	case COLUMN_VOID:
		return (put_value(row, "", 0));
	default:
		if ((nulls & 2) != 0)
			return (put_raw(row));
		return (put_known_text(row));
	}
}

/* What an API function gives: mostly a status that there is. */
static void
put_call_status(struct evbuffer *row)
{
	static const uint16_t statuses[] = { 0, 200, 0, 204, 0, 404, 0, 500, 0,
		99, 600, 201, 200, 0, 0, 0 };

	put_number(row, 2, 4);
	put_number(row, statuses[input_byte() & 15], 2);
}

static void
put_row(struct peer *peer, const struct columns *columns,
    const struct rows_fault *fault)
{
	static const struct column other = { .type = COLUMN_TEXT,
		.null = true };
	struct evbuffer *row = evbuffer_new();
	const uint8_t nulls = input_byte();
	int i, count = columns->count + fault->more;

	put_number(row, (uint64_t)count, 2);
	for (i = 0; i < count; i++) {
		if (columns == &statement_api.columns && i == 0)
			put_call_status(row);
		else if (columns == &statement_api.columns && i == 3 &&
		    nulls < 128)
			put_value(row, wraps[0].bytes, CRYPTO_SHA256_SIZE);
		else
			put_cell(row,
			    i < columns->count ? &columns->column[i] : &other,
			    nulls);
	}
	put_message(peer, 'D', row);
	evbuffer_free(row);
}

static void
put_rows(struct peer *peer, const struct columns *columns,
    const struct rows_fault *fault, int more)
{
	int i, rows = columns->rows_least;

	if (columns->rows_most > columns->rows_least)
		rows += input_byte() % 5;
	if (rows > columns->rows_most)
		rows = columns->rows_most;
	put_description(peer, columns, fault);
	for (i = 0; i < rows + more; i++)
		put_row(peer, columns, fault);
	put_done(peer);
}

/* The server: answers --------------------------------------------------------- */

static const struct columns bytes_columns = { 1, 1, 1,
	{ { .type = COLUMN_BYTEA, .null = true } } };
static const struct rows_fault no_fault = { .column = -1 };

/* What the statement that was bound must give; NULL: no rows. */
static const struct columns *
peer_columns(const struct peer *peer)
{
	size_t i;

	if (peer->name[0] != '\0')
		return (&statement_find(peer->name)->columns);
	for (i = 0; i < statements_count; i++) {
		if (strcmp(statements[i].sql, peer->sql) == 0)
			return (&statements[i].columns);
	}
	if (strstr(peer->sql, "daemon.hello") != NULL)
		return (&handshake_hello_columns);
	if (strstr(peer->sql, "epoch_begin") != NULL)
		return (&handshake_epoch_columns);
	if (strstr(peer->sql, "pepper_keep") != NULL)
		return (&handshake_pepper_columns);
	if (strstr(peer->sql, "pg_advisory") != NULL)
		return (&handshake_deploy_columns);
	if (strstr(peer->sql, "api.") != NULL)
		return (&statement_api.columns);
	return (strncmp(peer->sql, "SELECT", 6) == 0 ? &bytes_columns : NULL);
}

static void
put_parameters(struct peer *peer, struct evbuffer *row)
{
	size_t i;

	for (i = 0; i < peer->parameters_count; i++) {
		if (peer->parameters[i].size < 0)
			put_number(row, UINT64_MAX, 4);
		else
			put_value(row, peer->parameters[i].bytes,
			    (size_t)peer->parameters[i].size);
	}
}

/* As a database answers a handshake in which nothing is amiss. */
static bool
peer_answer_handshake(struct peer *peer, const struct columns *columns)
{
	struct evbuffer *row = evbuffer_new();

	put_number(row, (uint64_t)columns->count, 2);
	if (columns == &handshake_hello_columns) {
		put_value(row, "1000", 4);
		put_value(row, "[]", 2);
		put_number(row, UINT64_MAX, 4);
		put_number(row, UINT64_MAX, 4);
		put_number(row, UINT64_MAX, 4);
		put_number(row, UINT64_MAX, 4);
		put_value(row, "\0\0\0\0\0\0\0\1", 8);
		put_value(row, "\0", 1);
	} else if (columns == &handshake_pepper_columns) {
		put_parameters(peer, row);
	} else if (columns == &handshake_deploy_columns) {
		put_value(row, "", 0);
	} else if (columns == &bytes_columns) {
		put_parameters(peer, row);
	} else {
		evbuffer_free(row);
		return (false);
	}
	put_description(peer, columns, &no_fault);
	put_message(peer, 'D', row);
	evbuffer_free(row);
	put_done(peer);
	return (true);
}

static void
peer_answer_soundly(struct peer *peer, const struct columns *columns)
{
	if (columns == NULL) {
		put_empty(peer, 'n');
		put_done(peer);
	} else if (!peer_answer_handshake(peer, columns)) {
		put_rows(peer, columns, &no_fault, 0);
	}
}

static void
peer_answer_error(struct peer *peer)
{
	static const char *const sqlstates[] = { "40001", "57014", "26000",
		"42P05", "57P01", "23505", "XX000", "25006", "53100", "42883",
		"40P01", "08P01", "", "0A000", "22021", "P0001" };

	put_error(peer, 'E', sqlstates[input_byte() & 15]);
}

/* Bytes of the input, which need not be a message. */
static void
peer_answer_raw(struct peer *peer)
{
	char bytes[UINT8_MAX];

	bufferevent_write(
	    peer->events, bytes, input_bytes(bytes, input_byte()));
}

/* Messages that no statement of the daemon's has. */
static void
peer_answer_strangely(struct peer *peer)
{
	static const char kinds[] = "HGWINntsc3A1";
	const char kind = kinds[input_byte() % (sizeof(kinds) - 1)];
	struct evbuffer *content = evbuffer_new();

	if (kind == 'N') {
		put_error(peer, 'N', "01000");
	} else {
		if (kind == 'H' || kind == 'G' || kind == 'W')
			put_number(content, 0, 3);
		put_message(peer, kind, content);
	}
	evbuffer_free(content);
}

static void
peer_answer(struct peer *peer)
{
	const struct columns *columns = peer_columns(peer);
	struct rows_fault fault = no_fault;

	if (sound > 0 || input_left == 0 || columns == NULL) {
		sound--;
		return (peer_answer_soundly(peer, columns));
	}
	switch (input_byte() & 15) {
	case 7:
		return (put_rows(peer, columns, &no_fault, 0));
	case 8:
		return (peer_answer_error(peer));
	case 9:
		fault.column = input_byte() % columns->count;
		fault.type = input_byte();
		fault.format = 1;
		return (put_rows(peer, columns, &fault, 0));
	case 10:
		fault.column = input_byte() % columns->count;
		fault.type = (int)columns->column[fault.column].type;
		return (put_rows(peer, columns, &fault, 0));
	case 11:
		fault.more = input_byte() % 3 - 1;
		return (put_rows(peer, columns, &fault, 0));
	case 12:
		return (put_rows(peer, columns, &no_fault, input_byte() - 1));
	case 13:
		return (peer_answer_raw(peer));
	case 14:
		peer_answer_strangely(peer);
		return (peer_answer_soundly(peer, columns));
	case 15:
		/* The server does not answer. */
		return;
	default:
		if (columns == &handshake_hello_columns ||
		    !peer_answer_handshake(peer, columns))
			put_rows(peer, columns, &no_fault, 0);
	}
}

/* The server: the protocol ------------------------------------------------------ */

static size_t
heard_text(
    const unsigned char *at, const unsigned char *end, char *out, size_t size)
{
	const size_t length = strnlen((const char *)at, (size_t)(end - at));

	snprintf(out, size, "%.*s", (int)length, (const char *)at);
	return (length + 1);
}

static uint32_t
heard_number(const unsigned char **at, size_t size)
{
	uint32_t number = 0;

	for (; size > 0; size--)
		number = number << 8 | *(*at)++;
	return (number);
}

static void
peer_bind(struct peer *peer, const unsigned char *at, const unsigned char *end)
{
	size_t i, count;
	int32_t size;

	at += heard_text(at, end, peer->name, sizeof(peer->name)); /* portal */
	at += heard_text(at, end, peer->name, sizeof(peer->name));
	count = heard_number(&at, 2);
	at += count * 2;
	peer->parameters_count = heard_number(&at, 2);
	for (i = 0; i < peer->parameters_count; i++) {
		size = (int32_t)heard_number(&at, 4);
		peer->parameters[i].size =
		    size > ANSWER_PARAMETER_SIZE ? ANSWER_PARAMETER_SIZE : size;
		if (size < 0)
			continue;
		memcpy(peer->parameters[i].bytes, at,
		    (size_t)peer->parameters[i].size);
		at += size;
	}
}

static void
peer_parse(struct peer *peer, const unsigned char *at, const unsigned char *end)
{
	char name[64];

	at += heard_text(at, end, name, sizeof(name));
	if (name[0] == '\0')
		heard_text(at, end, peer->sql, sizeof(peer->sql));
}

static void
peer_hear(struct peer *peer, char kind, const unsigned char *content,
    const unsigned char *end)
{
	if (kind == 'S') {
		peer->failed = false;
		return (put_ready(peer));
	}
	if (peer->failed)
		return;
	if (kind == 'P') {
		peer_parse(peer, content, end);
		put_empty(peer, '1');
	} else if (kind == 'B') {
		peer_bind(peer, content, end);
		put_empty(peer, '2');
	} else if (kind == 'E') {
		peer_answer(peer);
	}
}

static void
peer_handshake(struct peer *peer)
{
	static const char *const parameters[][2] = {
		{ "server_version", "15.0" },
		{ "client_encoding", "UTF8" },
		{ "in_hot_standby", "off" },
		{ "default_transaction_read_only", "off" },
	};
	struct evbuffer *content = evbuffer_new();
	size_t i;

	put_number(content, 0, 4);
	put_message(peer, 'R', content);
	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		put_text(content, parameters[i][0]);
		put_text(content, parameters[i][1]);
		put_message(peer, 'S', content);
	}
	put_number(content, 0, 8);
	put_message(peer, 'K', content);
	evbuffer_free(content);
	put_ready(peer);
	peer->handshaken = true;
}

static void
peer_read(struct bufferevent *events, void *arg)
{
	struct peer *peer = arg;
	struct evbuffer *in = bufferevent_get_input(events);
	const unsigned char *bytes, *at;
	size_t head, size;

	for (;;) {
		head = peer->handshaken ? 5 : 4;
		if (evbuffer_get_length(in) < head)
			return;
		bytes = evbuffer_pullup(in, (ssize_t)head);
		at = bytes + head - 4;
		size = head - 4 + heard_number(&at, 4);
		if (evbuffer_get_length(in) < size)
			return;
		bytes = evbuffer_pullup(in, (ssize_t)size);
		if (!peer->handshaken)
			peer_handshake(peer);
		else
			peer_hear(
			    peer, (char)*bytes, bytes + head, bytes + size);
		evbuffer_drain(in, size);
	}
}

static void
peer_free(struct peer *peer)
{
	TAILQ_REMOVE(&peers, peer, entry);
	bufferevent_free(peer->events);
	memory_free(peer);
}

static void
peer_gone(struct bufferevent *events, short what, void *arg)
{
	(void)events;
	(void)what;
	peer_free(arg);
}

static void
peer_new(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int length, void *arg)
{
	struct peer *peer = memory_new(sizeof(*peer));

	(void)listener;
	(void)address;
	(void)length;
	(void)arg;
	peer->events = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(peer->events, peer_read, NULL, peer_gone, peer);
	bufferevent_enable(peer->events, EV_READ | EV_WRITE);
	TAILQ_INSERT_TAIL(&peers, peer, entry);
}

/* An address without a file, where libpq looks for port 5432. */
static struct evconnlistener *
server_listen(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int length =
	    snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
		"answer_fuzz.%ld/.s.PGSQL.5432", (long)getpid());
	struct evconnlistener *listener = evconnlistener_new_bind(base,
	    peer_new, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1,
	    (struct sockaddr *)&address,
	    (int)offsetof(struct sockaddr_un, sun_path) + 1 + length);

	FUZZ_EXPECT(listener != NULL);
	return (listener);
}

/* ------------------------------------------------------------------------------ */

static void
answer_start(void)
{
	char dsn[128], cause[256];

	snprintf(dsn, sizeof(dsn),
	    "host=@answer_fuzz.%ld port=5432 user=coffer_api dbname=coffer",
	    (long)getpid());
	setenv("COFFER_DSN", dsn, 1);
	setenv("COFFER_POOL_SIZE", "2", 1);
	setenv("COFFER_READ_CONNECTIONS", "1", 1);
	setenv("COFFER_JOB_INTERVAL", "1", 1);
	setenv("COFFER_KEY_RATE", "0", 1);
	setenv("COFFER_DENIED_RATE", "0", 1);
	/* As in service.c: the other end may be closed. */
	signal(SIGPIPE, SIG_IGN);
	memory_guard_libraries();
	FUZZ_EXPECT(load_settings(&settings, NULL, cause, sizeof(cause)));
	settings.root_keys = memory_copy(ANSWER_ROOT_KEY);
	settings.insecure_root_key_env = true;
}

/*
 * The first byte is the number of answers that are sound before those of the
 * input begin.  The calls begin when the daemon serves, and once more when all
 * of them have been answered.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct evconnlistener *listener;
	int turns, rounds = 0;

	if (settings.dsn == NULL)
		answer_start();
	input = bytes;
	input_left = size;
	sound = input_byte();
	answer_open();
	listener = server_listen();
	for (turns = 0; turns < ANSWER_TURNS; turns++) {
		if (rounds < 2 && !requests_run() &&
		    pool_is_ready(context.pool)) {
			requests_begin();
			rounds++;
		}
		if (rounds == 2 && input_left == 0 && !requests_run() &&
		    turns < ANSWER_TURNS - ANSWER_LAST_TURNS)
			turns = ANSWER_TURNS - ANSWER_LAST_TURNS;
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	answer_close();
	while (!TAILQ_EMPTY(&peers))
		peer_free(TAILQ_FIRST(&peers));
	evconnlistener_free(listener);
	/* Those that run are answered, and none is left. */
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	FUZZ_EXPECT(!requests_run());
	answer_free();
	return (0);
}
