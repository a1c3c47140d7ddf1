// Values of the contract, as JavaScript has them. Nothing here needs the host, so tests of a rule run anywhere.

// A page is as long as the host's budget for one call allows; this many are never more.
const PAGE = 1000;

const digits = (word, count) => word.toString(16).padStart(count, "0");

/** Items of a paged function such as `specimen.transactions`, read page by page. */
export function* pages(method) {
  for (let start = 0; ; ) {
    const page = method(start, PAGE);
    if (page.length === 0) return;
    yield* page;
    start += page.length;
  }
}

/** An address as `0x` and 40 digits. */
export const address = ({ w0, w1, w2 }) => `0x${digits(w0, 16)}${digits(w1, 16)}${digits(w2, 8)}`;

/** A hash or slot as `0x` and 64 digits. */
export const b256 = ({ w0, w1, w2, w3 }) => `0x${[w0, w1, w2, w3].map((word) => digits(word, 16)).join("")}`;

/**
 * A transaction's hash as `0x` and 64 digits, or `null` for the zeros that stand where the layout dropped a part of what it is made from. Of such a
 * transaction a hash is what the producer states, and no check covers it.
 */
export const knownHash = (words) => ((words.w0 | words.w1 | words.w2 | words.w3) === 0n ? null : b256(words));

/** An unsigned number of 256 bits as a `BigInt`. */
export const u256 = ({ w0, w1, w2, w3 }) => (w0 << 192n) | (w1 << 128n) | (w2 << 64n) | w3;

/** Bytes as `0x` and their digits. */
export const hexadecimal = (bytes) => `0x${Array.from(bytes, (byte) => digits(byte, 2)).join("")}`;

/**
 * A value as JSON. A `BigInt` outside 64 bits is written as text, as columns of `u256` and `i256` read it. NaN and infinity, which JSON has no
 * numbers for, throw a `RangeError`; functions, dates, maps, bytes and whatever else JSON has no form for a `TypeError`.
 */
export function json(value) {
  if (typeof value === "bigint") return -(1n << 63n) <= value && value < 1n << 64n ? `${value}` : `"${value}"`;
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${value} is no number of JSON`);
  if (["string", "number", "boolean"].includes(typeof value)) return JSON.stringify(value);
  if (value === undefined || value === null) return "null";
  if (Array.isArray(value)) return `[${Array.from(value, (item) => json(item)).join(",")}]`;
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (kind !== "Object") throw new TypeError(`${kind} is no value of JSON`);
  return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${json(inner)}`).join(",")}}`;
}
