#define _GNU_SOURCE
#include "CRabbitMQ.h"

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// librabbitmq loses frames when several channels share a connection, so there is exactly one.
static const amqp_channel_t channel = 1;

struct crmq_connection {
    amqp_connection_state_t state;
    int socket;
};

static amqp_bytes_t to_amqp(crmq_bytes bytes) {
    amqp_bytes_t out = {bytes.length, (void *)bytes.bytes};
    return out;
}

static crmq_bytes from_amqp(amqp_bytes_t bytes) {
    crmq_bytes out = {bytes.bytes, bytes.len};
    return out;
}

static struct timeval to_timeval(int milliseconds) {
    struct timeval out = {milliseconds / 1000, (milliseconds % 1000) * 1000};
    return out;
}

// MARK: Outcomes

static bool is_tls_status(int status) {
    return status <= AMQP_STATUS_SSL_ERROR && status > AMQP_STATUS_SSL_ERROR - 0x100;
}

static crmq_result from_status(int status) {
    crmq_result out = {0};
    if (status == AMQP_STATUS_OK) return out;
    const char *text = amqp_error_string2(status);
    out.library_code = status;
    out.text.bytes = text;
    out.text.length = strlen(text);
    out.status = is_tls_status(status)           ? CRMQ_TLS_ERROR
                 : status == AMQP_STATUS_TIMEOUT ? CRMQ_TIMEOUT
                                                 : CRMQ_LIBRARY_ERROR;
    return out;
}

static crmq_result from_text(int status, const char *text) {
    crmq_result out = {0};
    out.status = status;
    out.text.bytes = text;
    out.text.length = strlen(text);
    return out;
}

static crmq_result from_reply(amqp_rpc_reply_t reply) {
    crmq_result out = {0};
    switch (reply.reply_type) {
        case AMQP_RESPONSE_NORMAL:
            return out;
        case AMQP_RESPONSE_NONE:
            return from_text(CRMQ_LIBRARY_ERROR, "the broker closed the socket");
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            return from_status(reply.library_error == AMQP_STATUS_OK ? AMQP_STATUS_UNEXPECTED_STATE
                                                                     : reply.library_error);
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            break;
    }
    out.status = CRMQ_BROKER_EXCEPTION;
    if (reply.reply.decoded == NULL) return from_text(CRMQ_LIBRARY_ERROR, "an exception without a body");
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = reply.reply.decoded;
        out.code = close->reply_code;
        out.text = from_amqp(close->reply_text);
        out.closes_connection = true;
    } else if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close = reply.reply.decoded;
        out.code = close->reply_code;
        out.text = from_amqp(close->reply_text);
    } else {
        return from_text(CRMQ_LIBRARY_ERROR, "an unexpected method instead of a reply");
    }
    return out;
}

static crmq_result last_reply(const crmq_connection *connection) {
    return from_reply(amqp_get_rpc_reply(connection->state));
}

// MARK: Connections

crmq_connection *crmq_create(void) {
    crmq_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) return NULL;
    connection->socket = -1;
    connection->state = amqp_new_connection();
    if (connection->state == NULL) {
        free(connection);
        return NULL;
    }
    return connection;
}

void crmq_destroy(crmq_connection *connection) {
    if (connection == NULL) return;
    amqp_destroy_connection(connection->state);
    free(connection);
}

static crmq_result new_tls_socket(crmq_connection *connection, const crmq_tls *tls, amqp_socket_t **out) {
    amqp_socket_t *socket = amqp_ssl_socket_new(connection->state);
    if (socket == NULL) return from_text(CRMQ_LIBRARY_ERROR, "no TLS socket could be made");
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    int status = amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
    if (status != AMQP_STATUS_OK) return from_status(status);
    if (tls->ca_file != NULL) {
        status = amqp_ssl_socket_set_cacert(socket, tls->ca_file);
        if (status != AMQP_STATUS_OK) return from_text(CRMQ_TLS_ERROR, "the CA file cannot be loaded");
    }
    if (tls->certificate_file != NULL && tls->key_file != NULL) {
        status = amqp_ssl_socket_set_key(socket, tls->certificate_file, tls->key_file);
        if (status != AMQP_STATUS_OK) return from_text(CRMQ_TLS_ERROR, "the client certificate cannot be loaded");
    }
    *out = socket;
    return from_status(AMQP_STATUS_OK);
}

crmq_result crmq_open_socket(crmq_connection *connection, const char *host, int port, const crmq_tls *tls,
                             int timeout_ms) {
    amqp_socket_t *socket = NULL;
    if (tls->enabled) {
        crmq_result made = new_tls_socket(connection, tls, &socket);
        if (made.status != CRMQ_OK) return made;
    } else {
        socket = amqp_tcp_socket_new(connection->state);
    }
    if (socket == NULL) return from_text(CRMQ_LIBRARY_ERROR, "no socket could be made");
    struct timeval timeout = to_timeval(timeout_ms);
    int status = amqp_socket_open_noblock(socket, host, port, &timeout);
    if (status != AMQP_STATUS_OK) return from_status(status);
    connection->socket = amqp_get_sockfd(connection->state);
    return from_status(AMQP_STATUS_OK);
}

static amqp_table_entry_t boolean_entry(const char *key) {
    amqp_table_entry_t entry;
    entry.key = amqp_cstring_bytes(key);
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

static amqp_table_entry_t string_entry(const char *key, const char *value) {
    amqp_table_entry_t entry;
    entry.key = amqp_cstring_bytes(key);
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(value);
    return entry;
}

crmq_result crmq_log_in(crmq_connection *connection, const crmq_login *login) {
    struct timeval handshake = to_timeval(login->login_timeout_ms);
    struct timeval rpc = to_timeval(login->rpc_timeout_ms);
    int status = amqp_set_handshake_timeout(connection->state, &handshake);
    if (status == AMQP_STATUS_OK) status = amqp_set_rpc_timeout(connection->state, &rpc);
    if (status != AMQP_STATUS_OK) return from_status(status);

    // The broker sends basic.cancel and connection.blocked only to clients that say they understand them.
    amqp_table_entry_t capabilities[] = {
        boolean_entry("consumer_cancel_notify"),
        boolean_entry("connection.blocked"),
        boolean_entry("basic.nack"),
        boolean_entry("publisher_confirms"),
    };
    amqp_table_entry_t entries[3] = {
        string_entry("product", login->product),
        string_entry("connection_name", login->connection_name),
    };
    entries[2].key = amqp_cstring_bytes("capabilities");
    entries[2].value.kind = AMQP_FIELD_KIND_TABLE;
    entries[2].value.value.table.num_entries = 4;
    entries[2].value.value.table.entries = capabilities;
    amqp_table_t properties = {3, entries};

    return from_reply(amqp_login_with_properties(connection->state, login->virtual_host, 8, AMQP_DEFAULT_FRAME_SIZE,
                                                 login->heartbeat_seconds, &properties, AMQP_SASL_METHOD_PLAIN,
                                                 login->user, login->password));
}

crmq_result crmq_open_channel(crmq_connection *connection) {
    amqp_channel_open(connection->state, channel);
    return last_reply(connection);
}

void crmq_close(crmq_connection *connection, int timeout_ms) {
    struct timeval timeout = to_timeval(timeout_ms);
    if (amqp_set_rpc_timeout(connection->state, &timeout) != AMQP_STATUS_OK) return;
    amqp_connection_close(connection->state, AMQP_REPLY_SUCCESS);
}

void crmq_confirm_close(crmq_connection *connection) {
    amqp_connection_close_ok_t answer = {0};
    amqp_send_method(connection->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer);
}

int crmq_socket(const crmq_connection *connection) { return connection->socket; }

int crmq_frame_max(const crmq_connection *connection) { return amqp_get_frame_max(connection->state); }

int crmq_heartbeat(const crmq_connection *connection) { return amqp_get_heartbeat(connection->state); }

bool crmq_has_buffered_input(const crmq_connection *connection) {
    return amqp_frames_enqueued(connection->state) || amqp_data_in_buffer(connection->state);
}

void crmq_release_buffers(crmq_connection *connection) { amqp_maybe_release_buffers(connection->state); }

void crmq_cork(const crmq_connection *connection, bool corked) {
    int value = corked;
    // A failure costs packets, never correctness.
    (void)setsockopt(connection->socket, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

// MARK: Set-up

static amqp_table_t table_of(const crmq_fields *fields);

crmq_result crmq_select_confirms(crmq_connection *connection) {
    amqp_confirm_select(connection->state, channel);
    return last_reply(connection);
}

crmq_result crmq_declare_exchange(crmq_connection *connection, crmq_bytes name, crmq_bytes kind, bool passive,
                                  bool durable, bool auto_delete, bool internal, const crmq_fields *arguments) {
    amqp_exchange_declare(connection->state, channel, to_amqp(name), to_amqp(kind), passive, durable, auto_delete,
                          internal, table_of(arguments));
    return last_reply(connection);
}

crmq_result crmq_declare_queue(crmq_connection *connection, crmq_bytes name, bool passive, bool durable,
                               bool exclusive, bool auto_delete, const crmq_fields *arguments,
                               crmq_bytes *actual_name) {
    const amqp_queue_declare_ok_t *declared = amqp_queue_declare(
        connection->state, channel, to_amqp(name), passive, durable, exclusive, auto_delete, table_of(arguments));
    if (declared != NULL) *actual_name = from_amqp(declared->queue);
    return last_reply(connection);
}

crmq_result crmq_bind_queue(crmq_connection *connection, crmq_bytes queue, crmq_bytes exchange,
                            crmq_bytes routing_key, const crmq_fields *arguments) {
    amqp_queue_bind(connection->state, channel, to_amqp(queue), to_amqp(exchange), to_amqp(routing_key),
                    table_of(arguments));
    return last_reply(connection);
}

crmq_result crmq_set_prefetch(crmq_connection *connection, uint16_t count) {
    amqp_basic_qos(connection->state, channel, 0, count, 0);
    return last_reply(connection);
}

// MARK: Sending

crmq_result crmq_send_consume(crmq_connection *connection, crmq_bytes queue, crmq_bytes consumer_tag,
                              bool exclusive) {
    amqp_basic_consume_t method = {0};
    method.queue = to_amqp(queue);
    method.consumer_tag = to_amqp(consumer_tag);
    method.exclusive = exclusive;
    return from_status(amqp_send_method(connection->state, channel, AMQP_BASIC_CONSUME_METHOD, &method));
}

crmq_result crmq_send_cancel(crmq_connection *connection, crmq_bytes consumer_tag) {
    amqp_basic_cancel_t method = {0};
    method.consumer_tag = to_amqp(consumer_tag);
    return from_status(amqp_send_method(connection->state, channel, AMQP_BASIC_CANCEL_METHOD, &method));
}

crmq_result crmq_send_check(crmq_connection *connection, crmq_bytes queue) {
    amqp_queue_declare_t method = {0};
    method.queue = to_amqp(queue);
    method.passive = 1;
    return from_status(amqp_send_method(connection->state, channel, AMQP_QUEUE_DECLARE_METHOD, &method));
}

crmq_result crmq_acknowledge(crmq_connection *connection, uint64_t tag, bool multiple) {
    return from_status(amqp_basic_ack(connection->state, channel, tag, multiple));
}

crmq_result crmq_reject(crmq_connection *connection, uint64_t tag, bool requeue) {
    return from_status(amqp_basic_reject(connection->state, channel, tag, requeue));
}

static void set_bytes(amqp_basic_properties_t *properties, amqp_flags_t flag, amqp_bytes_t *field, crmq_bytes value) {
    if (value.bytes == NULL) return;
    properties->_flags |= flag;
    *field = to_amqp(value);
}

crmq_result crmq_publish(crmq_connection *connection, crmq_bytes exchange, crmq_bytes routing_key, bool mandatory,
                         const crmq_properties *from, crmq_bytes body) {
    amqp_basic_properties_t to;
    memset(&to, 0, sizeof to);
    set_bytes(&to, AMQP_BASIC_CONTENT_TYPE_FLAG, &to.content_type, from->content_type);
    set_bytes(&to, AMQP_BASIC_CONTENT_ENCODING_FLAG, &to.content_encoding, from->content_encoding);
    set_bytes(&to, AMQP_BASIC_CORRELATION_ID_FLAG, &to.correlation_id, from->correlation_id);
    set_bytes(&to, AMQP_BASIC_REPLY_TO_FLAG, &to.reply_to, from->reply_to);
    set_bytes(&to, AMQP_BASIC_EXPIRATION_FLAG, &to.expiration, from->expiration);
    set_bytes(&to, AMQP_BASIC_MESSAGE_ID_FLAG, &to.message_id, from->message_id);
    set_bytes(&to, AMQP_BASIC_TYPE_FLAG, &to.type, from->type);
    set_bytes(&to, AMQP_BASIC_USER_ID_FLAG, &to.user_id, from->user_id);
    set_bytes(&to, AMQP_BASIC_APP_ID_FLAG, &to.app_id, from->app_id);
    if (from->headers != NULL) {
        to._flags |= AMQP_BASIC_HEADERS_FLAG;
        to.headers = table_of(from->headers);
    }
    if (from->has_timestamp) {
        to._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
        to.timestamp = from->timestamp;
    }
    to._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
    to.delivery_mode = from->is_persistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT;
    return from_status(amqp_basic_publish(connection->state, channel, to_amqp(exchange), to_amqp(routing_key),
                                          mandatory, 0, &to, to_amqp(body)));
}

// MARK: Tables to send

struct crmq_arena {
    amqp_pool_t pool;
};

struct crmq_fields {
    int capacity;
    amqp_table_t table;
};

crmq_arena *crmq_arena_create(void) {
    crmq_arena *arena = calloc(1, sizeof *arena);
    if (arena != NULL) init_amqp_pool(&arena->pool, 16384);
    return arena;
}

void crmq_arena_reset(crmq_arena *arena) { recycle_amqp_pool(&arena->pool); }

void crmq_arena_destroy(crmq_arena *arena) {
    if (arena == NULL) return;
    empty_amqp_pool(&arena->pool);
    free(arena);
}

crmq_bytes crmq_arena_copy(crmq_arena *arena, const void *bytes, size_t length) {
    crmq_bytes out = {"", 0};
    if (length == 0) return out;
    void *copy = amqp_pool_alloc(&arena->pool, length);
    if (copy == NULL) return out;
    memcpy(copy, bytes, length);
    out.bytes = copy;
    out.length = length;
    return out;
}

crmq_fields *crmq_fields_create(crmq_arena *arena, int capacity) {
    crmq_fields *fields = amqp_pool_alloc(&arena->pool, sizeof *fields);
    if (fields == NULL) return NULL;
    memset(fields, 0, sizeof *fields);
    if (capacity <= 0) return fields;
    fields->table.entries = amqp_pool_alloc(&arena->pool, (size_t)capacity * sizeof(amqp_table_entry_t));
    if (fields->table.entries == NULL) return NULL;
    fields->capacity = capacity;
    return fields;
}

static amqp_table_t table_of(const crmq_fields *fields) {
    return fields == NULL ? amqp_empty_table : fields->table;
}

static amqp_field_value_t *append(crmq_fields *fields, crmq_bytes key, uint8_t kind) {
    static _Thread_local amqp_field_value_t discarded;
    if (fields->table.num_entries >= fields->capacity) return &discarded;
    amqp_table_entry_t *entry = &fields->table.entries[fields->table.num_entries++];
    entry->key = to_amqp(key);
    entry->value.kind = kind;
    return &entry->value;
}

void crmq_fields_add_string(crmq_fields *fields, crmq_bytes key, crmq_bytes value) {
    append(fields, key, AMQP_FIELD_KIND_UTF8)->value.bytes = to_amqp(value);
}

void crmq_fields_add_bytes(crmq_fields *fields, crmq_bytes key, crmq_bytes value) {
    append(fields, key, AMQP_FIELD_KIND_BYTES)->value.bytes = to_amqp(value);
}

void crmq_fields_add_int(crmq_fields *fields, crmq_bytes key, int64_t value) {
    append(fields, key, AMQP_FIELD_KIND_I64)->value.i64 = value;
}

void crmq_fields_add_double(crmq_fields *fields, crmq_bytes key, double value) {
    append(fields, key, AMQP_FIELD_KIND_F64)->value.f64 = value;
}

void crmq_fields_add_bool(crmq_fields *fields, crmq_bytes key, bool value) {
    append(fields, key, AMQP_FIELD_KIND_BOOLEAN)->value.boolean = value;
}

void crmq_fields_add_timestamp(crmq_fields *fields, crmq_bytes key, uint64_t value) {
    append(fields, key, AMQP_FIELD_KIND_TIMESTAMP)->value.u64 = value;
}

void crmq_fields_add_void(crmq_fields *fields, crmq_bytes key) { (void)append(fields, key, AMQP_FIELD_KIND_VOID); }

void crmq_fields_add_table(crmq_fields *fields, crmq_bytes key, const crmq_fields *value) {
    append(fields, key, AMQP_FIELD_KIND_TABLE)->value.table = table_of(value);
}

bool crmq_fields_add_array(crmq_arena *arena, crmq_fields *fields, crmq_bytes key, const crmq_fields *value) {
    amqp_array_t array = {0, NULL};
    if (value->table.num_entries > 0) {
        array.entries =
            amqp_pool_alloc(&arena->pool, (size_t)value->table.num_entries * sizeof(amqp_field_value_t));
        if (array.entries == NULL) return false;
        for (int i = 0; i < value->table.num_entries; i++) array.entries[i] = value->table.entries[i].value;
        array.num_entries = value->table.num_entries;
    }
    append(fields, key, AMQP_FIELD_KIND_ARRAY)->value.array = array;
    return true;
}

// MARK: Received frames

static void read_close(crmq_frame *out, int kind, uint16_t code, amqp_bytes_t text, uint16_t class_id,
                       uint16_t method_id) {
    out->kind = kind;
    out->code = code;
    out->text = from_amqp(text);
    out->class_id = class_id;
    out->method_id = method_id;
}

static void read_return(const amqp_basic_return_t *method, crmq_frame *out) {
    out->kind = CRMQ_FRAME_RETURN;
    out->code = method->reply_code;
    out->text = from_amqp(method->reply_text);
    out->exchange = from_amqp(method->exchange);
    out->routing_key = from_amqp(method->routing_key);
}

static void read_delivery(const amqp_basic_deliver_t *method, crmq_frame *out) {
    out->kind = CRMQ_FRAME_DELIVER;
    out->delivery_tag = method->delivery_tag;
    out->redelivered = method->redelivered != 0;
    out->exchange = from_amqp(method->exchange);
    out->routing_key = from_amqp(method->routing_key);
}

static void read_settlement(crmq_frame *out, int kind, uint64_t tag, amqp_boolean_t multiple) {
    out->kind = kind;
    out->delivery_tag = tag;
    out->multiple = multiple != 0;
}

static void read_method(const amqp_method_t *method, crmq_frame *out) {
    out->raw_method = method->id;
    switch (method->id) {
        case AMQP_BASIC_ACK_METHOD: {
            const amqp_basic_ack_t *ack = method->decoded;
            return read_settlement(out, CRMQ_FRAME_ACK, ack->delivery_tag, ack->multiple);
        }
        case AMQP_BASIC_NACK_METHOD: {
            const amqp_basic_nack_t *nack = method->decoded;
            return read_settlement(out, CRMQ_FRAME_NACK, nack->delivery_tag, nack->multiple);
        }
        case AMQP_BASIC_RETURN_METHOD:
            return read_return(method->decoded, out);
        case AMQP_BASIC_DELIVER_METHOD:
            return read_delivery(method->decoded, out);
        case AMQP_BASIC_CONSUME_OK_METHOD:
            out->kind = CRMQ_FRAME_CONSUME_OK;
            return;
        case AMQP_BASIC_CANCEL_METHOD:
            out->kind = CRMQ_FRAME_CANCEL;
            return;
        case AMQP_BASIC_CANCEL_OK_METHOD:
            out->kind = CRMQ_FRAME_CANCEL_OK;
            return;
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            out->kind = CRMQ_FRAME_CHECK_OK;
            out->message_count = ((const amqp_queue_declare_ok_t *)method->decoded)->message_count;
            return;
        case AMQP_CONNECTION_BLOCKED_METHOD:
            out->kind = CRMQ_FRAME_BLOCKED;
            out->text = from_amqp(((const amqp_connection_blocked_t *)method->decoded)->reason);
            return;
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            out->kind = CRMQ_FRAME_UNBLOCKED;
            return;
        case AMQP_CHANNEL_CLOSE_METHOD: {
            const amqp_channel_close_t *close = method->decoded;
            return read_close(out, CRMQ_FRAME_CHANNEL_CLOSE, close->reply_code, close->reply_text, close->class_id,
                              close->method_id);
        }
        case AMQP_CONNECTION_CLOSE_METHOD: {
            const amqp_connection_close_t *close = method->decoded;
            return read_close(out, CRMQ_FRAME_CONNECTION_CLOSE, close->reply_code, close->reply_text,
                              close->class_id, close->method_id);
        }
        default:
            return;
    }
}

crmq_result crmq_next_frame(crmq_connection *connection, crmq_frame *out) {
    memset(out, 0, sizeof *out);
    amqp_frame_t frame;
    struct timeval now = {0, 0};
    int status = amqp_simple_wait_frame_noblock(connection->state, &frame, &now);
    if (status != AMQP_STATUS_OK) return from_status(status);
    switch (frame.frame_type) {
        case AMQP_FRAME_METHOD:
            read_method(&frame.payload.method, out);
            break;
        case AMQP_FRAME_HEADER:
            out->kind = CRMQ_FRAME_HEADER;
            out->body_size = frame.payload.properties.body_size;
            out->class_id = frame.payload.properties.class_id;
            out->properties = frame.payload.properties.decoded;
            break;
        case AMQP_FRAME_BODY:
            out->kind = CRMQ_FRAME_BODY;
            out->body = from_amqp(frame.payload.body_fragment);
            break;
        default:
            break;
    }
    return from_status(AMQP_STATUS_OK);
}

static crmq_bytes property(const amqp_basic_properties_t *properties, amqp_flags_t flag, amqp_bytes_t value) {
    crmq_bytes absent = {NULL, 0};
    if ((properties->_flags & flag) == 0) return absent;
    crmq_bytes present = {value.bytes == NULL ? "" : value.bytes, value.len};
    return present;
}

void crmq_read_properties(const void *properties, crmq_received_properties *out) {
    const amqp_basic_properties_t *from = properties;
    memset(out, 0, sizeof *out);
    out->content_type = property(from, AMQP_BASIC_CONTENT_TYPE_FLAG, from->content_type);
    out->content_encoding = property(from, AMQP_BASIC_CONTENT_ENCODING_FLAG, from->content_encoding);
    out->correlation_id = property(from, AMQP_BASIC_CORRELATION_ID_FLAG, from->correlation_id);
    out->reply_to = property(from, AMQP_BASIC_REPLY_TO_FLAG, from->reply_to);
    out->expiration = property(from, AMQP_BASIC_EXPIRATION_FLAG, from->expiration);
    out->message_id = property(from, AMQP_BASIC_MESSAGE_ID_FLAG, from->message_id);
    out->type = property(from, AMQP_BASIC_TYPE_FLAG, from->type);
    out->user_id = property(from, AMQP_BASIC_USER_ID_FLAG, from->user_id);
    out->app_id = property(from, AMQP_BASIC_APP_ID_FLAG, from->app_id);
    if (from->_flags & AMQP_BASIC_HEADERS_FLAG) {
        out->headers.entries = from->headers.entries;
        out->headers.count = from->headers.num_entries;
    }
    if (from->_flags & AMQP_BASIC_TIMESTAMP_FLAG) {
        out->has_timestamp = true;
        out->timestamp = from->timestamp;
    }
    out->is_persistent = (from->_flags & AMQP_BASIC_DELIVERY_MODE_FLAG) &&
                         from->delivery_mode == AMQP_DELIVERY_PERSISTENT;
}

static void set_integer(crmq_value *out, int64_t value) {
    out->kind = CRMQ_VALUE_INT;
    out->integer = value;
}

static void set_real(crmq_value *out, double value) {
    out->kind = CRMQ_VALUE_DOUBLE;
    out->real = value;
}

static void set_blob(crmq_value *out, int kind, amqp_bytes_t value) {
    out->kind = kind;
    out->bytes = from_amqp(value);
}

static void set_children(crmq_value *out, int kind, const void *entries, int count) {
    out->kind = kind;
    out->children.entries = entries;
    out->children.count = count;
}

static void read_value(const amqp_field_value_t *from, crmq_value *out) {
    memset(out, 0, sizeof *out);
    switch (from->kind) {
        case AMQP_FIELD_KIND_BOOLEAN:
            out->kind = CRMQ_VALUE_BOOL;
            out->integer = from->value.boolean != 0;
            return;
        case AMQP_FIELD_KIND_I8:
            return set_integer(out, from->value.i8);
        case AMQP_FIELD_KIND_U8:
            return set_integer(out, from->value.u8);
        case AMQP_FIELD_KIND_I16:
            return set_integer(out, from->value.i16);
        case AMQP_FIELD_KIND_U16:
            return set_integer(out, from->value.u16);
        case AMQP_FIELD_KIND_I32:
            return set_integer(out, from->value.i32);
        case AMQP_FIELD_KIND_U32:
            return set_integer(out, from->value.u32);
        case AMQP_FIELD_KIND_I64:
            return set_integer(out, from->value.i64);
        case AMQP_FIELD_KIND_U64:
            return set_integer(out, from->value.u64 > INT64_MAX ? INT64_MAX : (int64_t)from->value.u64);
        case AMQP_FIELD_KIND_TIMESTAMP:
            set_integer(out, from->value.u64 > INT64_MAX ? INT64_MAX : (int64_t)from->value.u64);
            out->kind = CRMQ_VALUE_TIMESTAMP;
            return;
        case AMQP_FIELD_KIND_F32:
            return set_real(out, from->value.f32);
        case AMQP_FIELD_KIND_F64:
            return set_real(out, from->value.f64);
        case AMQP_FIELD_KIND_DECIMAL: {
            double value = from->value.decimal.value;
            for (int i = 0; i < from->value.decimal.decimals; i++) value /= 10;
            return set_real(out, value);
        }
        case AMQP_FIELD_KIND_UTF8:
            return set_blob(out, CRMQ_VALUE_STRING, from->value.bytes);
        case AMQP_FIELD_KIND_BYTES:
            return set_blob(out, CRMQ_VALUE_BYTES, from->value.bytes);
        case AMQP_FIELD_KIND_TABLE:
            return set_children(out, CRMQ_VALUE_TABLE, from->value.table.entries, from->value.table.num_entries);
        case AMQP_FIELD_KIND_ARRAY:
            return set_children(out, CRMQ_VALUE_ARRAY, from->value.array.entries, from->value.array.num_entries);
        default:
            return;
    }
}

crmq_bytes crmq_table_at(crmq_entries table, int index, crmq_value *value) {
    crmq_bytes nothing = {NULL, 0};
    memset(value, 0, sizeof *value);
    if (index < 0 || index >= table.count) return nothing;
    const amqp_table_entry_t *entry = (const amqp_table_entry_t *)table.entries + index;
    read_value(&entry->value, value);
    return from_amqp(entry->key);
}

void crmq_array_at(crmq_entries array, int index, crmq_value *value) {
    memset(value, 0, sizeof *value);
    if (index < 0 || index >= array.count) return;
    read_value((const amqp_field_value_t *)array.entries + index, value);
}

// MARK: Waiting and waking

int crmq_wake_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void crmq_wake_signal(int descriptor) {
    uint64_t one = 1;
    // A full counter means that the reader has been woken already.
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored;
}

void crmq_wake_clear(int descriptor) {
    uint64_t count;
    ssize_t ignored = read(descriptor, &count, sizeof count);
    (void)ignored;
}

int crmq_wait(int socket, int wake, int timeout_ms) {
    struct pollfd descriptors[2] = {{socket, POLLIN, 0}, {wake, POLLIN, 0}};
    int ready = poll(descriptors, 2, timeout_ms);
    if (ready <= 0) return 0;
    int out = 0;
    // Errors and hang-ups count as input: the library meets them on its next read.
    if (descriptors[0].revents != 0) out |= CRMQ_READY_SOCKET;
    if (descriptors[1].revents != 0) out |= CRMQ_READY_WAKE;
    return out;
}

void crmq_shut_down_socket(int socket) { (void)shutdown(socket, SHUT_RDWR); }

void crmq_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

void crmq_name_thread(const char *name) { (void)pthread_setname_np(pthread_self(), name); }
