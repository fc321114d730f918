"""What the command says when something is wrong: one clear message, an exit code, no traceback."""

import re
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from serving import call, damage, environment, events, run, settings_for, snapshots, write_lines


class Given:
    """Things that a command line may name."""

    def __init__(self, folder: Path) -> None:
        self.stream = write_lines(folder / "events.jsonl", events(300))
        run(settings_for(folder / "snapshots", self.stream))
        run(settings_for(folder / "damaged", self.stream))
        damage(snapshots(folder / "damaged")[-1])
        (folder / "empty").mkdir()
        (folder / "bad.toml").write_text("[model\n")
        (folder / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
        (folder / "latin.csv").write_bytes(b"caf\xe9,target\n1,0\n")
        write_lines(folder / "bad.jsonl", [b"{"] * 2000)
        write_lines(folder / "few.jsonl", [b'{"x": 1, "target": "q"}'] * 3)
        (folder / "weights.csv").write_text("name,weight\n,1.0\n")
        self.folder = folder


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    return Given(tmp_path_factory.mktemp("given"))


CONSUME = "consume --port 0 --snapshots new"


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (CONSUME, 2, r"file: paths = \[\] must name at least one file, or set source.kind"),
        (f"{CONSUME} --file none.jsonl", 2, r"no file 'none.jsonl'; check the path"),
        (f"{CONSUME} --file events.jsonl --rule nope", 2, r"model.rule = 'nope': .* choose one of"),
        (f"{CONSUME} --config none.toml", 2, r"config file none.toml: No such file.*--config"),
        (f"{CONSUME} --config bad.toml", 2, r"config file bad.toml is not TOML"),
        (f"{CONSUME} --set nonsense", 2, r"--set 'nonsense' must have the form section.key=value"),
        (f"{CONSUME} --set rule=ftrl --file events.jsonl", 2, r"rule = .*did you mean model.rule"),
        (f"{CONSUME} --set model=3 --set model.rule=ftrl", 2, r"model has been given the value 3"),
        (
            f"{CONSUME} --set model=3 --rule ftrl --file events.jsonl",
            2,
            r"model = 3: .* dictionary",
        ),
        (f"{CONSUME} --file cut.jsonl.gz", 1, r"cut.jsonl.gz: the file is damaged"),
        (f"{CONSUME} --file latin.csv", 1, r"latin.csv: the header is not UTF-8 CSV"),
        (f"{CONSUME} --file bad.jsonl", 4, r"bad, more than limits.max_bad_share = 0.5; .* decode"),
        (
            "consume --port 0 --snapshots few --file few.jsonl",
            4,
            r"nothing was learned: 3 of 3 records were bad; the last: schema: target .* "
            r"They are in few/dead-letters.jsonl",
        ),
        (f"{CONSUME} --file events.jsonl --init none.safetensors", 1, r"none.safetensors is not a"),
        (f"{CONSUME} --file events.jsonl --init weights.csv", 1, r"weights are for warm_start"),
        ("consume --file events.jsonl --snapshots events.jsonl --port 0", 1, r"File exists"),
        (
            "consume --file events.jsonl --snapshots snapshots --rule soft_threshold --port 0",
            5,
            r"(?s)another model:\n.*SoftThreshold.*stack.*Use another snapshot.directory",
        ),
        ("consume --file events.jsonl --snapshots damaged --port 0", 1, r"none of the 1 snapshots"),
        ("predict none.safetensors events.jsonl", 1, r"none.safetensors is not a readable snap"),
        ("predict snapshots none.jsonl", 2, r"no file 'none.jsonl'"),
        ("predict events.jsonl events.jsonl", 1, r"events.jsonl is not a readable snapshot"),
        ("inspect empty", 1, r"empty holds no snapshot"),
        ("inspect damaged", 1, r"is (damaged|not a readable snapshot)"),
        ("export snapshots -o weights.txt", 2, r"'weights.txt': the name must end in .json or"),
        ("export snapshots -o none/weights.csv", 1, r"No such file or directory: 'none/weights"),
        ("demo --dataset nope", 2, r"--dataset 'nope' is unknown; choose one of shuttle, phishing"),
        ("demo --data none.csv --port 0", 2, r"no file 'none.csv'"),
        ("warm --rule nope", 2, r"--rule 'nope' is unknown; choose one of stack, ftrl"),
        ("produce", 2, r"name a file of events, or --simulated COUNT"),
    ],
)
def test_fault_is_one_clear_message_with_an_exit_code(
    given: Given, line: str, code: int, message: str
) -> None:
    done = call(*line.split(), cwd=given.folder, env=environment(TMPDIR=str(given.folder)))
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("streamlasso: ") == 1
    assert re.search(message, done.stderr[done.stderr.index("streamlasso: ") :]), done.stderr


def test_bad_records_among_others_are_counted_and_named(tmp_path: Path) -> None:
    bad, good = b'{"x": 1, "target": "q"}', b'{"x": 1, "target": 1}'
    stream = write_lines(tmp_path / "mixed.jsonl", [*[bad] * 8, good])
    done = call("consume", "--port", 0, "--file", stream, "--snapshots", tmp_path / "s")
    assert done.returncode == 0
    letters = tmp_path / "s" / "dead-letters.jsonl"
    assert "8 of 9 records were bad; the last: schema: target of type str" in done.stderr
    assert f"They are in {letters}" in done.stderr
    assert "1 events learned" in done.stderr
    assert len(letters.read_text().splitlines()) == 8


def test_unknown_variable_is_a_fault(given: Given) -> None:
    done = call("consume", "--file", given.stream, env=environment(STREAMLASSO_TYPO="1"))
    assert done.returncode == 2
    assert "environment variable STREAMLASSO_TYPO: no such setting" in done.stderr


def test_taken_port_is_named(given: Given, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = call(
            "consume", "--file", given.stream, "--snapshots", tmp_path / "s", "--port", port
        )
    assert done.returncode == 1
    assert f"http.port = {port}: cannot listen on 127.0.0.1:{port}; choose another" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_takes_another_port_when_the_usual_one_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 9108))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        done = call("demo", "--seconds", 1, env=environment(TMPDIR=str(tmp_path)))
    assert done.returncode == 0
    (port,) = re.findall(r"page +http://127\.0\.0\.1:(\d+)/", done.stdout)
    assert port != "9108"
    assert "Summary" in done.stdout


def test_unknown_option_and_command_are_usage_errors() -> None:
    for line in (["consume", "--nope"], ["nope"]):
        done = call(*line)
        assert done.returncode == 2
        assert "nope" in done.stderr
        assert "Traceback" not in done.stderr


def test_no_arguments_show_the_help() -> None:
    done = call()
    assert "Usage: streamlasso" in done.stdout + done.stderr
    assert "consume" in done.stdout + done.stderr


def test_producing_to_no_broker_is_named() -> None:
    # In a process of its own: kafka-python leaves the sockets of a failed start open.
    script = (
        "from streamlasso_service.outputs import KafkaSink\n"
        "try: KafkaSink('127.0.0.1:9', 'events', {'bootstrap_timeout_ms': 200})\n"
        "except ConnectionError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.startswith("no Kafka broker at '127.0.0.1:9': ")


def test_installed_script_is_the_same_command() -> None:
    script = Path(sysconfig.get_path("scripts")) / "streamlasso"
    done = subprocess.run([script, "--help"], capture_output=True, text=True)
    assert done.stdout == call("--help").stdout
