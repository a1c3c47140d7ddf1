"""Checks of the installed package. The first argument names a function, the others are its arguments."""

import ast
import contextlib
import inspect
import io
import json
import os
import pathlib
import signal
import sys
import threading
import time
import traceback
import warnings

import duckdb
import pandas
import polars
import pyarrow

import refiner


def golden(rules, rule, output):
    """The rows that a built-in rule wrote over the samples, in the order of blocks."""
    folder = pathlib.Path(rules) / rule / "goldens"
    paths = [path for path in folder.iterdir() if path.name.endswith(f".{rule}.{output}.ndjson")]
    paths.sort(key=lambda path: tuple(int(part) for part in path.name.split(".")[0].split("-")))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def replay(*arguments, **more):
    """A replay of the samples, of which one has no state."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", refiner.IncompleteWarning)
        return refiner.replay(*arguments, **more)


def rows_are_those_of_the_rule(samples, rules):
    transfers = replay(samples, "token-transfers")
    expected = golden(rules, "token-transfers", "token-transfers")
    amounts = [row["amount"] for row in expected if row["amount"] is not None]
    total = sum(int(amount, 0) if isinstance(amount, str) else amount for amount in amounts)
    assert expected and total > 0

    found = duckdb.sql("SELECT count(*), sum(amount::BIGNUM)::VARCHAR FROM transfers").fetchall()[0]
    assert found == (len(expected), str(total)), found
    frame = polars.DataFrame(transfers)
    assert frame.height == len(expected)
    assert sum(int(amount) for amount in frame["amount"].drop_nulls()) == total
    assert frame["token"].to_list() == [row["token"] for row in expected]
    frame = pandas.DataFrame.from_arrow(transfers)
    assert len(frame) == len(expected)
    assert frame["amount"].dropna().map(int).sum() == total
    assert str(frame["block_time"].dtype).endswith("UTC]"), frame.dtypes
    table = pyarrow.table(transfers)
    assert table["transaction_hash"].to_pylist() == [row["transactionHash"] for row in expected]
    assert table.schema.metadata[b"refiner.rule"] == b"token-transfers"
    assert table.schema.metadata[b"refiner.identity"].decode() == transfers.table.identity


def addresses(table):
    chunks = [chunk for column in table.columns for chunk in column.chunks]
    return [buffer.address for chunk in chunks for buffer in chunk.buffers() if buffer is not None]


def arrays_are_shared(samples, rules):
    transfers = replay(samples, "token-transfers").table
    one, other = pyarrow.table(transfers), pyarrow.table(transfers)
    assert addresses(one) and addresses(one) == addresses(other), "each stream would be a copy"
    some = transfers.select(name for name in ["amount", "token"])
    assert some.columns == ["amount", "token"] and len(some) == len(transfers)
    assert set(addresses(pyarrow.table(some))) < set(addresses(one))
    # The arrays outlive the table they came from.
    expected = one.to_pydict()
    del transfers, some
    assert other.to_pydict() == expected
    assert replay(samples, "token-transfers", columns=["token"]).table.columns == ["token"]
    forms = replay(samples, "token-transfers", wide_numbers="string").table.columns
    assert "amount" in forms and "amount_f64" not in forms


def several_tables(samples, rules):
    found = replay(samples, ["traces", "state-access"], blocks="15600000:")
    assert set(found.tables) == {"traces", "accounts", "storage_slots"}, found
    traces = found["traces"]
    assert duckdb.sql("SELECT count(*) FROM traces").fetchall()[0] == (len(traces),) and len(traces) > 0
    assert found["accounts"].rule == "state-access"
    assert list(found) == list(found.keys()) == list(found.tables) and len(found) == 3
    assert "traces" in found and "logs" not in found and dict(found)["traces"] is traces
    raises(KeyError, "no table 'logs'; there are: ", lambda: found["logs"])
    raises(refiner.UsageError, "3 tables", lambda: polars.DataFrame(found))
    raises(refiner.UsageError, "columns were named", lambda: replay(samples, ["traces", "logs"], columns=["type"]))


def streams(samples, rules):
    stream = refiner.stream(samples, "token-transfers")
    assert "amount" in stream.columns
    frame = polars.DataFrame(stream)
    assert frame.equals(polars.DataFrame(replay(samples, "token-transfers")))
    assert len(stream.runs) >= 8
    raises(refiner.UsageError, "taken before", lambda: polars.DataFrame(stream))
    stream = refiner.stream(pathlib.Path(samples), "token-transfers", columns=["token"])
    assert duckdb.sql("SELECT count(*) FROM stream").fetchall()[0] == (frame.height,)
    # One that is not read to its end stops.
    reader = pyarrow.RecordBatchReader.from_stream(refiner.stream(samples, "traces"))
    del reader
    raises(refiner.UsageError, "a stream has one table", lambda: refiner.stream(samples, "state-access"))


def contents(samples, rules):
    path = sorted(pathlib.Path(samples).glob("1-*.avro"))[0]
    block = refiner.specimen(path)
    height = int(path.name.split("-")[1].split(".")[0])
    data = block["replicaEvent"][0]["data"]
    assert (data["NetworkId"], int(data["Header"]["number"], 16)) == (1, height)
    assert refiner.specimen(str(path)) == block
    raises(refiner.InputError, "names", lambda: refiner.specimen(samples))
    raises(refiner.InputError, "none.avro", lambda: refiner.specimen("none.avro"))


def runs_and_warnings(samples, rules):
    broken = pathlib.Path("broken.avro")
    broken.write_bytes(b"no specimen")
    one = next(path for path in sorted(pathlib.Path(samples).iterdir()) if path.name.startswith("1-15600000"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = refiner.replay([one, broken, "nowhere.avro"], "token-transfers")
    (warning,) = caught
    assert warning.category is refiner.IncompleteWarning and warning.filename == __file__, warning
    assert "2 results are missing" in str(warning.message) and "nowhere.avro: no such file" in str(warning.message)
    assert found.missing == 2
    runs = pandas.DataFrame.from_arrow(found.runs)
    assert sorted(runs["verdict"]) == ["produced", "unusable"], runs
    produced = runs[runs["verdict"] == "produced"].iloc[0]
    assert produced["block_number"] == 15600000 and produced["rule"] == "token-transfers" and produced["fuel"] > 0
    assert produced["rule_identity"] == found.table.identity
    raises(refiner.IncompleteWarning, "1 result is missing", lambda: refiner.replay([one, broken], "token-transfers"))


def raises(expected, text, call):
    try:
        found = call()
    except expected as error:
        assert text in str(error), error
        return error
    raise AssertionError(f"expected {expected.__name__} with {text!r}, found {found!r}")


def errors_have_classes(samples):
    for error in [refiner.UsageError, refiner.InputError, refiner.RuleRefusedError, refiner.HostError]:
        assert issubclass(error, refiner.Error)
    raises(refiner.InputError, "no such file", lambda: refiner.replay("nowhere.avro", "token-transfers"))
    raises(OSError, "no such file", lambda: refiner.stream("nowhere.avro", "token-transfers"))
    error = raises(refiner.UsageError, "block-result", lambda: refiner.replay(samples, "block-result"))
    assert "columns" in error.hint and error.hint in str(error)
    raises(refiner.Error, "no-such-rule", lambda: refiner.replay(samples, "no-such-rule"))
    raises(ValueError, "none of string+f64", lambda: refiner.replay(samples, "traces", wide_numbers="float"))
    raises(refiner.UsageError, "no column", lambda: refiner.replay(samples, "traces", columns=["price"]))
    raises(refiner.UsageError, "blocks", lambda: refiner.replay(samples, "traces", blocks="tomorrow"))
    raises(refiner.InputError, "blocks= selects none", lambda: refiner.replay(samples, "traces", blocks=7))
    error = raises(refiner.UsageError, "colour", lambda: refiner.replay(samples, "traces", params={"colour": "red"}))
    assert "(rules=)" in error.hint, error.hint
    rule = pathlib.Path("stranger.wasm")
    rule.write_bytes(b"\0asm\x01\0\0\0")
    raises(refiner.RuleRefusedError, "stranger.wasm", lambda: refiner.replay(samples, rule))


def wrong_arguments(samples):
    """Each is named with what was expected and what was found, before anything is read."""
    table = replay(samples, "traces", blocks=15600000, columns=(name for name in ["type"] if name == "gas"))
    assert len(table.runs) == 1
    for text, arguments in {
        "rules: expected at least one, found none": {"rules": []},
        "rules: expected a path, found 3": {"rules": ["traces", 3]},
        "specimens: expected a path, found b'/x'": {"specimens": b"/x"},
        "specimens: expected a path, found None": {"specimens": None},
        "columns: expected a list of names, found 'type'": {"columns": "type"},
        "columns: expected text, found 1": {"columns": [1]},
        "blocks: expected a height or a range such as '17000000:17001000', found slice(1, 2, None)": {"blocks": slice(1, 2)},
        "blocks: expected a height or a range such as '17000000:17001000', found True": {"blocks": [True]},
        "blocks: expected text without lone surrogates, found '\\udc80'": {"blocks": "\udc80"},
        "params: expected a mapping of names to texts, found [('payload', 'none')]": {"params": [("payload", "none")]},
        "params: expected text, found 1": {"params": {1: "payload"}},
        "params['payload']: expected text, found 1": {"params": {"payload": 1}},
        "threads: expected a number from 1 to 65535, found 0": {"threads": 0},
        "threads: expected a number from 1 to 65535, found -1": {"threads": -1},
        "threads: expected a number from 1 to 65535, found 1000000000": {"threads": 10**9},
        "threads: expected a number from 1 to 65535, found '2'": {"threads": "2"},
        "threads: expected a number from 1 to 65535, found True": {"threads": True},
        "isolate: expected True or False, found 'no'": {"isolate": "no"},
        "wide_numbers: expected text, found None": {"wide_numbers": None},
        "chain_configs: expected a path, found 7": {"chain_configs": 7},
        "block_hashes: expected a path, found ['hashes.txt']": {"block_hashes": ["hashes.txt"]},
    }.items():
        arguments = {"specimens": samples, "rules": "traces", **arguments}
        for function in [refiner.replay, refiner.stream]:
            error = raises(refiner.UsageError, text, lambda: function(**arguments))
            assert str(error) == text
    raises(refiner.UsageError, "path: expected a path, found None", lambda: refiner.specimen(None))
    runs = table.runs
    raises(refiner.UsageError, "columns: expected a list of names, found 'rule'", lambda: runs.select("rule"))
    raises(refiner.UsageError, "columns: expected a list of names, found 7", lambda: runs.select(7))
    raises(refiner.UsageError, "columns: expected a name, found 7", lambda: runs.select(["rule", 7]))
    raises(ZeroDivisionError, "", lambda: runs.select(1 / 0 for _ in range(1)))


def alike_tables(samples, rules):
    """Outputs and rules whose names differ in other characters than SQL takes."""
    folder = pathlib.Path(rules)
    found = replay(samples, [folder / "a--b.wasm", folder / "a_-b.wasm"])
    tables = {name: (table.rule, table.output, table.name) for name, table in found.tables.items()}
    # `missing` counts runs: a table that is gone is none.
    assert tables == {
        "a__b_rows_1": ("a--b", "rows", "a__b_rows_1"),
        "_1st": ("a--b", "1st", "_1st"),
        "a__b_rows_2": ("a_-b", "rows", "a__b_rows_2"),
        "_select": ("a_-b", "select", "_select"),
    }, tables


def forks(samples):
    """A fork works as long as nothing was replayed before it; after it, an error ends what would wait for ever."""
    fork(lambda: replay(samples, "logs", blocks=15600000))
    replay(samples, "logs", blocks=15600000)
    stream = refiner.stream(samples, "logs")
    reader = pyarrow.RecordBatchReader.from_stream(refiner.stream(samples, "logs"))
    path = next(path for path in pathlib.Path(samples).iterdir() if path.name.startswith("1-15600000"))

    def in_child():
        for call in [lambda: replay(samples, "logs"), lambda: refiner.stream(samples, "logs"), lambda: pyarrow.table(stream)]:
            error = raises(refiner.HostError, "forked after a replay", call)
            assert "spawn" in error.hint
        raises(Exception, "forked after a replay", lambda: reader.read_all())
        assert refiner.specimen(path)["replicaEvent"]
        # As the end of a function of the child does, which a pool calls.
        held.clear()

    held = [refiner.stream(samples, "logs")]
    fork(in_child)
    assert pyarrow.table(stream).num_rows == reader.read_all().num_rows > 0


def fork(work):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def other_programs(samples, rule):
    """An interpreter inside of another program, which would start that again as its child."""
    own, prefix, search = sys.executable, sys.exec_prefix, os.environ["PATH"]
    sys.executable = "/bin/false"
    assert len(replay(samples, rule).table) > 0, "the interpreter of the same installation is taken"
    sys.exec_prefix, os.environ["PATH"] = "/nowhere", "/nowhere"
    for isolate in [False, True]:
        error = raises(refiner.HostError, "sys.executable is none", lambda: replay(samples, rule, isolate=isolate))
        assert rule in str(error) and "set sys.executable" in error.hint
    assert len(replay(samples, "logs").table) > 0
    sys.executable, sys.exec_prefix, os.environ["PATH"] = own, prefix, search
    assert len(replay(samples, rule).table) > 0


def foreign_rules(samples, rule):
    own = replay(samples, "transaction-summary")
    for isolate in [False, True]:
        found = replay(samples, rule, isolate=isolate)
        assert polars.DataFrame(found).equals(polars.DataFrame(own)), isolate
        assert found.table.rule == "transaction-summary"


def interrupts(specimens):
    first = min(int(path.name.split("-")[1].split(".")[0]) for path in pathlib.Path(specimens).iterdir())
    ticks = []
    done = threading.Event()

    def tick():
        while not done.wait(0.01):
            ticks.append(time.monotonic())

    def interrupt():
        time.sleep(2)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    sent = []
    threads = [threading.Thread(target=tick, daemon=True), threading.Thread(target=interrupt, daemon=True)]
    for thread in threads:
        thread.start()
    try:
        found = replay(specimens, ["traces", "state-diffs", "access-sets", "logs", "token-transfers"], threads=1)
    except KeyboardInterrupt:
        ended = time.monotonic()
        done.set()
    else:
        raise AssertionError(f"the replay was done before the interrupt: {found!r}")
    assert ended - sent[0] < 1, ended - sent[0]
    # Of some 200 on an idle machine.
    assert len(ticks) > 20, "other threads of the interpreter waited"
    # The next call works.
    assert len(replay(specimens, "traces", blocks=f"{first}:+1").runs) == 1


def stubs_agree():
    folder = pathlib.Path(refiner.__file__).parent
    assert (folder / "py.typed").is_file()
    stub = ast.parse((folder / "_native.pyi").read_text())
    native = refiner._native
    described = {node.name: node for node in stub.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    there = {name for name in dir(native) if not name.startswith("_")}
    assert there == set(described), there ^ set(described)
    for name, node in described.items():
        thing = getattr(native, name)
        assert thing.__doc__, name
        if isinstance(node, ast.FunctionDef):
            same_parameters(name, thing, node)
            continue
        members = {member.name: member for member in node.body if isinstance(member, ast.FunctionDef)}
        public = {member for member in vars(thing) if not member.startswith("_")}
        assert public == {member for member in members if not member.startswith("_")}, (name, public)
        for member, of in members.items():
            found = getattr(thing, member)
            if "property" in ast.dump(ast.Module(of.decorator_list, [])):
                assert inspect.isgetsetdescriptor(found), member
            else:
                same_parameters(f"{name}.{member}", found, of)
    for name in refiner.__all__:
        assert getattr(refiner, name).__doc__, name
    for function in [refiner.replay, refiner.stream]:
        parameters = inspect.signature(function).parameters.values()
        assert all(parameter.annotation is not inspect.Parameter.empty for parameter in parameters)
        assert all(f"\n    {parameter.name}:" in refiner.replay.__doc__ for parameter in parameters)


def same_parameters(name, function, node):
    found = [parameter for parameter in inspect.signature(function).parameters]
    described = [argument.arg for argument in node.args.args]
    assert found == described, (name, found, described)


def notebook(examples):
    """Runs the cells of the notebook and compares what they print with the outputs that it has, and these with the answers beside it."""
    path = pathlib.Path(examples) / "questions.ipynb"
    document = json.loads(path.read_text())
    os.chdir(examples)
    names, answers = {}, {}
    warnings.simplefilter("ignore", refiner.IncompleteWarning)
    for cell in document["cells"]:
        if cell["cell_type"] != "code":
            continue
        source, out = "".join(cell["source"]), io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(source, str(path), "exec"), names)
        printed = out.getvalue()
        outputs = [{"name": "stdout", "output_type": "stream", "text": printed.splitlines(True)}] if printed else []
        if "REFINER_BLESS" in os.environ:
            cell["outputs"] = outputs
        assert cell["outputs"] == outputs, f"{source}\nREFINER_BLESS=1 writes it anew:\n{printed}"
        if source.startswith("show("):
            answers[source.split('"')[1]] = printed
    questions = {question.stem: question.with_suffix(".txt").read_text() for question in pathlib.Path(".").glob("*.sql")}
    assert answers == questions and len(answers) == 3
    if "REFINER_BLESS" in os.environ:
        path.write_text(json.dumps(document, indent=1) + "\n")


globals()[sys.argv[1]](*sys.argv[2:])
