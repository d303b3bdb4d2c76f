"""The command line of the estate: ``bin/ops <command> --stack <stack>``."""
