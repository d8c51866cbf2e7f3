# SPDX-License-Identifier: MIT
"""The message of the demonstration, the same as ``examples/send_notification_new.json``."""
