// One line a sender: how many transactions it sent in the block, and how much value with them.
#include <stdlib.h>

#include "refiner.h"

typedef struct {
  refiner_address_t sender;
  uint64_t sent;
  refiner_u256_t value;
} total_t;

static int compare(const void *one, const void *other) {
  return refiner_compare_addresses(((const total_t *)one)->sender, ((const total_t *)other)->sender);
}

// Adds to a word what is carried. Returns whether the sum has more than 64 bits.
static bool add(uint64_t *sum, uint64_t word, bool carry) {
  bool is_over = __builtin_add_overflow(*sum, word, sum);
  return __builtin_add_overflow(*sum, (uint64_t)carry, sum) || is_over;
}

static bool add_u256(refiner_u256_t *sum, refiner_u256_t value) {
  bool carry = add(&sum->w3, value.w3, false);
  carry = add(&sum->w2, value.w2, carry);
  carry = add(&sum->w1, value.w1, carry);
  return add(&sum->w0, value.w0, carry);
}

refiner_result_t refine(refiner_specimen_t specimen) {
  refiner_rule_specimen_counts_t counts;
  refiner_rule_specimen_method_block_specimen_counts(specimen, &counts);
  total_t *totals = calloc(counts.transactions + 1, sizeof *totals);
  if (totals == NULL) refiner_fail("no memory for the totals");
  size_t count = 0;
  refiner_transactions_t transactions = refiner_transactions(specimen);
  const refiner_transaction_t *transaction;
  while ((transaction = refiner_next_transaction(&transactions)) != NULL) {
    totals[count++] = (total_t){transaction->sender, 1, transaction->value};
  }
  qsort(totals, count, sizeof *totals, compare);
  refiner_rows_t rows = refiner_rows("by-sender.ndjson");
  for (size_t i = 0, next; i < count; i = next) {
    total_t total = totals[i];
    for (next = i + 1; next < count && compare(&total, &totals[next]) == 0; next++) {
      total.sent++;
      if (add_u256(&total.value, totals[next].value)) {
        return refiner_rejected("the sum of a sender's values has more than 256 bits");
      }
    }
    refiner_row(&rows);
    refiner_address(&rows, "sender", total.sender);
    refiner_u64(&rows, "transactions", total.sent);
    refiner_u256(&rows, "value", total.value);
    refiner_row_end(&rows);
  }
  free(totals);
  return refiner_done(refiner_rows_finish(&rows));
}
