# SPDX-License-Identifier: MIT
"""Celery: the application, thin tasks, the outbox dispatcher and the delivery channels."""
