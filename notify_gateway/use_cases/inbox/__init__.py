# SPDX-License-Identifier: MIT
"""What officers and managers of an authority do with notifications, one module per act. No act knows who a child is."""
