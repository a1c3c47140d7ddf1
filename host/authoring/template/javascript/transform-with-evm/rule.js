// Costs of the contracts of a block: one row a called contract, with the gas that calls to it used.

import { costs } from "./rows.js";
import { Rows, exported } from "./sdk/contract.js";
import { execute } from "./sdk/evm.js";
import { address, pages } from "./sdk/values.js";

export const rule = exported((specimen) => {
  const execution = execute(specimen);
  const receipts = pages((start, count) => execution.receipts(start, count));
  const gas = Array.from(receipts, ({ gasUsed }) => gasUsed);
  const transactions = pages((start, count) => specimen.transactions(start, count));
  const recipients = Array.from(transactions, ({ to }) => (to === undefined ? undefined : address(to)));
  const rows = new Rows("my-rule.ndjson", specimen);
  for (const row of costs(recipients, gas)) rows.row(row);
  return rows.finish();
});
