"""The alternative runtime: the API and the workers on Kubernetes, from the same settings."""
