# SPDX-License-Identifier: MIT
"""The pages of those who run the service: how it stands, what failed, what to do. Nothing on them is about any child."""
