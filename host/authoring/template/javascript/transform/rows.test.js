import assert from "node:assert";
import { test } from "node:test";

import { calls } from "./rows.js";

const TOKEN = "0x00000000000000000000000000000000000000aa";

test("calls of one method are one row and creations are none", () => {
  const methods = ["0xa9059cbb", "0xa9059cbb", "0x", "0x60806040"];
  assert.deepStrictEqual(calls([TOKEN, TOKEN, TOKEN, undefined], (position) => methods[position]), [
    { contract: TOKEN, method: "0x", calls: 1 },
    { contract: TOKEN, method: "0xa9059cbb", calls: 2 },
  ]);
});
