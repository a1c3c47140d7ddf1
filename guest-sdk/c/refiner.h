// A rule in C: the function `refine`, and helpers for the specimen, errors and rows. contract.h has everything that the host gives.
#ifndef REFINER_H
#define REFINER_H

#include "contract.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef refiner_rule_specimen_borrow_block_specimen_t refiner_specimen_t;
typedef refiner_rule_specimen_transaction_t refiner_transaction_t;
typedef refiner_rule_evm_receipt_t refiner_receipt_t;
typedef refiner_rule_evm_log_t refiner_log_t;
typedef refiner_rule_types_address_t refiner_address_t;
typedef refiner_rule_types_b256_t refiner_b256_t;
typedef refiner_rule_types_u256_t refiner_u256_t;

// The end of a run: records, or the reason for which there are none.
typedef struct {
  bool failed;
  uint64_t records;
  refiner_rule_types_rule_error_t error;
} refiner_result_t;

// The rule, which its author writes. It runs in a fresh instance for each specimen.
refiner_result_t refine(refiner_specimen_t specimen);

// The rule finished its artifacts, which hold so many records.
refiner_result_t refiner_done(uint64_t records);
// The rule looked at the specimen and refuses it.
refiner_result_t refiner_rejected(const char *reason);
// The rule cannot work on the specimen.
refiner_result_t refiner_unsupported(const char *reason);

// Levels are REFINER_RULE_LOG_LEVEL_DEBUG, _INFO, _WARN and _ERROR. Lines of printf go to the log too, as info.
void refiner_log(refiner_rule_log_level_t level, const char *message);
// Ends the run as trapped, with a line in the log.
_Noreturn void refiner_fail(const char *message);
// A parameter that the operator gave the rule, or NULL. The caller frees it.
char *refiner_parameter(const char *name);

// Transactions, read page by page. An item is valid until the next one is asked for; NULL follows the last.
typedef struct {
  refiner_specimen_t specimen;
  uint32_t start;
  size_t at;
  refiner_rule_specimen_list_transaction_t page;
} refiner_transactions_t;
refiner_transactions_t refiner_transactions(refiner_specimen_t specimen);
const refiner_transaction_t *refiner_next_transaction(refiner_transactions_t *transactions);

// The first bytes of a transaction's input, at most `len`, copied to `bytes`. Returns how many there are.
size_t refiner_input_start(refiner_specimen_t specimen, uint32_t transaction, uint8_t *bytes, size_t len);

// The executed block, for the world `transform-with-evm`.
typedef refiner_rule_evm_own_execution_t refiner_execution_t;
// Executes the block. Where there is no execution it returns false, and `failed` is what `refine` returns.
bool refiner_execute(refiner_specimen_t specimen, const char *format, refiner_execution_t *execution, refiner_result_t *failed);
void refiner_execution_free(refiner_execution_t execution);

// Receipts and logs of an execution, read page by page as transactions are.
typedef struct {
  refiner_execution_t execution;
  uint32_t start;
  size_t at;
  refiner_rule_evm_list_receipt_t page;
} refiner_receipts_t;
refiner_receipts_t refiner_receipts(refiner_execution_t execution);
const refiner_receipt_t *refiner_next_receipt(refiner_receipts_t *receipts);

typedef struct {
  refiner_execution_t execution;
  uint32_t start;
  size_t at;
  refiner_rule_evm_list_log_t page;
} refiner_logs_t;
refiner_logs_t refiner_logs(refiner_execution_t execution);
const refiner_log_t *refiner_next_log(refiner_logs_t *logs);

// Bytes that grow.
typedef struct {
  uint8_t *bytes;
  size_t len, capacity;
} refiner_buffer_t;

// Rows as JSON objects, one a line, with fields in the order in which they are added. Numbers of up to 64 bits are JSON numbers, wider
// ones decimal text, bytes 0x and lower-case digits. The host checks them against the columns in rule.toml.
typedef struct {
  refiner_rule_output_own_artifact_t artifact;
  refiner_buffer_t gathered;
  // Every row begins with `start`, as far as it is not empty.
  refiner_buffer_t start;
  bool is_first_field;
  uint64_t written;
} refiner_rows_t;

// Opens an artifact of rule.toml for rows that hold what is put into each of them and no more.
refiner_rows_t refiner_rows(const char *artifact);
// The same for rows that begin with chainId, blockNumber, blockHash and timestamp of the specimen's block.
refiner_rows_t refiner_rows_of_block(const char *artifact, refiner_specimen_t specimen);
void refiner_row(refiner_rows_t *rows);
void refiner_row_end(refiner_rows_t *rows);
// Closes the artifact, makes it part of the output, and returns how many rows it has.
uint64_t refiner_rows_finish(refiner_rows_t *rows);

void refiner_address(refiner_rows_t *rows, const char *field, refiner_address_t address);
void refiner_b256(refiner_rows_t *rows, const char *field, refiner_b256_t hash);
void refiner_u256(refiner_rows_t *rows, const char *field, refiner_u256_t number);
void refiner_u64(refiner_rows_t *rows, const char *field, uint64_t number);
void refiner_i64(refiner_rows_t *rows, const char *field, int64_t number);
void refiner_bool(refiner_rows_t *rows, const char *field, bool value);
void refiner_null(refiner_rows_t *rows, const char *field);
void refiner_bytes(refiner_rows_t *rows, const char *field, const uint8_t *bytes, size_t len);
// Text in UTF-8.
void refiner_text(refiner_rows_t *rows, const char *field, const char *text);

// The order of addresses and hashes, as qsort wants it.
static inline int refiner_compare_words(uint64_t one, uint64_t other) { return (one > other) - (one < other); }
static inline int refiner_compare_addresses(refiner_address_t one, refiner_address_t other) {
  int order = refiner_compare_words(one.w0, other.w0);
  if (order == 0) order = refiner_compare_words(one.w1, other.w1);
  return order != 0 ? order : refiner_compare_words(one.w2, other.w2);
}

// What `describe` returns. `refiner rule build` writes it, from rule.toml.
typedef struct {
  const char *name, *media_type, *schema;
} refiner_output_description_t;
typedef struct {
  const char *name, *version;
  size_t layout_count;
  const char *const *layouts;
  size_t output_count;
  const refiner_output_description_t *outputs;
} refiner_description_t;
extern const refiner_description_t refiner_description;

#ifdef __cplusplus
}
#endif
#endif
