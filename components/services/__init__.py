"""What runs: the API, the web application, the workers, and the files that they serve."""
