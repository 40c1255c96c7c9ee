"""`make bench`: floors and product in turn, ratios in one run. It measures; it never passes or
fails.
"""
