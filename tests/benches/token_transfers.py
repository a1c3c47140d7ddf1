"""Transfers of ERC-20 and ERC-721 from the receipts that specimens record, as a data frame: what `cargo xtask compare --script` measures.

    python token_transfers.py FOLDER

It checks nothing: not the receipts against the header, nor the specimen against its hash.
"""

import base64
import io
import json
import pathlib
import struct
import sys

import fastavro
import pandas

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
SCHEMAS = pathlib.Path(__file__).parents[2] / "schemas" / "specimen"


VERSIONS = ["0.38", "0.37", "0.36", "0.35", "0.34", "0.33", "0.32", "0.31"]
LAYOUTS = {version: fastavro.parse_schema(json.loads((SCHEMAS / f"{version}.avsc").read_text())) for version in VERSIONS}


def decoded(data):
    # The version that a file states is most often that of its layout.
    stated = str(struct.unpack("<d", data[-8:])[0])
    for version in sorted(VERSIONS, key=lambda version: version != stated):
        file = io.BytesIO(data)
        try:
            specimen = fastavro.schemaless_reader(file, LAYOUTS[version])
        except (EOFError, IndexError, ValueError, UnicodeDecodeError, OverflowError):
            continue
        if not file.read(1):
            return specimen["replicaEvent"][0]["data"]
    sys.exit("a file has none of the layouts")


def transfers(folder):
    for path in sorted(pathlib.Path(folder).glob("*.avro")):
        block = decoded(path.read_bytes())
        number = int(block["Header"]["number"], 16)
        for index, receipt in enumerate(block["Receipts"]):
            for log in receipt["Logs"]:
                topics = log["topics"]
                if topics and topics[0] == TRANSFER and len(topics) in (3, 4):
                    amount = int.from_bytes(base64.b64decode(log["data"])[:32], "big")
                    who = ["0x" + topic[-40:] for topic in topics[1:3]]
                    yield number, index, log["address"], *who, str(amount), topics[3] if len(topics) == 4 else None


table = pandas.DataFrame(
    transfers(sys.argv[1]),
    columns=["block_number", "transaction_index", "token", "from_address", "to_address", "amount", "token_id"],
)
print(len(table), "transfers in", table["block_number"].nunique(), "blocks")
