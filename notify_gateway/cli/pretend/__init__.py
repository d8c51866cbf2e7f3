# SPDX-License-Identifier: MIT
"""An authority to try the service with: a real receiver and collector that keeps what it got, and acts on it once."""
