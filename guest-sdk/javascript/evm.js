// The execution of the block, for rules that ask for `evm`.

import { execute as executed } from "refiner:rule/evm@1.1.0";

const TAGS = { rejected: "rejected", unavailable: "capability-unavailable" };

/** The execution of the block. Where there is none, the run ends with the reason. */
export function execute(specimen, format = "canonical") {
  try {
    return executed(specimen, format);
  } catch (error) {
    const { tag, val } = error.payload ?? {};
    if (tag === undefined) throw error;
    throw { tag: TAGS[tag] ?? "unsupported", val };
  }
}
