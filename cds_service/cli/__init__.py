"""The command line ``relapse-cds``: one module for each command.

A command's module has ``add_parser(subparsers)``, which sets ``run`` as the parser's default, and
``run(args) -> int``, which returns the exit code. What is slow to import is imported in ``run``.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence

from cds_service.cli.faults import UNUSABLE, Unusable

COMMANDS = (
    "demo",
    "serve",
    "assess",
    "reports",
    "call",
    "trials",
    "feedback",
    "audit",
    "store",
    "keys",
    "check_config",
    "load_demo",
    "export",
    "cohort",
    "replay",
    "readiness",
    "knowledge",
    "docs",
)
"""Modules of this package, in the order of the help."""

EXIT_CODES = """exit codes:
  0  done
  1  the answer was an error, or a check failed; see the message
  2  the input, the configuration or the command line cannot be used; see the message
"""


_SILENT = logging.NullHandler()


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="relapse-cds",
        description="Recognises relapsed acute lymphoblastic leukaemia in FHIR R4 data, with its evidence.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"cds_service.cli.{name}")
        module.add_parser(subparsers)
    for command in _commands_below(parser):
        command.formatter_class = _Help
        command.epilog = f"{command.epilog}\n{EXIT_CODES}" if command.epilog else EXIT_CODES
    return parser


def _commands_below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command and every action of a command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                command = action.choices[listed.dest]
                if command.description is None and listed.help:
                    command.description = f"{listed.help[0].upper()}{listed.help[1:]}."
                yield command
                yield from _commands_below(command)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Folds the description, and keeps the lines of what stands below the options."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    args = make_parser().parse_args(argv)
    # What the log would say, a command says itself; serve and demo set up the log of the service.
    logging.getLogger("relapse_cds").addHandler(_SILENT)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except Unusable as fault:
        sys.stderr.write(f"relapse-cds: {fault}\n")
        return UNUSABLE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read, such as head, has seen enough. What is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
