"""The demo project: sixty support tickets and three workflows that sort them.

Tickets and rules were written together, so that their comparison has something to show: a clear
gain, a figure that cannot be told, and one category that got worse. The figures are computed.
"""
