#include "refiner.h"

#include <stdlib.h>
#include <string.h>

// Items asked for at once. The host gives fewer where its budget for one call is used up.
#define PAGE 1000
// Bytes of rows gathered before they are handed to the host: a call costs as much as 200 bytes.
#define GATHERED_BYTES (64 << 10)
// A line of the log of this length becomes several.
#define LINE_BYTES 4096

static const char MEDIA_TYPE[] = "application/x-ndjson";

// The stand-in for WASI that `refiner rule build` links: it gathers what is printed in memory of the rule, and begins its clock at the block's time.
__attribute__((__import_module__("wasi_snapshot_preview1"), __import_name__("refiner_line"))) void stub_line(uint8_t *start, size_t len);
__attribute__((__import_module__("wasi_snapshot_preview1"), __import_name__("refiner_clock"))) void stub_clock(uint64_t seconds);
__attribute__((__import_module__("wasi_snapshot_preview1"), __import_name__("refiner_finish"))) void stub_finish(void);

static uint8_t line[LINE_BYTES];

// A string of the contract over text of C, which keeps its owner.
static contract_string_t lent(const char *text) { return (contract_string_t){(uint8_t *)text, strlen(text)}; }

static void *checked(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

// Exports

void exports_refiner_rule_rule_describe(exports_refiner_rule_rule_description_t *ret) {
  const refiner_description_t *own = &refiner_description;
  contract_string_dup(&ret->name, own->name);
  contract_string_dup(&ret->version, own->version);
  ret->layouts.len = own->layout_count;
  ret->layouts.ptr = checked(calloc(own->layout_count + 1, sizeof *ret->layouts.ptr));
  for (size_t i = 0; i < own->layout_count; i++) contract_string_dup(&ret->layouts.ptr[i], own->layouts[i]);
  ret->outputs.len = own->output_count;
  ret->outputs.ptr = checked(calloc(own->output_count + 1, sizeof *ret->outputs.ptr));
  for (size_t i = 0; i < own->output_count; i++) {
    exports_refiner_rule_rule_output_description_t *output = &ret->outputs.ptr[i];
    contract_string_dup(&output->name, own->outputs[i].name);
    contract_string_dup(&output->media_type, own->outputs[i].media_type);
    output->schema.is_some = own->outputs[i].schema != NULL;
    if (output->schema.is_some) contract_string_dup(&output->schema.val, own->outputs[i].schema);
  }
}

bool exports_refiner_rule_rule_refine(exports_refiner_rule_rule_borrow_block_specimen_t specimen, exports_refiner_rule_rule_summary_t *ret,
                                      exports_refiner_rule_rule_rule_error_t *err) {
  refiner_rule_specimen_header_t header;
  refiner_rule_specimen_method_block_specimen_header(specimen, &header);
  stub_line(line, sizeof line);
  stub_clock(header.timestamp);
  refiner_rule_specimen_header_free(&header);
  refiner_result_t result = refine(specimen);
  stub_finish();
  refiner_rule_specimen_block_specimen_drop_borrow(specimen);
  ret->records = result.records;
  *err = result.error;
  return !result.failed;
}

// Results, log, parameters

refiner_result_t refiner_done(uint64_t records) { return (refiner_result_t){.records = records}; }

static refiner_result_t failed(uint8_t tag, contract_string_t reason) {
  refiner_result_t result = {.failed = true, .error = {.tag = tag}};
  result.error.val.rejected = reason;
  return result;
}

static refiner_result_t failed_as(uint8_t tag, const char *reason) {
  contract_string_t text;
  contract_string_dup(&text, reason);
  return failed(tag, text);
}

refiner_result_t refiner_rejected(const char *reason) { return failed_as(REFINER_RULE_TYPES_RULE_ERROR_REJECTED, reason); }
refiner_result_t refiner_unsupported(const char *reason) { return failed_as(REFINER_RULE_TYPES_RULE_ERROR_UNSUPPORTED, reason); }

void refiner_log(refiner_rule_log_level_t level, const char *message) {
  contract_string_t text = lent(message);
  refiner_rule_log_write(level, &text);
}

void refiner_fail(const char *message) {
  stub_finish();
  refiner_log(REFINER_RULE_LOG_LEVEL_ERROR, message);
  abort();
}

char *refiner_parameter(const char *name) {
  contract_string_t asked = lent(name), value;
  if (!refiner_rule_params_get(&asked, &value)) return NULL;
  char *text = checked(malloc(value.len + 1));
  memcpy(text, value.ptr, value.len);
  text[value.len] = 0;
  contract_string_free(&value);
  return text;
}

// Pages

#define ITEMS(items, of, item, list, read, list_free)                          \
  const item *refiner_next_##of(items *all) {                                  \
    if (all->at == all->page.len) {                                            \
      list_free(&all->page);                                                   \
      read;                                                                    \
      all->start += (uint32_t)all->page.len;                                   \
      all->at = 0;                                                             \
    }                                                                          \
    return all->at < all->page.len ? &all->page.ptr[all->at++] : NULL;         \
  }

refiner_transactions_t refiner_transactions(refiner_specimen_t specimen) { return (refiner_transactions_t){.specimen = specimen}; }
ITEMS(refiner_transactions_t, transaction, refiner_transaction_t, refiner_rule_specimen_list_transaction_t,
      refiner_rule_specimen_method_block_specimen_transactions(all->specimen, all->start, PAGE, &all->page),
      refiner_rule_specimen_list_transaction_free)

refiner_receipts_t refiner_receipts(refiner_execution_t execution) { return (refiner_receipts_t){.execution = execution}; }
ITEMS(refiner_receipts_t, receipt, refiner_receipt_t, refiner_rule_evm_list_receipt_t,
      refiner_rule_evm_method_execution_receipts(refiner_rule_evm_borrow_execution(all->execution), all->start, PAGE, &all->page),
      refiner_rule_evm_list_receipt_free)

refiner_logs_t refiner_logs(refiner_execution_t execution) { return (refiner_logs_t){.execution = execution}; }
ITEMS(refiner_logs_t, log, refiner_log_t, refiner_rule_evm_list_log_t,
      refiner_rule_evm_method_execution_logs(refiner_rule_evm_borrow_execution(all->execution), all->start, PAGE, &all->page),
      refiner_rule_evm_list_log_free)

size_t refiner_input_start(refiner_specimen_t specimen, uint32_t transaction, uint8_t *bytes, size_t len) {
  contract_list_u8_t input;
  refiner_rule_specimen_method_block_specimen_input(specimen, transaction, 0, (uint32_t)len, &input);
  size_t found = input.len;
  if (found > 0) memcpy(bytes, input.ptr, found);
  contract_list_u8_free(&input);
  return found;
}

// Execution

bool refiner_execute(refiner_specimen_t specimen, const char *format, refiner_execution_t *execution, refiner_result_t *failed_result) {
  contract_string_t asked = lent(format);
  refiner_rule_evm_execute_error_t error;
  if (refiner_rule_evm_execute(specimen, &asked, execution, &error)) return true;
  uint8_t tag = REFINER_RULE_TYPES_RULE_ERROR_UNSUPPORTED;
  if (error.tag == REFINER_RULE_EVM_EXECUTE_ERROR_REJECTED) tag = REFINER_RULE_TYPES_RULE_ERROR_REJECTED;
  if (error.tag == REFINER_RULE_EVM_EXECUTE_ERROR_UNAVAILABLE) tag = REFINER_RULE_TYPES_RULE_ERROR_CAPABILITY_UNAVAILABLE;
  // Every variant has its text in the same place.
  *failed_result = failed(tag, error.val.unsupported);
  return false;
}

void refiner_execution_free(refiner_execution_t execution) { refiner_rule_evm_execution_drop_own(execution); }

// Rows

static void append(refiner_buffer_t *buffer, const void *bytes, size_t len) {
  if (buffer->len + len > buffer->capacity) {
    size_t capacity = buffer->capacity < 512 ? 1024 : buffer->capacity * 2;
    while (capacity < buffer->len + len) capacity *= 2;
    buffer->bytes = checked(realloc(buffer->bytes, capacity));
    buffer->capacity = capacity;
  }
  memcpy(buffer->bytes + buffer->len, bytes, len);
  buffer->len += len;
}

static void append_text(refiner_buffer_t *buffer, const char *text) { append(buffer, text, strlen(text)); }

static const char DIGITS[] = "0123456789abcdef";

static void append_hex(refiner_buffer_t *buffer, const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    char digits[2] = {DIGITS[bytes[i] >> 4], DIGITS[bytes[i] & 15]};
    append(buffer, digits, 2);
  }
}

static void append_word(refiner_buffer_t *buffer, uint64_t word, int bytes) {
  char digits[16];
  for (int i = 0; i < 2 * bytes; i++) digits[i] = DIGITS[(word >> (4 * (2 * bytes - 1 - i))) & 15];
  append(buffer, digits, (size_t)(2 * bytes));
}

static void append_u64(refiner_buffer_t *buffer, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  append(buffer, digits + at, sizeof digits - at);
}

// Text as JSON has it: quotes, backslashes and control characters escaped.
static void append_json(refiner_buffer_t *buffer, const char *text) {
  append(buffer, "\"", 1);
  for (const char *at = text; *at; at++) {
    uint8_t character = (uint8_t)*at;
    if (character == '"' || character == '\\') {
      append(buffer, "\\", 1);
      append(buffer, at, 1);
    } else if (character == '\n') {
      append_text(buffer, "\\n");
    } else if (character == '\r') {
      append_text(buffer, "\\r");
    } else if (character == '\t') {
      append_text(buffer, "\\t");
    } else if (character < ' ') {
      append_text(buffer, "\\u00");
      append_hex(buffer, &character, 1);
    } else {
      append(buffer, at, 1);
    }
  }
  append(buffer, "\"", 1);
}

refiner_rows_t refiner_rows(const char *artifact) {
  contract_string_t name = lent(artifact), media_type = lent(MEDIA_TYPE);
  return (refiner_rows_t){.artifact = refiner_rule_output_constructor_artifact(&name, &media_type, NULL)};
}

refiner_rows_t refiner_rows_of_block(const char *artifact, refiner_specimen_t specimen) {
  refiner_rows_t rows = refiner_rows(artifact);
  refiner_rule_specimen_identity_t identity;
  refiner_rule_specimen_method_block_specimen_identity(specimen, &identity);
  refiner_rule_specimen_header_t header;
  refiner_rule_specimen_method_block_specimen_header(specimen, &header);
  refiner_row(&rows);
  refiner_u64(&rows, "chainId", identity.chain_id);
  refiner_u64(&rows, "blockNumber", identity.height);
  refiner_b256(&rows, "blockHash", identity.block_hash);
  refiner_u64(&rows, "timestamp", header.timestamp);
  rows.start = rows.gathered;
  rows.gathered = (refiner_buffer_t){0};
  refiner_rule_specimen_identity_free(&identity);
  refiner_rule_specimen_header_free(&header);
  return rows;
}

static void flush(refiner_rows_t *rows) {
  if (rows->gathered.len == 0) return;
  contract_list_u8_t chunk = {rows->gathered.bytes, rows->gathered.len};
  refiner_rule_output_method_artifact_write(refiner_rule_output_borrow_artifact(rows->artifact), &chunk);
  rows->gathered.len = 0;
}

void refiner_row(refiner_rows_t *rows) {
  rows->is_first_field = rows->start.len == 0;
  if (rows->is_first_field) {
    append(&rows->gathered, "{", 1);
  } else {
    append(&rows->gathered, rows->start.bytes, rows->start.len);
  }
}

void refiner_row_end(refiner_rows_t *rows) {
  append(&rows->gathered, "}\n", 2);
  rows->written++;
  if (rows->gathered.len >= GATHERED_BYTES) flush(rows);
}

uint64_t refiner_rows_finish(refiner_rows_t *rows) {
  flush(rows);
  refiner_rule_output_method_artifact_finish(refiner_rule_output_borrow_artifact(rows->artifact));
  refiner_rule_output_artifact_drop_own(rows->artifact);
  free(rows->gathered.bytes);
  free(rows->start.bytes);
  rows->gathered = rows->start = (refiner_buffer_t){0};
  return rows->written;
}

static refiner_buffer_t *field_of(refiner_rows_t *rows, const char *field) {
  if (!rows->is_first_field) append(&rows->gathered, ",", 1);
  rows->is_first_field = false;
  append_json(&rows->gathered, field);
  append(&rows->gathered, ":", 1);
  return &rows->gathered;
}

void refiner_address(refiner_rows_t *rows, const char *field, refiner_address_t address) {
  refiner_buffer_t *row = field_of(rows, field);
  append_text(row, "\"0x");
  append_word(row, address.w0, 8);
  append_word(row, address.w1, 8);
  append_word(row, address.w2, 4);
  append(row, "\"", 1);
}

void refiner_b256(refiner_rows_t *rows, const char *field, refiner_b256_t hash) {
  refiner_buffer_t *row = field_of(rows, field);
  append_text(row, "\"0x");
  append_word(row, hash.w0, 8);
  append_word(row, hash.w1, 8);
  append_word(row, hash.w2, 8);
  append_word(row, hash.w3, 8);
  append(row, "\"", 1);
}

void refiner_u256(refiner_rows_t *rows, const char *field, refiner_u256_t number) {
  // Words of 32 bits, the most significant first, divided by ten until nothing is left.
  uint64_t wide[4] = {number.w0, number.w1, number.w2, number.w3};
  uint32_t words[8];
  for (int i = 0; i < 8; i++) words[i] = (uint32_t)(wide[i / 2] >> (i % 2 == 0 ? 32 : 0));
  char digits[78];
  size_t at = sizeof digits;
  bool is_left = true;
  while (is_left) {
    uint64_t rest = 0;
    is_left = false;
    for (int i = 0; i < 8; i++) {
      rest = rest << 32 | words[i];
      words[i] = (uint32_t)(rest / 10);
      rest %= 10;
      is_left = is_left || words[i] != 0;
    }
    digits[--at] = (char)('0' + rest);
  }
  refiner_buffer_t *row = field_of(rows, field);
  append(row, "\"", 1);
  append(row, digits + at, sizeof digits - at);
  append(row, "\"", 1);
}

void refiner_u64(refiner_rows_t *rows, const char *field, uint64_t number) { append_u64(field_of(rows, field), number); }

void refiner_i64(refiner_rows_t *rows, const char *field, int64_t number) {
  refiner_buffer_t *row = field_of(rows, field);
  if (number < 0) append(row, "-", 1);
  append_u64(row, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void refiner_bool(refiner_rows_t *rows, const char *field, bool value) { append_text(field_of(rows, field), value ? "true" : "false"); }

void refiner_null(refiner_rows_t *rows, const char *field) { append_text(field_of(rows, field), "null"); }

void refiner_bytes(refiner_rows_t *rows, const char *field, const uint8_t *bytes, size_t len) {
  refiner_buffer_t *row = field_of(rows, field);
  append_text(row, "\"0x");
  append_hex(row, bytes, len);
  append(row, "\"", 1);
}

void refiner_text(refiner_rows_t *rows, const char *field, const char *text) { append_json(field_of(rows, field), text); }

// The bindings call for an object file with the types of the contract, which `refiner rule build` adds after the link.
void __component_type_object_force_link_contract(void);
void __component_type_object_force_link_contract(void) {}
