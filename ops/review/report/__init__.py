"""The report for a reviewer: previews, policies and the graph, in several forms.

A report is made only from the JSON documents of ``ops preview --json``, so one preview serves a
comment, a log and a web page. ``docs/reports.md`` explains its contents.
"""
