// One line a sender: how many transactions it sent in the block, and how much value with them.

import { Artifact } from "refiner:rule/output@1.1.0";

// A page is as long as the host's budget for one call allows; this many are never more.
const PAGE = 1000;

export const rule = {
  describe() {
    const outputs = [{ name: "by-sender.ndjson", mediaType: "application/x-ndjson" }];
    return { name: "by-sender", version: "0.1.0", layouts: [], outputs };
  },

  refine(specimen) {
    const totals = new Map();
    for (const transaction of transactions(specimen)) {
      const sender = address(transaction.sender);
      const total = totals.get(sender) ?? { sent: 0, value: 0n };
      totals.set(sender, { sent: total.sent + 1, value: total.value + u256(transaction.value) });
    }
    const lines = new Artifact("by-sender.ndjson", "application/x-ndjson", undefined);
    const encoder = new TextEncoder();
    for (const sender of [...totals.keys()].sort()) {
      const { sent, value } = totals.get(sender);
      const line = JSON.stringify({ sender, transactions: sent, value: value.toString() });
      lines.write(encoder.encode(`${line}\n`));
    }
    lines.finish();
    return { records: BigInt(totals.size) };
  },
};

function* transactions(specimen) {
  for (let start = 0; ; ) {
    const page = specimen.transactions(start, PAGE);
    if (page.length === 0) return;
    yield* page;
    start += page.length;
  }
}

function address({ w0, w1, w2 }) {
  const hex = (word, digits) => word.toString(16).padStart(digits, "0");
  return `0x${hex(w0, 16)}${hex(w1, 16)}${hex(w2, 8)}`;
}

function u256({ w0, w1, w2, w3 }) {
  return (w0 << 192n) | (w1 << 128n) | (w2 << 64n) | w3;
}
