# SPDX-License-Identifier: MIT
"""One module per act: each opens the transaction, asks the domain, writes, audits, queues."""
