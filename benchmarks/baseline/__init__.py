# SPDX-License-Identifier: MIT
"""The baseline: what any team would write, well: a row, a commit and a task for each message, a POST and a commit for each task.

It parses with the same FHIR models and delivers to the same receiver. It does not split, seal, log, promise or look for duplicates.
"""
