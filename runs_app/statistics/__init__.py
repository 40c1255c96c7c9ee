"""Numbers in, numbers out: intervals, tests and verdicts. One file per idea, and no Django.

numpy and scipy are imported inside the functions that need them: together they cost about 0.3 s,
which neither the web server's start nor a page without a comparison should pay. ``scipy.stats``
is not used at all, because it alone costs more than everything else here together.
"""
