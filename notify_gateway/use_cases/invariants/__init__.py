# SPDX-License-Identifier: MIT
"""What is true of the service at any moment, looked at after tests, on a schedule and by hand."""
