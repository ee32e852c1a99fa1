"""The one error of script/: a sentence for the person at the terminal."""


class StartError(Exception):
    """What is wrong and what to do, in one or two sentences. The commands print it and end with status 1."""
