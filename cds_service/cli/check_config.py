"""``relapse-cds check-config``: whether ``serve`` would start, without starting it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from cds_service.cli.configured import configured, counted, indented, knowledge_for
from cds_service.cli.faults import Unusable


def add_parser(subparsers: Any) -> None:
    """``check-config``."""
    parser = subparsers.add_parser(
        "check-config",
        help="check the configuration and the knowledge, and name every fault",
        description="Reads the TOML file named by RELAPSE_CDS_CONFIG and the variables RELAPSE_CDS_*, and "
        "the knowledge. Names every fault with its key, the shape of what stands there and the remedy; "
        "no secret is shown. Nothing is contacted and nothing is written.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, and say what was found."""
    from cds_service.cli.named_files import faults_of_places
    from cds_service.evaluation.site_knowledge import known_names
    from cds_service.settings.faults import SettingsError
    from cds_service.settings.loading import check_names
    from fhir_mappings.assess import KnowledgeError
    from fhir_mappings.trials import load_trial_knowledge

    settings = configured()
    told = [str(fault) for fault in faults_of_places(settings)]
    knowledge = knowledge_for(settings)
    try:
        load_trial_knowledge(settings.knowledge_dir)
        check_names(settings, known_names(knowledge))
    except (KnowledgeError, SettingsError) as error:
        told.extend(str(error).splitlines())
    if told:
        raise Unusable("the configuration cannot be used:\n" + indented("\n".join(told)))
    write = sys.stdout.write
    write(
        f"The configuration can be used: {counted(len(settings.tenants), 'tenant')}, auth {settings.auth}, "
    )
    write(f"environment {settings.environment}.\n")
    write(f"Knowledge {knowledge.disease} {knowledge.version} ({knowledge.review}), {knowledge.digest}.\n")
    if knowledge.review != "approved":
        write("The knowledge is a draft: it has not been signed by a clinician.\n")
        if settings.require_approved_content:
            write("require_approved_content is on: nothing is shown until every rule is approved.\n")
    return 0
