"""Segments: questions about subscribers that managers put together, and that no value can break.

kinds.py     what can be asked, as a registry: bounces adds its own
rules.py     PURE of the database: JSON ↔ tree, bounded and checked
questions.py what this app can ask about a person
sql.py       a tree as one condition with parameters, for the snapshot, the counts and the tables
people.py    how many, and who for example, within a time limit
store.py     the only writer of Segment
uses.py      which segments ask about a tag
"""
