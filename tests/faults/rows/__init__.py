"""The rows of the fault matrix: name → (what, function). A function gets a rig, a size and a seed, and fills a Row."""
