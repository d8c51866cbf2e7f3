# SPDX-License-Identifier: MIT
"""What delivery is measured by: a dead receiver among ten, a backlog that drains, a day's file of a hundred thousand."""
