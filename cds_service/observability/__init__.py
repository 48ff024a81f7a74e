"""What the service says about itself: log and metrics."""
