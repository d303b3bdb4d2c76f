"""The alternative runtime: the API and the workers on Kubernetes, with the same settings."""
