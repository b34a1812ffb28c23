"""What texts stand for: dates, numbers and truth, each read once per distinct text."""
