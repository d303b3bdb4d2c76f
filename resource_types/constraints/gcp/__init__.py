"""What Google Cloud accepts, by product."""
