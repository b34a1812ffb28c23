"""The command line: what may be typed, which room does it, and how the program ends.

Only argparse is imported before a command is known, so that `brickwork --help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from .errors import DONE, FAULT, INTERRUPTED, MISTAKE, Mistake

ABOUT = "Train a neural network on a table, and use it: one command, one file."
TRY = "Try `brickwork demo`, then `brickwork train TABLE --target COLUMN`."


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence, not a page of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"{self.prog}: {message}. See {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 done, 2 the person's mistake, 130 interrupted, 1 a fault of ours."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name that the code page of a log lacks must not end the program
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        return int(import_module(f".{options.room}", __package__).run(options))
    except Mistake as mistake:
        _tell(options, mistake, f"brickwork {options.command}: {mistake}")
        return MISTAKE
    except KeyboardInterrupt as interrupt:
        _tell(options, interrupt, f"brickwork {options.command}: interrupted; nothing was saved.")
        return INTERRUPTED
    except BrokenPipeError:  # `brickwork predict ... | head` has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it flushes at exit
        return DONE
    except Exception as error:
        kind = type(error).__name__
        sentence = f"brickwork {options.command}: a fault of the program: {kind}: {_one_line(error)}"
        _tell(options, error, f"{sentence}. Please report it, with what {_again(options)} prints.")
        return FAULT


def _tell(options: argparse.Namespace, error: BaseException, sentence: str) -> None:
    if options.debug:
        traceback.print_exception(error)
    print(sentence, file=sys.stderr)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or "no message"


def _again(options: argparse.Namespace) -> str:
    return f"`brickwork {options.command} --debug ...`"


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser = _Parser(prog="brickwork", description=ABOUT, epilog=TRY)
    parser.add_argument("--version", action="version", version=f"brickwork-cli {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, room: str, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.", parents=[shared])
        added.set_defaults(room=room)
        return added

    _add_train(command("train", "train", "learn to predict one column of a table from the others"))
    _add_evaluate(command("evaluate", "evaluate", "measure a model on a table that has the answers"))
    _add_predict(command("predict", "predict", "predict for each row of a table, as CSV"))
    _add_describe(command("describe", "describe", "tell what is in a model file"))
    command("doctor", "doctor", "tell what is usable on this machine, and how to mend what is not")
    _add_demo(command("demo", "demo", "train on the Palmer penguins and predict in a new process"))
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    _table(parser)
    parser.add_argument("--target", metavar="COLUMN", required=True, help="the column to predict")
    parser.add_argument(
        "--task",
        choices=["auto", "classification", "regression"],
        default="auto",
        help="what the target is; auto (the default) finds out",
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help="the model file (default: TABLE's name .brick, here)")
    _training(parser)


def _training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--epochs", metavar="N", type=_whole(1), default=200, help="rounds over the rows at most (default: 200)"
    )
    parser.add_argument("--batch-size", metavar="N", type=_whole(1), default=32, help="rows per step (default: 32)")
    parser.add_argument(
        "--valid", metavar="FRACTION", type=_fraction, default=0.2, help="share of the rows to judge by (default: 0.2)"
    )
    parser.add_argument("--seed", metavar="N", type=_whole(0), default=0, help="of all that is random (default: 0)")
    parser.add_argument("--device", metavar="D", default="cpu", help="cpu (the default), cuda, cuda:1, ...")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _model(parser)
    _table(parser)


def _add_predict(parser: argparse.ArgumentParser) -> None:
    _model(parser)
    _table(parser)
    parser.add_argument("--out", metavar="FILE", type=Path, help="where to write the CSV (default: standard output)")


def _add_describe(parser: argparse.ArgumentParser) -> None:
    _model(parser)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    out = Path("penguins.brick")
    parser.add_argument("--out", metavar="FILE", type=Path, default=out, help=f"the model file (default: {out}, here)")


def _table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", metavar="TABLE", type=Path, help="a CSV or Parquet file")


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", type=Path, help="a .brick file that `brickwork train` wrote")


def _whole(least: int) -> Any:
    def whole(text: str) -> int:
        if not text.strip().lstrip("+-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}; got {text!r}")
        return int(text)

    return whole


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be a fraction between 0 and 1; got {text!r}")
    return value
