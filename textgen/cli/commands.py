"""The commands: thin functions from flags to the calls that do the work.

Results go to stdout, everything else to stderr. Nothing heavy is imported before a command
needs it, so that ``textgen --help`` is there at once.
"""

import logging
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from textgen.cli.beginnings import beginnings, given, require_beginning
from textgen.cli.corpus import CORPUS, corpus_app
from textgen.cli.help import (
    ARGUMENTS,
    BEGINNING,
    NETWORK,
    OPTIONS,
    RUN,
    SAMPLING,
    TEXT,
    TRAINING,
    HelpFormatter,
    HelpfulApp,
)
from textgen.cli.parameters import CHECKPOINTS, FLAT, Checkpoints, Files, Json, RunName, RunNames
from textgen.cli.printer import print_text, print_wrapped
from textgen.cli.process import command_line, run_command
from textgen.cli.results import (
    copying_line,
    copying_values,
    dynamic_values,
    network_values,
    print_figures,
    print_json,
    print_result,
    print_sanity,
)
from textgen.cli.runs import compare, runs_app
from textgen.cli.runs import show as show_run
from textgen.cli.settings_file import to_toml
from textgen.cli.sources import (
    fill_in,
    repeated_run,
    run_before_restart,
    run_named,
    store_named,
)
from textgen.cli.terminal import without_control_echo
from textgen.cli.texts import tell_of_what_never_came, warn_of_encoding, write_texts
from textgen.cli.written import Format, Written, chosen_format, deliver
from textgen.config import (
    DEFAULT_PORT,
    DEFAULT_VISDOM,
    DEFAULT_VISDOM_PORT,
    CorpusConfig,
    Errors,
    GenerationConfig,
    ModelConfig,
    ReadingConfig,
    SanityConfig,
    SearchConfig,
    Settings,
    TrainingConfig,
)
from textgen.errors import TextgenError, UsageError
from textgen.interrupts import handling
from textgen.language import Message, _
from textgen.version import __version__

if TYPE_CHECKING:
    from textgen.evaluation.copying import TrainingText
    from textgen.reading.corpus import Corpus
    from textgen.runs.trained import Trained

log = logging.getLogger(__name__)

_Sampling = Parameter(name="*", group=SAMPLING)
_Beginning = Parameter(allow_leading_hyphen=True, group=BEGINNING)
_MapScript = Annotated[bool, Parameter(name="--map-script", negative="", group=BEGINNING)]
_TensorBoard = Annotated[Path | None, Parameter(name="--tensorboard")]
_Visdom = Annotated[str | None, Parameter(name="--visdom", negative_none="no-")]

app = HelpfulApp(
    name="textgen",
    help="Teach a small LSTM a novel, character by character, and let it write on.",
    version=__version__,
    help_format="plaintext",
    help_formatter=HelpFormatter(),
    group_parameters=OPTIONS,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative_iterable=()),
)
app.command(corpus_app)
app.command(runs_app)
app.command(show_run, name="show")
app.command(compare)


@app.command
def demo(
    *,
    minutes: float = 3.0,
    checkpoints: Checkpoints = CHECKPOINTS,
    visdom: _Visdom = DEFAULT_VISDOM,
) -> None:
    """Fetch 三国演义, train on it for three minutes, and let the model write.

    Args:
        minutes: Minutes to train.
        checkpoints: Folder in which the run's folder is made.
        visdom: Visdom server to draw on; that of this folder's textgen monitor when not given,
            --no-visdom for none.
    """
    from textgen.dashboard.mirror import hint_of_curves, mirror_to
    from textgen.reading.fetching import fetch
    from textgen.runs.trained import load
    from textgen.training.start import train as train_new
    from textgen.writing.decoder import Decoder

    settings = Settings(training=TrainingConfig(minutes=minutes))
    path = CORPUS / "sanguoyanyi.txt"
    if not path.exists():
        log.info("Fetching 三国演义 with pip into %s", path)
        fetch("sanguoyanyi", CORPUS)
    result = train_new(
        path,
        settings,
        checkpoints=checkpoints,
        mirror=mirror_to(visdom),
        command=command_line(),
    )
    print_result(result)
    trained = load(result.run.folder)
    decoder = Decoder.of(trained)
    for prefix in ("却说", "玄德曰：“", "曹操"):
        print()
        write_texts(decoder, [prefix], GenerationConfig(length=120), SearchConfig(), [])
    log.info("\nMore of it: textgen generate --prefix 却说 --length 500")
    if hint := hint_of_curves(visdom, result.run):
        log.info("%s", hint)


@app.command(group_parameters=RUN)
def train(
    *files: Files,
    reading: Annotated[ReadingConfig, Parameter(name="*", group=TEXT)] = ReadingConfig(),
    corpus: Annotated[CorpusConfig, Parameter(name="*", group=TEXT)] = CorpusConfig(),
    model: Annotated[ModelConfig, Parameter(name="*", group=NETWORK)] = ModelConfig(),
    training: Annotated[TrainingConfig, Parameter(name="*", group=TRAINING)] = TrainingConfig(),
    preset: Literal["classic"] | None = None,
    config: Path | None = None,
    print_config: Annotated[bool, Parameter(negative="")] = False,
    name: str | None = None,
    resume: Annotated[bool, Parameter(negative="")] = False,
    begin: Annotated[str | None, Parameter(name="--from")] = None,
    checkpoints: Checkpoints = CHECKPOINTS,
    visdom: _Visdom = DEFAULT_VISDOM,
    visdom_env: str | None = None,
    visdom_window: str | None = None,
    tensorboard: _TensorBoard = None,
    as_json: Json = False,
) -> None:
    """Train a model on text files, or on folders of .txt files; without any, on the sample.

    Args:
        files: Text files and folders, or a store. With --resume, the name of a run: none is the
            newest; a store beside it is where the run's store is now.
        preset: A named set of settings; classic is the source document's.
        config: TOML file with any of these settings. A flag wins over it, it over a preset. The
            config.json of a run repeats the run, on its files where no others are given.
        print_config: Print the settings as such a file, and do not train.
        name: Name of the run; its file's name and the time when not given.
        resume: Go on with a run where its last checkpoint stands.
        begin: Begin with what another run has learned: its weights, and its text, which is counted
            as well. The run stays as it is. base is the model that comes with textgen.
        checkpoints: Folder in which the run's folder is made.
        visdom: Visdom server to draw on; that of this folder's textgen monitor when not given,
            --no-visdom for none.
        visdom_env: Visdom environment to draw in; the run's name when not given.
        visdom_window: Name of the perplexity's window there.
        tensorboard: Folder for TensorBoard's event files.
        as_json: Print the final figures as one JSON line.
    """
    from textgen.dashboard.mirror import hint_of_curves, mirror_to
    from textgen.evaluation.overlap import held_out_overlap
    from textgen.reading.short_texts import cleaned_but_for_its_ends
    from textgen.runs.finding import find_run
    from textgen.runs.trained import find_to_write

    del preset  # fill_in has read it
    training = replace(training, prefix=tuple(map(cleaned_but_for_its_ends, training.prefix)))
    settings = Settings(corpus, model, training, reading)
    if print_config:
        print_text(to_toml(settings.flat()), end="")
        return
    mirror = mirror_to(visdom, visdom_env, visdom_window, tensorboard)
    before = run_before_restart()
    if resume or before is not None:
        from textgen.training.start import resume as go_on

        if before is not None:
            result = go_on(before, None, mirror, command_line())
        elif begin is not None:
            raise UsageError("--from is for a new run: --resume goes on with the weights it has")
        else:
            run = find_run(checkpoints, run_named(files))
            result = go_on(run, settings, mirror, command_line(), store=store_named(files))
    else:
        repeated = None if config is None else repeated_run(config)
        if repeated is not None and not files:
            files = tuple(file["path"] or "" for file in repeated.config.get("files", ()))
        paths = [Path(file) for file in files] or [_sample()]
        # What is begun with another run's vocabulary is no store, however much text it is.
        read = _read(paths, settings, checkpoints if begin is None else None)
        from textgen.training.start import train as train_new  # a second, after the first words

        result = train_new(
            read,
            settings,
            name,
            checkpoints,
            mirror,
            repeated=repeated,
            begin=None if begin is None else find_to_write(checkpoints, begin),
            command=command_line(),
        )
    if not as_json:
        print_result(result)
        log.info("\nLet it write: textgen generate %s --prefix ...", shlex.quote(result.run.name))
        if hint := hint_of_curves(visdom, result.run):
            log.info("%s", hint)
        return
    held_out, overlap = result.held_out, held_out_overlap(result.run)
    print_json(
        run=result.run.name,
        tokens=result.tokens,
        tokens_per_second=result.tokens_per_second,
        device=result.device,
        perplexity=result.perplexity,
        held_out_perplexity=held_out and held_out.model.perplexity,
        held_out_bits_per_character=held_out and held_out.model.bits_per_character,
        **network_values(held_out),
        kneser_ney_bits_per_character=result.run.kneser_ney_bits,
        trigram_bits_per_character=result.run.trigram_bits,
        held_out_in_training_text=overlap and overlap.share,
    )


@app.command
def generate(
    run: RunName = None,
    *,
    prefix: Annotated[str | None, _Beginning] = None,
    prefix_file: Annotated[Path | None, _Beginning] = None,
    prefixes: Annotated[Path | None, _Beginning] = None,
    encoding: Annotated[str | None, Parameter(group=BEGINNING)] = None,
    map_script: _MapScript = False,
    generation: Annotated[GenerationConfig, _Sampling] = GenerationConfig(),
    search: Annotated[SearchConfig, _Sampling] = SearchConfig(),
    counts: Annotated[bool, Parameter(group=SAMPLING)] = True,
    check_copying: Annotated[bool, Parameter(negative="")] = False,
    out: Path | None = None,
    form: Annotated[Format | None, Parameter(name="--format")] = None,
    checkpoints: Checkpoints = CHECKPOINTS,
    as_json: Json = False,
) -> None:
    """Let a trained model write on from a beginning.

    Args:
        run: Name of the run, or its folder; the newest when not given.
        prefix: The beginning; - reads it from standard input. A model of items needs none.
        prefix_file: Text file with the beginning, for a long one; - is standard input.
        prefixes: Text file with a beginning on each line.
        encoding: Encoding of that file, or of the pipe; when not given, the one in which the model
            knows the characters.
        map_script: Put unknown characters into the script and the punctuation that are known.
        counts: Multiply the network with what counts know, where the run has counts.
        check_copying: Tell what of the text stands word for word in the training text.
        out: File to write the text into, one that is not there yet.
        form: What is printed, or stands in the file: text, as it comes; json or markdown, when it
            is complete.
        checkpoints: Folder in which the runs are.
        as_json: The same as --format json.
    """
    from textgen.runs.trained import load
    from textgen.writing.decoder import Decoder
    from textgen.writing.generation import new_seed

    search.check(generation)
    form = chosen_format(form, as_json=as_json)
    _require_new("out", out)
    begin = given(prefix, prefix_file, prefixes, encoding)
    require_beginning(begin, checkpoints, run)
    trained = load(run, checkpoints)
    if not counts:
        trained = replace(trained, learned=None)
    if form == "text" and out is None:
        warn_of_encoding(trained)
    original = _training_text(trained) if check_copying else None
    starts = beginnings(begin, trained, map_script=map_script)
    drawn = generation.seed is None and generation.temperature > 0 and search.beam is None
    if generation.seed is None and search.beam is None:
        generation = replace(generation, seed=new_seed())
    texts: list[Written] = []
    streams = form == "text" and out is None
    stopped = None
    try:
        with handling(_interrupt), without_control_echo():
            write_texts(Decoder.of(trained), starts, generation, search, texts, quiet=not streams)
    except KeyboardInterrupt as interrupt:
        stopped = interrupt
    copyings = [original.copied_by(one.text) for one in texts] if original else []
    if not streams and texts:
        deliver(texts, form, generation, trained.run.name, copyings, out)
    if form != "json":
        for number, copying in enumerate(copyings, start=1):
            several = len(texts) > 1
            of = Message("text {number}", number=number) if several else Message("the text")
            log.info("%s", copying_line(of, copying))
        if drawn and texts:
            log.info("%sThe same text again: --seed %d", "\n" * bool(stopped), generation.seed)
    if stopped:
        raise stopped
    tell_of_what_never_came(generation, texts)


@app.command
def write(
    run: RunName = None,
    *,
    map_script: _MapScript = False,
    generation: Annotated[GenerationConfig, _Sampling] = GenerationConfig(),
    checkpoints: Checkpoints = CHECKPOINTS,
) -> None:
    """Write together with a trained model: type a beginning, read on, change, save.

    Args:
        run: Name of the run, or its folder; the newest when not given.
        map_script: Put unknown characters into the script and the punctuation that are known.
        checkpoints: Folder in which the runs are.
    """
    from textgen.cli.desk import write as write_together
    from textgen.runs.trained import load

    trained = load(run, checkpoints)
    warn_of_encoding(trained)
    write_together(trained, generation, map_script=map_script)


@app.command
def serve(
    run: RunName = None,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    open_browser: Annotated[bool, Parameter(name="--open", negative="")] = False,
    checkpoints: Checkpoints = CHECKPOINTS,
) -> None:
    """Put a trained model behind the completions interface, with a page to write in.

    Args:
        run: Name of the run, or its folder, for who names no model; the newest when not given.
        host: Address to listen on; with any other, others can write with every run.
        port: Port to listen on; 0 takes a free one.
        open_browser: Open the page in the browser.
        checkpoints: Folder in which the runs are.
    """
    try:
        from textgen.serving.server import serve as serve_runs
    except ImportError:
        raise TextgenError(
            "starlette and uvicorn are not installed: pip install '.[serve]'"
        ) from None

    serve_runs(checkpoints, run, host, port, open_browser=open_browser)


@app.command
def evaluate(
    run: RunName = None,
    file: Annotated[Path | None, Parameter(group=ARGUMENTS)] = None,
    *,
    encoding: str | None = None,
    errors: Errors = "mend",
    dynamic: Annotated[bool, Parameter(negative="")] = False,
    heatmap: Path | None = None,
    checkpoints: Checkpoints = CHECKPOINTS,
    as_json: Json = False,
) -> None:
    """Judge a model on its held-out part, or on another text, beside what counts come to.

    A sample of 2,000 characters, always with the same seed, tells how much the model copies.

    Args:
        run: Name of the run, or its folder; the newest when not given.
        file: Text file or folder to judge it on; without a run before it, the newest is judged.
        encoding: Encoding of the file; found out from the bytes when not given.
        errors: What does not fit the encoding is left out: up to one in a thousand characters
            (mend), or however much it is (replace); or the file is refused (strict).
        dynamic: Judge also a copy that learns from each piece of the text once it is judged.
        heatmap: HTML file to write: the text, every character coloured by its surprisal.
        checkpoints: Folder in which the runs are.
        as_json: Print the figures as one JSON line.
    """
    from textgen.evaluation.judge import COPYING_SAMPLE, Judged
    from textgen.plots.heatmap import write_heatmap
    from textgen.runs.finding import is_text
    from textgen.runs.trained import load

    _require_writable("heatmap", heatmap)
    if file is None and run is not None and is_text(checkpoints, run):
        file, run = Path(run), None
    trained = load(run, checkpoints)
    judged = Judged(trained, file, encoding, errors)
    if as_json:
        for remark in judged.remarks():
            log.warning("%s", remark)
    figures, counted = judged.figures(), judged.yardsticks()
    kneser_ney, trigram = counted.kneser_ney, counted.trigram
    adapting = judged.adapting() if dynamic else None
    copying, natural = judged.copying()
    if heatmap is not None:
        left_out = write_heatmap(judged, heatmap)
        if left_out:
            log.info("%s leaves the last %s characters out", heatmap, f"{left_out:,}")
    if as_json:
        print_json(
            perplexity=figures.model.perplexity,
            bits_per_character=figures.model.bits_per_character,
            **network_values(figures),
            kneser_ney_bits_per_character=kneser_ney.bits_per_character,
            trigram_bits_per_character=trigram.bits_per_character,
            tokens=figures.network.tokens,
            **copying_values(copying),
            held_out_copied_share=natural and natural.share,
            judged_in_training_text=judged.overlap.share,
            text_changed=bool(judged.changed),
            **dynamic_values(adapting),
        )
        return
    print_text(
        _("{count:,} {units} of {name}").format(
            count=figures.network.tokens, units=trained.vocab.units, name=file or judged.name
        )
    )
    yardsticks = {
        "Kneser-Ney": kneser_ney.bits_per_character,
        "trigram": trigram.bits_per_character,
    }
    print_figures(trained.run, figures, yardsticks, adapting, judged.remarks())
    written = Message("{count:,} characters by the model", count=COPYING_SAMPLE.length)
    print_wrapped(copying_line(written, copying))
    if natural is not None:
        print_wrapped(copying_line(Message("as many held-out ones"), natural))
    if heatmap is not None:
        print_text(heatmap)


@app.command
def report(
    *runs: RunNames, output: Path | None = None, checkpoints: Checkpoints = CHECKPOINTS
) -> None:
    """Write a run's figures, plots and samples into one HTML page that opens offline.

    Several runs are laid over each other, with what differs between them.

    Args:
        runs: Names of runs, or their folders; the newest when not given.
        output: The file; report.html in the run's folder when not given, or of several in the
            folder in which the runs are.
        checkpoints: Folder in which the runs are.
    """
    from textgen.plots.report import write_report
    from textgen.runs.finding import find_run

    opened = [find_run(checkpoints, name) for name in runs or (None,)]
    found = list({run.folder.resolve(): run for run in opened}.values())  # each once
    path = output or (found[0].folder if len(found) == 1 else checkpoints) / "report.html"
    write_report(found, path)
    print_text(path)


@app.command
def monitor(
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_VISDOM_PORT,
    open_browser: Annotated[bool, Parameter(name="--open", negative="")] = False,
    token: Annotated[bool, Parameter(negative="")] = False,
    checkpoints: Checkpoints = CHECKPOINTS,
) -> None:
    """Start a Visdom server that needs no network, and draw every run on it, old and live.

    Args:
        host: Address to listen on; with any other, others can reach it, who have the token.
        port: Port to listen on.
        open_browser: Open the page in the browser.
        token: Ask for the token in the printed URL also who is known to be you, on this machine.
        checkpoints: Folder in which the runs are.
    """
    from textgen.dashboard.without_torch import without_torch

    try:
        with without_torch():
            from textgen.dashboard.monitor import monitor as serve_and_mirror
    except ImportError:
        raise TextgenError("Visdom is not installed: pip install '.[visdom]'") from None

    serve_and_mirror(checkpoints, host, port, open_browser=open_browser, token=token)


@app.command
def sanity(
    *,
    suite: Annotated[SanityConfig, FLAT] = SanityConfig(),
    report: Path | None = None,
    checkpoints: Checkpoints = CHECKPOINTS,
    visdom: _Visdom = DEFAULT_VISDOM,
    tensorboard: _TensorBoard = None,
    as_json: Json = False,
) -> None:
    """Prove on small tasks whose answers are known that layers, loop and installation learn.

    Args:
        report: HTML file for the curves, which opens offline.
        checkpoints: Folder in which the suite's folder is made.
        visdom: Visdom server to draw on; that of this folder's textgen monitor when not given,
            --no-visdom for none.
        tensorboard: Folder for TensorBoard's event files.
        as_json: Print the results as one JSON line.
    """
    from textgen.dashboard.mirror import mirroring
    from textgen.plots.report import write_page
    from textgen.plots.suite import suite_in
    from textgen.sanity.suite import Row, answers_table, run_suite

    _require_writable("report", report)
    subject = suite_in(checkpoints)
    results = run_suite(suite, subject.record)
    rows: list[Row] = []
    stopped = False
    try:
        with mirroring(visdom, subject, tensorboard):
            for row in results:
                rows.append(row)
                log.info("%s %s: %s", row.task, row.model, row.finding.result)
                for line in row.finding.details:
                    log.info("    %s", line)
    except KeyboardInterrupt:  # what is done is told all the same
        stopped = True
    failed = [f"{row.task} {row.model}" for row in rows if not row.finding.passed]
    if as_json:
        print_json(passed=not failed, tasks=[row.as_json() for row in rows])
    else:
        print_sanity(rows)
        if answers := answers_table(rows):
            print(answers)
    if report is not None:
        window, *plots = subject.windows(subject.record.read())
        first = f"<div class='wide'>{window.data[0]['content']}</div>"
        write_page(report, window.title, plots, "", first=first)
        log.info("%s", report)
    if stopped:
        raise KeyboardInterrupt
    if failed:
        raise TextgenError(
            "{failed} of {count} failed: {names}",
            failed=len(failed),
            count=len(rows),
            names=", ".join(failed),
        )
    log.info("All %d passed in %.0f s", len(rows), sum(row.seconds for row in rows))


@app.command(name="--install-completion")
def install_completion(
    *, shell: Literal["bash", "zsh", "fish", "powershell"] | None = None
) -> None:
    """Let the shell complete commands, options, files and names of runs with Tab.

    Args:
        shell: Which shell; this one when not given.
    """
    from cyclopts.completion import ShellDetectionError

    try:
        path = app.install_completion(shell=shell)
    except ShellDetectionError:
        raise UsageError("it cannot be told which shell this is: give --shell bash") from None
    print_text(path)
    log.info("Every shell that is opened from now on completes with Tab")


def _read(paths: list[Path], settings: Settings, root: Path | None) -> "Corpus | list[Path]":
    """Return what is read of files; or of much text the store, which is read by and by.

    Args:
        paths: files, folders, or a store.
        settings: how they are read.
        root: the folder that runs and stores are in; None where no store is to be built.
    """
    from textgen.reading.corpus import read_and_tell
    from textgen.text.store import is_store
    from textgen.training.automatic import automatic_store

    if any(map(is_store, paths)):
        return paths
    store = None if root is None else automatic_store(paths, settings, root)
    return read_and_tell(paths, settings.reading) if store is None else [store]


def _require_writable(flag: str, path: Path | None) -> None:
    """Refuse a file that cannot be written before the work that is to stand in it is done."""
    if path is None:
        return
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(
            "--{flag} {path} cannot be written: give a file in a folder of yours",
            flag=flag,
            path=path,
        )


def _require_new(flag: str, path: Path | None) -> None:
    """Refuse a file that is there already: it may be somebody's."""
    _require_writable(flag, path)
    if path is not None and path.exists():
        raise UsageError(
            "--{flag} {path} exists already: choose another name", flag=flag, path=path
        )


def _interrupt(*_signal: object) -> None:
    """Stop as Ctrl-C does: what was written is kept also where the terminal is closed."""
    raise KeyboardInterrupt


def _training_text(trained: "Trained") -> "TrainingText":
    from textgen.evaluation.copying import TrainingText

    return TrainingText(trained.run.learned_text())


def _sample() -> Path:
    """Return the short story that comes with the project."""
    for folder in (CORPUS, Path(__file__).parent.parent.parent / "corpus"):
        if (folder / "sample.txt").exists():
            return folder / "sample.txt"
    raise UsageError("train needs a FILE to train on: a text file or a folder of them")


_IN_ORDER_OF_USE = (
    *("demo", "train", "generate", "write", "evaluate", "runs", "show", "compare", "report"),
    *("monitor", "serve", "corpus", "sanity"),
)
for _place, _name in enumerate(_IN_ORDER_OF_USE):
    app[_name].sort_key = _place

app.config = (fill_in,)


def run(arguments: list[str]) -> int:
    """Run a command, and return the exit status."""
    return run_command(app, arguments)
