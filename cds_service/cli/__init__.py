"""The command line ``relapse-cds``: one module for each command.

A command's module has ``add_parser(subparsers)``, which sets ``run`` as the parser's default, and
``run(args) -> int``, which returns the exit code. What is slow to import is imported in ``run``.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from cds_service.cli.faults import UNUSABLE, Unusable

COMMANDS = (
    "demo",
    "serve",
    "assess",
    "call",
    "trials",
    "feedback",
    "keys",
    "check_config",
    "load_demo",
    "knowledge",
    "docs",
)
"""Modules of this package, in the order of the help."""

EXIT_CODES = """exit codes:
  0  done
  1  the answer was an error, or a check failed; see the message
  2  the input, the configuration or the command line cannot be used; see the message
"""


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
    for command in subparsers.choices.values():
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        command.epilog = command.epilog or EXIT_CODES
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    args = make_parser().parse_args(argv)
    try:
        return int(args.run(args))
    except Unusable as fault:
        sys.stderr.write(f"relapse-cds: {fault}\n")
        return UNUSABLE
    except KeyboardInterrupt:
        return 130
