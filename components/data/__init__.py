"""What holds data: Cloud SQL and Memorystore."""
