"""What an operation would do, for its reviewers, and the checks that can refuse it."""
