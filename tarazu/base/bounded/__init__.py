"""What is read of files that nobody needs to trust, within bounds: json_files (JSON)."""
