"""The help of every command, as it stands on the screen: in groups, wrapped by words, no frames.

Every text of it goes through ``said``, and every line through ``_print``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Group, Parameter

from textgen.cli.chosen_language import FLAG
from textgen.cli.examples import EXAMPLES
from textgen.cli.printer import width, wrapped
from textgen.config import (
    CorpusConfig,
    GenerationConfig,
    ModelConfig,
    SanityConfig,
    SearchConfig,
    TrainingConfig,
    ranges,
)
from textgen.language import LANGUAGES, _

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

ARGUMENTS = "Arguments"  # cyclopts has it, and puts it first
TEXT = Group("Text", sort_key=1)
NETWORK = Group("Network", sort_key=2)
TRAINING = Group("Training", sort_key=3)
BEGINNING = Group("Beginning", sort_key=4)
SAMPLING = Group("Sampling", sort_key=5)
RUN = Group("Run", sort_key=6)
OPTIONS = Group("Options", sort_key=7)
"""What the settings are about, in the order in which the help has them."""

_INDENT = 2

_NAMES = 30
"""Columns of a terminal that names take at most where their descriptions stand beside them."""

_NARROW = 60
"""Columns of a terminal from which on descriptions stand beside the names, not below them."""

_GAP = 2

_RANGES = {
    f"--{name.replace('_', '-')}": allowed
    for config in (
        *(CorpusConfig, ModelConfig, TrainingConfig),
        *(GenerationConfig, SearchConfig, SanityConfig),
    )
    for name, allowed in ranges(config).items()
}
"""A setting of one name means the same wherever it stands."""


def said(text: str) -> str:
    """Return a text of the help as the reader is to have it: on one line, in one's language.

    Docstrings are broken into lines, and indented as the code is.
    """
    return _(_on_one_line(text))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


class HelpfulApp(App):
    """An app whose help ends with examples."""

    # cyclopts makes a command of this, and would import rich to learn the parameters' types.
    def help_print(
        self,
        tokens: Annotated[Any, Parameter(show=False)] = None,  # noqa: ANN401
        *,
        console: Annotated[Any, Parameter(parse=False)] = None,  # noqa: ANN401
    ) -> None:
        """Print a command's help, and how it is used."""
        from rich.console import Console

        console = Console()  # that of cyclopts is as wide as the terminal once was
        super().help_print(tokens, console=console)
        chain, *_others = self.parse_commands(tokens)
        _print_title(console, "Everywhere")
        described = said("Language of what is printed; that of the locale when not given.")
        row = (f"{FLAG} CHOICE", _with_facts(described, _listed(LANGUAGES)))
        _print_rows(console, [row])
        if examples := EXAMPLES.get(tuple(chain)):
            _print_examples(console, examples)


@dataclass(frozen=True)
class HelpFormatter:
    """Prints the parts of a command's help; cyclopts says which there are."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:
        """Print a group of settings or commands."""
        del options  # the console knows
        if not panel.entries:
            return
        _print_title(console, str(panel.title))
        rows = [(_names(entry), _description(entry)) for entry in panel.entries]
        _print_rows(console, rows)

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: object) -> None:
        """Print how the command is called."""
        del options
        _print(console, _("Usage: {usage}").format(usage=_on_one_line(_plain(usage))), style="bold")

    def render_description(
        self, console: "Console", options: "ConsoleOptions", description: object
    ) -> None:
        """Print what the command does."""
        del options
        for paragraph in _plain(description).split("\n\n"):
            if paragraph.strip():
                console.print()
                _print(console, said(paragraph))


def _plain(text: Any) -> str:  # noqa: ANN401 - a string, or one of several renderables
    """Return the words of what cyclopts made of a docstring."""
    renderable = getattr(text, "primary_renderable", text)
    return str(renderable or "")


def _names(entry: "HelpEntry") -> str:
    """Return what a setting or command is called, a switch by both its names at once."""
    if not entry.metavar and entry.positive_names and entry.negative_names:
        return "/".join(entry.names)
    return ", ".join(entry.display_labels_with_metavar)


def _description(entry: "HelpEntry") -> str:
    """Return what a setting is, and what it may be."""
    facts = []
    if entry.choices:
        facts.append(_listed(entry.choices))
    if allowed := next((_RANGES[name] for name in entry.names if name in _RANGES), None):
        facts.append(str(allowed.in_words()))
    if entry.default in ("True", "False"):
        # A switch is off unless it is given, and only of the others is that worth a word.
        facts += [_("on")] * (entry.default == "True")
    elif entry.default not in (None, "()"):
        facts.append(_("default {value}").format(value=entry.default))
    if entry.required and not entry.positional_label:
        facts.append(_("required"))
    described = said(_plain(entry.description))
    return _with_facts(described, *facts)


def _with_facts(described: str, *facts: str) -> str:
    if not facts:
        return described
    return _("{text} [{facts}]").format(text=described, facts=_("; ").join(facts))


def _listed(choices: Sequence[str]) -> str:
    words = f"{_('one of')} " * (len(choices) > 1)
    return words + ", ".join(choices)


def _print_rows(console: "Console", rows: Sequence[tuple[str, str]]) -> None:
    """Print names with their descriptions: beside each other, or in a narrow terminal below."""
    if console.width < _NARROW:
        left = _INDENT * 2
    else:
        widths = [sum(map(width, names)) for names, _description in rows]
        left = _INDENT + max((one for one in widths if one <= _NAMES), default=_INDENT) + _GAP
    for names, description in rows:
        lines = wrapped(description, max(console.width - left, 1)) if description else []
        beside = console.width >= _NARROW and sum(map(width, names)) <= left - _INDENT - _GAP
        first = lines.pop(0) if beside and lines else ""
        for number, part in enumerate(wrapped(names, max(console.width - _INDENT, 1))):
            gap = " " * (left - _INDENT - sum(map(width, part))) if first else ""
            _print_styled(
                console, " " * _INDENT, part, gap + first if number == 0 else "", style="cyan"
            )
        for line in lines:
            _print_styled(console, " " * left, "", line)


def _print_title(console: "Console", title: str) -> None:
    console.print()
    _print(console, said(title), style="bold")


def _print_examples(console: "Console", examples: Sequence[tuple[str, str]]) -> None:
    _print_title(console, "Examples")
    for purpose, command in examples:
        if purpose:
            _print(console, said(purpose), indent=_INDENT)
        # The shell joins its lines, so it can be copied however narrow the terminal is.
        first, *others = wrapped(
            command, max(console.width - _INDENT * 3 - _GAP, 1), at_spaces=True
        )
        lines = [first, *(f"{' ' * _INDENT}{line}" for line in others)]
        for line in lines[:-1]:
            _print_styled(console, " " * _INDENT * 2, f"{line} \\", "", style="cyan")
        _print_styled(console, " " * _INDENT * 2, lines[-1], "", style="cyan")


def _print(console: "Console", text: str, *, indent: int = 0, style: str = "") -> None:
    """Print a paragraph, wrapped by words."""
    for line in wrapped(text, max(console.width - indent, 1)):
        _print_styled(console, " " * indent, line, "", style=style)


def _print_styled(console: "Console", before: str, text: str, after: str, style: str = "") -> None:
    from rich.text import Text

    line = Text.assemble(before, (text, style), after)
    console.print(line, soft_wrap=True, highlight=False)
