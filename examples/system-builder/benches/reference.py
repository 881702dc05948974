"""Hold the engine's time and memory against the Python library's.

    cargo build --release -p system-builder
    python3 examples/system-builder/benches/reference.py [--runs 5] [--plot growth.svg]

Needs Python 3.12 or 3.13, which installs the library (efootprint 27.0.0) into a virtual environment below `target`. Every
figure is the median of some runs; both sides take turns. The library's time begins when it is imported and ends when
the values are there; the engine's is that of its whole process, start and output included.
"""
import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

DEMO = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", DEMO.parent.parent / "target"))
ENGINE = TARGET / "release" / "system-builder"
BIG = DEMO.parent / "efootprint" / "tests" / "systems" / "big_system.json"

# Run inside the virtual environment: seconds and KiB of growth, for one question about one file.
LIBRARY = """
import json, logging, resource, sys, time
logging.disable(logging.CRITICAL)
from efootprint.abstract_modeling_classes.reactive_core import computed_slots
from efootprint.api_utils.json_to_system import json_to_system
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, start = peak(), time.perf_counter()
with open(sys.argv[2]) as file:
    _, objects, _ = json_to_system(json.load(file))
for thing in objects.values():
    if sys.argv[1] == "compute":
        for name in computed_slots(thing.efootprint_class):
            getattr(thing, name)
    elif thing.class_as_simple_str == "System":
        thing.total_footprint
print(time.perf_counter() - start, peak() - before)
"""


def library_python():
    """The Python of a virtual environment with the library."""
    directory = TARGET / "efootprint-27.0.0"
    python = directory / "bin" / "python"
    if not python.exists():
        found = sys.executable if (3, 12) <= sys.version_info[:2] <= (3, 13) else "python3.12"
        subprocess.run([found, "-m", "venv", directory], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "efootprint==27.0.0", "matplotlib"], check=True)
    return python


def run_library(python, question, file):
    """Seconds and MiB."""
    environment = os.environ | {"USE_BOAVIZTAPI_PACKAGE": "true"}
    command = [python, "-c", LIBRARY, question, file]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()
    return float(answer[0]), float(answer[1]) / 1024


def run_engine(question, file):
    """Seconds and MiB. The memory is that of the process less that of one that computes nothing."""
    start = time.perf_counter()
    subprocess.run([ENGINE, question, file], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    return seconds, engine_peak(question, file) - engine_peak("--version")


def engine_peak(*arguments):
    """In MiB, of another run: a process begins with the peak of the one that started it, so that one has to be small."""
    command = ["/usr/bin/time", "-f", "%M", ENGINE, *arguments]
    told = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    return int(told.split()[-1]) / 1024


def median(measure, runs):
    measured = [measure() for _ in range(runs)]
    return [statistics.median(values) for values in zip(*measured)]


def grown(years, times):
    """The big system with as many years and as many copies of its objects."""
    text = re.sub(r'("modeling_duration_value": )[0-9.]+', rf"\g<1>{years}", BIG.read_text())
    system = json.loads(text)
    classes = [name for name in system if name not in ("efootprint_version", "Sources", "System")]
    ids = [object_id for name in classes for object_id in system[name]]
    pattern = re.compile('"(' + "|".join(map(re.escape, ids)) + ')"')
    (root,) = system["System"].values()
    copies = {name: {} for name in classes}
    patterns = {name: [] for name in ("usage_patterns", "edge_usage_patterns")}
    for copy in range(times):
        suffixed = json.loads(pattern.sub(rf'"\g<1>-{copy}"', json.dumps(system)))
        for name in classes:
            copies[name] |= suffixed[name]
        for name in patterns:
            patterns[name] += next(iter(suffixed["System"].values()))[name]
    root |= patterns
    return json.dumps(system | copies)


# Run inside the virtual environment: writes the system again, with hours that all differ.
UNEVEN = """
import array, base64, json, random, sys
import zstandard
with open(sys.argv[1]) as file:
    system = json.load(file)
chance = random.Random(1)
for name, attribute in [("UsagePattern", "hourly_occurrences"), ("EdgeUsagePattern", "hourly_deployment_starts")]:
    for pattern in system[name].values():
        hours = array.array("f", (chance.uniform(1, 3) for _ in range(5 * 8760)))
        text = base64.b64encode(zstandard.compress(hours.tobytes())).decode()
        series = {"compressed_values": text, "unit": "occurrence", "start_date": "2024-01-01 00:00:00", "timezone": None}
        pattern[attribute] = series | {"label": pattern[attribute]["label"]}
with open(sys.argv[2], "w") as file:
    json.dump(system, file)
"""


def compare(python, runs):
    print("| `big_system.json` | library | engine | times faster | memory, library | memory, engine |")
    print("|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as directory:
        uneven = Path(directory, "uneven.json")
        subprocess.run([python, "-c", UNEVEN, BIG, uneven], check=True)
        for file, note in [(BIG, ""), (uneven, ", every hour different")]:
            for question, words in [("footprint", "file to totals"), ("compute", "file to all attributes")]:
                turns = [(*run_library(python, question, file), *run_engine(question, file)) for _ in range(runs)]
                slow, wide, fast, slim = (statistics.median(values) for values in zip(*turns))
                cells = f"{slow * 1e3:,.0f} ms | {fast * 1e3:.0f} ms | {slow / fast:.0f} | {wide:.0f} MiB | {slim:.0f} MiB"
                print(f"| {words}{note} | {cells} |", flush=True)


def growth(runs):
    print("\n| years | copies | totals | memory | all attributes | memory |")
    print("|--:|--:|--:|--:|--:|--:|")
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for years, times in [(1, 1), (5, 1), (10, 1), (20, 1), (5, 4), (5, 16)]:
            file = Path(directory, f"{years}-{times}.json")
            file.write_text(grown(years, times))
            totals = median(lambda: run_engine("footprint", file), runs)
            everything = median(lambda: run_engine("compute", file), runs)
            rows.append((years, times, *totals, *everything))
            cells = (f"{seconds * 1e3:,.0f} ms | {mebibytes:.0f} MiB" for seconds, mebibytes in (totals, everything))
            print(f"| {years} | {times} | {' | '.join(cells)} |", flush=True)
    return rows


class Server:
    """The demo, serving."""

    def __init__(self):
        # A system is computed anew each time: results are not kept.
        command = [ENGINE, "--listen", "127.0.0.1:0", "--results-limit", "0B"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = next(line for line in self.process.stdout if "serving on http://" in line)
        self.address = re.search(r"http://([0-9.:]+)", line)[1]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def request(self, method, path, body=None):
        """The answer's status and text. A connection of its own, as most people's browsers have."""
        connection = http.client.HTTPConnection(self.address)
        connection.request(method, path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def upload(self):
        status, text = self.request("POST", "/api/systems", BIG.read_bytes())
        if status != 201:
            sys.exit(f"the upload was answered with {status}: {text}")
        return f"/api/systems/{json.loads(text)['id']}"

    def rss(self):
        """In MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def timed(work):
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def serving(python, runs):
    library = statistics.median(run_library(python, "footprint", BIG)[0] for _ in range(runs)) * 1e3
    server = Server()
    def whole():
        system = server.upload()
        server.request("GET", f"{system}/footprint")
        server.request("DELETE", system)
    before = server.rss()
    turns = [timed(whole) for _ in range(10)]
    after = server.rss()
    print("\n| served | |")
    print("|---|--:|")
    print(f"| library, file to totals | {library:,.0f} ms |")
    print(f"| upload to computed totals, and delete | {statistics.median(turns):.0f} ms |")
    print(f"| RSS before the first and after ten of them | {before:.0f}, {after:.0f} MiB |")
    system = server.upload()
    first = server.rss()
    diagrams = [timed(lambda: server.request("GET", f"{system}/sankey")) for _ in range(100)]
    print(f"| a Sankey, computed anew | {statistics.median(diagrams):.0f} ms |")
    print(f"| RSS before a hundred of them and after | {first:.0f}, {server.rss():.0f} MiB |")
    alone = [timed(lambda: server.request("GET", "/api/systems")) for _ in range(1000)]
    done = threading.Event()
    def load():
        while not done.is_set():
            whole()
    uploading = threading.Thread(target=load)
    uploading.start()
    # One request after the other, as one person has them.
    beside = [timed(lambda: server.request("GET", "/api/systems")) for _ in range(1000)]
    done.set()
    uploading.join()
    for words, times in [("alone", alone), ("while another uploads and computes", beside)]:
        median, last = statistics.median(times), statistics.quantiles(times, n=100)[-1]
        print(f"| a small request {words}, median and 99th percentile | {median:.1f}, {last:.1f} ms |")
    server.stop()


# Run inside the virtual environment, with the rows as JSON.
PLOT = """
import json, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "growth"
from matplotlib import pyplot as plot
rows = json.loads(sys.argv[1])
figure, axes = plot.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for axis, words, chosen, key in [
    (axes[0], "years, of one copy", [row for row in rows if row[1] == 1], 0),
    (axes[1], "copies, of five years", [row for row in rows if row[0] == 5], 1),
]:
    for name, column, colour in [("totals", 2, "#0b6e4f"), ("all attributes", 4, "#4477aa")]:
        axis.plot([row[key] for row in chosen], [row[column] * 1e3 for row in chosen], "o-", color=colour, label=f"{name}, ms")
        axis.plot([row[key] for row in chosen], [row[column + 1] for row in chosen], "s:", color=colour, label=f"{name}, MiB")
    axis.set(xlabel=words, xlim=(0, None), ylim=(0, None))
    axis.grid(alpha=0.3)
axes[0].legend(frameon=False, fontsize=8)
figure.savefig(sys.argv[2], metadata={"Date": None})
"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--plot", type=Path, help="write how time and memory grow, as SVG")
    options = arguments.parse_args()
    if not Path("/usr/bin/time").exists():
        sys.exit("there is no `/usr/bin/time`: install GNU time, on Debian `apt-get install time`")
    if not ENGINE.exists():
        sys.exit(f"there is no `{ENGINE}`: run `cargo build --release -p system-builder` first")
    python = library_python()
    compare(python, options.runs)
    serving(python, options.runs)
    rows = growth(options.runs)
    if options.plot:
        subprocess.run([python, "-c", PLOT, json.dumps(rows), options.plot], check=True)


if __name__ == "__main__":
    main()
