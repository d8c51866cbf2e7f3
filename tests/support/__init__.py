# SPDX-License-Identifier: MIT
"""What tests share: messages about invented children, real servers, processes that can be killed, the compose file's services."""
