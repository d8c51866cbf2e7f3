# SPDX-License-Identifier: MIT
"""What tests share: real servers, processes that can be killed, the compose file's services."""
