// Costs of the contracts of a block: one row a called contract, with the gas that calls to it used.
#include <stdlib.h>

#include "refiner.h"
#include "rows.h"

refiner_result_t refine(refiner_specimen_t specimen) {
  refiner_execution_t execution;
  refiner_result_t failed;
  if (!refiner_execute(specimen, "canonical", &execution, &failed)) return failed;
  refiner_rule_specimen_counts_t counts;
  refiner_rule_specimen_method_block_specimen_counts(specimen, &counts);
  cost_t *costs = calloc(counts.transactions + 1, sizeof *costs);
  if (costs == NULL) refiner_fail("no memory for the costs");
  size_t count = 0;
  refiner_transactions_t transactions = refiner_transactions(specimen);
  refiner_receipts_t receipts = refiner_receipts(execution);
  const refiner_transaction_t *transaction;
  const refiner_receipt_t *receipt;
  while ((transaction = refiner_next_transaction(&transactions)) && (receipt = refiner_next_receipt(&receipts))) {
    // A transaction without a recipient creates a contract.
    if (transaction->to.is_some) costs[count++] = (cost_t){transaction->to.val, 1, receipt->gas_used};
  }
  count = join_costs(costs, count);
  refiner_rows_t rows = refiner_rows_of_block("my-rule.ndjson", specimen);
  for (size_t i = 0; i < count; i++) {
    refiner_row(&rows);
    refiner_address(&rows, "contract", costs[i].contract);
    refiner_u64(&rows, "calls", costs[i].calls);
    refiner_u64(&rows, "gasUsed", costs[i].gas_used);
    refiner_row_end(&rows);
  }
  free(costs);
  refiner_execution_free(execution);
  return refiner_done(refiner_rows_finish(&rows));
}
