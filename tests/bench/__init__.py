"""What the estate costs in seconds, as ratios that are measured side by side in one run."""
