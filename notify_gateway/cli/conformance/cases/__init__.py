# SPDX-License-Identifier: MIT
"""The cases, a module for each family: what must be accepted, what must be refused, and what is to be had afterwards."""
