// The methods that a block's transactions call: one row a contract and method, with how often it was called.
#include <stdlib.h>

#include "refiner.h"
#include "rows.h"

refiner_result_t refine(refiner_specimen_t specimen) {
  refiner_rule_specimen_counts_t counts;
  refiner_rule_specimen_method_block_specimen_counts(specimen, &counts);
  call_t *calls = calloc(counts.transactions + 1, sizeof *calls);
  if (calls == NULL) refiner_fail("no memory for the calls");
  size_t count = 0;
  refiner_transactions_t transactions = refiner_transactions(specimen);
  const refiner_transaction_t *transaction;
  for (uint32_t position = 0; (transaction = refiner_next_transaction(&transactions)) != NULL; position++) {
    // A transaction without a recipient creates a contract.
    if (!transaction->to.is_some) continue;
    call_t *call = &calls[count++];
    call->contract = transaction->to.val;
    call->method_len = refiner_input_start(specimen, position, call->method, SELECTOR_BYTES);
    call->calls = 1;
  }
  count = join_calls(calls, count);
  refiner_rows_t rows = refiner_rows_of_block("my-rule.ndjson", specimen);
  for (size_t i = 0; i < count; i++) {
    refiner_row(&rows);
    refiner_address(&rows, "contract", calls[i].contract);
    refiner_bytes(&rows, "method", calls[i].method, calls[i].method_len);
    refiner_u64(&rows, "calls", calls[i].calls);
    refiner_row_end(&rows);
  }
  free(calls);
  return refiner_done(refiner_rows_finish(&rows));
}
