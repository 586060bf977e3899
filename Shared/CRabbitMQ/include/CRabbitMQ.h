// A flat, Swift-friendly face of librabbitmq.
//
// Everything here belongs to the thread that owns the connection. Pointers inside frames stay valid until
// crmq_release_buffers or the next frame; callers copy what they keep.
#ifndef BATUTA_CRABBITMQ_H
#define BATUTA_CRABBITMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct crmq_connection crmq_connection;
typedef struct crmq_arena crmq_arena;
typedef struct crmq_fields crmq_fields;

typedef struct {
    const void *bytes;
    size_t length;
} crmq_bytes;

// MARK: Outcomes of calls

enum {
    CRMQ_OK = 0,
    CRMQ_TIMEOUT = 1,          // nothing arrived, or the peer did not answer in time
    CRMQ_BROKER_EXCEPTION = 2, // code and text are the broker's
    CRMQ_LIBRARY_ERROR = 3,    // text is librabbitmq's
    CRMQ_TLS_ERROR = 4,        // the peer could not be verified, or the handshake failed
    CRMQ_INVALID = 5,          // a local argument was refused
};

typedef struct {
    int status;
    int library_code;
    uint16_t code;
    bool closes_connection; // of a broker exception: connection.close rather than channel.close
    crmq_bytes text;
} crmq_result;

// MARK: Connections

typedef struct {
    bool enabled;
    const char *ca_file;          // NULL: the system's store is not consulted, so verification fails
    const char *certificate_file; // NULL: no client certificate
    const char *key_file;
} crmq_tls;

typedef struct {
    const char *virtual_host;
    const char *user;
    const char *password;
    const char *connection_name;
    const char *product;
    int heartbeat_seconds;
    int login_timeout_ms;
    int rpc_timeout_ms;
} crmq_login;

crmq_connection *crmq_create(void);
void crmq_destroy(crmq_connection *connection);
crmq_result crmq_open_socket(crmq_connection *connection, const char *host, int port, const crmq_tls *tls,
                             int timeout_ms);
crmq_result crmq_log_in(crmq_connection *connection, const crmq_login *login);
crmq_result crmq_open_channel(crmq_connection *connection);
// Closes politely, waiting for the broker's answer for at most timeout_ms.
void crmq_close(crmq_connection *connection, int timeout_ms);
void crmq_confirm_close(crmq_connection *connection);

int crmq_socket(const crmq_connection *connection);
int crmq_frame_max(const crmq_connection *connection);
int crmq_heartbeat(const crmq_connection *connection);
bool crmq_has_buffered_input(const crmq_connection *connection);
void crmq_release_buffers(crmq_connection *connection);
// Holds small segments back until released, so that a batch of frames leaves in full packets.
void crmq_cork(const crmq_connection *connection, bool corked);

// MARK: Set-up, answered by the broker within the rpc timeout; never while a consumer is active

crmq_result crmq_select_confirms(crmq_connection *connection);
crmq_result crmq_declare_exchange(crmq_connection *connection, crmq_bytes name, crmq_bytes kind, bool passive,
                                  bool durable, bool auto_delete, bool internal, const crmq_fields *arguments);
crmq_result crmq_declare_queue(crmq_connection *connection, crmq_bytes name, bool passive, bool durable,
                               bool exclusive, bool auto_delete, const crmq_fields *arguments,
                               crmq_bytes *actual_name);
crmq_result crmq_bind_queue(crmq_connection *connection, crmq_bytes queue, crmq_bytes exchange,
                            crmq_bytes routing_key, const crmq_fields *arguments);
crmq_result crmq_set_prefetch(crmq_connection *connection, uint16_t count);

// MARK: Sending, without waiting for an answer

crmq_result crmq_send_consume(crmq_connection *connection, crmq_bytes queue, crmq_bytes consumer_tag,
                              bool exclusive);
crmq_result crmq_send_cancel(crmq_connection *connection, crmq_bytes consumer_tag);
// A passive declaration: a channel.close comes back where there is no such queue.
crmq_result crmq_send_check(crmq_connection *connection, crmq_bytes queue);
crmq_result crmq_acknowledge(crmq_connection *connection, uint64_t tag, bool multiple);
crmq_result crmq_reject(crmq_connection *connection, uint64_t tag, bool requeue);

typedef struct {
    crmq_bytes content_type, content_encoding, correlation_id, reply_to, expiration, message_id, type, user_id, app_id;
    const crmq_fields *headers; // NULL: none
    uint64_t timestamp;
    bool has_timestamp;
    bool is_persistent;
} crmq_properties;

crmq_result crmq_publish(crmq_connection *connection, crmq_bytes exchange, crmq_bytes routing_key, bool mandatory,
                         const crmq_properties *properties, crmq_bytes body);

// MARK: Tables to send

crmq_arena *crmq_arena_create(void);
void crmq_arena_reset(crmq_arena *arena);
void crmq_arena_destroy(crmq_arena *arena);
crmq_bytes crmq_arena_copy(crmq_arena *arena, const void *bytes, size_t length);

// A table or an array (whose keys are ignored) with room for `capacity` entries; NULL when memory is out.
crmq_fields *crmq_fields_create(crmq_arena *arena, int capacity);
void crmq_fields_add_string(crmq_fields *fields, crmq_bytes key, crmq_bytes value);
void crmq_fields_add_bytes(crmq_fields *fields, crmq_bytes key, crmq_bytes value);
void crmq_fields_add_int(crmq_fields *fields, crmq_bytes key, int64_t value);
void crmq_fields_add_double(crmq_fields *fields, crmq_bytes key, double value);
void crmq_fields_add_bool(crmq_fields *fields, crmq_bytes key, bool value);
void crmq_fields_add_timestamp(crmq_fields *fields, crmq_bytes key, uint64_t value);
void crmq_fields_add_void(crmq_fields *fields, crmq_bytes key);
void crmq_fields_add_table(crmq_fields *fields, crmq_bytes key, const crmq_fields *value);
bool crmq_fields_add_array(crmq_arena *arena, crmq_fields *fields, crmq_bytes key, const crmq_fields *value);

// MARK: Received frames

enum {
    CRMQ_FRAME_OTHER = 0,
    CRMQ_FRAME_ACK,
    CRMQ_FRAME_NACK,
    CRMQ_FRAME_RETURN,
    CRMQ_FRAME_DELIVER,
    CRMQ_FRAME_HEADER,
    CRMQ_FRAME_BODY,
    CRMQ_FRAME_CONSUME_OK,
    CRMQ_FRAME_CANCEL,
    CRMQ_FRAME_CANCEL_OK,
    CRMQ_FRAME_CHECK_OK,
    CRMQ_FRAME_BLOCKED,
    CRMQ_FRAME_UNBLOCKED,
    CRMQ_FRAME_CHANNEL_CLOSE,
    CRMQ_FRAME_CONNECTION_CLOSE,
};

typedef struct {
    int kind;
    uint64_t delivery_tag;
    bool multiple;
    bool redelivered;
    uint16_t code;
    uint16_t class_id;
    uint16_t method_id;
    uint32_t message_count;
    crmq_bytes text;
    crmq_bytes exchange;
    crmq_bytes routing_key;
    crmq_bytes body;
    uint64_t body_size;
    const void *properties; // of a header frame, for crmq_read_properties
    uint32_t raw_method;
} crmq_frame;

// Takes the next frame that has arrived, without waiting; CRMQ_TIMEOUT when there is none. Serves heartbeats.
crmq_result crmq_next_frame(crmq_connection *connection, crmq_frame *frame);

typedef struct {
    const void *entries; // opaque, for crmq_table_at or crmq_array_at
    int count;
} crmq_entries;

typedef struct {
    crmq_bytes content_type, content_encoding, correlation_id, reply_to, expiration, message_id, type, user_id, app_id;
    crmq_entries headers;
    uint64_t timestamp;
    bool has_timestamp;
    bool is_persistent;
} crmq_received_properties;

void crmq_read_properties(const void *properties, crmq_received_properties *out);

enum {
    CRMQ_VALUE_VOID = 0,
    CRMQ_VALUE_STRING,
    CRMQ_VALUE_BYTES,
    CRMQ_VALUE_INT,
    CRMQ_VALUE_DOUBLE,
    CRMQ_VALUE_BOOL,
    CRMQ_VALUE_TIMESTAMP,
    CRMQ_VALUE_TABLE,
    CRMQ_VALUE_ARRAY,
};

typedef struct {
    int kind;
    int64_t integer;
    double real;
    crmq_bytes bytes;
    crmq_entries children;
} crmq_value;

crmq_bytes crmq_table_at(crmq_entries table, int index, crmq_value *value);
void crmq_array_at(crmq_entries array, int index, crmq_value *value);

// MARK: Waiting and waking

enum { CRMQ_READY_SOCKET = 1, CRMQ_READY_WAKE = 2 };

int crmq_wake_create(void);
void crmq_wake_signal(int descriptor);
void crmq_wake_clear(int descriptor);
// Waits until one of the descriptors is readable (a negative one is left out); a negative timeout waits for good.
int crmq_wait(int socket, int wake, int timeout_ms);
void crmq_shut_down_socket(int socket);
// Leaves every signal to the process's other threads, and keeps a broken pipe an error instead of a signal.
void crmq_block_signals(void);
void crmq_name_thread(const char *name);

#endif
