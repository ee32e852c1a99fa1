"""From what a manager writes to what is mailed: compiled once per campaign version."""
