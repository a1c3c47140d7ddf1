// The methods that a block's transactions call: one row a contract and method, with how often it was called.

import { calls } from "./rows.js";
import { Rows, exported } from "./sdk/contract.js";
import { address, hexadecimal, pages } from "./sdk/values.js";

// The first bytes of a call's input, which select its method.
const SELECTOR_BYTES = 4;

export const rule = exported((specimen) => {
  const method = (position) => hexadecimal(specimen.input(position, 0, SELECTOR_BYTES));
  const transactions = pages((start, count) => specimen.transactions(start, count));
  const recipients = Array.from(transactions, ({ to }) => (to === undefined ? undefined : address(to)));
  const rows = new Rows("my-rule.ndjson", specimen);
  for (const row of calls(recipients, method)) rows.row(row);
  return rows.finish();
});
