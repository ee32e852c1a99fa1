"""Side-by-side measurements of sending and importing, started by ``script/bench``; results: docs/benchmarks.md.

    __main__.py   the options and the order of the runs
    place.py      a throw-away PostgreSQL and local SES, and the child processes that work there
    local_ses.py  an SES that only answers, as cheaply as it can; load.py finds out how fast it is
    worker.py     one child process: set up, wait for "go", do one task, tell what it took
    people.py     made-up subscribers and campaigns       sending.py   the ways to send them
    importing.py  a CSV file by our import and by bulk_create
    meter.py      processor time and memory of processes    figures.py   medians, ratios, targets, tables

Every run is a process of its own, so that its processor time and memory are its own. Runs of the ways that are compared
take turns, because the machine may be busier one minute than the next: read the ratios, not the absolutes.
"""
