"""Runs AutoGPT graph files by the platform's rules, without the platform.

    graph      what a graph file holds                 pins       names that reach into values
    check      what is wrong with a graph              queues     how values become executions
    registry   which blocks there are                  executor   runs a graph
    result     what a run came to                      events     what happens meanwhile
    review     who approves                            replay     the seam for a journal

Names are imported from the modules, so that reading a graph does not load what running one needs.
"""
