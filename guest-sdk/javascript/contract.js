// What a rule gives to the host: only in a component, where the contract's modules are.

import { Artifact } from "refiner:rule/output@1.1.0";
import { b256, json } from "./values.js";
import { DESCRIPTION } from "./description.js";

export const MEDIA_TYPE = "application/x-ndjson";

/** A rule: `refine` works on one specimen and returns how many records its artifacts hold. */
export const exported = (refine) => ({ describe: () => DESCRIPTION, refine: (specimen) => ({ records: refine(specimen) }) });

/** Rows of a block as JSON, one a line; each starts with chain, number, hash and time of the block. */
export class Rows {
  constructor(name, specimen) {
    const { chainId, height, blockHash } = specimen.identity();
    this.artifact = new Artifact(name, MEDIA_TYPE, undefined);
    this.block = { chainId, blockNumber: height, blockHash: b256(blockHash), timestamp: specimen.header().timestamp };
    this.written = 0n;
    this.encoder = new TextEncoder();
  }

  /** Writes a row. */
  row(fields) {
    this.artifact.write(this.encoder.encode(`${json({ ...this.block, ...fields })}\n`));
    this.written += 1n;
  }

  /** Closes the artifact and makes it part of the output. */
  finish() {
    this.artifact.finish();
    return this.written;
  }
}

/** Throws the error of a block that the rule looked at and refuses. */
export function rejected(reason) {
  throw { tag: "rejected", val: reason };
}

/** Throws the error of a block that the rule cannot work on. */
export function unsupported(reason) {
  throw { tag: "unsupported", val: reason };
}
