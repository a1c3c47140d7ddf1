// Everything that a rule can ask of an execution, as lines of text: receipts, calls, changes of state, gas, and the block without
// all but its last transaction, as it is and with a program in place of the contract that this calls.

import { execute } from "refiner:rule/evm@1.1.0";
import { Artifact } from "refiner:rule/output@1.1.0";
import { open as openReceipts } from "refiner:rule/receipts@1.1.0";
import { open as openFrames } from "refiner:rule/traces@1.1.0";
import { open as openChanges } from "refiner:rule/state-changes@1.1.0";
import { open as openProfile } from "refiner:rule/gas-profile@1.1.0";
import { Overrides, excluded, execute as executeWhatIf } from "refiner:rule/what-if@1.1.0";

const PAGE = 1000;
// SLOAD of slot 5, STOP: a slot that hardly any block knows.
const PROGRAM = new Uint8Array([0x60, 0x05, 0x54, 0x00]);

const digits = (word, count) => word.toString(16).padStart(count, "0");
const address = ({ w0, w1, w2 }) => `0x${digits(w0, 16)}${digits(w1, 16)}${digits(w2, 8)}`;
const b256 = ({ w0, w1, w2, w3 }) => `0x${[w0, w1, w2, w3].map((word) => digits(word, 16)).join("")}`;
const u256 = ({ w0, w1, w2, w3 }) => (w0 << 192n) | (w1 << 128n) | (w2 << 64n) | w3;
const same = (value) => value;
const orDash = (value, show = same) => (value === undefined ? "-" : `${show(value)}`);
const pair = (values, show) => orDash(values, ([before, after]) => `${show(before)}>${show(after)}`);

function* pages(method) {
  for (let start = 0; ; ) {
    const page = method(start, PAGE);
    if (page.length === 0) return;
    yield* page;
    start += page.length;
  }
}

// Numbers of the steps of a recording, each while it is entered.
function* steps(recording) {
  for (let number = recording.next(); number !== undefined; number = recording.next()) yield number;
}

export const rule = {
  describe() {
    const outputs = [{ name: "lens.txt", mediaType: "text/plain" }];
    return { name: "lens", version: "0.1.0", layouts: [], outputs };
  },

  refine(specimen) {
    const artifact = new Artifact("lens.txt", "text/plain", undefined);
    const encoder = new TextEncoder();
    let count = 0n;
    const line = (text) => {
      count += 1n;
      artifact.write(encoder.encode(`${text}\n`));
    };
    const receipts = openReceipts(specimen);
    line(`receipts ${receipts.source()} ${receipts.receiptCount()} ${receipts.logCount()}`);
    for (const it of pages((start, count) => receipts.receipts(start, count))) {
      line(`receipt ${it.transactionIndex} ${it.success} ${it.gasUsed} ${it.logCount}`);
    }
    const execution = executed(() => execute(specimen, "canonical"));
    frames(execution, line);
    changes(execution, line);
    gas(execution, line);
    const transactions = specimen.counts().transactions;
    if (transactions > 0) {
      const last = transactions - 1;
      const alone = new Overrides();
      alone.transactions(new Uint32Array([last]));
      whatIf(specimen, alone, line);
      const { to } = specimen.transactions(last, 1)[0];
      if (to !== undefined) {
        const program = new Overrides();
        program.transactions(new Uint32Array([last]));
        program.code(to, PROGRAM);
        program.baseFee(7n);
        whatIf(specimen, program, line);
      }
    }
    artifact.finish();
    return { records: count };
  },
};

function executed(run) {
  try {
    return run();
  } catch (error) {
    const { tag, val } = error.payload ?? {};
    if (tag === undefined) throw error;
    throw { tag: tag === "rejected" ? "rejected" : "unsupported", val };
  }
}

function frames(execution, line) {
  const recording = openFrames(execution, 4);
  for (const number of steps(recording)) {
    line(`calls ${number} ${recording.count()}`);
    for (const it of pages((start, count) => recording.page(start, count))) {
      const fields = [
        orDash(it.parent), it.depth, it.opcode, address(it.sender), orDash(it.to, address), orDash(it.value, u256), it.gasUsed,
        it.input.length, it.outputLen, orDash(it.error), it.undone,
      ];
      line(`call ${fields.join(" ")}`);
    }
  }
}

function changes(execution, line) {
  const recording = openChanges(execution);
  for (const number of steps(recording)) {
    for (const it of pages((start, count) => recording.accounts(start, count))) {
      const values = [pair(it.balance, u256), pair(it.nonce, same), pair(it.code, b256), it.created, it.destroyed];
      line(`account ${number} ${address(it.address)} ${values.join(" ")}`);
    }
    for (const it of pages((start, count) => recording.slots(start, count))) {
      line(`slot ${address(it.address)} ${b256(it.slot)} ${b256(it.before)}>${b256(it.after)}`);
    }
    for (const it of pages((start, count) => recording.accesses(start, count))) {
      line(`access ${address(it.address)} ${orDash(it.slot, b256)} ${it.changed}`);
    }
  }
}

function gas(execution, line) {
  const recording = openProfile(execution);
  for (const number of steps(recording)) {
    for (const it of pages((start, count) => recording.page(start, count))) {
      line(`gas ${number} ${orDash(it.codeAddress, address)} ${it.what} ${it.times} ${it.gas}`);
    }
  }
}

// The words of the SDK in Rust for a place at which a block leaves what is known.
function left({ transactionIndex, place: { tag, val } }) {
  const who = transactionIndex === undefined ? "a system call" : `transaction ${transactionIndex}`;
  const places = {
    account: () => `account ${address(val)}`,
    slot: () => `slot ${b256(val.slot)} of ${address(val.address)}`,
    code: () => `code ${b256(val)}`,
    "block-hash": () => `the hash of block ${val}`,
  };
  return `${who} reads ${places[tag]()}`;
}

function whatIf(specimen, overrides, line) {
  let execution;
  try {
    execution = executeWhatIf(specimen, overrides);
  } catch (error) {
    const { tag, val } = error.payload ?? {};
    if (tag === undefined) throw error;
    if (tag !== "left-specimen") throw { tag: tag === "rejected" ? "rejected" : "unsupported", val };
    line(`left ${left(val)}`);
    return;
  }
  line(`what-if ${execution.gasUsed()} ${execution.blockResultLen()}`);
  for (const it of pages((start, count) => execution.receipts(start, count))) {
    line(`receipt ${it.transactionIndex} ${it.success} ${it.gasUsed}`);
  }
  for (const it of pages((start, count) => excluded(execution, start, count))) {
    line(`excluded ${it.transactionIndex} ${it.reason}`);
  }
  gas(execution, line);
}
