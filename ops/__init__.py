"""The command line of the estate: ``python -m ops <verb> --stack <stack>``."""
