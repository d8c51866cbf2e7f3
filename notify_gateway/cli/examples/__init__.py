# SPDX-License-Identifier: MIT
"""Worked examples: whole notifications about invented children, made fresh so that they are lawful on the day they are sent."""
