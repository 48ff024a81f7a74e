"""What users did with the cards: received, kept, exported, and heeded by keeping quiet for a while."""

from cds_service.feedback.quiet import QuietTimes
from cds_service.feedback.receiving import Received, receive

__all__ = ["QuietTimes", "Received", "receive"]
