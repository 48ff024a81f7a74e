"""``relapse-cds replay``: every chart of an export as it stood, step by step, before going live."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import timedelta
from typing import Any

from cds_service.cli.cohort import add_run_arguments, exit_code, told
from cds_service.cli.configured import moment
from cds_service.cli.faults import Unusable

_FILES = """files in DIR (patient data; nobody else may read them):
  replay.csv     one row a patient with ALL: first card, first proof of relapse, what was done
                 first and when, days from proof (lead_days) and first card (card_lead_days)
  summary.json   cards, repeats after quiet rules, cards a day, lead times, cards of each step
  errors.ndjson  what could not be read
"""


def add_parser(subparsers: Any) -> None:
    """``replay``."""
    parser = subparsers.add_parser(
        "replay",
        help="replay an export as the charts stood, to see when cards would have come",
        description="Assesses every chart at each step with what the record held then. Every card counts as "
        "answered when it is shown, and stays quiet as after an override.",
        epilog=_FILES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("export", metavar="EXPORT", help="folder or file of an export")
    parser.add_argument("--from", dest="first", metavar="ISO", required=True, help="the first step")
    parser.add_argument("--to", dest="last", metavar="ISO", required=True, help="the last step")
    parser.add_argument("--every", metavar="DAYS", default="7d", help="days between steps (default: 7d)")
    parser.add_argument(
        "--clinicians", metavar="N", type=int, default=1, help="who share the cards (default: 1)"
    )
    add_run_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay and tell."""
    from cds_service.cohort.replay_run import Span, run_replay
    from cds_service.cohort.running import Order

    first, last = moment(args.first), moment(args.last)
    if last <= first:
        raise Unusable("--to: write a moment after --from")
    if args.clinicians < 1:
        raise Unusable("--clinicians: write a number from 1 on")
    with told():
        order = Order.of(args, "replay", last)
        span = Span(first, last, _every(args.every), order.site.settings.snooze_days, args.clinicians)
        text, errors = run_replay(order, span)
    sys.stdout.write(text)
    return exit_code(errors, order.out)


def _every(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,3})d?", text)
    if found is None:
        raise Unusable("--every: write days such as 7d")
    return timedelta(days=int(found[1]))
