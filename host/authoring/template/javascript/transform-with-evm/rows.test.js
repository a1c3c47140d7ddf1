import assert from "node:assert";
import { test } from "node:test";

import { costs } from "./rows.js";

const TOKEN = "0x00000000000000000000000000000000000000aa";

test("gas of one contract is summed and creations are left out", () => {
  assert.deepStrictEqual(costs([TOKEN, TOKEN, undefined], [30_000n, 21_000n, 50_000n]), [
    { contract: TOKEN, calls: 2, gasUsed: 51_000n },
  ]);
});
