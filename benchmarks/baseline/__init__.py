# SPDX-License-Identifier: MIT
"""The baseline: what any team would write, well: a row, a commit and a task for each message, a POST and a commit for each task.

Its front door (``gateway``) is written the way FastAPI teaches: the message is a typed parameter, the model is stored as it dumps itself,
the session is a synchronous one. ``lean_gateway`` is the same by somebody who knows what that costs: bytes are checked and stored as they
came, on an asynchronous session. Neither splits, seals, logs, promises or looks for duplicates. The lean one was written first and is the
harder yardstick: the floor is judged by it.
"""
