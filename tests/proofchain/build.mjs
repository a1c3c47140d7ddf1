// Compiles ProofChain.sol into ProofChain.json, or with --check says whether the two agree.
//
//   npm install --prefix target/node solc@0.8.28 && node tests/proofchain/build.mjs [--check]
//
// The output is the same on every machine: solc is pinned, and no metadata is appended to the bytecode.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const require = createRequire(here("../../target/node/"));
const solc = require("solc");

const PINNED = "0.8.28";
const CONTRACTS = ["BlockSpecimenProofChain", "BlockResultProofChain"];

if (!solc.version().startsWith(PINNED + "+")) {
  console.error(`solc ${solc.version()} instead of ${PINNED}`);
  process.exit(2);
}

const source = "ProofChain.sol";
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { [source]: { content: readFileSync(here(source), "utf8") } },
      settings: {
        evmVersion: "paris",
        metadata: { appendCBOR: false, bytecodeHash: "none" },
        optimizer: { enabled: true, runs: 200 },
        outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
      },
    }),
  ),
);
const problems = output.errors ?? [];
problems.forEach((problem) => console.error(problem.formattedMessage));
if (problems.length > 0) process.exit(1);

const artifact = { compiler: solc.version() };
for (const name of CONTRACTS) {
  const { abi, evm } = output.contracts[source][name];
  artifact[name] = { abi, bytecode: "0x" + evm.bytecode.object };
}
const made = JSON.stringify(artifact, null, 1) + "\n";
const file = here("ProofChain.json");

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== made) {
    console.error("ProofChain.json is not what ProofChain.sol compiles to; run node tests/proofchain/build.mjs");
    process.exit(1);
  }
} else {
  writeFileSync(file, made);
}
