"""What happened: usable results, the disease, episodes, sites, status, suspicions, situation."""
