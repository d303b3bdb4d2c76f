"""What a reviewer reads: previews, policies and the graph as one report in several forms.

A report is made from the JSON documents of ``ops preview --json`` and of nothing else, so that one
preview serves a comment, a log and a page. ``docs/reports.md`` explains what it says.
"""
