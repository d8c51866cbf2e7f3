# SPDX-License-Identifier: MIT
"""The conformance kit: good and bad messages with the answers they must get, played against any deployment that is not live."""
